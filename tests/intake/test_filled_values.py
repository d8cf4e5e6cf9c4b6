"""A value that was empty at the first import and is filled later reaches the assumed versions, and nothing else."""

import json
from datetime import UTC, datetime
from pathlib import Path

from api.db import Database
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows
from tests.support.commands import run_on

DEALS = """
title = "Deals"
source = "crm"
accord = "standard"
[[files]]
name = "deals.csv"
key = "id"
forms = "%Y-%m-%d"
[[files.records]]
table = "deal"
[files.records.fields]
name = "name"
amount = "amount"
currency = "currency"
opened_at = "opened"
outcome = "outcome"
closed_at = "closed"
"""
OPENED, CLOSED = at("2026-01-05"), at("2026-02-05")
VERSIONS = (
    "select valid_from, valid_to, amount::integer, currency, outcome, is_assumed from deal_version"
    " where (valid_from = valid_to) is not true order by valid_from"
)
REPLACED = "select valid_from, amount::integer, currency, is_assumed from deal_version where valid_from = valid_to"


async def deal(database: Database, folder: Path, line: str) -> ImportReport:
    (folder / "deals.toml").write_text(DEALS)
    (folder / "deals.csv").write_text(f"id,name,amount,currency,opened,outcome,closed\n1,{line}\n")
    return await run_import(database, str(folder / "deals.toml"), folder)


async def test_a_currency_mended_later_holds_since_the_assumed_beginning(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    before = datetime.now(UTC)
    report = await deal(database, tmp_path, "One,100,EUR,2026-01-05,OPEN,")
    assert report.records["deal"].changed == 1
    assert await rows(database, VERSIONS) == [(OPENED, None, 100, "EUR", "OPEN", True)]
    assert await rows(database, "select currency, is_assumed, effective_at from deal") == [("EUR", True, OPENED)]
    # What was known before stays, for an earlier instant of knowledge.
    assert await rows(database, REPLACED) == [(OPENED, 100, None, True)]
    (known,) = await rows(database, "select currency, recorded_at from deal_version order by recorded_at limit 1")
    assert known[0] is None
    assert isinstance(known[1], datetime)
    assert known[1] < before
    assert (await deal(database, tmp_path, "One,100,EUR,2026-01-05,OPEN,")).is_unchanged


async def test_a_later_closing_has_the_mended_currency(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,EUR,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,EUR,2026-01-05,WON,2026-02-05")
    assert await rows(database, VERSIONS) == [
        (OPENED, CLOSED, 100, "EUR", "OPEN", True),
        (CLOSED, None, 100, "EUR", "WON", True),
    ]


async def test_a_closing_of_the_first_import_gets_the_mended_currency(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,WON,2026-02-05")
    await deal(database, tmp_path, "One,100,EUR,2026-01-05,WON,2026-02-05")
    assert await rows(database, VERSIONS) == [
        (OPENED, CLOSED, 100, "EUR", "OPEN", True),
        (CLOSED, None, 100, "EUR", "WON", True),
    ]
    assert await rows(database, f"{REPLACED} order by 1") == [(OPENED, 100, None, True), (CLOSED, 100, None, True)]


async def test_what_was_recorded_is_not_rewritten(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,200,,2026-01-05,OPEN,")
    recorded = await rows(database, "select valid_from from deal_version where amount = 200")
    await deal(database, tmp_path, "One,200,EUR,2026-01-05,OPEN,")
    first, second, third = await rows(database, VERSIONS)
    assert first[2:] == (100, "EUR", "OPEN", True)
    assert second[2:] == (200, None, "OPEN", False)
    assert third[2:] == (200, "EUR", "OPEN", False)
    assert [(second[0],)] == recorded
    assert (first[1], second[1], third[1]) == (second[0], third[0], None)


async def test_a_value_that_changes_beside_one_that_is_filled_holds_from_now_on(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,200,EUR,2026-01-05,OPEN,")
    first, second = await rows(database, VERSIONS)
    assert (first[0], first[2:]) == (OPENED, (100, "EUR", "OPEN", True))
    assert second[1:] == (None, 200, "EUR", "OPEN", False)


async def test_a_value_that_is_emptied_or_replaced_leaves_the_assumed_version(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, "One,100,USD,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,EUR,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    assert [row[3] for row in await rows(database, VERSIONS)] == ["USD", "EUR", None]
    assert await rows(database, REPLACED) == []


async def test_a_beginning_moves_with_the_filled_version(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "One,100,,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,EUR,2026-01-05,OPEN,")
    await deal(database, tmp_path, "One,100,EUR,2026-01-02,OPEN,")
    assert (await rows(database, VERSIONS))[0][0] == at("2026-01-02")
    # Every instant has one version.
    assert await rows(
        database,
        "select count(*) from deal_version a join deal_version b on b.deal_id = a.deal_id and b.id > a.id"
        " and tstzrange(a.valid_from, a.valid_to) && tstzrange(b.valid_from, b.valid_to)",
    ) == [(0,)]


async def test_money_of_a_mended_currency_is_counted_once_and_in_it(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    for currency in ("", "EUR"):
        await deal(database, tmp_path, f"One,100,{currency},2026-01-05,WON,2026-02-05")
        code, output = await run_on(
            module_dsn, "kpi", "revenue_won", "--period", "2026", "--timezone", "UTC", "--json", data=tmp_path
        )
        assert code == 0, output
        found = json.loads(output[output.index("{") :])
        apart = [] if currency else [("100.00", 1)]
        assert [(one["value"], one["n"]) for one in found["apart"]] == apart
        assert (found["value"], found["n"]) == ("100.00" if currency else None, 1)
