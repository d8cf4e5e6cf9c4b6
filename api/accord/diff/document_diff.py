"""The changes between two documents of the accord, clause by clause.

The document's models are walked together. What they declare decides what a clause is, so that a new section or field is
compared without being named here; `clauses.py` adds sentences, titles and effects.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from api.accord.clause_paths import item_steps
from api.accord.diff.changes import ClauseChange, Marks
from api.accord.diff.clauses import KEY_FIELDS, Clause, Items, clause_of, effect_at, items_at
from api.accord.diff.followed_zone import with_followed_zone
from api.accord.diff.item_pairs import is_reordered, item_pairs
from api.accord.diff.plain_values import plain_sentence, words_of
from api.accord.diff.stage_keys import renamed_stages, with_stage_keys
from schema.accord import Accord
from schema.accord_vocab import AccordChangeKind, AccordChangeMark
from schema.sentences.stage_sentences import key_sentence


def document_changes(before: Accord, after: Accord) -> tuple[ClauseChange, ...]:
    """Return what differs between two documents; empty if their content is the same.

    A stage is the same under another key if its rule and its meaning are. Opening hours and quiet hours that follow the
    time zone of the reports change with it. Changed keys come first, the other changes in the order of the document.
    """
    if before.reporting.timezone != after.reporting.timezone:
        before, after = with_followed_zone(before), with_followed_zone(after)
    keys = renamed_stages(before, after)
    walk = _AccordPair(with_stage_keys(before, keys), after)
    return (*_changed_keys(before, after, keys), *walk.models(_Place("", "", "", ""), walk.before, walk.after))


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in the document: its path, its path without the keys of items, its section, and its title."""

    path: str
    pattern: str
    section: str
    title: str

    def field(self, model: type[BaseModel], name: str) -> "_Place":
        """Return the place of a field of a model."""
        name = model.model_fields[name].alias or name
        words = words_of(name)
        if not self.path:
            return _Place(name, name, name, words[:1].upper() + words[1:])
        return _Place(f"{self.path}.{name}", f"{self.pattern}.{name}", self.section, self._within(words))

    def item(self, items: Items, step: str, item: object) -> "_Place":
        """Return the place of an item of a list."""
        title = items.title(item) or self._within(getattr(item, "title", step))
        return replace(self, path=f"{self.path}.{step}", title=title)

    def clause(self, model: type[BaseModel], clause: Clause) -> "_Place":
        """Return the place of a clause that is stated by a sentence of its own."""
        if not clause.fields:
            return self
        place = self.field(model, clause.fields[0])
        return replace(place, title=self._within(clause.title))

    def _within(self, title: str) -> str:
        """Return a title within this place: `Handoff: sales, decision`."""
        separator = ", " if ":" in self.title else ": "
        return f"{self.title}{separator}{title}" if self.title else title


