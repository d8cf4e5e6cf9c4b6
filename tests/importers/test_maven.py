"""The maven preset, on made-up files of the same shape: deals of companies, without contacts."""

import csv
from pathlib import Path

import pytest

from api.db import Database
from api.importers.run_import import run_import
from api.intake.upsert import RecordCounts
from tests.importers.conftest import at, rows

FILES = {
    "accounts.csv": """account,sector,year_established,revenue,employees,office_location,subsidiary_of
Acme,technolgy,1996,1100.04,2822,United States,
Bolt,medical,1999,251.415,495,Kenya,Acme
Cube,retail,2001,,12,Philipines,
""",
    "products.csv": "product,series,sales_price\nGTX Pro,GTX,4821\nMG Special,MG,55\n",
    "sales_teams.csv": """sales_agent,manager,regional_office
Ann,Max,Central
Bob,Max,Central
Cid,Mia,East
""",
    "sales_pipeline.csv": """opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
D1,Ann,GTXPro,Acme,Won,2016-10-20,2017-03-01,4800
D2,Bob,MG Special,Acme,Lost,2016-10-25,2016-11-01,0
D3,Cid,MG Special,,Engaging,2016-11-25,,
D4,Cid,GTX Pro,,Prospecting,,,
D5,Ann,GTX Pro,Bolt,Won,2017-01-01,2017-01-01,0
""",
}
DEALS = """
    select k.external_id, s.name, d.outcome, d.opened_at, d.closed_at, d.amount::text, p.name, c.name
    from deal d join external_key k on k.record_id = d.id and k.entity = 'deal'
    join pipeline_stage s on s.id = d.pipeline_stage_id join product p on p.id = d.product_id
    left join company c on c.id = d.company_id order by 1"""


def put(folder: Path, **instead: str) -> Path:
    for name, text in FILES.items():
        (folder / name).write_text(instead.get(name.removesuffix(".csv"), text))
    return folder


async def test_companies_have_parents_and_revenue_in_dollars(database: Database, tmp_path: Path) -> None:
    await run_import(database, "maven", put(tmp_path))
    found = await rows(
        database,
        """select c.name, c.industry, c.annual_revenue::text, c.currency, c.country, p.name
        from company c left join company p on p.id = c.parent_id order by 1""",
    )
    assert found == [
        ("Acme", "technology", "1100040000.00", "USD", "US", None),
        ("Bolt", "medical", "251415000.00", "USD", "KE", "Acme"),
        ("Cube", "retail", None, None, "PH", None),
    ]


async def test_managers_are_members_of_their_team_too(database: Database, tmp_path: Path) -> None:
    await run_import(database, "maven", put(tmp_path))
    found = await rows(
        database,
        """select m.name, m.role, b.name, t.name, t.kind from member m left join member b on b.id = m.manager_id
        join team t on t.id = m.team_id order by 1""",
    )
    assert found == [
        ("Ann", "SALES_REP", "Max", "Central", "SALES"),
        ("Bob", "SALES_REP", "Max", "Central", "SALES"),
        ("Cid", "SALES_REP", "Mia", "East", "SALES"),
        ("Max", "MANAGER", None, "Central", "SALES"),
        ("Mia", "MANAGER", None, "East", "SALES"),
    ]


async def test_an_unknown_amount_is_null_and_a_deal_without_dates_has_none(database: Database, tmp_path: Path) -> None:
    await run_import(database, "maven", put(tmp_path))
    assert await rows(database, DEALS) == [
        ("D1", "Won", "WON", at("2016-10-20"), at("2017-03-01"), "4800.00", "GTX Pro", "Acme"),
        ("D2", "Lost", "LOST", at("2016-10-25"), at("2016-11-01"), None, "MG Special", "Acme"),
        ("D3", "Engaging", "OPEN", at("2016-11-25"), None, None, "MG Special", None),
        ("D4", "Prospecting", "OPEN", None, None, None, "GTX Pro", None),
        ("D5", "Won", "WON", at("2017-01-01"), at("2017-01-01"), "0.00", "GTX Pro", "Bolt"),
    ]
    assert await rows(database, "select count(*) from contact") == [(0,)]
    found = await rows(
        database,
        """select p.name, s.name, s.rank, s.category from pipeline_stage s join pipeline p on p.id = s.pipeline_id
        order by s.rank""",
    )
    assert found == [
        ("Sales", "Prospecting", 1, "OPEN"),
        ("Sales", "Engaging", 2, "OPEN"),
        ("Sales", "Won", 3, "WON"),
        ("Sales", "Lost", 4, "LOST"),
    ]


