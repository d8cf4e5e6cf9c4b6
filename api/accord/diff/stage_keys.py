"""Stages whose key changed: the same rule and meaning under another key."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from api.accord.diff.normal_rules import normal_rule
from schema.accord import Accord
from schema.clauses.stages import Stage

Model = TypeVar("Model", bound=BaseModel)

# The fields whose text is the key of a stage.
NAMES_STAGE = frozenset({"stage", "after", "closes_from", "closes_to", "lead_stage"})


def renamed_stages(before: Accord, after: Accord) -> Mapping[str, str]:
    """Return the new keys of the stages whose key alone changed, by their old keys.

    A stage is the same under another key if only the first document has the one key, only the second one the other,
    and rule and meaning are equal, as they are after all changes of keys.
    """
    old, new = ({stage.key for stage in accord.stages} for accord in (before, after))
    found: dict[str, str] = {}
    for stage in before.stages:  # from the lowest up: a rule names lower stages only
        if stage.key in new:
            continue
        renamed = with_stage_keys(stage, found)
        same = (
            other.key
            for other in after.stages
            if other.key not in old and other.key not in found.values() and _is_same(renamed, other)
        )
        key = next(same, None)
        if key is not None:
            found[stage.key] = key
    return found


def with_stage_keys(model: Model, keys: Mapping[str, str]) -> Model:
    """Return a part of a document in which every stage that it names has its new key."""
    changed: dict[str, object] = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        is_key = name in NAMES_STAGE or (name == "key" and isinstance(model, Stage))
        if is_key and isinstance(value, str):
            changed[name] = keys.get(value, value)
        elif isinstance(value, BaseModel):
            changed[name] = with_stage_keys(value, keys)
        elif isinstance(value, tuple):
            changed[name] = tuple(
                with_stage_keys(item, keys) if isinstance(item, BaseModel) else item for item in value
            )
    return model.model_copy(update=changed)


def _is_same(stage: Stage, other: Stage) -> bool:
    return stage.meaning == other.meaning and normal_rule(stage.rule) == normal_rule(other.rule)
