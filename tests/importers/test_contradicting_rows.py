"""Several links for one place: the primary one holds, in whatever row it stands; without one, none is taken."""

import csv
from functools import partial
from itertools import permutations
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.preset import parse_preset
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from tests.importers.conftest import rows

# Small files: most of their rows may be rejected.
import_files = partial(run_import, accept_loss=True)

COMPANY_OF_DEAL = "select d.name, c.name from deal d left join company c on c.id = d.company_id order by 1"
COMPANY_OF_CONTACT = "select p.email, c.name from contact p left join company c on c.id = p.company_id order by 1"

FILES = {
    "team_data": "id,name\n7,Marketing\n8,Field\n",
    "owner_data": "owner_id,email,first_name,last_name\no1,ann@acme.example,Ann,Lee\n",
    "company_data": """id,_fivetran_synced,property_name,property_createdate
c1,2026-03-01 00:00:00,Acme,2025-01-01 09:00:00
c2,2026-03-01 00:00:00,Bolt,2025-01-02 09:00:00
c3,2026-03-01 00:00:00,Crux,2025-01-02 09:00:00
""",
    "contact_data": """id,_fivetran_synced,property_email,property_firstname,property_lastname,property_createdate
1,2026-03-01 00:00:00,eve@x.example,Eve,Hall,2026-01-02 09:00:00
""",
    "deal_data": """deal_id,_fivetran_synced,deal_pipeline_stage_id,property_dealname,property_createdate,property_hs_is_closed_won,property_hs_is_closed_lost
d1,2026-03-01 00:00:00,,Big,2026-01-10 12:00:00,false,false
""",  # noqa: E501
}
DEAL_COMPANY = "deal_id,company_id,type_id,category\n"


def put(folder: Path, **more: str) -> Path:
    for name, text in {**FILES, **more}.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def rejected(report: ImportReport) -> list[dict[str, str]]:
    if report.rejects is None:
        return []
    with report.rejects.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("order", list(permutations(("d1,c1,5", "d1,c1,341", "d1,c2,341"))))
