"""When time alone changes entries: the instant is noted, and a contact that is evaluated then has the entry."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import pytest

from api.accord.in_force import AccordPeriod
from api.db import Database, WriteSession
from api.funnel.following.reevaluate import EntryChangeKind, reevaluate
from api.funnel.reference_facts import (
    CompanyHistories,
    ContactHistory,
    DealRole,
    DealState,
    HandoffFact,
    RecordVersion,
    ReportFact,
)
from api.sql import Sql
from schema.base import new_id
from schema.vocab import DealOutcome, HandoffStatus
from tests.funnel.stored_facts import write_facts
from tests.funnel.test_reevaluation import begin, differences
from tests.funnel.test_rules import REJECTED, TOUCH, accord_of, day, touches, versions

QUIET: Mapping[str, object] = {"all": [{"not": {"touches": {"within": "2 days"}}}, {"touches": {"at_least": 2}}]}
# The score after the second touch is 15, and 7.5 a day later, which is enough; a second later it is not.
FADED: Mapping[str, object] = {
    "all": [
        {"not": {"score": {"terms": [{"points": 10}], "half_life": "1 day", "at_least": 7.5}}},
        {"touches": {"at_least": 2}},
    ]
}
REPORTED: Mapping[str, object] = {"reported": {"source": "hubspot", "stage": "mql"}}
STEEL: Mapping[str, object] = {"field": "company.industry", "op": "eq", "value": "steel"}
COMPANY = str(UUID(int=77))
EMPLOYED = RecordVersion(
    day(0), None, {"email": None, "lead_score": None, "email_opt_out": False, "company_id": COMPANY}
)
COMPANIES: CompanyHistories = {
    COMPANY: (
        RecordVersion(day(0), day(5), {"industry": None, "annual_revenue": None}),
        RecordVersion(day(5), None, {"industry": "steel", "annual_revenue": None}),
    )
}


async def due(session: WriteSession) -> list[datetime]:
    return [row["due_at"] for row in await session.rows(Sql("select due_at from wake_up"))]


def handed(at: float, decided: float | None, status: HandoffStatus) -> ContactHistory:
    handoff = HandoffFact(day(at), None if decided is None else day(decided), status)
    return ContactHistory(versions((0, None)), handoffs=(handoff,))


def won(at: float, since: float | None = None) -> ContactHistory:
    role = DealRole((DealState(day(at), None, DealOutcome.WON),), since=None if since is None else day(since))
    return ContactHistory(versions((0, None)), roles=(role,))


@pytest.mark.parametrize(
    ("rule", "contact", "at"),
    [
        # The last touch leaves the window under `not` two days after it.
        (QUIET, ContactHistory(versions((0, None)), touches(1, 2)), 4),
        (TOUCH, ContactHistory(versions((0, None)), touches(5)), 5),
        ({"silence": "3 days"}, ContactHistory(versions((0, None)), touches(1, 2)), 5),
        ({"silence": "4 days"}, ContactHistory(versions((0, None))), 4),
        (FADED, ContactHistory(versions((0, None)), touches(1, 2)), 3 + 1 / 86_400),
        (REPORTED, ContactHistory(versions((0, None)), reports=(ReportFact(day(5), "hubspot", "mql"),)), 5),
        ({"handoff": "PROPOSED"}, handed(5, None, HandoffStatus.PROPOSED), 5),
        ({"handoff": "ACCEPTED"}, handed(1, 5, HandoffStatus.ACCEPTED), 5),
        ({"deal": {"state": "WON"}}, won(5), 5),
        ({"deal": {"state": "WON"}}, won(1, since=5), 5),
        ({"all": []}, ContactHistory(versions((5, None))), 5),
        (STEEL, ContactHistory((EMPLOYED,)), 5),
    ],
)
async def test_time_alone_enters_a_stage_at_the_noted_instant(
    database: Database, rule: dict[str, object], contact: ContactHistory, at: float
) -> None:
    async with database.scratch() as scratch:
        session = WriteSession(scratch.connection)
        await begin(session, (AccordPeriod(new_id(), accord_of(rule)),))
        [id_] = await write_facts(session, [contact], COMPANIES)
        assert await reevaluate(session, [id_], as_of=day(3)) == ()
        assert await due(session) == [day(at)]
        [entered] = await reevaluate(session, [id_], as_of=day(at))
        assert (entered.contact_id, entered.stage, entered.kind) == (id_, "s1", EntryChangeKind.ENTERED)
        assert await due(session) == []
        assert await differences(session, day(at)) == []


async def test_after_a_stage_time_alone_enters_where_the_last_touch_since_leaves_the_window(database: Database) -> None:
    quiet: dict[str, object] = {
        "all": [{"stage": "s1"}, TOUCH, {"not": {"touches": {"after": "s1", "within": "2 days"}}}]
    }
    handoff = HandoffFact(day(1), day(1), HandoffStatus.RETURNED)
    contact = ContactHistory(versions((0, None)), touches(2), (handoff,))
    async with database.scratch() as scratch:
        session = WriteSession(scratch.connection)
        await begin(session, (AccordPeriod(new_id(), accord_of({"handoff": "RETURNED"}, quiet)),))
        [id_] = await write_facts(session, [contact], {})
        assert [change.stage for change in await reevaluate(session, [id_], as_of=day(3))] == ["s1"]
        assert await due(session) == [day(4)]
        assert "s2" in [change.stage for change in await reevaluate(session, [id_], as_of=day(4))]
        assert await due(session) == []


async def test_an_exit_of_the_future_closes_its_entry_when_it_comes(database: Database) -> None:
    decided = HandoffFact(day(1), day(5), HandoffStatus.REJECTED, "ANY")
    async with database.scratch() as scratch:
        session = WriteSession(scratch.connection)
        await begin(session, (AccordPeriod(new_id(), accord_of(TOUCH, exits=[REJECTED])),))
        [id_] = await write_facts(session, [ContactHistory(versions((0, None)), touches(2), (decided,))], {})
        [entered] = await reevaluate(session, [id_], as_of=day(3))
        [exited] = await reevaluate(session, [id_], as_of=day(5))
    assert (entered.kind, exited.kind) == (EntryChangeKind.ENTERED, EntryChangeKind.EXITED)


async def test_a_fact_that_comes_late_changes_an_entry_and_one_that_goes_removes_it(database: Database) -> None:
    async with database.scratch() as scratch:
        session = WriteSession(scratch.connection)
        await begin(session, (AccordPeriod(new_id(), accord_of(TOUCH)),))
        [id_] = await write_facts(session, [ContactHistory(versions((0, None)), touches(2))], {})
        await reevaluate(session, [id_], as_of=day(3))
        await session.run(Sql("update touchpoint set occurred_at = {}", day(1)))
        [changed] = await reevaluate(session, [id_], as_of=day(3))
        await session.run(Sql("update touchpoint set voided_at = {}", day(3)))
        [removed] = await reevaluate(session, [id_], as_of=day(3))
    assert (changed.kind, removed.kind) == (EntryChangeKind.CHANGED, EntryChangeKind.REMOVED)
