"""Hand-checkable examples give exactly the expected stage entries."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from api.db import Database
from api.funnel.evaluate import discard_former_entries, evaluate
from api.funnel.reference import entries_by_versions
from api.funnel.reference_facts import ContactHistory, HandoffFact
from api.sql import Sql
from schema.accord import Accord
from schema.vocab import HandoffStatus
from tests.funnel.generated_versions import periods_of
from tests.funnel.histories import START
from tests.funnel.test_reference import AFTER_ALL, compare
from tests.funnel.test_rules import REJECTED, day, rejected, touches, versions
from tests.golden import world

_STORED = Sql(
    "select contact_id, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied from stage_entry"
    " order by contact_id, rank, occurrence"
)


async def test_the_example_gives_the_expected_entries(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        evaluated = await evaluate(session, as_of=world.AFTER_ALL)
        rows = [tuple(row) for row in await session.rows(_STORED)]
    expected = [
        (
            world.contact_id(name),
            stage,
            occurrence,
            world.day(entered),
            world.day(own) if own else None,
            world.day(exited) if exited else None,
            exit_kind,
            own != entered,
        )
        for name, stage, occurrence, entered, own, exited, exit_kind in world.ENTRIES
    ]
    assert rows == expected
    assert sum(evaluated.entries.values()) == len(expected)


async def test_rebuilding_gives_the_same_rows_and_only_them(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL)
        first = await session.rows(_STORED)
        again = await evaluate(session, as_of=world.AFTER_ALL)
        await discard_former_entries(session)
        second = await session.rows(_STORED)
        current = await session.rows(Sql("select id from evaluation where is_current"))
    assert [tuple(row) for row in first] == [tuple(row) for row in second]
    assert [row["id"] for row in current] == [again.evaluation_id]


# Changes of version, to be followed with a pencil. Days count from the first of January; version 2 is in force from the
# beginning of day 10 on, version 3 from day 20. Facts of one day have that day's first instant.
WARM, HOT = {"touches": {"at_least": 2}}, {"handoff": "ACCEPTED"}
ONCE: dict[str, object] = {"touches": {}}


def version(exits: Sequence[dict[str, object]] = (), **rules: object) -> Accord:
    """An accord whose stages have these keys and rules, from the lowest up."""
    stages = [
        {"key": key, "title": key, "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
        for key, rule in rules.items()
    ]
    return Accord.model_validate({"title": "t", "stages": stages, "exits": exits})


def accepted(at: float) -> HandoffFact:
    return HandoffFact(day(at), day(at), HandoffStatus.ACCEPTED)


async def entries_over(database: Database, contact: ContactHistory, *accords: Accord) -> list[str]:
    """A line for each entry, by rank, after both evaluators derived the same ones."""
    begins = [None, day(10), day(20)][: len(accords)]
    periods = periods_of(list(accords), begins)
    await compare(database, periods, [contact], {}, AFTER_ALL)
    numbers = {period.version_id: number for number, period in enumerate(periods, start=1)}
    found = []
    for entry in entries_by_versions(contact, {}, periods, AFTER_ALL):
        own = "" if not entry.is_implied else f", own {_number(entry.own_at)}" if entry.own_at else ", implied"
        until = "open" if entry.exited_at is None else f"{_number(entry.exited_at)} {entry.exit_kind}"
        hidden = "" if entry.entered_at in (entry.present_at, entry.exited_at) else ", hidden"
        start = _number(entry.entered_at)
        found.append(
            f"{entry.stage} {start} to {until}: version {numbers[entry.version_id]}, {entry.cause}{own}{hidden}"
        )
    return found


def _number(at: datetime) -> str:
    return f"{(at - START) / timedelta(days=1):g}"


async def test_a_wider_rule_lets_in_at_its_activation_who_fulfils_it_already(database: Database) -> None:
    before, after = version(warm=WARM), version(warm=ONCE)
    for touched, expected in (
        ((3,), "warm 10 to open: version 2, ACCORD"),
        ((3, 5), "warm 5 to open: version 1, FACTS"),  # the open entry stays as it is
        ((12,), "warm 12 to open: version 2, FACTS"),
        ((10,), "warm 10 to open: version 2, FACTS"),  # the touch came at the same instant
    ):
        contact = ContactHistory(versions((0, None)), touches(*touched))
        assert await entries_over(database, contact, before, after) == [expected]


async def test_a_narrower_rule_ends_nothing(database: Database) -> None:
    before, after = version(warm=ONCE), version(warm=WARM)
    contact = ContactHistory(versions((0, None)), touches(9))
    assert await entries_over(database, contact, before, after) == ["warm 9 to open: version 1, FACTS"]
    late = ContactHistory(versions((0, None)), touches(11, 15))
    assert await entries_over(database, late, before, after) == ["warm 15 to open: version 2, FACTS"]


async def test_a_window_looks_back_across_a_change_of_version(database: Database) -> None:
    before = version(warm={"touches": {"at_least": 3}})
    after = version(warm={"touches": {"at_least": 2, "within": "5 days"}})
    contact = ContactHistory(versions((0, None)), touches(8, 12))
    assert await entries_over(database, contact, before, after) == ["warm 12 to open: version 2, FACTS"]
    too_late = ContactHistory(versions((0, None)), touches(8, 13))
    assert await entries_over(database, too_late, before, after) == []


async def test_who_left_a_stage_re_enters_it_only_by_a_changed_rule(database: Database) -> None:
    leaves = [{**REJECTED, "closes_from": "known", "closes_to": "known"}]
    by_field = {"field": "contact.email", "op": "is_null", "value": False}
    contact = ContactHistory(versions((0, "a")), handoffs=(rejected(3),))
    same = version(leaves, known=by_field)
    first = "known 0 to 3 HANDOFF_REJECTED: version 1, FACTS"
    assert await entries_over(database, contact, same, same) == [first]
    wider = version(leaves, known={"any": [by_field, ONCE]})
    assert await entries_over(database, contact, same, wider) == [first, "known 10 to open: version 2, ACCORD"]
    # The exit is judged by the version in force at its instant: version 2 has none, so that nothing ends on day 13.
    later = ContactHistory(versions((0, "a")), handoffs=(rejected(13),))
    assert await entries_over(database, later, same, version(known=by_field)) == ["known 0 to open: version 1, FACTS"]


async def test_a_dropped_stage_keeps_its_place_for_the_entries_that_are_open(database: Database) -> None:
    leaves = [{**REJECTED, "closes_from": "warm", "closes_to": "warm"}]
    before, after = version(leaves, warm=ONCE, fit=WARM, hot=HOT), version(leaves, warm=ONCE, hot=HOT)
    contact = ContactHistory(versions((0, None)), touches(3, 5), handoffs=(accepted(15),))
    assert await entries_over(database, contact, before, after) == [
        "warm 3 to 5 ADVANCED: version 1, FACTS",
        "fit 5 to 15 ADVANCED: version 1, FACTS",
        "hot 15 to open: version 2, FACTS",
    ]
    # An exit that closes the stage which it followed closes it, too. Nobody enters it again.
    closed = ContactHistory(versions((0, None)), touches(3, 5, 16, 17), handoffs=(rejected(15),))
    assert await entries_over(database, closed, before, after) == [
        "warm 3 to 5 ADVANCED: version 1, FACTS",
        "warm 16 to open: version 2, FACTS",
        "fit 5 to 15 HANDOFF_REJECTED: version 1, FACTS",
    ]


async def test_an_added_stage_is_entered_by_rule_and_implied_by_what_comes_later(database: Database) -> None:
    before, after = version(warm=ONCE, hot=HOT), version(warm=ONCE, fit=WARM, hot=HOT)
    contact = ContactHistory(versions((0, None)), touches(3), handoffs=(accepted(15),))
    assert await entries_over(database, contact, before, after) == [
        "warm 3 to 15 ADVANCED: version 1, FACTS",
        "fit 15 to 15 ADVANCED: version 2, FACTS, implied",
        "hot 15 to open: version 2, FACTS",
    ]
    # Who is in a higher stage already enters the new one by its own rule alone, and stays in the higher one.
    higher = ContactHistory(versions((0, None)), touches(3, 4), handoffs=(accepted(5),))
    assert await entries_over(database, higher, before, after) == [
        "warm 3 to 5 ADVANCED: version 1, FACTS",
        "fit 10 to open: version 2, ACCORD, hidden",
        "hot 5 to open: version 1, FACTS",
    ]


async def test_stages_that_change_places_are_ranked_as_at_the_instant(database: Database) -> None:
    before, after = version(warm=ONCE, hot=HOT), version(hot=HOT, warm=ONCE)
    early = ContactHistory(versions((0, None)), touches(3), handoffs=(accepted(5),))
    assert await entries_over(database, early, before, after) == [
        "warm 3 to 5 ADVANCED: version 1, FACTS",
        "hot 5 to open: version 1, FACTS",
    ]
    late = ContactHistory(versions((0, None)), touches(13), handoffs=(accepted(11),))
    assert await entries_over(database, late, before, after) == [
        "hot 11 to 13 ADVANCED: version 2, FACTS",
        "warm 13 to open: version 2, FACTS",
    ]
    # Warm was entered before, when hot was above it; hot is below it now, and is entered behind it.
    across = ContactHistory(versions((0, None)), touches(3), handoffs=(accepted(15),))
    assert await entries_over(database, across, before, after) == [
        "hot 15 to open: version 2, FACTS, hidden",
        "warm 3 to open: version 1, FACTS",
    ]


async def test_going_back_is_a_third_version_with_the_old_content(database: Database) -> None:
    first, second = version(warm=WARM), version(warm={"touches": {"at_least": 3}})
    contact = ContactHistory(versions((0, None)), touches(8, 12))
    assert await entries_over(database, contact, first, second, first) == ["warm 20 to open: version 3, ACCORD"]
