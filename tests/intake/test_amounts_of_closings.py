"""An amount that an import gives together with a closing belongs to it, and the former one to the time before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.db import Database
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows

PRESET = """
title = "Deals"
source = "crm"
accord = "standard"
[[files]]
name = "deals.csv"
key = "id"
forms = "%Y-%m-%d"
[[files.records]]
table = "member"
key = "owner"
fields = { name = "owner" }
[[files.records]]
table = "deal"
[files.records.fields]
amount = "amount"
currency = "currency"
owner = "owner"
opened_at = "opened"
outcome = "outcome"
closed_at = "closed"
[[files]]
name = "amounts.csv"
key = ["id", "since"]
optional = true
forms = "%Y-%m-%d"
[[files.records]]
table = "deal"
key = "id"
creates = false
since = "since"
fields = { amount = "amount" }
"""
OPENED, CLOSED = at("2026-01-05"), at("2026-07-05")
OPEN = "5000,EUR,Ann,2026-01-05,OPEN,"
WON = "8000,USD,Ann,2026-01-05,WON,2026-07-05"
BEFORE = (OPENED, "OPEN", 5000, "EUR", "Ann", True)
SINCE = (CLOSED, "WON", 8000, "USD", "Ann", True)


async def deal(database: Database, folder: Path, line: str, amounts: str = "") -> ImportReport:
    """Import a deal: amount, currency, owner, opened, outcome, closed; `amounts` are its dated amounts."""
    (folder / "deals.toml").write_text(PRESET)
    (folder / "deals.csv").write_text(f"id,amount,currency,owner,opened,outcome,closed\n1,{line}\n")
    (folder / "amounts.csv").write_text(f"id,since,amount\n{amounts}")
    return await run_import(database, str(folder / "deals.toml"), folder, rejects_folder=folder / "rejects")


async def versions(database: Database) -> list[tuple[object, ...]]:
    """What held of the deal since when: outcome, amount, currency, owner, and whether it is assumed."""
    return await rows(
        database,
        "select v.valid_from, v.outcome, v.amount::int, v.currency, m.name, v.is_assumed"
        " from deal_version v left join member m on m.id = v.owner_id"
        " where (v.valid_from = v.valid_to) is not true order by v.valid_from",
    )


async def present(database: Database) -> list[tuple[object, ...]]:
    """What the deal is now: outcome, amount, currency."""
    return await rows(database, "select outcome, amount::int, currency from deal")


async def test_a_new_closing_has_the_amount_that_comes_with_it(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, OPEN)
    report = await deal(database, tmp_path, WON)
    assert report.records["deal"].changed == 1
    assert await versions(database) == [BEFORE, SINCE]
    assert await present(database) == [("WON", 8000, "USD")]
    assert (await deal(database, tmp_path, WON)).is_unchanged
    assert await versions(database) == [BEFORE, SINCE]


async def test_the_amount_of_a_deal_imported_closed_is_the_best_known_of_before(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, WON)
    assert await versions(database) == [(*BEFORE[:2], 8000, "USD", "Ann", True), SINCE]
    assert (await deal(database, tmp_path, WON)).is_unchanged


async def test_an_owner_that_comes_with_the_closing_holds_from_now_on(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, OPEN)
    start = datetime.now(UTC)
    await deal(database, tmp_path, WON.replace("Ann", "Bob"))
    *known, now = await versions(database)
    assert known == [BEFORE, SINCE]
    assert now[1:] == ("WON", 8000, "USD", "Bob", False)
    assert isinstance(now[0], datetime)
    assert now[0] >= start


async def test_an_amount_changed_after_a_known_closing_holds_from_now_on(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, WON)
    start = datetime.now(UTC)
    await deal(database, tmp_path, WON.replace("8000", "9000"))
    *known, now = await versions(database)
    assert known == [BEFORE, SINCE]
    assert now[1:] == ("WON", 9000, "USD", "Ann", False)
    assert isinstance(now[0], datetime)
    assert now[0] >= start


async def test_dated_amounts_hold_and_the_amount_of_the_closing_does_not_replace_them(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, OPEN)
    amounts = "1,2026-03-01,6000\n1,2026-09-01,8000\n"
    await deal(database, tmp_path, WON, amounts)
    found = [row[:4] for row in await versions(database)]
    assert found == [
        (OPENED, "OPEN", 5000, "EUR"),
        (at("2026-03-01"), "OPEN", 6000, "EUR"),
        (CLOSED, "WON", 6000, "USD"),
        (at("2026-09-01"), "WON", 8000, "USD"),
    ]
    assert (await deal(database, tmp_path, WON, amounts)).is_unchanged


async def test_an_amount_recorded_between_a_closing_and_its_import_yields_to_that_of_the_closing(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, OPEN.replace("5000", "6000"))
    assert [row[2] for row in await versions(database)] == [5000, 6000]
    await deal(database, tmp_path, WON)
    assert await versions(database) == [BEFORE, SINCE]


async def test_a_closing_whose_amount_cannot_be_read_leaves_amount_and_currency(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, OPEN.replace("5000", "6000"))
    await deal(database, tmp_path, WON.replace("8000", "much"))
    found = [row[1:4] for row in await versions(database)]
    assert found == [("OPEN", 5000, "EUR"), ("WON", 5000, "EUR"), ("WON", 6000, "EUR")]


@pytest.mark.parametrize("line", ["8000,USD,Ann,2026-01-05,LOST,2026-07-05", "8000,USD,Ann,2026-01-05,WON,2026-06-05"])
async def test_a_corrected_closing_takes_its_amount_along(database: Database, tmp_path: Path, line: str) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, WON.replace("8000", "7000"))
    await deal(database, tmp_path, line)
    closed, outcome = at(line[-10:]), line.split(",")[4]
    assert await versions(database) == [BEFORE, (closed, outcome, *SINCE[2:])]
    assert (await deal(database, tmp_path, line)).is_unchanged


async def test_a_deal_closed_again_keeps_the_amount_of_its_first_closing(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, WON)
    await deal(database, tmp_path, OPEN.replace("5000", "6000"))
    again = datetime.now(UTC).date().isoformat()
    await deal(database, tmp_path, f"9000,EUR,Ann,2026-01-05,WON,{again}")
    found = [row[:4] for row in await versions(database)]
    assert found[:2] == [BEFORE[:4], SINCE[:4]]
    assert found[2] == (at(again), "WON", 9000, "EUR")


async def test_an_amount_first_known_with_the_closing_does_not_reach_the_time_before(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, ",,Ann,2026-01-05,OPEN,")
    await deal(database, tmp_path, WON)
    assert await versions(database) == [(OPENED, "OPEN", None, None, "Ann", True), SINCE]
    assert (await deal(database, tmp_path, WON)).is_unchanged
