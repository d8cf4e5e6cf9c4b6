"""The example of a preview that a pencil can check: nobody is judged by the values of today."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.db import Database, WriteSession
from api.funnel.evaluate import evaluate
from api.metrics.preview.figures import Preview
from api.metrics.preview.people_pages import ChangedPerson, read_people
from api.metrics.preview.reasons import reasons_of
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.accord_vocab import PersonChange, PreviewCoverage
from schema.base import new_id
from schema.kpis.answer_vocab import WarningCode
from tests.golden.world import QUALIFIED_CALLS, contact_id, day
from tests.support.commands import run_command
from tests.support.previews import add_draft, preview_of, stage_of

# From, score, whether the e-mail address is one of business, whether the job title is known.
FACTS = {
    "c1": (("01-05", 40, 1, 0), ("01-10", 55, 1, 1), ("01-18", 70, 1, 1)),
    "c2": (("01-06", 52, 0, 0), ("01-15", 66, 0, 1)),
    "c3": (("01-08", 30, 1, 0), ("01-20", 51, 1, 0), ("03-05", 64, 1, 1)),
    "c5": (("02-03", 20, 1, 1), ("02-14", 58, 1, 1)),
    "c6": (("02-10", 45, 1, 1), ("03-28", 61, 1, 1)),
    "c8": (("03-01", 35, 1, 0), ("03-10", 80, 1, 0), ("04-05", 80, 1, 1)),
}
IN_FORCE = {"field": "contact.lead_score", "op": "gte", "value": 50}
DRAFT = {
    "all": [
        {"field": "contact.lead_score", "op": "gte", "value": 60},
        {"field": "contact.email_kind", "op": "eq", "value": "BUSINESS"},
        {"field": "contact.job_title", "op": "is_null", "value": False},
    ]
}
SQL = {"touches": {"team": "SALES", "kind": ["CALL"], "outcome": ["QUALIFIED"]}}


def accord(mql: dict[str, Any]) -> Accord:
    stages = [
        {"key": key, "title": key.upper(), "group": "g", "owner": owner, "meaning": "m", "rule": rule}
        for key, owner, rule in (("mql", "MARKETING", mql), ("sql", "SALES", SQL))
    ]
    return Accord.model_validate({"title": "t", "stages": stages, "reporting": {"timezone": "UTC"}})


async def write_facts(session: WriteSession) -> None:
    await session.script("set local accord.history_is_given = on")
    await session.copy("contact", ["id", "email"], [(contact_id(name), f"{name}@example.com") for name in FACTS])
    rows = []
    for name, versions in FACTS.items():
        ends: list[datetime | None] = [*(day(row[0]) for row in versions[1:]), None]
        for (begins, score, business, title), end in zip(versions, ends, strict=True):
            kind, job = "BUSINESS" if business else "FREE", "CEO" if title else None
            plain = (score, kind, job, False, False, False, False, False)
            rows.append((contact_id(name), day(begins), end, day(begins), *plain))
    span = ["contact_id", "valid_from", "valid_to", "recorded_at"]
    flags = ["is_assumed", "email_opt_out", "do_not_call", "is_test", "is_internal"]
    await session.copy("contact_version", [*span, "lead_score", "email_kind", "job_title", *flags], rows)
    calls = [
        (contact_id(name), new_id(), day(at), "CALL", "OUTBOUND", "PHONE", "SALES", "QUALIFIED")
        for name, at in QUALIFIED_CALLS.items()
        if name in FACTS
    ]
    columns = ["contact_id", "id", "occurred_at", "kind", "direction", "channel", "team_kind", "outcome"]
    await session.copy("touchpoint", columns, calls)
    await session.script("set local accord.history_is_given = off")


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, accord(IN_FORCE))
        await write_facts(session)
        await evaluate(session, as_of=datetime(2026, 12, 31, tzinfo=UTC))
        await add_draft(session, accord(DRAFT))
    return module_database


@pytest.fixture
async def quarter(world: Database) -> Preview:
    return await preview_of(world, "2026-01-01", "2026-04-01")


async def listed(database: Database, preview: Preview, change: PersonChange) -> tuple[ChangedPerson, ...]:
    async with database.read() as session:
        return (await read_people(session, stage_of(preview, "mql").people, change, size=10)).people


async def test_who_is_lost_and_moved(world: Database, quarter: Preview) -> None:
    names = {contact_id(name): name for name in FACTS}

    def instants(people: tuple[ChangedPerson, ...]) -> list[tuple[str, datetime | None, datetime | None]]:
        return [(names[person.id], person.instant_before, person.instant_after) for person in people]

    mql = stage_of(quarter, "mql")
    assert (mql.count_before, mql.count_after, mql.gained, mql.lost, mql.moved) == (6, 3, 0, 3, 2)
    assert instants(await listed(world, quarter, PersonChange.GAINED)) == []
    # c8 has all that the draft asks for, but not before the period ends.
    assert instants(await listed(world, quarter, PersonChange.LOST)) == [
        ("c2", day("01-06"), None),
        ("c5", day("02-14"), None),
        ("c8", day("03-10"), day("04-05")),
    ]
    assert instants(await listed(world, quarter, PersonChange.MOVED)) == [
        ("c1", day("01-10"), day("01-18")),
        ("c3", day("01-20"), day("03-05")),
    ]


async def test_precision_and_recall(quarter: Preview) -> None:
    (outcome,) = stage_of(quarter, "mql").outcomes
    assert (outcome.stage, outcome.reached) == ("sql", 4)
    assert (outcome.reached_before, outcome.counted_before) == (4, 6)
    assert (outcome.reached_after, outcome.counted_after) == (3, 3)
    assert (outcome.precision_before, outcome.precision_after) == (Decimal("0.666667"), Decimal(1))
    assert (outcome.recall_before, outcome.recall_after) == (Decimal(1), Decimal("0.75"))


async def test_months(quarter: Preview) -> None:
    months = [
        (month.period, month.count_before, month.count_after, month.gained, month.lost, month.moved)
        for month in stage_of(quarter, "mql").buckets
    ]
    assert months == [("2026-01", 3, 1, 0, 1, 1), ("2026-02", 1, 0, 0, 1, 0), ("2026-03", 2, 2, 0, 1, 1)]


async def test_an_unchanged_stage_is_not_evaluated_and_has_the_same_people(quarter: Preview) -> None:
    sql = stage_of(quarter, "sql")
    assert (sql.is_evaluated, sql.count_before, sql.count_after, sql.lost) == (False, 2, 2, 0)


async def test_kpis_are_those_of_either_version(quarter: Preview) -> None:
    kpis = {kpi.key: kpi for kpi in quarter.kpis if kpi.base_stage is None}
    # Of the lost, c2 still enters by becoming an SQL. The SQLs of April are not in the quarter.
    assert (kpis["mqls"].figure_before.value, kpis["mqls"].figure_after.value) == (Decimal(6), Decimal(4))
    assert (kpis["sqls"].figure_before.value, kpis["sqls"].figure_after.value) == (Decimal(2), Decimal(2))
    assert (kpis["mqls"].is_changed, kpis["sqls"].is_changed) == (True, False)
    assert "inquiry" in str(kpis["speed_to_lead"].figure_before.note)
    assert "deals_won" not in kpis
    (pair,) = [kpi for kpi in quarter.kpis if kpi.key == "stage_conversion"]
    assert (pair.base_stage, pair.target_stage) == ("mql", "sql")
    assert (pair.figure_before.numerator, pair.figure_before.denominator) == (Decimal(4), Decimal(6))
    assert (pair.figure_after.numerator, pair.figure_after.denominator) == (Decimal(4), Decimal(4))


async def test_reasons_name_what_the_draft_asks_for_and_was_not_so_then(world: Database, quarter: Preview) -> None:
    people = await listed(world, quarter, PersonChange.LOST)
    async with world.read() as session:
        reasons = await reasons_of(session, stage_of(quarter, "mql").people, people)
    missed = "version 1 counts the person; version 2 does not, because this is not so"
    score, kind, title = "lead score is at least 60", "e-mail kind is 'BUSINESS'", "job title known"
    assert [reasons[person.id].sentence for person in people] == [
        f"At 2026-01-06 12:00 (UTC) {missed}: {score}; and {kind}; and {title}.",
        f"At 2026-02-14 12:00 (UTC) {missed}: {score}.",
        f"At 2026-03-10 12:00 (UTC) {missed}: {title}. It counts the person at 2026-04-05 12:00 (UTC).",
    ]


async def test_small_numbers_are_warned_of_and_the_history_is_all_there(quarter: Preview) -> None:
    assert [warning.code for warning in quarter.warnings] == [WarningCode.LOW_SAMPLE]
    assert (quarter.coverage.grade, quarter.coverage.people, quarter.coverage.complete) == (PreviewCoverage.EXACT, 6, 6)


async def test_it_is_stored_until_something_changes(world: Database, quarter: Preview) -> None:
    again = await preview_of(world, "2026-01-01", "2026-04-01", now="2027-01-02")
    assert again == quarter
    older = await preview_of(world, "2026-01-01", "2026-04-01", now="2027-01-08")
    assert older.id != quarter.id
    assert older.stages[0].lost == 3


@pytest.mark.usefixtures("world")
async def test_the_command_line_shows_the_same(module_dsn: str, tmp_path: Path) -> None:
    words = ("preview", "2", "--period", "2026-Q1")
    done = await asyncio.to_thread(run_command, *words, data=tmp_path, DATABASE_URL=module_dsn)
    assert done.returncode == 0, done.stderr
    assert "Version 2 compared with version 1, from 2026-01-01 before 2026-04-01 (UTC):" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    # Who skips the stage enters it all the same.
    assert ["MQL", "6", "3", "0", "3", "2", "6", "4"] in rows
    assert "entered: who first entered the stage in the period, those who skipped it included" in done.stdout
    assert "MQL to SQL: precision 66.7% before, 100.0% after; recall 100.0% before, 75.0% after" in done.stdout
    assert "History: EXACT, complete for 6 of 6 people." in done.stdout
    listing = (*words, "--people", "mql", "--first", "2")
    people = await asyncio.to_thread(run_command, *listing, data=tmp_path, DATABASE_URL=module_dsn)
    assert "c2@example.com" in people.stdout
    assert "c8@example.com" not in people.stdout
    assert "version 2 does not, because this is not so: lead score is at least 60" in people.stdout
    assert "mql, lost: 3 people" in people.stdout
    assert "  1 more: --first 3 lists them." in people.stdout
    wrong = await asyncio.to_thread(run_command, *words, "--people", "sal", data=tmp_path, DATABASE_URL=module_dsn)
    assert "Neither version has the stage 'sal'." in wrong.stderr
    unknown = await asyncio.to_thread(run_command, "preview", "9", data=tmp_path, DATABASE_URL=module_dsn)
    assert unknown.returncode == 2
    assert "There is no version 9 of the accord" in unknown.stderr
