"""Whether a changed rule widens or narrows a stage is proven by its structure, and never contradicted by a history."""

from datetime import datetime, timedelta

from api.accord.diff.rule_effect import rule_effect
from api.funnel.reference import CompanyHistories, ContactHistory, entries_of
from schema.accord import Accord
from schema.accord_vocab import AccordChangeMark
from schema.clauses.rules import AllOf, AnyOf, DealIs, FieldIs, Not, Rule, StageReached, Touches
from tests.funnel import histories
from tests.support.random_choices import RandomChoices

RENAMES, WIDENS, NARROWS, UNKNOWN = (
    AccordChangeMark.RENAMES,
    AccordChangeMark.WIDENS,
    AccordChangeMark.NARROWS,
    AccordChangeMark.UNKNOWN,
)
AFTER_ALL = histories.START + timedelta(days=400)


def changed(choices: RandomChoices, rule: Rule, lower: tuple[str, ...]) -> Rule:
    """A rule that differs from another one in a part: one that is removed, added, replaced, or changed itself."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts) if choices.happens(2):
            return _of_kind(rule, _changed_parts(choices, parts, lower))
        case AllOf(all=parts) | AnyOf(any=parts) if parts:
            place = choices.integer(0, len(parts) - 1)
            inner = changed(choices, parts[place], lower)
            return _of_kind(rule, (*parts[:place], inner, *parts[place + 1 :]))
        case Not(negated=part):
            return Not(negated=changed(choices, part, lower))
        case _:
            return _changed_leaf(choices, rule, lower)


def _of_kind(rule: Rule, parts: tuple[Rule, ...]) -> Rule:
    return AnyOf(any=parts) if isinstance(rule, AnyOf) and parts else AllOf(all=parts)


def _changed_parts(choices: RandomChoices, parts: tuple[Rule, ...], lower: tuple[str, ...]) -> tuple[Rule, ...]:
    if parts and choices.happens(2):
        place = choices.integer(0, len(parts) - 1)
        return (*parts[:place], *parts[place + 1 :])
    return (*parts, histories.rule(choices, lower, 1))


def _changed_leaf(choices: RandomChoices, leaf: Rule, lower: tuple[str, ...]) -> Rule:
    """A leaf with the other values of a generated leaf of its kind, in one of its fields if it has several."""
    for _ in range(20):
        other = histories.rule(choices, lower, 0)
        match leaf, other:
            case Touches(touches=mine), Touches(touches=theirs):
                return Touches(touches=_mixed(choices, mine, theirs))
            case DealIs(deal=mine), DealIs(deal=theirs):
                return DealIs(deal=_mixed(choices, mine, theirs))
            case StageReached(), StageReached():
                return _mixed(choices, leaf, other)
            case FieldIs(field=field), FieldIs(field=same) if field == same:
                return other
            case _:
                pass
    return choices.one((Not(negated=leaf), AnyOf(any=(leaf, histories.rule(choices, lower, 0)))))


def _mixed(choices: RandomChoices, mine: object, theirs: object) -> object:
    name = choices.one(tuple(type(mine).model_fields))
    return mine.model_copy(update={name: getattr(theirs, name)})


def with_rule(accord: Accord, rank: int, rule: Rule) -> Accord:
    stages = list(accord.stages)
    stages[rank - 1] = stages[rank - 1].model_copy(update={"rule": rule})
    return accord.model_copy(update={"stages": tuple(stages)})


def firsts(
    contact: ContactHistory, companies: CompanyHistories, accord: Accord, rank: int
) -> tuple[datetime | None, datetime | None]:
    """The first entry into a stage, and the first one by its own rule."""
    entries = [entry for entry in entries_of(contact, companies, accord, AFTER_ALL) if entry.rank == rank]
    return (
        min((entry.entered_at for entry in entries), default=None),
        min((entry.own_at for entry in entries if entry.own_at is not None), default=None),
    )


def contradicts(mark: AccordChangeMark, before: datetime | None, after: datetime | None) -> bool:
    """Whether a person's first entry before and after a change contradicts its mark."""
    if mark is RENAMES:
        return before != after
    if mark is NARROWS:
        before, after = after, before
    return mark is not UNKNOWN and before is not None and (after is None or after > before)


def compare(choices: RandomChoices, contacts: int) -> AccordChangeMark:
    """Change one rule of a generated accord, and require that no generated history contradicts its mark."""
    before = histories.accord(choices)
    rank = choices.integer(1, len(before.stages))
    lower = tuple(stage.key for stage in before.stages[: rank - 1])
    rule = before.stages[rank - 1].rule
    new = changed(choices, rule, lower)
    (mark,) = rule_effect(rule, new)
    if mark is UNKNOWN:
        return mark
    after, companies = with_rule(before, rank, new), histories.companies(choices)
    for _ in range(contacts):
        contact = histories.contact(choices)
        old_entry, new_entry = (firsts(contact, companies, accord, rank) for accord in (before, after))
        for old_at, new_at in zip(old_entry, new_entry, strict=True):
            assert not contradicts(mark, old_at, new_at), (mark, rule, new, rank, before, contact, companies)
    return mark
