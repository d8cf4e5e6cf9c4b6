"""A preset of the user's own, with what olist's does not have: addresses, facts that move, links within a file."""

from pathlib import Path

from api.db import Database
from api.importers.run_import import run_import
from api.intake.upsert import RecordCounts
from tests.importers.conftest import at, rows

PRESET = """
title = "A small CRM"
source = "crm"
accord = "standard"
zone = "America/Sao_Paulo"

[[files]]
name = "people.csv"
key = "id"
dates = { created = "%d/%m/%Y" }

[[files.records]]
table = "contact"
begins = "created"
fields = { email = "mail", email_opt_out = "out", lead_score = "score", merged_into = "same_as" }

[[files]]
name = "calls.csv"
key = "id"
dates = { at = "%Y-%m-%d %H:%M" }

[[files.records]]
table = "touchpoint"
[files.records.fields]
contact = "person"
occurred_at = "at"
kind = { constant = "CALL" }
direction = { constant = "OUTBOUND" }
duration_seconds = { column = "seconds", required = true }
outcome = { column = "result", words = { ok = "CONNECTED", "no answer" = "NO_ANSWER" } }

[[files]]
name = "deals.csv"
key = "id"

[[files.records]]
table = "deal"
fields = { outcome = "state", name = "name", lost_reason = "why" }
"""

PEOPLE = "id,mail,created,out,score,same_as\n1,ana@acme.com,05/04/2018,,7,\n2,info@acme.com,06/04/2018,yes,,1\n"
CALLS = "id,person,at,seconds,result\nc1,1,2018-04-06 10:00,60,ok\nc2,2,2018-04-07 11:30,0,no answer\n"
DEALS = "id,state,name,why\nd1,OPEN,First,\n"


def put(folder: Path, people: str = PEOPLE, calls: str = CALLS, deals: str = DEALS) -> tuple[str, Path]:
    (folder / "crm.toml").write_text(PRESET)
    for name, text in (("people.csv", people), ("calls.csv", calls), ("deals.csv", deals)):
        (folder / name).write_text(text)
    return str(folder / "crm.toml"), folder


async def test_values_are_parsed_as_the_columns_are_declared(database: Database, tmp_path: Path) -> None:
    await run_import(database, *put(tmp_path))
    found = await rows(
        database,
        """select c.email, c.email_kind, c.email_opt_out, c.lead_score, o.email, c.effective_at
        from contact c left join contact o on o.id = c.merged_into_id order by c.email""",
    )
    assert found == [
        ("ana@acme.com", "BUSINESS", False, 7, None, at("2018-04-05 03:00")),
        ("info@acme.com", "ROLE", True, None, "ana@acme.com", at("2018-04-06 03:00")),
    ]
    found = await rows(database, "select occurred_at, outcome, duration_seconds from touchpoint order by 1")
    assert found == [(at("2018-04-06 13:00"), "CONNECTED", 60), (at("2018-04-07 14:30"), "NO_ANSWER", 0)]
    assert (await run_import(database, *put(tmp_path))).is_unchanged


async def test_a_value_that_the_file_no_longer_has_becomes_null(database: Database, tmp_path: Path) -> None:
    await run_import(database, *put(tmp_path))
    people = PEOPLE.replace(",7,", ",,").replace("yes", "").replace("ana@acme.com", "")
    report = await run_import(database, *put(tmp_path, people=people))
    assert report.records["contact"] == RecordCounts(0, 2, 0)
    assert await rows(database, "select email, email_kind, email_opt_out, lead_score from contact order by email") == [
        ("info@acme.com", "ROLE", False, None),
        (None, None, False, None),
    ]


async def test_a_fact_that_moves_to_another_contact_exists_once(database: Database, tmp_path: Path) -> None:
    await run_import(database, *put(tmp_path))
    before = await rows(database, "select id from touchpoint order by 1")
    report = await run_import(database, *put(tmp_path, calls=CALLS.replace("c1,1", "c1,2")))
    assert report.records["touchpoint"].unchanged == 1
    assert await rows(database, "select id from touchpoint order by 1") == before
    assert await rows(
        database, "select c.email, count(*) from touchpoint t join contact c on c.id = t.contact_id group by 1"
    ) == [("info@acme.com", 2)]


async def test_links_within_a_file_are_resolved_and_dangling_ones_rejected(database: Database, tmp_path: Path) -> None:
    people = PEOPLE + "3,x@acme.com,07/04/2018,,,4\n4,y@acme.com,07/04/2018,,,99\n"
    report = await run_import(database, *put(tmp_path, people=people), rejects_folder=tmp_path)
    assert [file.rejected for file in report.files] == [2, 0, 0]
    assert await rows(database, "select count(*) from contact") == [(2,)]


async def test_a_record_that_violates_a_constraint_costs_its_rows_only(database: Database, tmp_path: Path) -> None:
    preset, folder = put(tmp_path, deals=DEALS.replace("OPEN", "WON"))
    report = await run_import(database, preset, folder, accept_loss=True, rejects_folder=tmp_path)
    assert report.rejects is not None
    rejected = report.rejects.read_text().splitlines()[1:]
    assert rejected == ["deals.csv,2,id,d1,the deal breaks the rule 'closed when decided'"]
    assert report.records["deal"] == RecordCounts(0, 0, 0)
    assert await rows(database, "select count(*) from contact") == [(2,)]
    assert await rows(database, "select count(*) from external_key where entity = 'deal'") == [(0,)]
