"""An assumed version from before a closing has no value that came with it: pipeline stage, probability, close date."""

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
name = "stages.csv"
key = "stage"
[[files.records]]
table = "pipeline"
key = { constant = "sales" }
fields = { name = { constant = "Sales" } }
[[files.records]]
table = "pipeline_stage"
key = "stage"
[files.records.fields]
pipeline = { constant = "sales" }
name = "stage"
rank = "rank"
category = "category"
[[files]]
name = "deals.csv"
key = "id"
forms = "%Y-%m-%d"
[[files.records]]
table = "deal"
[files.records.fields]
amount = "amount"
opened_at = "opened"
outcome = "outcome"
closed_at = "closed"
pipeline_stage = { column = "stage", optional = true }
probability = "probability"
close_date = "expected"
"""
DATED = """
[[files]]
name = "steps.csv"
key = ["id", "since"]
optional = true
forms = "%Y-%m-%d"
[[files.records]]
table = "deal"
key = "id"
creates = false
since = "since"
fields = { pipeline_stage = "stage" }
"""
STAGES = "stage,rank,category\nTalks,1,OPEN\nOffer,2,OPEN\nWon,3,WON\nPaid,4,WON\nLost,5,LOST\n"
OPENED, EARLIER, CLOSED = at("2026-01-05"), at("2026-01-02"), at("2026-02-05")
WON = "100,2026-01-05,WON,2026-02-05,Won,1,2026-02-05"
OPEN = "100,2026-01-05,OPEN,,Talks,0.2,2026-06-30"


async def deal(database: Database, folder: Path, line: str, steps: str = "") -> ImportReport:
    """Import a deal: amount, opened, outcome, closed, stage, probability, expected; `steps` are its dated stages."""
    (folder / "deals.toml").write_text(PRESET + DATED)
    (folder / "stages.csv").write_text(STAGES)
    (folder / "deals.csv").write_text(f"id,amount,opened,outcome,closed,stage,probability,expected\n1,{line}\n")
    (folder / "steps.csv").write_text(f"id,since,stage\n{steps}")
    return await run_import(database, str(folder / "deals.toml"), folder)


async def versions(database: Database) -> list[tuple[object, ...]]:
    """What held of the deal since when: outcome, stage, probability, close date, and whether it is assumed."""
    return await rows(
        database,
        "select v.valid_from, v.outcome, s.name, v.probability::float, v.close_date::text, v.is_assumed"
        " from deal_version v left join pipeline_stage s on s.id = v.pipeline_stage_id"
        " where (v.valid_from = v.valid_to) is not true order by v.valid_from",
    )


BEFORE = (OPENED, "OPEN", None, None, None, True)
SINCE = (CLOSED, "WON", "Won", 1.0, "2026-02-05", True)


async def test_a_deal_imported_closed_was_open_in_an_unknown_stage(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, WON)
    assert await versions(database) == [BEFORE, SINCE]
    present = (
        "select s.name, d.probability::float, d.amount::int from deal d"
        " join pipeline_stage s on s.id = d.pipeline_stage_id"
    )
    assert await rows(database, present) == [("Won", 1.0, 100)]
    # What is not overwritten by a closing is the best known of the time before it.
    assert await rows(database, "select distinct amount::int from deal_version") == [(100,)]
    assert (await deal(database, tmp_path, WON)).is_unchanged


async def test_a_deal_imported_open_keeps_its_stage_up_to_a_later_closing(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, OPEN)
    assert await versions(database) == [(OPENED, "OPEN", "Talks", 0.2, "2026-06-30", True)]
    await deal(database, tmp_path, WON)
    assert await versions(database) == [(OPENED, "OPEN", "Talks", 0.2, "2026-06-30", True), SINCE]
    assert (await deal(database, tmp_path, WON)).is_unchanged


async def test_dated_stages_are_facts_and_stay(database: Database, tmp_path: Path) -> None:
    steps = "1,2026-01-05,Talks\n1,2026-01-20,Offer\n1,2026-02-09,Won\n"
    await deal(database, tmp_path, WON, steps)
    # The source moved the deal to the stage Won four days after its closing.
    assert await versions(database) == [
        (OPENED, "OPEN", "Talks", None, None, False),
        (at("2026-01-20"), "OPEN", "Offer", None, None, False),
        (CLOSED, "WON", "Offer", 1.0, "2026-02-05", False),
        (at("2026-02-09"), "WON", "Won", 1.0, "2026-02-05", False),
    ]
    assert (await deal(database, tmp_path, WON, steps)).is_unchanged


async def test_dated_stages_that_come_with_the_closing_do_not_empty_what_was_recorded(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, OPEN)
    await deal(database, tmp_path, WON, "1,2026-01-20,Offer\n1,2026-02-05,Won\n")
    found = await versions(database)
    assert [row[:5] for row in found] == [
        (OPENED, "OPEN", "Talks", 0.2, "2026-06-30"),
        (at("2026-01-20"), "OPEN", "Offer", 0.2, "2026-06-30"),
        (CLOSED, "WON", "Won", 1.0, "2026-02-05"),
    ]


@pytest.mark.parametrize("stage", ["Paid", ""])
async def test_a_stage_changed_after_the_closing_holds_from_now_on(
    database: Database, tmp_path: Path, stage: str
) -> None:
    await deal(database, tmp_path, WON)
    await deal(database, tmp_path, WON.replace("Won", stage))
    before, closing, now = await versions(database)
    assert (before, closing) == (BEFORE, SINCE)
    assert now[1:] == ("WON", stage or None, 1.0, "2026-02-05", False)


async def test_a_value_filled_after_the_closing_does_not_reach_the_time_before(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, "100,2026-01-05,WON,2026-02-05,,,")
    assert [row[2:5] for row in await versions(database)] == [(None, None, None)] * 2
    await deal(database, tmp_path, WON)
    assert await versions(database) == [BEFORE, SINCE]
    assert (await deal(database, tmp_path, WON)).is_unchanged


async def test_a_value_filled_with_a_reopening_does_not_reach_the_time_before(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, "100,2026-01-05,WON,2026-02-05,,,")
    await deal(database, tmp_path, OPEN)
    before, closing, reopened = await versions(database)
    assert (before, closing[1:5]) == (BEFORE, ("WON", None, None, None))
    assert reopened[1:] == ("OPEN", "Talks", 0.2, "2026-06-30", False)
    # The deal is open, as it was before its closing: what is filled now says nothing of then.
    await deal(database, tmp_path, "100,2026-01-05,OPEN,,,,")
    await deal(database, tmp_path, OPEN)
    assert (await versions(database))[0] == BEFORE


async def test_a_value_filled_while_the_deal_is_open_reaches_its_beginning(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, "100,2026-01-05,OPEN,,,,")
    await deal(database, tmp_path, OPEN)
    assert await versions(database) == [(OPENED, "OPEN", "Talks", 0.2, "2026-06-30", True)]
    await deal(database, tmp_path, WON)
    assert await versions(database) == [(OPENED, "OPEN", "Talks", 0.2, "2026-06-30", True), SINCE]


async def test_an_opening_learned_after_the_closing_adds_an_open_version(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, WON.replace("2026-01-05", ""))
    assert await versions(database) == [SINCE]
    await deal(database, tmp_path, WON)
    assert await versions(database) == [BEFORE, SINCE]
    assert await rows(database, "select distinct amount::int from deal_version") == [(100,)]
    assert (await deal(database, tmp_path, WON)).is_unchanged
    await deal(database, tmp_path, WON.replace("2026-01-05", "2026-01-02"))
    # The opening itself is a value that changed, from now on.
    assert (await versions(database))[:2] == [(EARLIER, *BEFORE[1:]), SINCE]


async def test_a_corrected_closing_date_takes_its_values_along(database: Database, tmp_path: Path) -> None:
    await deal(database, tmp_path, WON)
    corrected = WON.replace("2026-02-05", "2026-02-01")
    await deal(database, tmp_path, corrected)
    assert await versions(database) == [BEFORE, (at("2026-02-01"), "WON", "Won", 1.0, "2026-02-01", True)]
    assert (await deal(database, tmp_path, corrected)).is_unchanged


async def test_an_outcome_corrected_at_the_same_closing_takes_its_values_along(
    database: Database, tmp_path: Path
) -> None:
    await deal(database, tmp_path, WON)
    await deal(database, tmp_path, "100,2026-01-05,LOST,2026-02-05,Lost,0,2026-02-05")
    assert await versions(database) == [BEFORE, (CLOSED, "LOST", "Lost", 0.0, "2026-02-05", True)]
