"""As of an instant, lists hold every fact at or before it, as a plain Python count over the facts finds.

All instants are a few microseconds apart, so that most of them are the border of some fact.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from tests.support.accords import accord_row, delete_versions
from tests.support.examples import examples
from tests.support.graphql import answered, put, uid

STEPS = 8
INSTANTS = [datetime(2026, 3, 28, 23, 59, 59, 999997, tzinfo=UTC) + timedelta(microseconds=n) for n in range(STEPS)]
STAGES = ("lead", "mql", "sql")
VERSION, RUN = uid(1), uid(2)


@dataclass(frozen=True)
class Deal:
    """The steps at which a deal began and its outcome changed, and whether it is deleted today, since which step."""

    changes: tuple[tuple[int, str], ...]
    deleted: int | None

    def outcome(self, step: int) -> str | None:
        """Return the outcome as of a step: None before the beginning, and for a deal that is deleted today."""
        past = [outcome for began, outcome in self.changes if began <= step]
        return past[-1] if past and self.deleted is None else None


@dataclass(frozen=True)
class Person:
    """The steps of a person's facts: beginning, entry into each stage in turn, end of the last stage, touches, handoff.

    `is_merged` today; the handoff is handed over and decided.
    """

    began: int
    entered: tuple[int, ...]
    left: int | None
    touched: tuple[int, ...]
    handed: int
    decided: int | None
    is_merged: bool

    def stage(self, step: int) -> str | None:
        """Return the stage as of a step: the last one that was entered, unless that was left."""
        past = [stage for stage, entered in zip(STAGES, self.entered, strict=False) if entered <= step]
        has_left = self.left is not None and self.left <= step and len(past) == len(self.entered)
        return past[-1] if past and not has_left else None

    def handoffs(self, step: int) -> list[str]:
        """Return the status of the handoff as of a step; none before it was handed over."""
        is_decided = self.decided is not None and self.decided <= step
        return ["ACCEPTED" if is_decided else "PROPOSED"] if self.handed <= step else []


steps = st.integers(0, STEPS - 1)


@st.composite
def deals(draw: st.DrawFn) -> Deal:
    """Return a deal that begins open; it may be closed and reopened, and deleted in the end."""
    at = sorted(draw(st.sets(steps, min_size=1, max_size=3)))
    changes = [
        (step, "OPEN" if place != 1 else draw(st.sampled_from(["WON", "LOST"]))) for place, step in enumerate(at)
    ]
    return Deal(tuple(changes), draw(st.none() | st.integers(at[-1], STEPS - 1)))


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Return a person who goes through some stages."""
    entered = tuple(sorted(draw(st.sets(steps, max_size=3))))
    handed = draw(steps)
    return Person(
        began=draw(steps),
        entered=entered,
        left=draw(st.none() | st.integers(entered[-1] + 1, STEPS)) if entered else None,
        touched=tuple(draw(st.lists(steps, max_size=3))),
        handed=handed,
        decided=draw(st.none() | st.integers(handed, STEPS)),
        is_merged=draw(st.integers(0, 3)) == 0,
    )


DOCUMENT = """query ($at: DateTime) {
  open: deals(asOf: $at, where: {outcome: {eq: OPEN}}) { totalCount nodes { recordId outcome } }
  closed: deals(asOf: $at, where: {closedAt: {isNull: false}}) { totalCount }
  deals(asOf: $at) { groupBy(keys: [{outcome: EACH}]) { key { outcome } count } }
  contacts(asOf: $at) {
    nodes { recordId stage { key } touchpoints { totalCount } handoffs { nodes { status } }
      stageEntries(where: {exitedAt: {isNull: true}}) { nodes { stage } } }
    groupBy(keys: [{stage: EACH}]) { key { stage { key } } count } }
  inMql: contacts(asOf: $at, where: {stage: {key: {eq: "mql"}}}) { totalCount }
  touched: contacts(asOf: $at, where: {touchpoints: {count: {gte: 2}}}) { totalCount } }"""


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known_deals=st.lists(deals(), max_size=5), known_people=st.lists(people(), max_size=4), step=steps)
async def test_lists_as_of_an_instant_hold_every_fact_at_or_before_it(
    module_database: Database, known_deals: list[Deal], known_people: list[Person], step: int
) -> None:
    await write(module_database, known_deals, known_people)
    found = await answered(module_database, DOCUMENT, at=INSTANTS[step].isoformat())
    outcomes = {number: deal.outcome(step) for number, deal in enumerate(known_deals)}
    open_deals = [f"deal_{deal_id(number)}" for number, outcome in outcomes.items() if outcome == "OPEN"]
    assert [row["recordId"] for row in found["open"]["nodes"]] == open_deals
    assert {row["outcome"] for row in found["open"]["nodes"]} <= {"OPEN"}
    assert found["open"]["totalCount"] == len(open_deals)
    by_outcome = Counter(outcome for outcome in outcomes.values() if outcome is not None)
    assert found["closed"]["totalCount"] == by_outcome["WON"] + by_outcome["LOST"]
    assert {group["key"]["outcome"]: group["count"] for group in found["deals"]["groupBy"]} == by_outcome
    check_people(found, known_people, step)


