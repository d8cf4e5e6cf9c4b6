"""Whether a changed rule widens or narrows a stage is proven by its structure, and never contradicted by a history."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from api.accord.diff.rule_effect import rule_effect
from api.funnel.reference import entries_of
from api.funnel.reference_facts import (
    CompanyHistories,
    ContactHistory,
    DealRole,
    DealState,
    HandoffFact,
    RecordVersion,
    TouchFact,
)
from schema.accord import Accord
from schema.accord_vocab import AccordChangeMark
from schema.clauses.rules import AllOf, AnyOf, FieldIs, Not, Rule
from schema.vocab import DealOutcome, Direction, HandoffStatus, TouchKind
from tests.funnel import histories
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices

RENAMES, WIDENS, NARROWS, UNKNOWN = (
    AccordChangeMark.RENAMES,
    AccordChangeMark.WIDENS,
    AccordChangeMark.NARROWS,
    AccordChangeMark.UNKNOWN,
)
_RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
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
    """A leaf with another value, as a generated leaf of its kind has it; or another rule made of the leaf."""
    for _ in range(20):
        other = histories.rule(choices, lower, 0)
        if isinstance(leaf, FieldIs):
            if isinstance(other, FieldIs) and other.field == leaf.field:
                return other
        elif type(other) is type(leaf) and other != leaf:
            return _RULE.validate_python(_mixed(choices, leaf, other))
    return Not(negated=leaf) if choices.happens(2) else AnyOf(any=(leaf, histories.rule(choices, lower, 0)))


def _mixed(choices: RandomChoices, mine: Any, theirs: Any) -> Any:  # noqa: ANN401 - models of one class, any
    """A model with one value of another one; of a score, the terms may be some of those of both."""
    name = choices.one(tuple(type(mine).model_fields))
    given, other = getattr(mine, name), getattr(theirs, name)
    if isinstance(given, BaseModel):
        return mine.model_copy(update={name: _mixed(choices, given, other)})
    if name == "terms":
        other = choices.one(
            (other, given + other, given[1:] or given, (_mixed(choices, given[0], other[0]), *given[1:]))
        )
    return mine.model_copy(update={name: other})


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


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_history_contradicts_the_mark_of_a_changed_rule(data: st.DataObject) -> None:
    compare(RandomChoices.of_hypothesis(data), 3)


def test_no_history_contradicts_the_marks_of_many_changed_rules() -> None:
    marks = [compare(RandomChoices.of_seed(seed), 6) for seed in range(120)]
    assert {*marks} == {RENAMES, WIDENS, NARROWS, UNKNOWN}


# ------------------------------------------------------------------------------------------------------------ cases


TOUCH = {"touches": {"direction": "INBOUND", "at_least": 2, "within": "30 days"}}
MAIL = {"field": "contact.email", "op": "is_null", "value": False}
BIG = {"field": "company.employees", "op": "gte", "value": 50}
OPEN = {"deal": {"state": "OPEN"}}


def rule(value: object) -> Rule:
    return _RULE.validate_python(value)


def touches(**values: object) -> object:
    return {"touches": {"direction": "INBOUND", "at_least": 2, "within": "30 days"} | values}


def employees(op: str, value: object) -> object:
    return {"field": "company.employees", "op": op, "value": value}


def score(at_least: int, *terms: object, **values: object) -> object:
    return {"score": {"at_least": at_least, "terms": list(terms)} | values}


def reported(*stages: str) -> object:
    return {"reported": {"source": "hubspot", "stage": list(stages)}}


FORM, CALL, MINUS = {"kind": "FORM", "points": 5}, {"kind": "CALL", "points": 10}, {"kind": "EMAIL_SENT", "points": -3}
EACH_WIDENS = [
    ({"all": [TOUCH, MAIL]}, TOUCH),
    (TOUCH, {"any": [TOUCH, MAIL]}),
    ({"all": [TOUCH, MAIL]}, {"any": [TOUCH, MAIL]}),
    ({"all": [TOUCH, MAIL]}, {"all": [{"any": [TOUCH, OPEN]}, MAIL]}),
    ({"not": {"any": [TOUCH, MAIL]}}, {"not": TOUCH}),
    ({"not": TOUCH}, {"not": {"all": [TOUCH, MAIL]}}),
    ({"not": touches(at_least=1)}, {"not": TOUCH}),
    (TOUCH, touches(at_least=1)),
    (TOUCH, touches(within="31 days")),
    (TOUCH, touches(within=None)),
    (TOUCH, touches(direction=None)),
    (touches(kind=["FORM"]), touches(kind=["FORM", "CALL"])),
    (touches(kind=["FORM"]), TOUCH),
    (touches(after="inquiry"), TOUCH),
    ({"handoff": "ACCEPTED", "after": "mql"}, {"handoff": "ACCEPTED"}),
    (BIG, employees("gte", 49)),
    (BIG, employees("gt", 48)),
    (employees("eq", 50), employees("in", [50, 60])),
    (employees("eq", 50), BIG),
    (employees("lt", 10), employees("lte", 10)),
    (employees("lt", 10), employees("ne", 10)),
    (BIG, employees("is_null", False)),
    (BIG, {"not": employees("lt", 50)}),
    ({"not": employees("ne", 50)}, {"not": employees("gt", 50)}),
    ({"deal": {"state": "OPEN", "amount_at_least": 10}}, {"deal": {"state": "OPEN", "amount_at_least": 5}}),
    ({"not": OPEN}, {"not": {"deal": {"state": "OPEN", "pipeline": "New"}}}),
    ({"stage": "mql", "within": "14 days"}, {"stage": "mql"}),
    ({"silence": "90 days"}, {"silence": "60 days"}),
    (
        {"reported": {"source": "hubspot", "stage": ["lead"]}},
        {"reported": {"source": "hubspot", "stage": ["mql", "lead"]}},
    ),
    (score(10, FORM), score(9, FORM)),
    (score(10, FORM), score(10, CALL, FORM)),
    (score(10, FORM, MINUS), score(10, FORM)),
    (score(10, FORM), score(10, {**FORM, "points": 6})),
    (score(10, FORM), score(10, {"points": 5})),
    (score(10, FORM, {**MINUS, "points": -4}), score(10, FORM, MINUS)),
    (score(10, FORM, CALL, half_life="7 days"), score(10, FORM, CALL, half_life="9 days")),
    (score(10, FORM, CALL, half_life="7 days"), score(10, FORM, CALL)),
    (score(10, FORM, MINUS, half_life="7 days"), score(8, FORM, MINUS, half_life="7 days")),
]


@pytest.mark.parametrize(("narrow", "wide"), EACH_WIDENS)
def test_a_change_that_lets_in_more_widens_and_its_reverse_narrows(narrow: object, wide: object) -> None:
    assert rule_effect(rule(narrow), rule(wide)) == (WIDENS,)
    assert rule_effect(rule(wide), rule(narrow)) == (NARROWS,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"all": [TOUCH, MAIL]}, {"all": [MAIL, TOUCH]}),
        ({"all": [TOUCH, {"all": [MAIL, OPEN]}]}, {"all": [OPEN, TOUCH, MAIL, MAIL]}),
        ({"not": {"not": TOUCH}}, {"any": [TOUCH]}),
        ({"not": {"any": [TOUCH, MAIL]}}, {"all": [{"not": TOUCH}, {"not": MAIL}]}),
        (touches(kind=["FORM", "CALL"]), touches(kind=["CALL", "FORM"])),
        (employees("in", [50]), employees("eq", 50)),
        (employees("gt", 49), BIG),
    ],
)
def test_another_way_to_write_the_same_rule_only_renames(before: object, after: object) -> None:
    assert rule_effect(rule(before), rule(after)) == (RENAMES,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TOUCH, MAIL),
        (TOUCH, touches(at_least=1, within="7 days")),
        (employees("lt", 10), employees("gt", 20)),
        ({"handoff": "ACCEPTED"}, {"handoff": "PROPOSED"}),
        # In a later segment, the change of the amount counts for the first one alone.
        ({"deal": {"state": "OPEN", "amount_at_least": 10}}, OPEN),
        # Right after an exit the second one is true, and no fact makes it true.
        ({"all": [{"not": touches(after="mql")}, MAIL]}, {"not": touches(after="mql")}),
        # Other terms shift the seconds at which the score falls.
        (score(10, FORM, half_life="7 days"), score(10, FORM, CALL, half_life="7 days")),
        (score(10, FORM, MINUS, half_life="7 days"), score(10, FORM, MINUS, half_life="9 days")),
        (score(10, FORM), score(9, FORM, MINUS)),
    ],
)
def test_what_the_structure_does_not_prove_is_unknown(before: object, after: object) -> None:
    assert rule_effect(rule(before), rule(after)) == (UNKNOWN,)
    assert rule_effect(rule(after), rule(before)) == (UNKNOWN,)


def test_rules_of_any_size_are_compared_in_bounded_time() -> None:
    def wide_rule(first: int) -> object:
        return {
            "any": [{"all": [touches(at_least=first + n), touches(at_least=n + 1, kind="CALL")]} for n in range(150)]
        }

    assert rule_effect(rule(wide_rule(2)), rule(wide_rule(3))) == (UNKNOWN,)
    assert rule_effect(rule({"all": [wide_rule(2), MAIL]}), rule(wide_rule(2))) == (WIDENS,)


# ------------------------------------------------------------------- why two of them are unknown, by a history of each


FORM_TOUCH, CALL_TOUCH = {"touches": {"kind": ["FORM"]}}, {"touches": {"kind": ["CALL"], "after": "s1"}}
BIG_DEAL, ANY_DEAL = {"deal": {"state": "OPEN", "amount_at_least": 10}}, {"deal": {"state": "OPEN"}}


def day(number: int) -> datetime:
    return histories.START + timedelta(days=number)


def touch(number: int, kind: TouchKind) -> TouchFact:
    return TouchFact(day(number), kind, Direction.INBOUND)


def first_into_second_stage(contact: ContactHistory, *parts: object) -> datetime | None:
    """The first entry into a stage with such a rule, above one of form touches; a rejected handoff closes both."""
    named = {"title": "t", "group": "g", "owner": "SALES", "meaning": "m"}
    exits = {"on": "HANDOFF_REJECTED", "dispositions": ["RECYCLE"], "closes_from": "s1", "closes_to": "s2"}
    stages = [named | {"key": "s1", "rule": FORM_TOUCH}, named | {"key": "s2", "rule": {"all": list(parts)}}]
    return firsts(contact, {}, Accord.model_validate({"title": "t", "stages": stages, "exits": [exits]}), 2)[1]


def test_a_deal_that_changed_after_an_exit_counts_only_where_the_change_is_read() -> None:
    deal = DealRole(
        (
            DealState(day(0), day(3), DealOutcome.OPEN, Decimal(5)),
            DealState(day(3), None, DealOutcome.OPEN, Decimal(20)),
        )
    )
    contact = ContactHistory(
        versions=(RecordVersion(day(0), None, {}),),
        touches=(touch(4, TouchKind.FORM),),
        handoffs=(HandoffFact(day(1), day(2), HandoffStatus.REJECTED),),
        roles=(deal,),
    )
    assert first_into_second_stage(contact, BIG_DEAL, FORM_TOUCH) == day(4)
    assert first_into_second_stage(contact, ANY_DEAL, FORM_TOUCH) is None


def test_what_is_not_after_a_stage_is_true_right_after_an_exit_and_no_moment_of_entry() -> None:
    contact = ContactHistory(
        versions=(
            RecordVersion(day(0), day(3), {"email": None}),
            RecordVersion(day(3), None, {"email": "a@x.io"}),
        ),
        touches=(touch(1, TouchKind.FORM), touch(2, TouchKind.CALL), touch(5, TouchKind.FORM)),
        handoffs=(HandoffFact(day(1), day(4), HandoffStatus.REJECTED),),
    )
    not_after: object = {"not": CALL_TOUCH}
    assert first_into_second_stage(contact, not_after, MAIL, FORM_TOUCH) == day(5)
    assert first_into_second_stage(contact, not_after, MAIL) is None
    wide, narrow = rule({"all": [not_after, MAIL]}), rule({"all": [not_after, MAIL, FORM_TOUCH]})
    assert rule_effect(narrow, wide) == (UNKNOWN,)