@dataclass(frozen=True, slots=True)
class _AccordPair:
    """Both documents, the first one with the keys that the stages have in the second one."""

    before: Accord
    after: Accord

    def models(self, at: _Place, before: BaseModel, after: BaseModel) -> Iterator[ClauseChange]:
        """Yield the changes within a model."""
        whole = clause_of(at.pattern, "")
        if whole is not None:
            yield from self._clause(at, whole, before, after)
            return
        for name in type(after).model_fields:
            clause = clause_of(at.pattern, name)
            if clause is None:
                place = at.field(type(after), name)
                yield from self._values(place, getattr(before, name), getattr(after, name))
            elif name == clause.fields[0]:
                yield from self._clause(at, clause, before, after)

    def _clause(self, at: _Place, clause: Clause, before: BaseModel, after: BaseModel) -> Iterator[ClauseChange]:
        fields = clause.fields or tuple(type(after).model_fields)
        if any(getattr(before, name) != getattr(after, name) for name in fields):
            yield _change(
                at.clause(type(after), clause),
                clause.effect(before, after),
                clause.sentence(before, self.before),
                clause.sentence(after, self.after),
            )

    def _values(self, at: _Place, before: Any, after: Any) -> Iterator[ClauseChange]:  # noqa: ANN401 - any field
        """Yield the changes of a field that no clause states."""
        if before == after:
            return
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from self.models(at, before, after)
        elif isinstance(before, BaseModel) or isinstance(after, BaseModel):
            yield self._whole(at, before, after)
        elif _has_models(before) or _has_models(after):
            yield from self._lists(at, before, after)
        else:
            texts = (plain_sentence(at.title, before), plain_sentence(at.title, after))
            yield _change(at, effect_at(at.pattern)(before, after), *texts)

    def _lists(self, at: _Place, before: Sequence[Any], after: Sequence[Any]) -> Iterator[ClauseChange]:
        items = items_at(at.pattern)
        pairs = item_pairs(items.key, before, after)
        if is_reordered(pairs):
            texts = (_listed(at, items, found) for found in (before, after))
            yield _change(replace(at, title=f"{at.title}: order"), items.order(before, after), *texts)
        for pair in pairs:
            place = at.item(items, pair.step, pair.before if pair.after is None else pair.after)
            if pair.before is None or pair.after is None:
                yield self._whole(place, pair.before, pair.after)
            else:
                yield from self.models(place, pair.before, pair.after)

    def _whole(self, at: _Place, before: BaseModel | None, after: BaseModel | None) -> ClauseChange:
        """Return the change by which a model as a whole is added or removed."""
        clause = clause_of(at.pattern, "")
        effect = effect_at(at.pattern) if clause is None else clause.effect
        texts = (
            "" if model is None else " ".join(_sentences(at, model, accord))
            for model, accord in ((before, self.before), (after, self.after))
        )
        return _change(at, effect(before, after), *texts)


def _changed_keys(before: Accord, after: Accord, keys: Mapping[str, str]) -> Iterator[ClauseChange]:
    """Yield the changes of stages' keys, given the new keys by the old ones."""
    stages = {stage.key: stage for stage in after.stages}
    for old, new in keys.items():
        stage, former = stages[new], before.stages[before.rank(old) - 1]
        place = _Place(f"stages.{new}.key", "stages.key", "stages", f"{stage.title}: key")
        yield _change(place, (AccordChangeMark.RENAMES,), key_sentence(former), key_sentence(stage))


def _sentences(at: _Place, model: BaseModel, accord: Accord) -> Iterator[str]:
    """Yield the sentences of all clauses within a model. A field without a value and a sentence of its own has none."""
    whole = clause_of(at.pattern, "")
    if whole is not None:
        yield whole.sentence(model, accord)
        return
    for name in type(model).model_fields:
        clause, value, place = clause_of(at.pattern, name), getattr(model, name), at.field(type(model), name)
        if clause is not None:
            sentence = clause.sentence(model, accord) if name == clause.fields[0] else ""
            yield from (sentence,) if sentence else ()
        elif isinstance(value, BaseModel):
            yield from _sentences(place, value, accord)
        elif _has_models(value):
            items = items_at(place.pattern)
            for step, item in zip(item_steps(value), value, strict=True):
                yield from _sentences(place.item(items, step, item), item, accord)
        elif name not in KEY_FIELDS and value not in (None, ()):
            yield plain_sentence(place.title, value)


def _listed(at: _Place, items: Items, found: Sequence[object]) -> str:
    titles = (at.item(items, step, item).title for step, item in zip(item_steps(found), found, strict=True))
    return f"{at.title}, in this order: {'; '.join(titles)}."


def _has_models(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value)


def _change(at: _Place, marks: Marks, before: str, after: str) -> ClauseChange:
    """Return a change. A clause whose sentence is empty is not in that document."""
    kind = AccordChangeKind.CHANGED
    if not before or not after:
        kind = AccordChangeKind.REMOVED if before else AccordChangeKind.ADDED
    return ClauseChange(
        clause=at.path,
        section=at.section,
        title=at.title,
        kind=kind,
        marks=marks,
        before=before or None,
        after=after or None,
    )