def check_people(found: Any, known_people: list[Person], step: int) -> None:  # noqa: ANN401 - JSON
    """Compare what was read of people with a count over them."""
    listed = {n: person for n, person in enumerate(known_people) if person.began <= step and not person.is_merged}
    assert found["contacts"]["nodes"] == [
        {
            "recordId": f"contact_{contact_id(number)}",
            "stage": None if (stage := person.stage(step)) is None else {"key": stage},
            "touchpoints": {"totalCount": sum(touch <= step for touch in person.touched)},
            "handoffs": {"nodes": [{"status": status} for status in person.handoffs(step)]},
            "stageEntries": {"nodes": [] if stage is None else [{"stage": stage}]},
        }
        for number, person in listed.items()
    ]
    by_stage = Counter(person.stage(step) for person in listed.values())
    groups = found["contacts"]["groupBy"]
    assert {(group["key"]["stage"] or {}).get("key"): group["count"] for group in groups} == by_stage
    assert found["inMql"]["totalCount"] == by_stage["mql"]
    assert found["touched"]["totalCount"] == sum(
        sum(touch <= step for touch in person.touched) >= 2 for person in listed.values()
    )


# -------------------------------------------------------------------------------------------------------------- rows


def deal_id(number: int) -> Any:  # noqa: ANN401 - an id
    return uid(100 + number)


def contact_id(number: int) -> Any:  # noqa: ANN401 - an id
    return uid(200 + number)


def instant(step: int | None) -> datetime | None:
    """Return the instant of a step; the last one lies after all that are read."""
    return None if step is None else INSTANTS[0] + timedelta(microseconds=step)


async def write(database: Database, known_deals: list[Deal], known_people: list[Person]) -> None:
    """Replace all rows by those of the deals and people."""
    async with database.write() as session:
        await session.script(
            "delete from stage_entry; delete from evaluation; delete from touchpoint;"
            " delete from handoff; update contact set merged_into_id = null; delete from contact; delete from deal;"
            " delete from contact_version; delete from deal_version; set local accord.history_is_given = on"
        )
        agreed = {"stages": [{"key": key, "title": key} for key in STAGES]}
        await delete_versions(session)
        await put(session, "accord_version", accord_row(agreed, id=VERSION))
        run = {"id": RUN, "reading": "IN_FORCE", "accord_version_id": VERSION, "is_current": True}
        await put(session, "evaluation", run | {"started_at": INSTANTS[0], "finished_at": INSTANTS[0]})
        for number, deal in enumerate(known_deals):
            await put_deal(session, deal_id(number), deal)
        survivor = uid(300)
        await put(session, "contact", {"id": survivor, "deleted_at": INSTANTS[0]})
        for number, person in enumerate(known_people):
            await put_person(session, contact_id(number), person, survivor if person.is_merged else None)


async def put_deal(session: Any, own: Any, deal: Deal) -> None:  # noqa: ANN401
    """Insert a deal with a version for each of its changes."""
    values = [
        {"outcome": outcome, "closed_at": None if outcome == "OPEN" else instant(at)} for at, outcome in deal.changes
    ]
    await put(session, "deal", values[-1] | {"id": own, "deleted_at": instant(deal.deleted)})
    ends = [*(began for began, _ in deal.changes[1:]), None]
    for (began, _), end, value in zip(deal.changes, ends, values, strict=True):
        dates = {"valid_from": instant(began), "valid_to": instant(end), "recorded_at": instant(STEPS)}
        await put(session, "deal_version", value | dates | {"deal_id": own, "is_assumed": False})


async def put_person(session: Any, own: Any, person: Person, survivor: Any) -> None:  # noqa: ANN401
    """Insert a contact with its version, touchpoints, handoff and stage entries."""
    await put(session, "contact", {"id": own, "merged_into_id": survivor})
    kept = {"email_opt_out": False, "do_not_call": False, "is_test": False, "is_internal": False, "is_assumed": False}
    dates = {"valid_from": instant(person.began), "recorded_at": instant(STEPS)}
    await put(session, "contact_version", kept | dates | {"contact_id": own})
    for place, step in enumerate(person.touched):
        touch = {"contact_id": own, "kind": "FORM", "direction": "INBOUND", "occurred_at": instant(step)}
        await put(session, "touchpoint", touch | {"id": uid(1000 + 10 * own.int + place)})
    decision = {"status": "PROPOSED"} if person.decided is None else {"status": "ACCEPTED"}
    handed = {"handed_at": instant(person.handed), "decided_at": instant(person.decided)}
    await put(session, "handoff", handed | decision | {"id": uid(2000 + own.int), "contact_id": own})
    ends = [*person.entered[1:], person.left]
    for rank, (entered, end) in enumerate(zip(person.entered, ends, strict=False), start=1):
        entry = {"contact_id": own, "evaluation_id": RUN, "accord_version_id": VERSION, "stage": STAGES[rank - 1]}
        times = {"entered_at": instant(entered), "own_at": instant(entered), "present_at": instant(entered)}
        exit_ = {} if end is None else {"exited_at": instant(end), "exit_kind": "ADVANCED"}
        await put(session, "stage_entry", entry | times | exit_ | {"rank": rank, "is_implied": False, "occurrence": 1})
