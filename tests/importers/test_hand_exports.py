"""The presets of exports that people download by hand, on made-up files with dated and numbered names."""

import csv
import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.importers.exports.headings import adapt
from api.importers.mapping import FileMap
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows

# ruff: noqa: E501 - headers of files are as long as they are
CONTACTS = """Record ID,First Name,Last Name,Email,Phone Number,Lifecycle stage,Became a Lead Date,Became a Marketing Qualified Lead Date,Contact owner,Create Date,Associated Company,Associated Company IDs
101,Ida,Berg,ida@nord.example,+49 30 1,Marketing Qualified Lead,2026-02-01 09:00,2026-02-03 10:30,Ann Lee,2026-02-01 09:00,Nord GmbH,501
102,Olaf,Kern,olaf@sued.example,,Customer,,,Ann Lee,2026-02-02 09:00,Sued AG;Nord GmbH,502;501
103,Uta,,uta@west.example,,Evangelist,,,,2026-02-04 09:00,,
"""
COMPANIES = """Record ID,Company name,Company Domain Name,Industry,Company owner,Create Date
501,Nord Holding,nord.example,toys,Bo Ray,2026-01-01 08:00
"""
DEALS = """Record ID,Deal Name,Deal Stage,Pipeline,Amount,Currency,Deal owner,Create Date,Close Date,Is Closed Won,Is closed lost,Deal probability,Associated Company IDs (Primary),Associated Company (Primary),Associated Contact IDs
901,Big,Signed,Sales,1000.00,EUR,Ann Lee,2026-02-05 09:00,2026-03-01 00:00,true,false,1.0,502,Sued AG,102;101;999
902,Small,Offer,Sales,200,USD,Bo Ray,2026-02-06 09:00,2026-04-01 00:00,false,false,0.4,,,
903,Gone,No,Sales,,,,2026-02-07 09:00,2026-02-08 09:00,false,true,0.0,501,Nord Holding,101
"""


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def hubspot(folder: Path, contacts: str = CONTACTS, **more: str) -> Path:
    return put(folder / "hubspot", **{"hubspot-crm-exports-all-contacts-2026-03-02": contacts}, **more)


async def test_the_files_of_hubspot_are_recognised_whatever_they_are_called(database: Database, tmp_path: Path) -> None:
    folder = hubspot(
        tmp_path, **{"hubspot-crm-exports-my-view-2026-03-02": COMPANIES, "x": DEALS, "notes": "a,b\n1,2\n"}
    )
    report = await run_import(database, "hubspot-export", folder)
    assert {file.name for file in report.files} == {
        "hubspot-crm-exports-all-contacts-2026-03-02.csv",
        "hubspot-crm-exports-my-view-2026-03-02.csv",
        "x.csv",
    }
    assert report.rejected == 0
    assert report.ignored == ("notes.csv",)
    assert await rows(
        database,
        """select c.first_name, c.last_name, c.email, c.phone, o.name, m.name, c.effective_at from contact c
        left join company o on o.id = c.company_id left join member m on m.id = c.owner_id order by c.email""",
    ) == [
        ("Ida", "Berg", "ida@nord.example", "+49301", "Nord Holding", "Ann Lee", at("2026-02-01 09:00")),
        # Two companies and no primary one: which of them counts is not certain.
        ("Olaf", "Kern", "olaf@sued.example", None, None, "Ann Lee", at("2026-02-02 09:00")),
        ("Uta", None, "uta@west.example", None, None, None, at("2026-02-04 09:00")),
    ]
    assert await rows(database, "select name, domain from company order by name") == [
        ("Nord Holding", "nord.example"),
        ("Sued AG", None),
    ]
    assert await rows(
        database,
        """select d.name, d.outcome, d.amount, d.currency, d.closed_at, o.name, s.name, s.rank, m.name from deal d
        left join company o on o.id = d.company_id left join pipeline_stage s on s.id = d.pipeline_stage_id
        left join member m on m.id = d.owner_id order by d.name""",
    ) == [
        ("Big", "WON", 1000, "EUR", at("2026-03-01 00:00"), "Sued AG", "Signed", 101, "Ann Lee"),
        ("Gone", "LOST", None, None, at("2026-02-08 09:00"), "Nord Holding", "No", 1, None),
        ("Small", "OPEN", 200, "USD", None, None, "Offer", 41, "Bo Ray"),
    ]
    assert await rows(
        database,
        """select d.name, c.first_name from deal_contact x join deal d on d.id = x.deal_id
        join contact c on c.id = x.contact_id order by 1, 2""",
    ) == [("Big", "Ida"), ("Big", "Olaf"), ("Gone", "Ida")]
    assert (await run_import(database, "hubspot-export", folder)).is_unchanged