async def test_a_deal_was_open_from_its_first_day_to_its_last(database: Database, tmp_path: Path) -> None:
    await run_import(database, "maven", put(tmp_path))
    found = await rows(
        database,
        """select k.external_id, v.valid_from, v.valid_to, v.outcome, v.closed_at, s.name
        from deal_version v join external_key k on k.record_id = v.deal_id
        join pipeline_stage s on s.id = v.pipeline_stage_id order by 1, v.valid_from""",
    )
    won, lost = at("2017-03-01"), at("2016-11-01")
    assert found == [
        ("D1", at("2016-10-20"), won, "OPEN", None, "Engaging"),
        ("D1", won, None, "WON", won, "Won"),
        ("D2", at("2016-10-25"), lost, "OPEN", None, "Engaging"),
        ("D2", lost, None, "LOST", lost, "Lost"),
        ("D3", at("2016-11-25"), None, "OPEN", None, "Engaging"),
        ("D4", None, None, "OPEN", None, "Prospecting"),
        ("D5", at("2017-01-01"), None, "WON", at("2017-01-01"), "Won"),
    ]


async def test_a_second_run_changes_nothing_and_a_later_export_adds_history(database: Database, tmp_path: Path) -> None:
    report = await run_import(database, "maven", put(tmp_path))
    assert (report.accord, report.records["deal"], report.records["member"]) == (
        "Maven's deals",
        RecordCounts(5, 0, 0),
        RecordCounts(5, 0, 0),
    )
    before = await rows(database, "select v::text from deal_version v order by 1")
    assert (await run_import(database, "maven", put(tmp_path))).is_unchanged
    assert await rows(database, "select v::text from deal_version v order by 1") == before
    later = FILES["sales_pipeline.csv"].replace("Engaging,2016-11-25,,", "Won,2016-11-25,2017-05-05,900")
    report = await run_import(database, "maven", put(tmp_path, sales_pipeline=later))
    assert report.records["deal"] == RecordCounts(0, 1, 4)
    found = await rows(
        database,
        """select v.valid_from, v.valid_to, v.outcome, v.amount::text, d.row_version
        from deal_version v join deal d on d.id = v.deal_id
        join external_key k on k.record_id = d.id and k.external_id = 'D3' order by 1""",
    )
    won = at("2017-05-05")
    assert found == [(at("2016-11-25"), won, "OPEN", None, 2), (won, None, "WON", "900.00", 2)]
    assert (await run_import(database, "maven", put(tmp_path, sales_pipeline=later))).is_unchanged


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        ("D9,Ann,GTX Pro,Acme,Won,2016-10-20,,5", "close_date", "", "is empty"),
        ("D9,Ann,GTX Pro,Acme,Won,,2016-10-20,5", "engage_date", "", "is empty"),
        ("D9,Ann,GTX Pro,Acme,Signed,2016-10-20,,5", "deal_stage", "Signed", "is not in the preset's map of words"),
        ("D9,Ann,GTX Max,Acme,Engaging,2016-10-20,,", "product", "GTX Max", "no product has this key"),
        (
            "D9,Ann,GTX Pro,Acme,Engaging,2016-10-20,2016-11-20,",
            "opportunity_id",
            "D9",
            "the deal breaks the rule 'closed when decided'",
        ),
        ("D9,Ann,GTX Pro,Acme,Won,20.10.2016,2016-11-20,1", "engage_date", "20.10.2016", "is not a date in the format"),
        ("D1,Ann,GTX Pro,Acme,Won,2016-10-20,2016-11-20,1", "opportunity_id", "D1", "line 2 has the same"),
    ],
)
async def test_a_damaged_row_is_rejected_with_the_reason_and_the_others_are_kept(
    database: Database, tmp_path: Path, row: str, column: str, value: str, reason: str
) -> None:
    folder = put(tmp_path, sales_pipeline=FILES["sales_pipeline.csv"] + row + "\n")
    report = await run_import(database, "maven", folder, rejects_folder=tmp_path / "rejects")
    assert report.rejects is not None
    with report.rejects.open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["file"], row["line"], row["column"], row["value"]) for row in rejected] == [
        ("sales_pipeline.csv", "7", column, value)
    ]
    assert rejected[0]["reason"].startswith(reason)
    assert report.rejected == 1
    assert await rows(database, "select count(*) from deal") == [(5,)]
