"""Merged people are one person, in whatever column and file the merge stands, before links by address are followed."""

import csv
from functools import partial
from pathlib import Path

import pytest

from api.db import Database
from api.importers.explain.explainer import RowExplainer
from api.importers.explain.explanation_text import explanation_text
from api.importers.reporting.import_report import ImportReport
from api.importers.reporting.unread_merges import UnreadMerges, says_merges
from api.importers.run_import import run_import
from tests.importers.conftest import rows

# Small files: most of their rows may be rejected.
import_files = partial(run_import, accept_loss=True)

MERGED = """select k.external_id, s.external_id from contact c join external_key k on k.record_id = c.id
    join external_key s on s.record_id = c.merged_into_id order by 1"""
TOUCHES = """select k.external_id from touchpoint t join external_key k on k.record_id = t.contact_id
    where k.entity = 'contact' order by 1"""
CONTACT = "id,_fivetran_synced,property_email,property_firstname,property_lastname,property_createdate"


def hubspot(folder: Path, contacts: str, recipients: tuple[str, ...] = (), **more: str) -> Path:
    """A folder with contacts, an opened e-mail for every recipient, and other files."""
    events = "".join(f"e{n},2026-01-0{n + 1} 10:00:00,77,OPEN,{address}\n" for n, address in enumerate(recipients))
    files = {
        "contact_data": contacts,
        "email_campaign_data": "id,name,subject,type\n77,Spring,Hello,BATCH_EMAIL\n",
        "email_event_data": "id,created,email_campaign_id,type,recipient\n" + events,
    }
    for name, text in {**files, **more}.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def person(key: str, email: str, *more: str) -> str:
    """A row of a contact without a name."""
    return ",".join((key, "2026-03-01 00:00:00", email, "", "", "2026-01-01 09:00:00", *more)) + "\n"


def rejected(report: ImportReport) -> list[tuple[str, str, str, str]]:
    """File, column, value and reason of every reported row."""
    if report.rejects is None:
        return []
    with report.rejects.open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["column"], row["value"], row["reason"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("column", "two", "three"),
    [("property_hs_merged_object_ids", "2", "3"), ("property_hs_calculated_merged_vids", "2:1583020800000", "3:1583")],
)
async def test_an_address_follows_the_merges_of_either_column_along_their_chain(
    database: Database, tmp_path: Path, column: str, two: str, three: str
) -> None:
    contacts = f"{CONTACT},{column}\n" + person("3", "ann@x.example", "")
    contacts += person("1", "ann@x.example", two) + person("2", "ann@x.example", three)
    report = await import_files(database, "hubspot", hubspot(tmp_path, contacts, ("ann@x.example",)))
    assert report.rejected == 0
    assert await rows(database, MERGED) == [("2", "1"), ("3", "2")]
    assert await rows(database, TOUCHES) == [("1",)]


async def test_a_merge_of_the_second_column_alone_and_of_another_file_count(database: Database, tmp_path: Path) -> None:
    header = f"{CONTACT},property_hs_calculated_merged_vids,property_hs_merged_object_ids\n"
    contacts = header + "".join(
        person(key, email, *merged)
        for key, email, *merged in (
            ("1", "ann@x.example", "2:1583020800000", ""),
            ("2", "ann@x.example", "", ""),
            ("4", "bob@x.example", "", "5"),
            ("5", "bob@x.example", "", ""),
            ("7", "cy@x.example", "", ""),
            ("8", "cy@x.example", "", ""),
        )
    )
    audit = "contact_id,vid_to_merge,timestamp\n7,8,2026-02-01 00:00:00\n"
    addresses = ("ann@x.example", "bob@x.example", "cy@x.example")
    folder = hubspot(tmp_path, contacts, addresses, contact_merge_audit_data=audit)
    report = await import_files(database, "hubspot", folder)
    assert report.rejected == 0
    assert await rows(database, MERGED) == [("2", "1"), ("5", "4"), ("8", "7")]
    assert await rows(database, TOUCHES) == [("1",), ("4",), ("7",)]
    assert (await import_files(database, "hubspot", folder)).is_unchanged


