"""The rules of entering and leaving stages, each shown by one small history on which both evaluators agree."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from api.accord.in_force import AccordPeriod
from api.db import Database
from api.funnel.reference import entries_of
from api.funnel.reference_facts import ContactHistory, DealRole, DealState, HandoffFact, RecordVersion, TouchFact
from schema.accord import Accord
from schema.vocab import DealOutcome, Direction, HandoffStatus, TouchKind
from tests.funnel.histories import START
from tests.funnel.test_reference import AFTER_ALL, VERSION, compare

TOUCH: dict[str, object] = {"touches": {}}
KNOWN: dict[str, object] = {"field": "contact.email", "op": "is_null", "value": False}
REJECTED: dict[str, object] = {"on": "HANDOFF_REJECTED", "dispositions": ["RECYCLE"]}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def touches(*days: float) -> tuple[TouchFact, ...]:
    return tuple(TouchFact(day(at), TouchKind.FORM, Direction.INBOUND) for at in days)


def versions(*emails: tuple[float, str | None]) -> tuple[RecordVersion, ...]:
    ends: list[datetime | None] = [*(day(start) for start, _ in emails[1:]), None]
    fields = {"lead_score": None, "email_opt_out": False, "company_id": None}
    return tuple(
        RecordVersion(day(start), end, {"email": email, **fields})
        for (start, email), end in zip(emails, ends, strict=True)
    )


def accord_of(*rules: Mapping[str, object], exits: Sequence[Mapping[str, object]] = ()) -> Accord:
    stages = [
        {"key": f"s{rank}", "title": "t", "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
        for rank, rule in enumerate(rules, start=1)
    ]
    closing = [{"closes_from": "s1", "closes_to": "s1", **leaving} for leaving in exits]
    return Accord.model_validate({"title": "t", "stages": stages, "exits": closing})


def rejected(at: float) -> HandoffFact:
    return HandoffFact(day(at), day(at), HandoffStatus.REJECTED, "ANY")


async def entered(
    database: Database, accord: Accord, contact: ContactHistory
) -> list[tuple[str, float, float | None, float | None]]:
    """The entries as (stage, entered, own, exited) in days, after both evaluators derived the same ones."""
    periods = (AccordPeriod(VERSION, accord),)
    await compare(database, periods, [contact], {}, AFTER_ALL)

    def days(at: datetime | None) -> float | None:
        return None if at is None else (at - START) / timedelta(days=1)

    return [
        (entry.stage, days(entry.entered_at) or 0, days(entry.own_at), days(entry.exited_at))
        for entry in entries_of(contact, {}, accord, AFTER_ALL)
    ]


async def test_a_window_excludes_its_oldest_instant(database: Database) -> None:
    accord = accord_of({"touches": {"at_least": 2, "within": "2 days"}})
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(1, 3))) == []
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(1, 2))) == [("s1", 2, 2, None)]


async def test_nothing_is_entered_before_a_lifetime_begins(database: Database) -> None:
    assert await entered(database, accord_of(TOUCH), ContactHistory(versions((5, None)), touches(1))) == [
        ("s1", 5, 5, None)
    ]


async def test_fields_have_the_values_of_the_instant(database: Database) -> None:
    contact = ContactHistory(versions((0, None), (2, "a"), (3, None)), touches(1, 4))
    assert await entered(database, accord_of({"all": [TOUCH, KNOWN]}), contact) == [("s1", 2, 2, None)]


async def test_a_company_field_of_a_contact_without_a_company_is_null(database: Database) -> None:
    unknown = {"field": "company.industry", "op": "is_null", "value": True}
    contact = ContactHistory(versions((0, None)), touches(1))
    assert await entered(database, accord_of({"all": [TOUCH, unknown]}), contact) == [("s1", 1, 1, None)]


async def test_a_skipped_stage_is_implied_and_stays_when_its_own_rule_holds_later(database: Database) -> None:
    accord = accord_of({"touches": {"at_least": 2}}, TOUCH)
    contact = ContactHistory(versions((0, None)), touches(1, 4))
    assert await entered(database, accord, contact) == [("s1", 1, 4, 1), ("s2", 1, 1, None)]


async def test_after_an_exit_a_stage_needs_a_fact_from_inside_the_new_segment(database: Database) -> None:
    accord = accord_of({"all": [{"touches": {"at_least": 2}}, KNOWN]}, exits=[REJECTED])
    contact = ContactHistory(versions((0, "a")), touches(1, 2, 4), handoffs=(rejected(3),))
    assert await entered(database, accord, contact) == [("s1", 2, 2, 3)]
    again = ContactHistory(versions((0, "a")), touches(1, 2, 4, 5), handoffs=(rejected(3),))
    assert await entered(database, accord, again) == [("s1", 2, 2, 3), ("s1", 5, 5, None)]


async def test_after_an_exit_unchanged_fields_enter_no_stage_until_one_of_them_changes(database: Database) -> None:
    accord = accord_of(KNOWN, exits=[REJECTED])
    contact = ContactHistory(versions((0, "a"), (4, "b")), handoffs=(rejected(3),))
    assert await entered(database, accord, contact) == [("s1", 0, 0, 3), ("s1", 4, 4, None)]


async def test_a_fact_at_the_instant_of_an_exit_belongs_to_the_closed_segment(database: Database) -> None:
    accord = accord_of(TOUCH, exits=[REJECTED])
    contact = ContactHistory(versions((0, None)), touches(3), handoffs=(rejected(3),))
    assert await entered(database, accord, contact) == [("s1", 3, 3, 3)]


def deal_with(*states: tuple[float, DealOutcome, int | None]) -> DealRole:
    """A role in a deal whose outcome and amount are given from a day on."""
    ends: list[datetime | None] = [*(day(start) for start, *_ in states[1:]), None]
    return DealRole(
        tuple(
            DealState(day(start), end, outcome, None if amount is None else Decimal(amount))
            for (start, outcome, amount), end in zip(states, ends, strict=True)
        )
    )


@pytest.mark.parametrize("outcome", list(DealOutcome))
async def test_a_deal_counts_for_no_rule_while_its_amount_is_negative(database: Database, outcome: DealOutcome) -> None:
    accord = accord_of({"deal": {"state": outcome}})
    for amount, found in ((-1, []), (0, [("s1", 1, 1, None)]), (None, [("s1", 1, 1, None)])):
        contact = ContactHistory(versions((0, None)), roles=(deal_with((1, outcome, amount)),))
        assert await entered(database, accord, contact) == found
    corrected = ContactHistory(versions((0, None)), roles=(deal_with((1, outcome, -1), (3, outcome, 1)),))
    assert await entered(database, accord, corrected) == [("s1", 3, 3, None)]
    # The bound of a rule may be negative, and still no refund counts.
    bounded = accord_of({"deal": {"state": outcome, "amount_at_least": -5}})
    refund = ContactHistory(versions((0, None)), roles=(deal_with((1, outcome, -1)),))
    assert await entered(database, bounded, refund) == []


async def test_a_deal_with_a_negative_amount_is_no_loss_and_no_other_open_deal(database: Database) -> None:
    accord = accord_of(TOUCH, exits=[{"on": "DEAL_LOST"}])
    touched, lost = touches(1), (2, DealOutcome.LOST)
    for amount, exited in ((-1, None), (1, 2), (None, 2)):
        contact = ContactHistory(versions((0, None)), touched, roles=(deal_with((*lost, amount)),))
        assert await entered(database, accord, contact) == [("s1", 1, 1, exited)]
    for amount, exited in ((-1, 2), (1, None)):
        roles = (deal_with((*lost, 1)), deal_with((1, DealOutcome.OPEN, amount)))
        contact = ContactHistory(versions((0, None)), touched, roles=roles)
        assert await entered(database, accord, contact) == [("s1", 1, 1, exited)]
    corrected = ContactHistory(versions((0, None)), touched, roles=(deal_with((*lost, -1), (3, *lost[1:], 1)),))
    assert await entered(database, accord, corrected) == [("s1", 1, 1, 3)]


async def test_a_lost_deal_is_no_exit_while_another_deal_is_open(database: Database) -> None:
    accord = accord_of({"deal": {"state": "OPEN"}}, exits=[{"on": "DEAL_LOST"}])
    lost = DealRole((DealState(day(1), day(3), DealOutcome.OPEN), DealState(day(3), None, DealOutcome.LOST)))
    other = DealRole((DealState(day(2), None, DealOutcome.OPEN),))
    assert await entered(database, accord, ContactHistory(versions((0, None)), roles=(lost,))) == [("s1", 1, 1, 3)]
    assert await entered(database, accord, ContactHistory(versions((0, None)), roles=(lost, other))) == [
        ("s1", 1, 1, None)
    ]


async def test_a_role_begins_no_earlier_than_its_since(database: Database) -> None:
    role = DealRole((DealState(day(1), None, DealOutcome.WON),), since=day(6))
    accord = accord_of({"deal": {"state": "WON"}})
    assert await entered(database, accord, ContactHistory(versions((0, None)), roles=(role,))) == [("s1", 6, 6, None)]


async def test_no_touch_within_a_window_turns_true_by_time_alone(database: Database) -> None:
    accord = accord_of({"all": [{"not": {"touches": {"within": "2 days"}}}, {"touches": {"at_least": 2}}]})
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(1, 2))) == [("s1", 4, 4, None)]


async def test_no_touch_within_a_window_is_fresh_only_when_the_last_touch_leaves_it(database: Database) -> None:
    accord = accord_of({"any": [KNOWN, {"not": {"touches": {"within": "2 days"}}}]}, exits=[REJECTED])
    contact = ContactHistory(versions((0, "a")), touches(1, 2), handoffs=(rejected(2.5),))
    assert await entered(database, accord, contact) == [("s1", 0, 0, 2.5), ("s1", 4, 4, None)]


async def test_a_handoff_is_proposed_until_it_is_decided(database: Database) -> None:
    accord = accord_of({"all": [{"handoff": "PROPOSED"}, TOUCH]})
    handoff = HandoffFact(day(1), day(3), HandoffStatus.ACCEPTED)
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(2), (handoff,))) == [
        ("s1", 2, 2, None)
    ]
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(3), (handoff,))) == []


async def test_a_rule_that_names_a_lower_stage_cannot_skip_it(database: Database) -> None:
    accord = accord_of({"touches": {"at_least": 2}}, {"all": [{"stage": "s1"}, {"handoff": "ACCEPTED"}]})
    accepted = (HandoffFact(day(1), day(1), HandoffStatus.ACCEPTED),)
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(1), accepted)) == []
    assert await entered(database, accord, ContactHistory(versions((0, None)), touches(1, 2), accepted)) == [
        ("s1", 2, 2, 2),
        ("s2", 2, 2, None),
    ]
