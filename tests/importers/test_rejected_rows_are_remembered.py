"""What an import leaves about itself: its files, counts and reasons, and the gap that rejected rows leave."""

from datetime import date
from pathlib import Path

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.importers.reporting.rejects_file import OTHER_REASONS, CountedReason, RejectLog, RejectsFile
from api.importers.run_import import run_import
from api.intake.staged import RejectedRow
from api.metrics.answer import AnswerWarning
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest
from api.workflows.make_sample import make_sample
from schema.kpis.answer_vocab import WarningCode
from tests.importers.conftest import DEALS, LEADS, SIX_LEADS, THREE_DEALS, Write, rows

BAD_LEAD = ("zoe", "soon", "p", "email")
ODD_LEAD = ("yan", "2018-02-01", "p", "tiktok")
BAD_DEAL = ("emil", "seller5", "nora", "sam", "in spring", "pet", "0.0")


async def gap_warnings(database: Database, *keys: str) -> list[AnswerWarning | None]:
    """The warnings of an incomplete source, by KPI and last of the funnel."""
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key) for key in keys])
        funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())
    found: list[AnswerWarning | None] = []
    for answer in (*answers, funnel):
        assert not isinstance(answer, Exception)
        warnings = [warning for warning in answer.warnings if warning.code is WarningCode.SOURCE_INCOMPLETE]
        assert len(warnings) < 2
        found.append(warnings[0] if warnings else None)
    return found


async def test_results_warn_of_rejected_rows_of_the_facts_that_they_read(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    assert await gap_warnings(database, "deals_won", "mqls", "touches_per_contact_7d") == [None] * 4
    await run_import(database, "olist", write(deals=(*THREE_DEALS, BAD_DEAL)))
    deals, mqls, touches, funnel = await gap_warnings(database, "deals_won", "mqls", "touches_per_contact_7d")
    assert deals is not None
    assert deals.count == 1
    assert f"1 row was rejected that the value may lack: 1 of {DEALS} (olist, imported 20" in deals.message
    # The file of deals also has people and their touches: the accord's stages read deals and contacts.
    assert mqls is not None
    assert funnel == mqls
    assert touches is None or touches.count == 1


async def test_a_kpi_of_other_facts_does_not_warn(database: Database, write: Write) -> None:
    await run_import(database, "olist", write(leads=(*SIX_LEADS, BAD_LEAD)))
    deals, mqls, _ = await gap_warnings(database, "deals_won", "mqls")
    assert deals is None
    assert mqls is not None
    assert mqls.count == 1
    assert LEADS in mqls.message


async def test_the_warning_ends_with_a_clean_import_of_the_file(database: Database, write: Write) -> None:
    await run_import(database, "olist", write(leads=(*SIX_LEADS, BAD_LEAD)))
    jobs = "select count(*) from import_job"
    # The same rows again change nothing, not even the record of imports.
    await run_import(database, "olist", write(leads=(*SIX_LEADS, BAD_LEAD)))
    assert await rows(database, jobs) == [(1,)]
    await run_import(database, "olist", write(leads=(*SIX_LEADS, BAD_LEAD, BAD_LEAD)))
    assert [warning and warning.count for warning in await gap_warnings(database, "mqls")] == [2, 2]
    dry = await run_import(database, "olist", write(), dry_run=True)
    assert dry.is_unchanged
    assert [warning and warning.count for warning in await gap_warnings(database, "mqls")] == [2, 2]
    # No record changes, and yet it is news that the file is clean.
    clean = await run_import(database, "olist", write())
    assert clean.is_unchanged
    assert await gap_warnings(database, "mqls") == [None, None]
    assert await rows(database, jobs) == [(3,)]
    assert await rows(database, "select count(*) from source_gap") == [(0,)]


async def test_a_gap_of_a_single_file_ends_with_a_file_of_another_name(database: Database, tmp_path: Path) -> None:
    preset = tmp_path / "people.toml"
    preset.write_text("""
title = "People"
source = "crm"
accord = "standard"
[[files]]
name = "people.csv"
key = "id"
[[files.records]]
table = "contact"
fields = { email = "mail", email_opt_out = "out" }
""")
    (tmp_path / "january.csv").write_text("id,mail,out\n1,a@b.example,no\n2,c@d.example,perhaps\n")
    (tmp_path / "february.csv").write_text("id,mail,out\n2,c@d.example,no\n")
    await run_import(database, str(preset), tmp_path, file="january.csv")
    found, _ = await gap_warnings(database, "mqls")
    assert found is not None
    assert "january.csv (crm" in found.message
    await run_import(database, str(preset), tmp_path, file="february.csv")
    assert await gap_warnings(database, "mqls") == [None, None]


async def test_left_out_values_are_no_gap(database: Database, write: Write) -> None:
    await run_import(database, "olist", write(leads=(*SIX_LEADS, ODD_LEAD)))
    assert await gap_warnings(database, "mqls") == [None, None]


async def test_an_import_records_its_files_counts_and_reasons_without_any_cell(
    database: Database, write: Write
) -> None:
    leads = (*SIX_LEADS, BAD_LEAD, ("xu", "later", "p", "email"), ODD_LEAD, SIX_LEADS[0])
    await run_import(database, "olist", write(leads=leads))
    assert await rows(database, "select preset, source from import_job") == [("olist", "olist")]
    found = await rows(
        database, "select name, rows_read, rows_rejected, rows_unused, values_left_out from import_file order by 1"
    )
    assert found == [(DEALS, 3, 0, 0, 0), (LEADS, 10, 3, 0, 1)]
    found = await rows(database, "select created, changed, unchanged from import_count where record_type = 'contact'")
    assert found == [(7, 0, 0)]
    found = await rows(
        database, "select column_name, reason, is_left_out, occurrences from import_reason order by column_name, reason"
    )
    assert [(column, is_left_out, times) for column, _, is_left_out, times in found] == [
        ("first_contact_date", False, 2),
        ("mql_id", False, 1),
        ("origin", True, 1),
    ]
    reasons = [str(reason) for _, reason, _, _ in found]
    assert reasons[:2] == [
        "is not a date in the format iso, such as 2026-01-10 or 2026-01-10 09:30:00 UTC",
        "an earlier line has the same mql_id, which identifies a row",
    ]
    for cell in ("soon", "later", "anna", "tiktok"):
        assert not any(cell in reason for reason in reasons)


async def test_replacing_the_sample_removes_what_imports_recorded(database: Database, write: Write) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=20, seed=3, until=date(2026, 3, 1), processes=0)
    await run_import(database, "olist", write(), replace_sample=True)
    assert await rows(database, "select preset from import_job") == [("olist",)]


def test_reasons_are_bounded_and_hold_no_cell(tmp_path: Path) -> None:
    with RejectsFile(tmp_path / "rejects.csv") as file:
        log = RejectLog(file)
        log.add(RejectedRow("a.csv", 2, "mail", "x@y", "the address x@y has no domain"))
        for number in range(600):
            log.add(RejectedRow("a.csv", number, f"column {number}", "", "is empty"))
    assert log.reasons[CountedReason("a.csv", "mail", "the address … has no domain", False)] == 1
    assert log.reasons[CountedReason("a.csv", "", OTHER_REASONS, False)] == 101
    assert (log.reasons.total(), len(log.reasons)) == (601, 501)
