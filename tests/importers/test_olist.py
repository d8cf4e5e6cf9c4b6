"""The olist preset, on made-up files of the same shape."""

import csv
from pathlib import Path

from api.db import Database
from api.importers.run_import import run_import
from api.intake.upsert import RecordCounts
from tests.importers.conftest import SIX_LEADS, THREE_DEALS, Write, at, rows

CONTACTS = """
    select k.external_id, c.lead_source, c.source_detail, o.name, c.is_assumed
    from contact c join external_key k on k.record_id = c.id and k.entity = 'contact' and k.source = 'olist'
    left join company o on o.id = c.company_id order by 1"""


async def test_every_lead_is_a_contact_with_its_origin_unchanged(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    assert await rows(database, CONTACTS) == [
        ("anna", "social", "page1", "seller1", True),
        ("ben", "paid_search", "page2", None, True),
        ("carl", "organic_search", "page1", "seller2", True),
        ("dora", "unknown", "page3", "seller3", True),
        ("emil", None, "page1", None, True),
        ("fay", "other_publicities", None, None, True),
    ]


async def test_every_lead_is_one_inbound_form_and_an_empty_origin_is_null_not_unknown(
    database: Database, write: Write
) -> None:
    await run_import(database, "olist", write())
    found = await rows(
        database,
        "select occurred_at, channel, kind, direction, team_kind from touchpoint order by occurred_at",
    )
    form = ("FORM", "INBOUND", "MARKETING")
    assert found == [
        (at("2017-10-20"), "PAID_SEARCH", *form),
        (at("2018-01-14"), "OTHER", *form),
        (at("2018-01-22"), "UNKNOWN", *form),
        (at("2018-02-01"), "SOCIAL", *form),
        (at("2018-02-21"), None, *form),
        (at("2018-03-22"), "ORGANIC_SEARCH", *form),
    ]


async def test_every_closed_deal_is_won_with_unknown_amount_and_opening(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    found = await rows(
        database,
        """select o.name, o.industry, s.name, r.name, d.outcome, d.closed_at, d.opened_at, d.amount, c.is_primary,
               c.since
        from deal d join company o on o.id = d.company_id join member s on s.id = d.sdr_id
        join member r on r.id = d.owner_id join deal_contact c on c.deal_id = d.id order by 1""",
    )
    rest = (None, None, True, None)
    assert found == [
        ("seller1", "pet", "nora", "sam", "WON", at("2018-02-26 19:58:54"), *rest),
        ("seller2", None, "olga", "nora", "WON", at("2018-05-08 20:17:59"), *rest),
        ("seller3", "toys", "nora", "sam", "WON", at("2018-01-20 10:00:00"), *rest),
    ]


async def test_a_deal_has_one_version_since_its_closing(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    found = await rows(database, "select valid_from, valid_to, outcome from deal_version order by valid_from")
    assert found == [(at(row[4]), None, "WON") for row in sorted(THREE_DEALS, key=lambda row: row[4])]


async def test_an_id_in_both_roles_is_one_person(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    found = await rows(database, "select name, role, row_version from member order by name")
    assert found == [("nora", "SALES_REP", 1), ("olga", "SDR", 1), ("sam", "SALES_REP", 1)]


async def test_a_contact_has_its_company_since_the_deal_and_begins_at_its_earliest_date(
    database: Database, write: Write
) -> None:
    await run_import(database, "olist", write())
    found = await rows(
        database,
        """select k.external_id, v.valid_from, v.valid_to, o.name, v.lead_source
        from contact_version v join external_key k on k.record_id = v.contact_id and k.entity = 'contact'
        left join company o on o.id = v.company_id where k.external_id in ('anna', 'dora', 'emil') order by 1, 2""",
    )
    won = at("2018-02-26 19:58:54")
    assert found == [
        ("anna", at("2018-02-01"), won, None, "social"),
        ("anna", won, None, "seller1", "social"),
        ("dora", at("2018-01-20 10:00:00"), None, "seller3", "unknown"),
        ("emil", at("2018-02-21"), None, None, None),
    ]


async def test_the_preset_s_accord_is_adopted_and_evaluated(database: Database, write: Write) -> None:
    report = await run_import(database, "olist", write())
    assert (report.is_adopted, report.is_presets_accord, report.accord) == (True, True, "Olist's seller funnel")
    found = await rows(database, "select stage, is_implied, count(*) from stage_entry group by 1, 2 order by 1, 2")
    assert found == [("customer", False, 3), ("mql", False, 5), ("mql", True, 1)]


async def test_the_report_and_the_import_job_count_records_and_rows(database: Database, write: Write) -> None:
    folder = write()
    report = await run_import(database, "olist", folder)
    assert report.records == {
        "member": RecordCounts(3, 0, 0),
        "company": RecordCounts(3, 0, 0),
        "contact": RecordCounts(6, 0, 0),
        "touchpoint": RecordCounts(6, 0, 0),
        "deal": RecordCounts(3, 0, 0),
        "deal_contact": RecordCounts(3, 0, 0),
    }
    assert [(file.rows, file.rejected) for file in report.files] == [(len(SIX_LEADS), 0), (len(THREE_DEALS), 0)]
    (job,) = await rows(database, "select preset, origin, finished_at >= started_at, counts from import_job")
    assert job[:3] == ("olist", str(folder), True)
    counts = job[3]
    assert isinstance(counts, dict)
    assert counts["records"]["contact"] == {"created": 6, "changed": 0, "unchanged": 0}


async def test_a_deal_of_an_unknown_contact_is_rejected_and_leaves_no_trace(
    database: Database, write: Write, tmp_path: Path
) -> None:
    deals = (*THREE_DEALS, ("zoe", "seller4", "paul", "pia", "2018-05-08 20:17:59", "pet", "0.0"))
    report = await run_import(database, "olist", write(deals=deals), rejects_folder=tmp_path)
    assert report.rejects is not None
    with report.rejects.open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "column", "value", "reason"],
            [
                "olist_closed_deals_dataset.csv",
                "5",
                "mql_id",
                "zoe",
                "no contact has this key: none in the database, and no accepted row creates one",
            ],
        ]
    assert await rows(database, "select count(*) from deal") == [(3,)]
    assert await rows(database, "select count(*) from member where name in ('paul', 'pia')") == [(0,)]
    assert await rows(database, "select count(*) from company where name = 'seller4'") == [(0,)]
    assert await rows(database, "select count(*) from external_key") == [(6 + 6 + 3 + 3 + 3,)]
