"""Repeated imports: nothing changes twice, differences become history, an interrupted import leaves nothing."""

import asyncio
import signal
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.importers.run_import import run_import
from api.intake.upsert import RecordCounts
from api.workflows.adopt_accord import adopt_accord
from api.workflows.make_sample import make_sample
from schema.base import now
from schema.tables import METADATA
from tests.importers.conftest import SIX_LEADS, Write, at, rows


async def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    return {
        table.name: await rows(database, f"select t::text from {table.name} t order by 1")
        for table in METADATA.sorted_tables
    }


VERSIONS = """
    select k.external_id, v.valid_from, v.valid_to, o.name, v.lead_source
    from contact_version v join external_key k on k.record_id = v.contact_id and k.entity = 'contact'
    left join company o on o.id = v.company_id where k.external_id = '{}' order by v.id"""


async def test_a_second_run_changes_nothing(database: Database, write: Write) -> None:
    folder = write()
    await run_import(database, "olist", folder)
    before = await everything(database)
    report = await run_import(database, "olist", folder)
    assert report.is_unchanged
    assert report.records["contact"] == RecordCounts(0, 0, 6)
    assert await everything(database) == before


async def test_a_dry_run_reports_and_writes_nothing(database: Database, write: Write) -> None:
    before = await everything(database)
    report = await run_import(database, "olist", write(), dry_run=True)
    assert (report.is_dry_run, report.is_adopted, report.records["contact"]) == (True, True, RecordCounts(6, 0, 0))
    assert await everything(database) == before


async def test_a_changed_value_changes_the_record_and_leaves_history(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    began = now()
    leads = (("ben", "2017-10-20", "page2", "referral"), *(row for row in SIX_LEADS if row[0] != "ben"))
    report = await run_import(database, "olist", write(leads=leads))
    assert report.records["contact"] == RecordCounts(0, 1, 5)
    assert report.records["touchpoint"] == RecordCounts(0, 1, 5)
    first, second = await rows(database, VERSIONS.format("ben"))
    assert first[1] == at("2017-10-20")
    changed = first[2]
    assert isinstance(changed, datetime)
    assert changed > began
    assert (first[4], second[1:]) == ("paid_search", (changed, None, None, "referral"))
    assert await rows(database, "select row_version from contact where lead_source = 'referral'") == [(2,)]
    assert await rows(database, "select count(*) from touchpoint where channel = 'REFERRAL'") == [(1,)]
    assert await rows(database, "select count(*) from evaluation where is_current") == [(1,)]
    assert await rows(database, "select count(*) from import_job") == [(2,)]


async def test_deals_imported_later_give_the_same_history_as_those_imported_at_once(
    database: Database, write: Write
) -> None:
    await run_import(database, "olist", write(deals=()))
    report = await run_import(database, "olist", write())
    assert report.records["contact"] == RecordCounts(0, 3, 3)
    won, early = at("2018-02-26 19:58:54"), at("2018-01-20 10:00:00")
    assert await rows(database, VERSIONS.format("anna")) == [
        ("anna", at("2018-02-01"), won, None, "social"),
        ("anna", won, None, "seller1", "social"),
    ]
    # Dora's deal was imported later, but is dated before her form: her first version begins with it.
    versions = [row for row in await rows(database, VERSIONS.format("dora")) if row[1] != row[2]]
    assert versions == [("dora", early, None, "seller3", "unknown")]
    found = await rows(database, "select stage, is_implied, count(*) from stage_entry group by 1, 2 order by 1, 2")
    assert found == [("customer", False, 3), ("mql", False, 5), ("mql", True, 1)]
    assert (await run_import(database, "olist", write())).is_unchanged


async def test_a_later_deal_of_the_same_instant_as_the_form_replaces_the_first_version(
    database: Database, write: Write
) -> None:
    await run_import(database, "olist", write(deals=()))
    await run_import(database, "olist", write(deals=[("anna", "seller1", "a", "b", "2018-02-01 00:00:00", "pet", "")]))
    versions = [row for row in await rows(database, VERSIONS.format("anna")) if row[1] != row[2]]
    assert versions == [("anna", at("2018-02-01"), None, "seller1", "social")]


async def test_an_import_keeps_the_accord_in_force(database: Database, write: Write) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
    report = await run_import(database, "olist", write())
    assert (report.is_adopted, report.is_presets_accord, report.accord) == (False, False, "The standard accord")
    assert await rows(database, "select number from accord_version") == [(1,)]


async def make_small_sample(database: Database) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=20, seed=1, until=date(2026, 1, 1))


async def test_the_sample_company_is_not_mixed_with_real_data(database: Database, write: Write) -> None:
    await make_small_sample(database)
    before = await everything(database)
    with pytest.raises(AccordError, match="--replace-sample") as refused:
        await run_import(database, "olist", write())
    assert refused.value.code == ErrorCode.SAMPLE_PRESENT
    assert "--data DIR" in refused.value.remedy
    assert await everything(database) == before


async def test_the_sample_company_is_removed_on_request(database: Database, write: Write) -> None:
    await make_small_sample(database)
    report = await run_import(database, "olist", write(), replace_sample=True)
    assert report.is_adopted
    assert await rows(database, "select count(*), count(source_detail) from contact") == [(6, 5)]
    assert await rows(database, "select count(*) from campaign") == [(0,)]
    assert await rows(database, "select count(*) from contact_version") == [(6 + 2,)]
    assert await rows(database, "select preset from import_job") == [("olist",)]
    assert await rows(database, "select body->>'title' from accord_version") == [("Olist's seller funnel",)]


async def test_an_import_that_fails_leaves_the_sample_company_in_place(database: Database, write: Write) -> None:
    await make_small_sample(database)
    before = await everything(database)

    def fail(step: str, _done: int, _total: int) -> None:
        if step == "evaluation":
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await run_import(database, "olist", write(), replace_sample=True, progress=fail)
    assert await everything(database) == before


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from api.db import Database
from api.importers.run_import import run_import

def die(step, done, total):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with Database.open(sys.argv[1], size=1) as database:
        await run_import(database, "olist", Path(sys.argv[2]), rejects_folder=Path(sys.argv[4]), progress=die)

asyncio.run(main())
"""


@pytest.mark.parametrize("step", ["olist_closed_deals_dataset.csv", "records", "evaluation"])
async def test_a_killed_import_leaves_nothing_and_the_next_completes(
    database: Database, module_dsn: str, write: Write, tmp_path: Path, step: str
) -> None:
    folder, before = write(), await everything(database)
    words = [sys.executable, "-c", KILLED, module_dsn, str(folder), step, str(tmp_path)]
    done = await asyncio.to_thread(subprocess.run, words, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert await everything(database) == before
    assert (await run_import(database, "olist", folder)).records["contact"] == RecordCounts(6, 0, 0)


async def test_two_imports_at_the_same_time_do_not_collide(database: Database, write: Write) -> None:
    folder = write()
    reports = await asyncio.gather(*(run_import(database, "olist", folder) for _ in range(2)))
    assert sorted(report.is_unchanged for report in reports) == [False, True]
    assert await rows(database, "select count(*) from contact") == [(6,)]
