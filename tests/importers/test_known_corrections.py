"""What was known of a fact at an instant stays what it was, whatever an import, its undoing or a mutation corrects."""

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from api.db import Database
from api.funnel.readings.known_facts import known_rows
from api.importers.run_import import run_import
from api.sql import Sql, name
from schema.base import new_id
from schema.tables import SHAPES
from tests.importers.conftest import rows
from tests.importers.test_undoing import undo
from tests.support.graphql import put
from tests.support.mutations import codes, run
from tests.support.small_export import write_small_export

KEPT = tuple(shape.name for shape in SHAPES.values() if shape.keeps_corrections)
# When a decision was stored, and the bookkeeping of edits, are as of today.
TODAY = ["decision_recorded_at", "updated_at", "row_version"]
Facts = dict[str, list[str]]


async def facts(database: Database, known_at: datetime | None = None) -> Facts:
    """The rows of all tables that keep their corrections: as they are, or as they were known."""
    found = {}
    async with database.read() as session:
        for table in KEPT:
            known = name(table) if known_at is None else Sql("({})", known_rows(table, Sql("{}", known_at)))
            row = Sql("select to_jsonb(f) - {}::text[] as row from {} f order by 1", TODAY, known)
            found[table] = [str(it["row"]) for it in await session.rows(row)]
    return found


class Noted:
    """The facts after each step, and the instant of noting them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.found: list[tuple[str, datetime, Facts]] = []

    async def note(self, step: str) -> None:
        [[at]] = await rows(self.database, "select clock_timestamp()")
        assert isinstance(at, datetime)
        now = await facts(self.database)
        assert not self.found or now != self.found[-1][2], f"{step} changes nothing"
        self.found.append((step, at, now))

    async def require_unchanged(self) -> None:
        """Each step's facts are known as they were after it."""
        for step, at, then in self.found:
            assert await facts(self.database, at) == then, step


def files(folder: Path, forms: Iterable[str], role: str = "1") -> str:
    people = (f"{number},p{number}@x.example,,,2026-01-01" for number in (1, 2, 3))
    return write_small_export(folder, people, forms, [f"d1,OPEN,{role},"])


async def test_imports_and_their_undoing_leave_what_was_known(database: Database, tmp_path: Path) -> None:
    noted = Noted(database)
    preset = files(tmp_path, ("f1,1,2026-01-02", "f2,2,2026-01-02"))
    await run_import(database, preset, tmp_path)
    [[first]] = await rows(database, "select id from import_job")
    await noted.note("import")
    files(tmp_path, ("f1,3,2026-01-02", "f2,2,2026-01-05"))
    await run_import(database, preset, tmp_path, accept_changes=True)
    await noted.note("move one form to another person, and correct the date of the other")
    await undo(database)
    await noted.note("undo the correction")
    assert await rows(
        database,
        "select recorded_at = (select min(recorded_at) from touchpoint_correction)"
        " from touchpoint where voided_at is null order by 1",
    ) == [(False,), (True,)]
    await noted.require_unchanged()
    await undo(database, f"import_job_{first}")
    await noted.note("undo the first import")
    await run_import(database, preset, tmp_path)
    await noted.note("import again")
    await noted.require_unchanged()


NAMED = {"ExchangeRate": "exchange_rate", "CampaignCost": "campaign_cost"}


async def test_mutations_leave_what_was_known(database: Database, tmp_path: Path) -> None:
    noted = Noted(database)
    await run_import(database, files(tmp_path, ("f1,1,2026-01-02",)), tmp_path)
    async with database.write() as session:
        campaign = new_id()
        await put(session, "campaign", {"id": campaign, "name": "Fair"})
    rate = {"currency": "USD", "quoteCurrency": "EUR", "rateOn": "2026-01-01"}
    cost = {
        "campaign": {"id": f"campaign_{campaign}"},
        "source": "ads",
        "fromOn": "2026-01-01",
        "beforeOn": "2026-02-01",
    }
    role: dict[str, object] = {"deal": _keyed("d1"), "contact": _keyed("1")}
    steps: tuple[tuple[str, dict[str, object]], ...] = (
        ("createExchangeRate", {**rate, "rate": "0.8"}),
        ("createCampaignCost", {**cost, "cost": {"amount": "10", "currency": "EUR"}}),
        ("updateExchangeRate", {"rate": "0.9"}),
        ("updateCampaignCost", {"cost": {"amount": "20", "currency": "EUR"}}),
        ("deleteExchangeRate", {}),
        ("restoreExchangeRate", {}),
        ("setDealRole", {**role, "role": "buyer", "isPrimary": True}),
        ("removeDealRole", role),
        ("setDealRole", {**role, "role": "user"}),
        ("voidTouchpoint", {"touchpoint": _keyed("f1"), "reason": "a test"}),
    )
    for mutation, given in steps:
        table = NAMED.get(re.sub("^(update|delete|restore)", "", mutation))
        if table is not None:
            [[record, version]] = await rows(database, f"select '{table}_' || id, row_version from {table}")
            given |= {"id": record, "expectedVersion": version}
        assert codes(await run(database, mutation, "", given)) == {}, mutation
        await noted.note(mutation)
    await noted.require_unchanged()


def _keyed(key: str) -> dict[str, object]:
    return {"externalKey": {"source": "crm", "externalId": key}}


async def test_of_several_changes_in_one_transaction_the_first_counts(database: Database) -> None:
    noted = Noted(database)
    insert = (
        "insert into exchange_rate (id, currency, quote_currency, rate_on, rate)"
        " values (gen_random_uuid(), 'USD', 'EUR', '2026-01-01', 0.5)"
    )
    async with database.write() as session:
        await session.script(f"{insert}; update exchange_rate set rate = 0.6; update exchange_rate set rate = 0.7")
    assert await rows(database, "select rate from exchange_rate_correction") == []
    await noted.note("a rate that was corrected before anybody saw it")
    async with database.write() as session:
        await session.script("update exchange_rate set rate = 0.8; update exchange_rate set rate = 0.9")
    assert await rows(database, "select rate::float from exchange_rate_correction") == [(0.7,)]
    await noted.note("two corrections at once")
    await noted.require_unchanged()


async def test_an_update_of_the_same_values_leaves_no_former_row(database: Database, tmp_path: Path) -> None:
    preset = files(tmp_path, ("f1,1,2026-01-02",))
    await run_import(database, preset, tmp_path)
    async with database.write() as session:
        await session.script("update touchpoint set kind = kind, voided_at = now(), void_reason = 'a test'")
        await session.script("update exchange_rate set rate = rate, updated_at = now()")
    await run_import(database, preset, tmp_path)
    for table in KEPT:
        assert await rows(database, f"select from {table}_correction") == []


async def test_a_writer_that_waited_for_another_one_comes_after_it(database: Database) -> None:
    insert = (
        "insert into exchange_rate (id, currency, quote_currency, rate_on, rate)"
        " values (gen_random_uuid(), 'USD', 'EUR', '2026-01-01', 0.5)"
    )
    async with database.write() as session:
        await session.script(insert)
    [[then]] = await rows(database, "select clock_timestamp()")
    async with database.write() as early:
        await early.value(Sql("select now()"))
        async with database.write() as late:
            await late.script("update exchange_rate set rate = 0.6")
        await early.script("update exchange_rate set rate = 0.7")
    async with database.read() as session:
        known = await session.rows(Sql("select rate from ({}) r", known_rows("exchange_rate", Sql("{}", then))))
    assert [float(row["rate"]) for row in known] == [0.5]