async def test_an_address_is_ambiguous_only_if_two_people_are_left(database: Database, tmp_path: Path) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("1", "ann@x.example", "2")
    contacts += person("2", "ann@x.example", "") + person("3", "ann@x.example", "")
    report = await import_files(
        database, "hubspot", hubspot(tmp_path, contacts, ("ann@x.example",)), rejects_folder=tmp_path
    )
    assert [(file, column, value) for file, column, value, _ in rejected(report)] == [
        ("email_event_data.csv", "recipient", "ann@x.example")
    ]
    assert await rows(database, TOUCHES) == []


async def test_people_merged_into_a_third_whose_address_differs_are_one(database: Database, tmp_path: Path) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("9", "new@x.example", "1;2")
    contacts += person("1", "old@x.example", "") + person("2", "old@x.example", "")
    report = await import_files(database, "hubspot", hubspot(tmp_path, contacts, ("old@x.example",)))
    assert report.rejected == 0
    assert await rows(database, TOUCHES) == [("1",)]


async def test_a_merge_of_an_earlier_import_counts(database: Database, tmp_path: Path) -> None:
    first = f"{CONTACT},property_hs_merged_object_ids\n" + person("1", "ann@x.example", "2")
    await import_files(database, "hubspot", hubspot(tmp_path, first + person("2", "ann@x.example", "")))
    later = CONTACT + "\n" + person("1", "ann@x.example") + person("2", "ann@x.example")
    report = await import_files(database, "hubspot", hubspot(tmp_path, later, ("ann@x.example",)))
    assert report.rejected == 0
    assert await rows(database, TOUCHES) == [("1",)]


async def test_addresses_are_compared_without_case_and_blanks(database: Database, tmp_path: Path) -> None:
    contacts = CONTACT + "\n" + person("1", " Ann@X.example ") + person("2", "Bob <bob@x.example>")
    recipients = ("ann@x.EXAMPLE", "mailto:ANN@x.example", "BOB@x.example ", "nobody")
    folder = hubspot(tmp_path, contacts, recipients)
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert [value for _, _, value, _ in rejected(report)] == ["nobody"]
    assert await rows(database, TOUCHES) == [("1",), ("1",), ("2",)]


async def test_two_spellings_of_one_address_are_two_people_unless_they_are_merged(
    database: Database, tmp_path: Path
) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("1", "ann@x.example", "")
    contacts += person("2", "ANN@x.example", "") + person("3", "bob@x.example", "4") + person("4", "Bob@X.example", "")
    folder = hubspot(tmp_path, contacts, ("Ann@x.example", "BOB@x.example"))
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert [value for _, _, value, _ in rejected(report)] == ["ann@x.example"]
    assert await rows(database, TOUCHES) == [("3",)]


async def test_keys_that_differ_in_case_alone_stay_two_people(database: Database, tmp_path: Path) -> None:
    calls = "engagement_id,property_hs_timestamp\nGa,2026-01-08 10:00:00\nga,2026-01-09 10:00:00\n"
    engagements = "contact_id,engagement_id,engagement_type\n1,Ga,CALL\n1,ga,CALL\n"
    contacts = CONTACT + "\n" + person("1", "ann@x.example")
    folder = hubspot(tmp_path, contacts, engagement_call_data=calls, engagement_contact_data=engagements)
    report = await import_files(database, "hubspot", folder)
    assert report.rejected == 0
    assert await rows(database, "select extract(day from occurred_at)::int from touchpoint order by 1") == [(8,), (9,)]


@pytest.mark.parametrize("date", ["yesterday", "", "2026-13-01 00:00:00"])
async def test_a_merge_without_a_readable_date_is_kept(database: Database, tmp_path: Path, date: str) -> None:
    contacts = CONTACT + "\n" + person("1", "ann@x.example") + person("2", "ann@x.example")
    audit = f"contact_id,vid_to_merge,timestamp\n1,2,{date}\n"
    folder = hubspot(tmp_path, contacts, ("ann@x.example",), contact_merge_audit_data=audit)
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert report.rejected == 0
    assert await rows(database, MERGED) == [("2", "1")]
    assert await rows(database, TOUCHES) == [("1",)]
    expected = [("contact_merge_audit_data.csv", "timestamp", date)] if date else []
    assert [(file, column, value) for file, column, value, _ in rejected(report)] == expected
    assert (await import_files(database, "hubspot", folder)).is_unchanged