async def test_the_primary_company_of_a_deal_holds_in_any_row(
    database: Database, tmp_path: Path, order: tuple[str, ...]
) -> None:
    links = DEAL_COMPANY + "".join(f"{row},HUBSPOT_DEFINED\n" for row in order)
    report = await import_files(database, "hubspot", put(tmp_path, deal_company_data=links), rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", "Acme")]
    assert {file.name: file.unused for file in report.files}["deal_company_data.csv"] == 0
    assert (await import_files(database, "hubspot", tmp_path)).is_unchanged


@pytest.mark.parametrize("order", [("c1", "c2"), ("c2", "c1")])
@pytest.mark.parametrize("header", ["deal_id,company_id", "deal_id,company_id,type_id"])
async def test_without_a_primary_one_the_rows_are_reported_and_the_link_stays_empty(
    database: Database, tmp_path: Path, order: tuple[str, ...], header: str
) -> None:
    label = ",341" if "type_id" in header else ""
    links = f"{header}\n" + "".join(f"d1,{company}{label}\n" for company in order)
    report = await import_files(database, "hubspot", put(tmp_path, deal_company_data=links), rejects_folder=tmp_path)
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", None)]
    found = rejected(report)
    assert [(row["file"], row["column"], row["value"]) for row in found] == [
        ("deal_company_data.csv", "company_id", company) for company in order
    ]
    assert "rows of the deal d1 contradict each other in its company: they give c1, c2" in found[0]["reason"]
    assert {file.name: file.rejected for file in report.files}["deal_company_data.csv"] == 2


async def test_a_link_that_is_contradicted_later_stays_as_it_was(database: Database, tmp_path: Path) -> None:
    one = DEAL_COMPANY + "d1,c1,341,HUBSPOT_DEFINED\n"
    await import_files(database, "hubspot", put(tmp_path, deal_company_data=one))
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", "Acme")]
    two = one.replace("c1", "c2") + "d1,c3,341,HUBSPOT_DEFINED\n"
    await import_files(database, "hubspot", put(tmp_path, deal_company_data=two), rejects_folder=tmp_path)
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", "Acme")]


async def test_two_primary_companies_contradict_and_no_other_takes_their_place(
    database: Database, tmp_path: Path
) -> None:
    links = DEAL_COMPANY + "".join(f"d1,{row},HUBSPOT_DEFINED\n" for row in ("c1,5", "c2,5", "c1,341", "c3,341"))
    report = await import_files(database, "hubspot", put(tmp_path, deal_company_data=links), rejects_folder=tmp_path)
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", None)]
    assert [(row["line"], row["value"]) for row in rejected(report)] == [("2", "c1"), ("3", "c2")]


async def test_a_label_of_the_account_is_not_the_primary_one_though_its_number_is(
    database: Database, tmp_path: Path
) -> None:
    links = DEAL_COMPANY + "d1,c2,5,USER_DEFINED\nd1,c2,341,HUBSPOT_DEFINED\nd1,c1,5,HUBSPOT_DEFINED\n"
    report = await import_files(database, "hubspot", put(tmp_path, deal_company_data=links), rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, COMPANY_OF_DEAL) == [("Big", "Acme")]


async def test_the_primary_company_of_a_contact_holds(database: Database, tmp_path: Path) -> None:
    links = "contact_id,company_id,type_id,category\n1,c1,279,HUBSPOT_DEFINED\n1,c2,1,HUBSPOT_DEFINED\n"
    links += "1,c2,279,HUBSPOT_DEFINED\n1,c3,17,USER_DEFINED\n1,c3,279,HUBSPOT_DEFINED\n"
    report = await import_files(database, "hubspot", put(tmp_path, contact_company_data=links), rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, COMPANY_OF_CONTACT) == [("eve@x.example", "Bolt")]


async def test_companies_of_a_contact_without_a_primary_one_leave_that_of_the_contact_s_own_row(
    database: Database, tmp_path: Path
) -> None:
    contact = FILES["contact_data"].replace("createdate\n", "createdate,property_associatedcompanyid\n")
    contact = contact.replace("09:00:00\n", "09:00:00,c3\n")
    links = "contact_id,company_id\n1,c1\n1,c2\n"
    folder = put(tmp_path, contact_data=contact, contact_company_data=links)
    report = await import_files(database, "hubspot", folder, rejects_folder=tmp_path)
    assert [row["value"] for row in rejected(report)] == ["c1", "c2"]
    assert await rows(database, COMPANY_OF_CONTACT) == [("eve@x.example", "Crux")]


@pytest.mark.parametrize(("primary", "team"), [("true", None), ("false", "Field")])
async def test_two_primary_teams_of_a_member_contradict(
    database: Database, tmp_path: Path, primary: str, team: str | None
) -> None:
    teams = f"owner_id,team_id,is_team_primary\no1,8,true\no1,7,{primary}\n"
    report = await import_files(database, "hubspot", put(tmp_path, owner_team_data=teams), rejects_folder=tmp_path)
    found = await rows(database, "select t.name from member m left join team t on t.id = m.team_id")
    assert found == [(team,)]
    assert len(rejected(report)) == (2 if team is None else 0)


OWN = """
title = "Our CRM"
source = "crm"
accord = "standard"

[[files]]
name = "companies.csv"
key = "id"

[[files.records]]
table = "company"
fields = { name = "name" }

[[files]]
name = "people.csv"
key = ["id", "firm"]

[[files.records]]
table = "contact"
key = "id"
PRIMARY
fields = { email = "mail", company = { column = "firm", optional = true } }

[[files]]
name = "deals.csv"
key = "id"

[[files.records]]
table = "deal"
fields = { name = "name" }

[[files]]
name = "roles.csv"
key = ["deal", "person", "role"]
may_lack = ["main"]

[[files.records]]
table = "deal_contact"
primary = { main = "yes" }
fields = { deal = "deal", contact = "person", role = "role", is_primary = "main" }

[[files]]
name = "calls.csv"
key = ["id", "person"]
forms = "%Y-%m-%d"

[[files.records]]
table = "touchpoint"
key = "id"
[files.records.fields]
contact = "person"
occurred_at = "at"
kind = { constant = "CALL" }
direction = { constant = "OUTBOUND" }
"""
COMPANIES = "id,name\na,Acme\nb,Bolt\n"
DEALS = "id,name\nd,Big\n"
LABELS = '[{ label = "Hauptfirma" }, { label = ["Société mère", "Beteiligung"] }]'


def own(folder: Path, people: str, primary: str = "", **more: str) -> tuple[str, Path]:
    files = {
        "companies": COMPANIES,
        "deals": DEALS,
        "roles": "deal,person,role,main\n",
        "calls": "id,person,at\n",
        "people": people,
    }
    (folder / "crm.toml").write_text(OWN.replace("PRIMARY", primary), encoding="utf-8")
    for name, text in {**files, **more}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return str(folder / "crm.toml"), folder


@pytest.mark.parametrize(
    ("people", "company"),
    [
        ("1,e@x.example,a,hauptfirma\n1,e@x.example,b,Beteiligung\n", "Acme"),
        ("1,e@x.example,a,Beteiligung\n1,e@x.example,b,HAUPTFIRMA\n", "Bolt"),
        ("1,e@x.example,a,Société mère\n1,e@x.example,b,\n", "Acme"),
        ("1,e@x.example,b,\n1,e@x.example,a,société MÈRE\n", "Acme"),
        ("1,e@x.example,a,Beteiligung\n1,e@x.example,b,Société mère\n", None),
    ],
)
async def test_labels_in_any_language_rank_the_rows_in_the_order_of_the_preset(
    database: Database, tmp_path: Path, people: str, company: str | None
) -> None:
    folder = own(tmp_path, "id,mail,firm,label\n" + people, f"primary = {LABELS}")
    await import_files(database, *folder, rejects_folder=tmp_path)
    assert await rows(database, COMPANY_OF_CONTACT) == [("e@x.example", company)]


async def test_a_contradicting_row_keeps_all_but_its_link(database: Database, tmp_path: Path) -> None:
    people = "id,mail,firm\n1,eve@x.example,a\n2,kim@x.example,b\n1,eve@x.example,b\n"
    report = await import_files(database, *own(tmp_path, people), rejects_folder=tmp_path)
    assert await rows(database, COMPANY_OF_CONTACT) == [("eve@x.example", None), ("kim@x.example", "Bolt")]
    assert [(row["line"], row["value"]) for row in rejected(report)] == [("2", "a"), ("4", "b")]


async def test_an_empty_link_and_one_to_no_record_contradict_nothing(database: Database, tmp_path: Path) -> None:
    people = "id,mail,firm\n1,eve@x.example,a\n1,eve@x.example,zz\n1,eve@x.example,\n"
    report = await import_files(database, *own(tmp_path, people), rejects_folder=tmp_path)
    assert rejected(report) == []
    assert await rows(database, COMPANY_OF_CONTACT) == [("eve@x.example", "Acme")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_primary_role_of_a_person_in_a_deal_holds(
    database: Database, tmp_path: Path, order: tuple[int, ...]
) -> None:
    roles = ("d,1,Buyer,yes\n", "d,1,Champion,no\n")
    text = "deal,person,role,main\n" + "".join(roles[place] for place in order)
    report = await import_files(database, *own(tmp_path, "id,mail,firm\n1,e@x.example,a\n", roles=text))
    assert report.rejected == 0
    assert await rows(database, "select role, is_primary from deal_contact") == [("Buyer", True)]


async def test_two_roles_without_a_primary_one_leave_the_person_in_the_deal(database: Database, tmp_path: Path) -> None:
    roles = "deal,person,role\nd,1,Buyer\nd,1,Champion\n"
    folder = own(tmp_path, "id,mail,firm\n1,e@x.example,a\n", roles=roles)
    report = await import_files(database, *folder, rejects_folder=tmp_path)
    assert await rows(database, "select role, is_primary from deal_contact") == [(None, False)]
    assert [row["value"] for row in rejected(report)] == ["Buyer", "Champion"]


async def test_rows_that_contradict_in_what_a_fact_cannot_do_without_are_rejected(
    database: Database, tmp_path: Path
) -> None:
    calls = "id,person,at\nk1,1,2026-01-01\nk1,2,2026-01-01\nk2,2,2026-01-02\n"
    people = "id,mail,firm\n1,e@x.example,a\n2,f@x.example,a\n"
    report = await import_files(database, *own(tmp_path, people, calls=calls), rejects_folder=tmp_path)
    assert {file.name: file.rejected for file in report.files}["calls.csv"] == 2
    assert [row["line"] for row in rejected(report)] == ["2", "3"]
    assert await rows(database, "select extract(day from occurred_at)::int from touchpoint") == [(2,)]


def test_a_ranking_needs_its_columns_in_the_file() -> None:
    preset = parse_preset(OWN.replace("PRIMARY", f"primary = {LABELS}"), origin="test")
    people = next(file for file in preset.files if file.name == "people.csv")
    assert "label" in people.columns
    with pytest.raises(AccordError, match="primary"):
        parse_preset(OWN.replace("PRIMARY", 'primary = "label"'), origin="test")
