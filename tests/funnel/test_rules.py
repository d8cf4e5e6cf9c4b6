"""The rules of entering and leaving, each told by one small history. Both evaluators must agree with the story."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from api.db import Database
from api.funnel.reference import ContactHistory, DealRole, DealState, HandoffFact, RecordVersion, TouchFact, entries_of
from schema.accord import Accord
from schema.vocab import DealOutcome, Direction, HandoffStatus, TouchKind
from tests.funnel.histories import START
from tests.funnel.test_reference import AFTER_ALL, compare

TOUCH: dict[str, object] = {"touches": {}}
KNOWN: dict[str, object] = {"field": "contact.email", "op": "is_null", "value": False}
REJECTED: dict[str, object] = {"on": "HANDOFF_REJECTED", "dispositions": ["RECYCLE"]}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def touches(*days: float) -> tuple[TouchFact, ...]:
    return tuple(TouchFact(day(each), TouchKind.FORM, Direction.INBOUND) for each in days)


def life(*emails: tuple[float, str | None]) -> tuple[RecordVersion, ...]:
    ends: list[datetime | None] = [*(day(begins) for begins, _ in emails[1:]), None]
    fields = {"lead_score": None, "email_opt_out": False, "company_id": None}
    return tuple(
        RecordVersion(day(begins), end, {"email": email, **fields})
        for (begins, email), end in zip(emails, ends, strict=True)
    )


def ladder(*rules: dict[str, object], closing: Sequence[dict[str, object]] = ()) -> Accord:
    stages = [
        {"key": f"s{rank}", "title": "t", "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
        for rank, rule in enumerate(rules, start=1)
    ]
    exits = [{"closes_from": "s1", "closes_to": "s1", **each} for each in closing]
    return Accord.model_validate({"title": "t", "stages": stages, "exits": exits})


def rejected(at: float) -> HandoffFact:
    return HandoffFact(day(at), day(at), HandoffStatus.REJECTED, "ANY")


async def told(
    database: Database, accord: Accord, person: ContactHistory
) -> list[tuple[str, float, float | None, float | None]]:
    """Each entry as stage, entered, own and exited, in days; after both evaluators agreed on it."""
    await compare(database, accord, [person], {}, AFTER_ALL)

    def days(at: datetime | None) -> float | None:
        return None if at is None else (at - START) / timedelta(days=1)

    return [
        (each.stage, days(each.entered_at) or 0, days(each.own_at), days(each.exited_at))
        for each in entries_of(person, {}, accord, AFTER_ALL)
    ]


async def test_a_window_is_open_at_its_far_end(database: Database) -> None:
    accord = ladder({"touches": {"at_least": 2, "within": "2 days"}})
    assert await told(database, accord, ContactHistory(life((0, None)), touches(1, 3))) == []
    assert await told(database, accord, ContactHistory(life((0, None)), touches(1, 2))) == [("s1", 2, 2, None)]


async def test_nothing_is_entered_before_a_life_begins(database: Database) -> None:
    assert await told(database, ladder(TOUCH), ContactHistory(life((5, None)), touches(1))) == [("s1", 5, 5, None)]


async def test_attributes_are_judged_as_they_were(database: Database) -> None:
    person = ContactHistory(life((0, None), (2, "a"), (3, None)), touches(1, 4))
    assert await told(database, ladder({"all": [TOUCH, KNOWN]}), person) == [("s1", 2, 2, None)]


async def test_what_nobody_knows_of_a_person_without_a_company_is_null(database: Database) -> None:
    nobodys = {"field": "company.industry", "op": "is_null", "value": True}
    person = ContactHistory(life((0, None)), touches(1))
    assert await told(database, ladder({"all": [TOUCH, nobodys]}), person) == [("s1", 1, 1, None)]


async def test_a_skipped_stage_is_implied_and_keeps_its_row_when_own_facts_come(database: Database) -> None:
    accord = ladder({"touches": {"at_least": 2}}, TOUCH)
    person = ContactHistory(life((0, None)), touches(1, 4))
    assert await told(database, accord, person) == [("s1", 1, 4, 1), ("s2", 1, 1, None)]


async def test_after_an_exit_a_stage_needs_a_fact_from_inside_the_new_segment(database: Database) -> None:
    accord = ladder({"all": [{"touches": {"at_least": 2}}, KNOWN]}, closing=[REJECTED])
    person = ContactHistory(life((0, "a")), touches(1, 2, 4), handoffs=(rejected(3),))
    assert await told(database, accord, person) == [("s1", 2, 2, 3)]
    again = ContactHistory(life((0, "a")), touches(1, 2, 4, 5), handoffs=(rejected(3),))
    assert await told(database, accord, again) == [("s1", 2, 2, 3), ("s1", 5, 5, None)]


async def test_standing_fields_do_not_enter_again_until_one_that_the_rule_reads_changes(database: Database) -> None:
    accord = ladder(KNOWN, closing=[REJECTED])
    person = ContactHistory(life((0, "a"), (4, "b")), handoffs=(rejected(3),))
    assert await told(database, accord, person) == [("s1", 0, 0, 3), ("s1", 4, 4, None)]


async def test_a_fact_at_the_exits_own_instant_belongs_to_the_old_segment(database: Database) -> None:
    accord = ladder(TOUCH, closing=[REJECTED])
    person = ContactHistory(life((0, None)), touches(3), handoffs=(rejected(3),))
    assert await told(database, accord, person) == [("s1", 3, 3, 3)]


async def test_a_lost_deal_is_no_exit_while_another_one_is_open(database: Database) -> None:
    accord = ladder({"deal": {"state": "OPEN"}}, closing=[{"on": "DEAL_LOST"}])
    lost = DealRole((DealState(day(1), day(3), DealOutcome.OPEN), DealState(day(3), None, DealOutcome.LOST)))
    other = DealRole((DealState(day(2), None, DealOutcome.OPEN),))
    assert await told(database, accord, ContactHistory(life((0, None)), roles=(lost,))) == [("s1", 1, 1, 3)]
    assert await told(database, accord, ContactHistory(life((0, None)), roles=(lost, other))) == [("s1", 1, 1, None)]


async def test_a_role_begins_no_earlier_than_its_since(database: Database) -> None:
    role = DealRole((DealState(day(1), None, DealOutcome.WON),), since=day(6))
    accord = ladder({"deal": {"state": "WON"}})
    assert await told(database, accord, ContactHistory(life((0, None)), roles=(role,))) == [("s1", 6, 6, None)]


async def test_silence_said_with_not_turns_true_by_time_alone(database: Database) -> None:
    accord = ladder({"all": [{"not": {"touches": {"within": "2 days"}}}, {"touches": {"at_least": 2}}]})
    assert await told(database, accord, ContactHistory(life((0, None)), touches(1, 2))) == [("s1", 4, 4, None)]


async def test_silence_is_fresh_only_when_the_last_touch_is_old_enough(database: Database) -> None:
    accord = ladder({"any": [KNOWN, {"not": {"touches": {"within": "2 days"}}}]}, closing=[REJECTED])
    person = ContactHistory(life((0, "a")), touches(1, 2), handoffs=(rejected(2.5),))
    assert await told(database, accord, person) == [("s1", 0, 0, 2.5), ("s1", 4, 4, None)]


async def test_a_handoff_is_proposed_until_it_is_decided(database: Database) -> None:
    accord = ladder({"all": [{"handoff": "PROPOSED"}, TOUCH]})
    handoff = HandoffFact(day(1), day(3), HandoffStatus.ACCEPTED)
    assert await told(database, accord, ContactHistory(life((0, None)), touches(2), (handoff,))) == [("s1", 2, 2, None)]
    assert await told(database, accord, ContactHistory(life((0, None)), touches(3), (handoff,))) == []


async def test_a_rule_that_asks_for_a_lower_stage_forbids_the_skip(database: Database) -> None:
    accord = ladder({"touches": {"at_least": 2}}, {"all": [{"stage": "s1"}, {"handoff": "ACCEPTED"}]})
    accepted = (HandoffFact(day(1), day(1), HandoffStatus.ACCEPTED),)
    assert await told(database, accord, ContactHistory(life((0, None)), touches(1), accepted)) == []
    assert await told(database, accord, ContactHistory(life((0, None)), touches(1, 2), accepted)) == [
        ("s1", 2, 2, 2),
        ("s2", 2, 2, None),
    ]