async def test_a_dated_merge_holds_before_one_without_a_date(database: Database, tmp_path: Path) -> None:
    contacts = CONTACT + "\n" + "".join(person(key, f"{key}@x.example") for key in "123")
    audit = "contact_id,vid_to_merge,timestamp\n1,3,2026-02-01 00:00:00\n2,3,soon\n"
    folder = hubspot(tmp_path, contacts, ("3@x.example",), contact_merge_audit_data=audit)
    await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert await rows(database, MERGED) == [("3", "1")]


@pytest.mark.parametrize("order", [("1", "2", "3"), ("3", "2", "1")])
async def test_merges_of_a_cycle_are_reported_and_not_made(
    database: Database, tmp_path: Path, order: tuple[str, ...]
) -> None:
    into = {
        "1": person("1", "a@x.example", "3"),
        "2": person("2", "b@x.example", "1"),
        "3": person("3", "c@x.example", "2;4"),
    }
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + "".join(into[key] for key in order)
    folder = hubspot(tmp_path, contacts, ("a@x.example",))
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert await rows(database, MERGED) == [("4", "3")]
    found = rejected(report)
    assert sorted(value for _, _, value, _ in found) == ["1", "2", "3"]
    assert all("1, 2, 3 form a circle" in reason for _, _, _, reason in found)
    assert report.rejected == 0
    assert await rows(database, TOUCHES) == [("1",)]


async def test_a_merge_of_a_record_into_itself_says_nothing(database: Database, tmp_path: Path) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("1", "a@x.example", "1;2")
    report = await import_files(database, "hubspot", hubspot(tmp_path, contacts), rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, MERGED) == [("2", "1")]


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
async def test_a_record_that_is_merged_into_two_people_is_merged_into_neither(
    database: Database, tmp_path: Path, order: tuple[str, ...]
) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n"
    contacts += "".join(person(key, f"{key}@x.example", "9") for key in order)
    contacts += person("8", "old@x.example", "") + person("9", "old@x.example", "")
    folder = hubspot(tmp_path, contacts, ("old@x.example",))
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert await rows(database, MERGED) == []
    found = [(file, value) for file, _, value, _ in rejected(report)]
    assert sorted(found) == [
        ("contact_data.csv", "1"),
        ("contact_data.csv", "2"),
        ("email_event_data.csv", "old@x.example"),
    ]
    assert await rows(database, "select count(*) from contact") == [(4,)]


async def test_a_stale_list_of_a_merged_record_does_not_contradict_its_survivor(
    database: Database, tmp_path: Path
) -> None:
    """Contact 7 was merged into 6, then 6 into 5: both lists name it."""
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("6", "c@x.example", "7")
    contacts += person("5", "c@x.example", "6;7") + person("7", "c@x.example", "")
    folder = hubspot(tmp_path, contacts, ("c@x.example",))
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, MERGED) == [("6", "5"), ("7", "5")]
    assert await rows(database, TOUCHES) == [("5",)]


async def test_a_merge_of_a_rejected_row_does_not_count(database: Database, tmp_path: Path) -> None:
    contacts = f"{CONTACT},property_hs_merged_object_ids\n" + person("2", "a@x.example", "")
    contacts += person("2", "a@x.example", "3")  # rejected: the line before has the same key
    contacts += person("3", "a@x.example", "")
    folder = hubspot(tmp_path, contacts, ("a@x.example",))
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert [file for file, *_ in rejected(report)] == ["contact_data.csv", "email_event_data.csv"]
    assert await rows(database, TOUCHES) == []


