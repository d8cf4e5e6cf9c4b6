"""What score, silence, reported and `after` mean, each shown by one small history on which both evaluators agree."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from api.db import Database
from api.funnel.reference_facts import ContactHistory, HandoffFact, ReportFact, TouchFact
from schema.vocab import Direction, HandoffStatus, TouchKind
from tests.funnel.test_rules import KNOWN, REJECTED, TOUCH, accord_of, day, entered, rejected, touches, versions

Entry = tuple[str, float, float | None, float | None]
Rule = Mapping[str, object]
FOREVER = versions((0, None))
SECOND = 1 / 86_400  # in days
MICROSECOND = timedelta(microseconds=1) / timedelta(days=1)


def score(at_least: float, *terms: Rule, half_life: str | None = None) -> Rule:
    return {"score": {"terms": [*terms], "at_least": at_least, "half_life": half_life}}


def reports(*stages: tuple[float, str], source: str = "hubspot") -> tuple[ReportFact, ...]:
    return tuple(ReportFact(day(at), source, stage) for at, stage in stages)


def reported(*stages: str) -> Rule:
    return {"reported": {"source": "hubspot", "stage": [*stages]}}


async def moments(database: Database, rule: Rule, contact: ContactHistory, exits: Sequence[Rule] = ()) -> list[float]:
    """The days at which the one stage of an accord with the rule is entered."""
    return [entry[1] for entry in await entered(database, accord_of(rule, exits=exits), contact)]


async def test_a_touch_adds_the_points_of_all_terms_that_it_matches(database: Database) -> None:
    call = TouchFact(day(2), TouchKind.CALL, Direction.INBOUND)
    terms = ({"points": 5, "direction": "INBOUND"}, {"points": 3, "kind": "CALL"}, {"points": 9, "kind": "EVENT"})
    contact = ContactHistory(FOREVER, (*touches(1), call))
    assert await moments(database, score(13, *terms), contact) == [2]
    assert await moments(database, score(13.01, *terms), contact) == []


async def test_points_can_be_subtracted(database: Database) -> None:
    call = TouchFact(day(2), TouchKind.CALL, Direction.INBOUND)
    terms = ({"points": 5}, {"points": -8, "kind": "CALL"})
    assert await moments(database, score(10, *terms), ContactHistory(FOREVER, (*touches(1, 3), call))) == []
    assert await moments(database, score(10, *terms), ContactHistory(FOREVER, (*touches(1, 3, 4), call))) == [4]


async def test_a_score_counts_touches_from_inside_the_segment_only(database: Database) -> None:
    contact = ContactHistory(FOREVER, touches(1, 2, 4, 5), handoffs=(rejected(3),))
    assert await moments(database, score(10, {"points": 5}), contact, [REJECTED]) == [2, 5]
    assert await moments(database, score(15, {"points": 5}), contact, [REJECTED]) == []


async def test_under_not_a_score_counts_touches_of_all_time(database: Database) -> None:
    rule = {"all": [{"not": score(15, {"points": 5})}, TOUCH]}
    contact = ContactHistory(FOREVER, touches(1, 2, 4, 5), handoffs=(rejected(3),))
    assert await moments(database, rule, contact, [REJECTED]) == [1]


async def test_points_lose_half_of_their_value_with_every_half_life(database: Database) -> None:
    for at_least, at in ((15, 2), (15.01, 3), (17.5, 3), (17.51, 4)):
        contact = ContactHistory(FOREVER, touches(1, 2, 3, 4))
        assert await moments(database, score(at_least, {"points": 10}, half_life="1 day"), contact) == [at]


async def test_a_score_is_rounded_to_six_places(database: Database) -> None:
    # The 9.99 points that the call subtracts are 0.0000006 after 24 days, and 0.0000003 after 25, which is nothing.
    call = TouchFact(day(0.2), TouchKind.CALL, Direction.INBOUND)
    just_enough = score(0.01, {"points": 0.01}, {"points": -10, "kind": "CALL"}, half_life="1 day")
    for later, found in ((24, []), (25, [25.2])):
        contact = ContactHistory(FOREVER, (call, *touches(0.2 + later)))
        assert await moments(database, just_enough, contact) == found


async def test_a_score_below_the_threshold_by_time_alone_is_a_moment_under_not(database: Database) -> None:
    # It is 10 after one half-life, which is still enough, and less one second later.
    rule = {"all": [{"not": score(10, {"points": 20}, half_life="2 days")}, KNOWN, TOUCH]}
    contact = ContactHistory(versions((0, "a")), touches(1))
    [at] = await moments(database, rule, contact)
    assert at == pytest.approx(3 + SECOND, abs=MICROSECOND)


async def test_scores_over_thousands_of_half_lives_do_not_overflow(database: Database) -> None:
    contact = ContactHistory(FOREVER, touches(0.1, 1, 5, 9, 9.0001, 11))
    assert await moments(database, score(14.9, {"points": 10}, half_life="1 minute"), contact) == [9.0001]
    assert await moments(database, score(20, {"points": 10}, half_life="1 second"), contact) == []


async def test_no_block_of_half_lives_loses_the_points_of_the_one_before(database: Database) -> None:
    # A touch every minute for longer than a block: before every touch but the first ones the score is about 10.
    every_minute = touches(*(1 + minute / 1440 for minute in range(261)))
    faded = {"not": score(9.99, {"points": 10}, half_life="1 minute")}
    [at] = await moments(
        database, {"all": [faded, {"touches": {"at_least": 12}}]}, ContactHistory(FOREVER, every_minute)
    )
    assert at == pytest.approx(1 + 260 / 1440 + 61 * SECOND, abs=MICROSECOND)


async def test_silence_begins_some_time_after_the_last_touch(database: Database) -> None:
    contact = ContactHistory(FOREVER, touches(1, 2.5, 4))
    assert await moments(database, {"silence": "2 days"}, contact) == [6]
    assert await moments(database, {"silence": "1 day"}, contact) == [2]


async def test_a_touch_breaks_a_silence_at_its_own_instant(database: Database) -> None:
    assert await moments(database, {"silence": "2 days"}, ContactHistory(FOREVER, touches(1, 3))) == [5]
    assert await moments(database, {"silence": "2 days"}, ContactHistory(FOREVER, touches(1, 3 + MICROSECOND))) == [3]


async def test_a_silence_without_a_touch_begins_some_time_after_the_lifetime(database: Database) -> None:
    assert await moments(database, {"silence": "2 days"}, ContactHistory(FOREVER)) == [2]
    assert await moments(database, {"silence": "2 days"}, ContactHistory(versions((3, None)), touches(1))) == [5]


async def test_a_silence_goes_on_over_an_exit_but_enters_nothing_again(database: Database) -> None:
    contact = ContactHistory(versions((0, None), (6, "a")), touches(1), handoffs=(rejected(4),))
    assert await moments(database, {"silence": "2 days"}, contact, [REJECTED]) == [3]
    # A change of the field is a fresh moment, at which the silence still holds.
    assert await moments(database, {"all": [{"silence": "2 days"}, KNOWN]}, contact, [REJECTED]) == [6]


async def test_under_not_the_beginning_of_a_silence_is_no_moment(database: Database) -> None:
    contact = ContactHistory(versions((0, "a")), touches(1), handoffs=(rejected(2),))
    rule = {"any": [{"not": {"silence": "2 days"}}, KNOWN]}
    assert await moments(database, rule, contact, [REJECTED]) == [0]


async def test_the_stage_that_a_source_reported_last_counts(database: Database) -> None:
    contact = ContactHistory(FOREVER, touches(2), reports=reports((1, "mql"), (3, "lead"), (5, "mql")))
    assert await moments(database, reported("mql"), contact) == [1]
    assert await moments(database, {"all": [reported("mql"), TOUCH]}, contact) == [2]
    late = ContactHistory(FOREVER, touches(4), reports=reports((1, "mql"), (3, "lead"), (5, "mql")))
    assert await moments(database, {"all": [reported("mql"), TOUCH]}, late) == [5]
    assert await moments(database, reported("customer"), contact) == []


async def test_a_stage_and_those_above_it_count_if_the_rule_lists_them(database: Database) -> None:
    contact = ContactHistory(FOREVER, reports=reports((1, "lead"), (4, "customer")))
    assert await moments(database, reported("mql", "customer"), contact) == [4]


async def test_another_source_says_nothing_about_the_stage_of_a_source(database: Database) -> None:
    others = reports((2, "lead"), source="salesforce")
    contact = ContactHistory(FOREVER, touches(3), reports=(*reports((1, "mql")), *others))
    assert await moments(database, {"all": [reported("mql"), TOUCH]}, contact) == [3]


async def test_of_reports_at_one_instant_all_count(database: Database) -> None:
    contact = ContactHistory(FOREVER, reports=reports((1, "lead"), (1, "mql")))
    assert await moments(database, {"all": [reported("mql"), reported("lead")]}, contact) == [1]


async def test_a_reported_stage_holds_over_an_exit_and_enters_again_with_a_report(database: Database) -> None:
    again = reports((1, "mql"), (5, "mql"))
    contact = ContactHistory(FOREVER, reports=again, handoffs=(rejected(3),))
    assert await moments(database, reported("mql"), contact, [REJECTED]) == [1, 5]
    touched = ContactHistory(FOREVER, touches(4), reports=again[:1], handoffs=(rejected(3),))
    assert await moments(database, {"all": [reported("mql"), TOUCH]}, touched, [REJECTED]) == [4]


async def last_stage(
    database: Database, contact: ContactHistory, rule: Rule, exits: Sequence[Rule] = ()
) -> list[Entry]:
    """The entries of a second stage; the first is entered by a handoff that was returned."""
    accord = accord_of({"handoff": "RETURNED"}, rule, exits=exits)
    return [entry for entry in await entered(database, accord, contact) if entry[0] == "s2"]


def returned(at: float) -> HandoffFact:
    return HandoffFact(day(at), day(at), HandoffStatus.RETURNED)


async def test_after_a_stage_only_later_touches_count(database: Database) -> None:
    rule = {"touches": {"at_least": 2, "after": "s1"}}
    for when, found in (((1, 2, 3), []), ((1, 2, 3, 4), [("s2", 4, 4, None)])):
        assert await last_stage(database, ContactHistory(FOREVER, touches(*when), (returned(2),)), rule) == found


async def test_after_a_stage_only_later_handoffs_count(database: Database) -> None:
    for at, found in ((2, []), (3, [("s2", 3, 3, None)])):
        accepted = HandoffFact(day(1), day(at), HandoffStatus.ACCEPTED)
        contact = ContactHistory(FOREVER, handoffs=(returned(2), accepted))
        assert await last_stage(database, contact, {"handoff": "ACCEPTED", "after": "s1"}) == found


async def test_after_counts_from_an_implied_entry_too(database: Database) -> None:
    accord = accord_of({"handoff": "RETURNED"}, reported("mql"), {"touches": {"after": "s1"}})
    contact = ContactHistory(FOREVER, touches(1, 4), reports=reports((2, "mql")))
    assert [entry[:2] for entry in await entered(database, accord, contact)] == [("s1", 2), ("s2", 2), ("s3", 4)]


CLOSES_BOTH: Rule = {**REJECTED, "closes_to": "s2"}


async def test_after_an_exit_the_stage_has_to_be_entered_again_first(database: Database) -> None:
    contact = ContactHistory(FOREVER, touches(2, 4, 6), (returned(1), rejected(3), returned(5)))
    found = await last_stage(database, contact, {"touches": {"after": "s1"}}, [CLOSES_BOTH])
    assert found == [("s2", 2, 2, 3), ("s2", 6, 6, None)]


async def test_under_not_after_counts_from_the_entry_in_the_present_segment_too(database: Database) -> None:
    # Nobody touched the person since the stage was entered in this segment, though somebody did before the exit.
    rule = {"all": [{"stage": "s1"}, {"not": {"touches": {"after": "s1"}}}]}
    contact = ContactHistory(FOREVER, touches(2), (returned(1), rejected(3), returned(5)))
    found = await last_stage(database, contact, rule, [CLOSES_BOTH])
    assert found == [("s2", 1, 1, 3), ("s2", 5, 5, None)]


async def test_under_not_after_with_a_window_turns_true_when_the_last_touch_leaves_it(database: Database) -> None:
    rule = {"all": [{"touches": {}}, {"not": {"touches": {"after": "s1", "within": "2 days"}}}, {"stage": "s1"}]}
    contact = ContactHistory(FOREVER, touches(2), (returned(1),))
    assert await last_stage(database, contact, rule) == [("s2", 4, 4, None)]
    # The end of the segment is no such moment: the exit is on the fourth day, before the touch leaves the window.
    closed = ContactHistory(FOREVER, touches(2), (returned(1), rejected(3.5)))
    assert await last_stage(database, closed, rule, [CLOSES_BOTH]) == []
