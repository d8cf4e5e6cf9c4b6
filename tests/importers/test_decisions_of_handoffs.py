"""Decisions of handoffs that come with an import: with the handoff, or after it, and when they were known."""

from datetime import datetime
from pathlib import Path

from api.db import Database
from api.funnel.readings.known_facts import with_known_facts
from api.importers.run_import import run_import
from api.sql import Sql
from tests.importers.conftest import rows

PRESET = """
title = "A small CRM"
source = "crm"
accord = "standard"
zone = "UTC"

[[files]]
name = "handoffs.csv"
key = "id"
dates = { handed = "%Y-%m-%d", decided = "%Y-%m-%d" }

[[files.records]]
table = "contact"
key = "mail"
fields = { email = "mail" }

[[files.records]]
table = "handoff"
[files.records.fields]
contact = "mail"
handed_at = "handed"
decided_at = "decided"
status = { column = "state", words = { open = "PROPOSED", yes = "ACCEPTED", no = "REJECTED" } }
reject_reason = "why"
note = "note"
"""
HEADER = "id,mail,handed,state,decided,why,note"
ANN, BEN = "h1,ann@acme.com,2026-03-02", "h2,ben@acme.com,2026-03-03"
PROPOSED, ACCEPTED, REJECTED = f"{ANN},open,,,", f"{ANN},yes,2026-03-05,,", f"{ANN},no,2026-03-06,NO_FIT,"
WITH_IT = f"{BEN},yes,2026-03-04,,"


async def imported(database: Database, folder: Path, *lines: str) -> datetime:
    """Import handoffs. Return an instant after the import."""
    (folder / "crm.toml").write_text(PRESET)
    (folder / "handoffs.csv").write_text("\n".join((HEADER, *lines)))
    report = await run_import(database, str(folder / "crm.toml"), folder)
    assert report.rejected == 0
    async with database.read() as session:
        after: datetime = await session.value(Sql("select clock_timestamp()"))
    return after


async def recorded(database: Database) -> list[datetime | None]:
    """When the decisions on Ann and on Ben were recorded, by the time of the handoff."""
    return [at for (at,) in await rows(database, "select decision_recorded_at from handoff order by handed_at")]  # type: ignore[misc]


async def known(database: Database, at: datetime) -> list[tuple[object, ...]]:
    """The handoffs as they were known at an instant."""
    statement = Sql("select status, decided_at::date::text, reject_reason from handoff order by handed_at")
    async with database.read() as session:
        return [tuple(row) for row in await session.rows(with_known_facts(statement, at))]


async def test_a_decision_is_known_since_the_import_that_brought_it(database: Database, tmp_path: Path) -> None:
    first = await imported(database, tmp_path, PROPOSED, WITH_IT)
    # The decision on Ben came with the handoff: it has no instant of its own.
    assert await recorded(database) == [None, None]
    second = await imported(database, tmp_path, ACCEPTED, WITH_IT)
    accepted, with_it = await recorded(database)
    assert accepted is not None
    assert first < accepted < second
    assert with_it is None
    ben = ("ACCEPTED", "2026-03-04", None)
    assert await known(database, first) == [("PROPOSED", None, None), ben]
    assert await known(database, second) == [("ACCEPTED", "2026-03-05", None), ben]


async def test_the_same_decision_again_keeps_its_instant_and_another_one_has_its_own(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, tmp_path, PROPOSED)
    await imported(database, tmp_path, ACCEPTED)
    before = await recorded(database)
    await imported(database, tmp_path, ACCEPTED)
    again = await imported(database, tmp_path, f"{ACCEPTED}Ready to talk")
    assert await rows(database, "select note from handoff") == [("Ready to talk",)]
    assert await recorded(database) == before
    third = await imported(database, tmp_path, REJECTED)
    [rejected] = await recorded(database)
    assert rejected is not None
    assert again < rejected < third
    assert await known(database, third) == [("REJECTED", "2026-03-06", "NO_FIT")]
    # A row has one decision: until the later one was known, the handoff reads as proposed.
    assert await known(database, again) == [("PROPOSED", None, None)]
