"""The accord document: what both teams agree that each stage means. `api/funnel` evaluates it.

A document is written as TOML, stored as canonical JSON, and identified by the SHA-256 of that JSON. The descriptions
of the fields are also those of the GraphQL types. `schema/clauses` has its sections and rules.
"""

import hashlib
import json
from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from schema.clauses.contact_policy import ContactPolicy
from schema.clauses.exits import Exit, RejectReason
from schema.clauses.reporting import Reporting
from schema.clauses.rules import DEEPEST, AccordModel, depth, leaves, stage_read
from schema.clauses.stages import Stage

FORMAT = 1  # of the canonical text; a release that reads documents of another shape adds a number
_YOUNGER_KEYS = (("reporting", "fiscal_year_named_by"),)


class Accord(AccordModel):
    """An accord document: the agreement of sales and marketing by which every number is computed."""

    title: str = Field(min_length=1, description="The name of the accord.")
    stages: tuple[Stage, ...] = Field(min_length=1, description="The stages of the funnel, from the lowest up.")
    exits: tuple[Exit, ...] = Field(default=(), description="The facts that end entries.")
    reject_reasons: tuple[RejectReason, ...] = Field(
        default=(), description="The reasons for which sales may reject a handoff."
    )
    contact_policy: ContactPolicy | None = Field(
        default=None, description="How often a person may be touched; null if nothing is agreed."
    )
    reporting: Reporting = Field(default=Reporting(), description="How results are reported.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [stage.key for stage in self.stages]
        codes = [reason.code for reason in self.reject_reasons]
        for name, values in (("stage", keys), ("reject reason", codes)):
            repeated = sorted({value for value in values if values.count(value) > 1})
            if repeated:
                raise ValueError(f"{name} {', '.join(repeated)} appears more than once; give each one another key")
        for leaving in self.exits:
            _check_exit(leaving, keys)
        for rank, stage in enumerate(self.stages):
            if depth(stage.rule) > DEEPEST:
                raise ValueError(
                    f"the rule of stage {stage.key} is nested more than {DEEPEST} levels deep; simplify it"
                )
            for leaf in leaves(stage.rule):
                lower_key = stage_read(leaf)
                if lower_key is not None and lower_key not in keys[:rank]:
                    lower = _listed(keys[:rank])
                    raise ValueError(
                        f"the rule of stage {stage.key} names the stage {lower_key}, which is not a lower stage;"
                        f" lower stages: {lower}"
                    )
        return self

    def rank(self, key: str) -> int:
        """The rank of a stage, from 1 for the lowest; KeyError if there is no such stage."""
        for rank, stage in enumerate(self.stages, start=1):
            if stage.key == key:
                return rank
        raise KeyError(key)

    def window(self, base: str, target: str) -> timedelta | None:
        """The sum of the windows from one stage up to another; None if one of them has no limit."""
        windows = [stage.window for stage in self.stages[self.rank(base) - 1 : self.rank(target) - 1]]
        if any(window is None for window in windows):
            return None
        return sum((window for window in windows if window is not None), timedelta(0))

    def canonical(self) -> str:
        """The document as canonical JSON: sorted keys, no spaces, defaults included, because they are signed too.

        A key that is younger than the first signatures is left out while it has its default, so that a document that
        does not state it keeps its hash.
        """
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        for section, key in _YOUNGER_KEYS:
            if body[section][key] == type(getattr(self, section)).model_fields[key].default:
                del body[section][key]
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def content_hash(self) -> str:
        """The SHA-256 of the canonical JSON, in hex; it is what a signature signs."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def _check_exit(leaving: Exit, keys: list[str]) -> None:
    first, last = leaving.closes_from, leaving.closes_to
    for key in (first, last):
        if key not in keys:
            raise ValueError(f"an exit closes {key}, which is not a stage; stages: {_listed(keys)}")
    if keys.index(first) > keys.index(last):
        raise ValueError(f"an exit closes {first} up to {last}, which is the lower stage; swap them")


def _listed(words: list[str]) -> str:
    return ", ".join(words) or "none"