async def test_a_merged_deal_is_counted_once(database: Database, tmp_path: Path) -> None:
    deals = """deal_id,_fivetran_synced,deal_pipeline_stage_id,property_dealname,property_createdate,property_hs_is_closed_won,property_hs_merged_object_ids
d1,2026-03-01 00:00:00,,Kept,2026-01-01 09:00:00,false,d2
d2,2026-03-01 00:00:00,,Doubled,2026-01-01 09:00:00,false,
"""  # noqa: E501
    deals = deals.replace("property_hs_is_closed_won,", "property_hs_is_closed_won,property_hs_is_closed_lost,")
    deals = deals.replace("false,", "false,false,")
    contacts = CONTACT + "\n" + person("1", "a@x.example")
    report = await import_files(database, "hubspot", hubspot(tmp_path, contacts, deal_data=deals))
    assert report.unread_merges == ()
    assert await rows(database, "select name from deal where deleted_at is null") == [("Kept",)]


async def test_merges_that_no_record_reads_are_named(database: Database, tmp_path: Path) -> None:
    companies = """id,_fivetran_synced,property_name,property_createdate,property_hs_merged_object_ids,merged_on
c1,2026-03-01 00:00:00,Acme,2026-01-01 09:00:00,c2;c3,2026-02-01
c4,2026-03-01 00:00:00,Bolt,2026-01-01 09:00:00,,
"""
    contacts = CONTACT + "\n" + person("1", "a@x.example")
    folder = hubspot(tmp_path, contacts, company_data=companies, company_merge_audit_data="company_id,merged\n")
    report = await import_files(database, "hubspot", folder)
    assert report.unread_merges == (
        UnreadMerges("company_data.csv", "property_hs_merged_object_ids", 1),
        UnreadMerges("company_merge_audit_data.csv", None, 0),
    )


@pytest.mark.parametrize(
    "column",
    [
        "property_hs_merged_object_ids",
        "Merged record IDs",
        "MasterRecordId",
        "vid_to_merge",
        "Zusammengeführte Objekt-IDs",
    ],
)
def test_columns_of_merges_are_recognised(column: str) -> None:
    assert says_merges(column)


@pytest.mark.parametrize(
    "column", ["merged", "is_merged", "merged_at", "Merge date", "Emergency contact ID", "master_id"]
)
def test_columns_that_do_not_say_with_whom_are_no_merges(column: str) -> None:
    assert not says_merges(column)


@pytest.mark.parametrize("moment", ["2026-02-01 00:00:00", ""])
async def test_a_merge_that_may_lack_its_date_is_explained_once(
    database: Database, tmp_path: Path, moment: str
) -> None:
    contacts = CONTACT + "\n" + person("1", "a@x.example") + person("2", "b@x.example")
    audit = f"contact_id,vid_to_merge,timestamp\n1,2,{moment}\n"
    folder = hubspot(tmp_path, contacts, contact_merge_audit_data=audit)
    explainer = RowExplainer(2, "contact_merge_audit_data.csv")
    await import_files(database, "hubspot", folder, dry_run=True, explainer=explainer)
    assert explainer.explanation is not None
    [merged] = explainer.explanation.records
    assert (merged.table, merged.keys, merged.outcome) == ("contact", ("2",), "new")
    assert [(field.name, field.value) for field in merged.fields if field.name == "merged_into"] == [
        ("merged_into", "1")
    ]


async def test_a_row_that_is_kept_without_its_merge_is_not_explained_as_rejected(
    database: Database, tmp_path: Path
) -> None:
    contacts = CONTACT + "\n" + person("1", "a@x.example") + person("2", "b@x.example")
    audit = "contact_id,vid_to_merge,timestamp\n1,2,2026-02-01 00:00:00\n2,1,2026-02-02 00:00:00\n"
    folder = hubspot(tmp_path, contacts, contact_merge_audit_data=audit)
    explainer = RowExplainer(2, "contact_merge_audit_data.csv")
    await import_files(database, "hubspot", folder, dry_run=True, explainer=explainer)
    assert explainer.explanation is not None
    assert [row.column for row in explainer.explanation.rejected] == ["contact_id"]
    text = explanation_text(explainer.explanation)
    assert "The row is kept, but not all of it is written:\n" in text
    assert "The row is rejected" not in text