async def test_lifecycle_stages_are_reported_with_their_dates(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot-export", hubspot(tmp_path))
    reported = """select c.first_name, r.source_stage, r.stage, r.entered_at from reported_stage r
        join contact c on c.id = r.contact_id order by 1, 4, 2"""
    found = [
        ("Ida", "lead", "inquiry", at("2026-02-01 09:00")),
        ("Ida", "marketingqualifiedlead", "mql", at("2026-02-03 10:30")),
        ("Olaf", "customer", "customer", None),
        ("Uta", "Evangelist", None, None),
    ]
    assert await rows(database, reported) == found
    # The date of a stage that was reported without one is another report: the first counts from its import on.
    dated = CONTACTS.replace("Became a Lead Date", "Became a Customer Date").replace(
        "Customer,,", "Customer,2026-02-20 10:00,"
    )
    await run_import(database, "hubspot-export", hubspot(tmp_path, dated))
    completed = [row for row in await rows(database, reported) if row[0] == "Olaf"]
    assert completed == [
        ("Olaf", "customer", "customer", at("2026-02-20 10:00")),
        ("Olaf", "customer", "customer", None),
    ]


async def test_an_export_of_fewer_columns_keeps_the_values_of_the_others(database: Database, tmp_path: Path) -> None:
    await run_import(database, "hubspot-export", hubspot(tmp_path))
    await run_import(
        database, "hubspot-export", hubspot(tmp_path, "RECORD ID,Email,Last name\n101,ida@nord.example,Berg-Lund\n")
    )
    found = await rows(database, "select first_name, last_name, phone from contact where email like 'ida%'")
    assert found == [("Ida", "Berg-Lund", "+49301")]


async def test_a_single_file_is_imported_by_its_path(database: Database, tmp_path: Path) -> None:
    file = hubspot(tmp_path) / "hubspot-crm-exports-all-contacts-2026-03-02.csv"
    report = await run_import(database, "hubspot-export", file)
    assert report.records["contact"].created == 3
    assert await rows(
        database, "select key, count(*)::int from (select entity as key from external_key) k group by 1 order by 1"
    ) == [
        ("company", 1),
        ("contact", 3),
        ("member", 1),
        ("reported_stage", 4),
    ]


async def test_a_deal_in_an_unknown_stage_is_rejected_and_not_taken_for_open(
    database: Database, tmp_path: Path
) -> None:
    deals = "Record ID,Deal Name,Deal Stage,Create Date\n1,A,Contract Sent (Sales),2026-01-01 09:00\n2,B,Signed,2026-01-01 09:00\n"
    report = await run_import(database, "hubspot-export", put(tmp_path / "d", deals=deals), rejects_folder=tmp_path)
    assert await rows(database, "select name, outcome from deal") == [("A", "OPEN")]
    assert report.rejects is not None
    assert report.rejects.read_text().splitlines()[1:] == [
        'deals.csv,3,"Is Closed Won, Is closed lost, Is Deal Closed?, Deal probability, Deal Stage",,"gives no value, and a deal needs one"'
    ]


async def test_two_files_of_a_kind_are_refused(database: Database, tmp_path: Path) -> None:
    folder = hubspot(tmp_path, **{"old-contacts": CONTACTS})
    with pytest.raises(
        AccordError, match=r"all-contacts-2026-03-02.csv and old-contacts.csv in .* are both contacts"
    ) as refused:
        await run_import(database, "hubspot-export", folder)
    assert refused.value.code == ErrorCode.BAD_FILE


async def test_files_of_no_kind_are_refused_with_the_columns_that_are_looked_for(
    database: Database, tmp_path: Path
) -> None:
    folder = put(tmp_path / "x", notes="a,b\n1,2\n")
    (folder / "broken.csv").write_bytes(b"\0\0\0\0")
    with pytest.raises(AccordError, match=r"contacts \(by Record ID, Email\).*there is broken.csv \(.*notes.csv"):
        await run_import(database, "hubspot-export", folder)
    with pytest.raises(AccordError, match=r"notes.csv is none of the files .*; its columns are a, b"):
        await run_import(database, "hubspot-export", folder / "notes.csv")
    with pytest.raises(AccordError, match="does not exist"):
        await run_import(database, "hubspot-export", folder / "gone.csv")


SF_CONTACTS = """Contact ID,First Name,Last Name,Title,Account Name,Account ID,Email,Contact Owner,Lead Source,Created Date
003A0000001abcD,Ida,Berg,Buyer,Nord,001A0000001abcD,ida@nord.example,Ann Lee,Web,25/02/2026
003A0000001abcd,Olaf,Kern,,Sued,001A0000002abcD,olaf@sued.example,Bo Ray,,03/02/2026
"""
SF_OPPORTUNITIES = """Opportunity ID,Opportunity Name,Stage,Amount Currency,Amount,Probability (%),Close Date,Created Date,Opportunity Owner,Account ID,Account Name,Contact ID
006A0000001abcD,Big,Closed Won,EUR,"1,000.00",100,28/02/2026,28/02/2026,Ann Lee,001A0000001abcDIAQ,Nord,003A0000001abcD
006A0000001abcD,Big,Closed Won,EUR,"1,000.00",100,28/02/2026,28/02/2026,Ann Lee,001A0000001abcDIAQ,Nord,003A0000001abcd
006A0000002abcD,Small,Prospecting,USD,50.00,10,30/04/2026,01/03/2026,Bo Ray,001A0000002abcD,Sued,
"""
SF_MEMBERS = """Campaign Name,Campaign ID,Campaign Type,Member Status,Responded,Contact ID,First Name,Last Name,Email,Member First Associated Date,Member First Responded Date
Fair,701A0000001abcD,Trade Show,Attended,1,003A0000001abcD,Ida,Berg,ida@nord.example,20/02/2026,22/02/2026
Fair,701A0000001abcD,Trade Show,Sent,0,003A0000003abcD,Uta,West,uta@west.example,20/02/2026,
"""
SALESFORCE = {
    "report1700000000001": SF_CONTACTS,
    "report1700000000002": SF_OPPORTUNITIES,
    "report1700000000003": SF_MEMBERS,
}


async def test_reports_of_salesforce_are_one_picture(database: Database, tmp_path: Path) -> None:
    folder = put(tmp_path / "sf", **SALESFORCE)
    report = await run_import(database, "salesforce-report", folder)
    assert report.rejected == 0
    assert await rows(
        database,
        """select c.first_name, c.job_title, o.name, m.name, c.lead_source from contact c
        left join company o on o.id = c.company_id left join member m on m.id = c.owner_id order by c.email""",
    ) == [
        ("Ida", "Buyer", "Nord", "Ann Lee", "Web"),
        ("Olaf", None, "Sued", "Bo Ray", None),
        ("Uta", None, None, None, None),
    ]
    assert await rows(
        database,
        """select d.name, d.outcome, d.amount, d.currency, d.opened_at, d.closed_at, o.name, m.name,
        (select count(*)::int from deal_contact x where x.deal_id = d.id)
        from deal d join company o on o.id = d.company_id join member m on m.id = d.owner_id order by 1""",
    ) == [
        ("Big", "WON", 1000, "EUR", at("2026-02-28 00:00"), at("2026-02-28 00:00"), "Nord", "Ann Lee", 2),
        ("Small", "OPEN", 50, "USD", at("2026-03-01 00:00"), None, "Sued", "Bo Ray", 0),
    ]
    assert await rows(
        database,
        """select c.first_name, t.kind, t.occurred_at, g.name, g.channel from touchpoint t
        join contact c on c.id = t.contact_id join campaign g on g.id = t.campaign_id""",
    ) == [("Ida", "EVENT", at("2026-02-22 00:00"), "Fair", "EVENT")]
    assert (await run_import(database, "salesforce-report", folder)).is_unchanged


async def test_ids_of_15_and_of_18_characters_are_the_same(database: Database, tmp_path: Path) -> None:
    await run_import(database, "salesforce-report", put(tmp_path / "sf", report1=SF_CONTACTS))
    # Two ids of 15 characters differ by case alone: they stay two people.
    whole = (
        SF_CONTACTS.replace("Contact ID", "Contact ID (18)")
        .replace("1abcD,Ida", "1abcDIAQ,Ida")
        .replace("1abcd,", "1abcdIAA,")
    )
    report = await run_import(database, "salesforce-report", put(tmp_path / "sf", report1=whole))
    assert (report.records["contact"].created, report.records["contact"].unchanged) == (0, 2)


async def test_dates_that_no_value_decides_are_refused_until_the_order_is_stated(
    database: Database, tmp_path: Path
) -> None:
    folder = put(tmp_path / "sf", report1=SF_CONTACTS.replace("25/02/2026", "04/05/2026"))
    with pytest.raises(AccordError, match=r"which is the day in 04/05/2026.*--dates day-first or --dates month-first"):
        await run_import(database, "salesforce-report", folder)
    await run_import(database, "salesforce-report", folder, dates="month-first")
    assert await rows(database, "select min(effective_at), max(effective_at) from contact") == [
        (at("2026-03-02 00:00"), at("2026-04-05 00:00"))
    ]
    both = put(tmp_path / "sf", report1=SF_CONTACTS.replace("03/02/2026", "02/25/2026"))
    with pytest.raises(AccordError, match=r"two orders: 25/02/2026 \(day-first\) and 02/25/2026 \(month-first\)"):
        await run_import(database, "salesforce-report", both)
    for preset, order, message in (
        ("salesforce-report", "dayfirst", "is no order"),
        ("olist", "day-first", "states how"),
    ):
        with pytest.raises(AccordError, match=message) as refused:
            await run_import(database, preset, folder, dates=order)
        assert refused.value.code == ErrorCode.BAD_INPUT


COSTS = "select g.name, g.channel, c.source, c.from_on::text, c.before_on::text, c.cost, c.currency from campaign_cost c join campaign g on g.id = c.campaign_id order by c.from_on, g.name"
ADS = {
    "google-ads": (
        'Day,Campaign,Campaign ID,Currency code,Clicks,Cost\n2026-03-01,Brand,11,EUR,7,"1,234.50"\n2026-03-02,Brand,11,EUR,0,0.00\n',
        "PAID_SEARCH",
        "google_ads",
        "EUR",
    ),
    "meta-ads": (
        "Reporting starts,Reporting ends,Campaign name,Amount spent (USD),Reach\n2026-03-01,2026-03-01,Brand,1234.50,8\n2026-03-02,2026-03-02,Brand,0,1\n",
        "PAID_SOCIAL",
        "meta_ads",
        "USD",
    ),
    "linkedin-ads": (
        "Start Date (in UTC)\tCampaign ID\tCampaign Name\tCurrency\tTotal Spent\n3/1/2026\t5\tBrand\tGBP\t1234.5\n3/2/2026\t5\tBrand\tGBP\t0\n3/13/2026\t5\tBrand\tGBP\t1\n",
        "PAID_SOCIAL",
        "linkedin_ads",
        "GBP",
    ),
}


@pytest.mark.parametrize("preset", ADS)
async def test_costs_of_advertising_are_ranges_of_one_day(database: Database, tmp_path: Path, preset: str) -> None:
    text, channel, source, currency = ADS[preset]
    folder = put(tmp_path / "ads", **{"Campaign report (1)": text})
    report = await run_import(database, preset, folder)
    assert report.rejected == 0
    assert (await rows(database, COSTS))[:2] == [
        ("Brand", channel, source, "2026-03-01", "2026-03-02", 1234.5, currency),
        ("Brand", channel, source, "2026-03-02", "2026-03-03", 0, currency),
    ]
    assert (await run_import(database, preset, folder)).is_unchanged


OWN = """
title = "Costs"
source = "finance"
accord = "standard"

[[files]]
name = "costs.csv"
key = "id"
forms = "%Y-%m-%d"

[[files.records]]
table = "campaign"
key = "campaign"
fields = { name = "campaign" }

[[files.records]]
table = "campaign_cost"
[files.records.fields]
campaign = "campaign"
source = "reported_by"
from_on = "from"
before_on = { column = "from", plus_months = 1, plus = 0 }
cost = "cost"
currency = { constant = "EUR" }
"""
LINES = (
    "id,campaign,reported_by,from,cost\n1,A,google,2026-01-01,10\n2,A,google,2026-02-01,20\n3,A,agency,2026-01-15,5\n"
)


def costs(folder: Path, lines: str) -> tuple[str, Path]:
    (folder / "own.toml").write_text(OWN)
    (folder / "costs.csv").write_text(lines)
    return str(folder / "own.toml"), folder


async def test_a_month_is_a_range_and_ranges_of_two_sources_may_overlap(database: Database, tmp_path: Path) -> None:
    report = await run_import(database, *costs(tmp_path, LINES))
    assert report.rejected == 0
    assert [row[2:6] for row in await rows(database, COSTS)] == [
        ("google", "2026-01-01", "2026-02-01", 10),
        ("agency", "2026-01-15", "2026-02-15", 5),
        ("google", "2026-02-01", "2026-03-01", 20),
    ]


@pytest.mark.parametrize("is_known_before", [True, False])
async def test_ranges_of_a_campaign_and_source_do_not_overlap(
    database: Database, tmp_path: Path, *, is_known_before: bool
) -> None:
    if is_known_before:
        await run_import(database, *costs(tmp_path, LINES))
    more = "4,A,google,2026-01-15,7\n5,B,google,2026-01-15,8\n6,A,google,2026-03-01,9\n"
    report = await run_import(database, *costs(tmp_path, LINES + more), rejects_folder=tmp_path)
    assert report.rejects is not None
    with report.rejects.open(encoding="utf-8-sig", newline="") as file:
        [(*cells, reason)] = list(csv.reader(file))[1:]
    assert cells == ["costs.csv", "5", "id", "4"]
    overlap = (
        "its days (from_on to before before_on) overlap those of another campaign_cost of the same campaign, source"
    )
    assert reason.startswith(f"{overlap}; import one of the two")
    assert await rows(database, "select count(*)::int, sum(cost)::int from campaign_cost") == [(5, 52)]
    # A cost that is corrected replaces the one of the same key.
    report = await run_import(database, *costs(tmp_path, LINES.replace(",10", ",11")))
    assert report.records["campaign_cost"].changed == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_ranges_are_accepted_as_a_plain_comparison_of_all_pairs_accepts_them(
    database: Database, tmp_path: Path, seed: int
) -> None:
    choices = random.Random(seed)
    days = [date(2026, 1, 1) + timedelta(days=choices.randrange(4000)) for _ in range(120)]
    lines = [
        (f"{number}", choices.choice("AB"), choices.choice(["google", "agency"]), day.replace(day=min(day.day, 28)))
        for number, day in enumerate(days)
    ]
    accepted = {
        number
        for number, (_, campaign, source, day) in enumerate(lines)
        if not any(
            (campaign, source) == other[1:3]
            and abs((day.year - other[3].year) * 12 + day.month - other[3].month) < 2
            and max(day, other[3]) < _month_later(min(day, other[3]))
            for other in lines[:number]
        )
    }
    assert 60 < len(accepted) < len(lines)
    text = "".join(
        f"{key},{campaign},{source},{day},{number}\n" for number, (key, campaign, source, day) in enumerate(lines)
    )
    await run_import(database, *costs(tmp_path, f"id,campaign,reported_by,from,cost\n{text}"))
    assert {row[0] for row in await rows(database, "select cost::int from campaign_cost")} == accepted


def _month_later(day: date) -> date:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


async def test_a_heading_with_an_unknown_currency_is_refused(database: Database, tmp_path: Path) -> None:
    folder = put(tmp_path / "ads", x=ADS["meta-ads"][0].replace("(USD)", "(points)"))
    with pytest.raises(
        AccordError,
        match=r"'Amount spent \(points\)', which is to say the currency: .*'points' is not the code of a currency",
    ):
        await run_import(database, "meta-ads", folder)


def test_the_ranking_of_rows_follows_the_headings_of_the_file() -> None:
    record = {
        "table": "deal",
        "key": "Deal",
        "creates": False,
        "primary": [{"Label": "Primary"}],
        "fields": {"company": "Firm"},
    }
    file = FileMap.model_validate(
        {
            "name": "links",
            "key": ["Deal", "Firm"],
            "signs": ["Deal"],
            "headings": {"Label": ["Etikett"]},
            "records": [record],
        }
    )
    adapted = adapt(file, "links.csv", ("Deal", "Firm", "Etikett"))
    assert adapted.records[0].primary == ({"Etikett": ("Primary",)},)
    assert adapted.may_lack == ()
