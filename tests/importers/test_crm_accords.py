"""The accords of what the CRM says: their funnel is a plain count of the stages in the imported files."""

import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from api.accord.documents import read_accord
from api.cli.importing.import_notes import reported_stage_lines
from api.db import Database
from api.importers.reporting.reported_stages import ReportedStages
from api.importers.run_import import run_import
from tests.importers.conftest import rows

START = datetime(2025, 1, 1, tzinfo=UTC)
HUBSPOT = {
    "subscriber": "suspect",
    "lead": "inquiry",
    "marketingqualifiedlead": "mql",
    "salesqualifiedlead": "sql",
    "opportunity": "opportunity",
    "customer": "customer",
}
EXPORTED = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
}
ARTICLES = {"opportunity": "an Opportunity"}


def write(folder: Path, name: str, lines: Iterable[Mapping[str, object]]) -> None:
    found = [*lines]
    text = StringIO()
    writer = csv.DictWriter(text, found[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    (folder / name).write_text(text.getvalue())


def lifecycle(choices: random.Random) -> dict[str, datetime]:
    """The lifecycle stages that one contact was in, and since when: mostly upwards, with stages that were skipped."""
    found: dict[str, datetime] = {}
    at = START + timedelta(days=choices.randint(0, 200))
    for word in HUBSPOT:
        if choices.random() < 0.5:
            found[word] = at
            at += timedelta(hours=choices.choice((0, 0, 30, 700)))
    if choices.random() < 0.2 and found:  # set back: an earlier stage is dated last
        found[next(iter(found))] = at + timedelta(days=3)
    return found


PEOPLE = {number: lifecycle(random.Random(number)) for number in range(1, 81)}


def plain(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")


async def counts(database: Database, kind: str) -> dict[str, int]:
    """How many people have an entry of each stage: by the stage's `own` rule, or `any`."""
    where = "where own_at is not null" if kind == "own" else ""
    found = await rows(database, f"select stage, count(distinct contact_id) from stage_entry {where} group by stage")
    return {str(stage): int(str(number)) for stage, number in found}


def reached(stages: Iterable[str], people: Iterable[Iterable[str]]) -> dict[str, int]:
    """How many people were in a stage or in a higher one."""
    ladder = [*stages]
    highest = [max(map(ladder.index, found)) for found in people if found]
    counted = {stage: sum(rank <= top for top in highest) for rank, stage in enumerate(ladder)}
    return {stage: number for stage, number in counted.items() if number}


def by_hubspot() -> Iterator[list[str]]:
    yield from ([HUBSPOT[word] for word in stages] for stages in PEOPLE.values())


async def require_plain_count(database: Database, people: list[list[str]], accord: str) -> None:
    assert await counts(database, "own") == Counter(stage for stages in people for stage in set(stages))
    ladder = [stage.key for stage in read_accord(accord).stages]
    assert await counts(database, "any") == reached(ladder, people)


async def test_the_funnel_of_hubspot_is_a_count_of_its_lifecycle_stages(database: Database, tmp_path: Path) -> None:
    write(
        tmp_path,
        "contact_data.csv",
        (
            {
                "id": number,
                "property_email": f"p{number}@x.example",
                "property_firstname": "",
                "property_lastname": "",
                "property_createdate": plain(START),
            }
            | {
                f"property_hs_lifecyclestage_{word}_date": plain(stages[word]) if word in stages else ""
                for word in HUBSPOT
            }
            for number, stages in PEOPLE.items()
        ),
    )
    report = await run_import(database, "hubspot", tmp_path)
    assert (report.is_adopted, report.accord, report.rejected) == (True, "What HubSpot says", 0)
    await require_plain_count(database, [*by_hubspot()], "hubspot")
    assert report.reported_stages == ReportedStages()


async def test_the_funnel_of_an_export_by_hand_is_a_count_of_its_lifecycle_stages(
    database: Database, tmp_path: Path
) -> None:
    def line(number: int, stages: Mapping[str, datetime]) -> dict[str, object]:
        last = max(stages, key=lambda word: stages[word]) if stages else None
        dates = {
            f"Became {ARTICLES.get(word, 'a ' + label)} Date": plain(stages[word]) if word in stages else ""
            for word, label in EXPORTED.items()
        }
        shown = {"Record ID": number, "Email": f"p{number}@x.example", "Create Date": plain(START)}
        return shown | {"Lifecycle Stage": EXPORTED[last] if last else ""} | dates

    write(tmp_path, "contacts.csv", (line(*person) for person in PEOPLE.items()))
    report = await run_import(database, "hubspot-export", tmp_path)
    assert (report.accord, report.rejected) == ("What HubSpot says", 0)
    await require_plain_count(database, [*by_hubspot()], "hubspot")


# Every opportunity was open from its creation to its closing.
OUTCOMES: Mapping[str | None, list[str]] = {
    "OPEN": ["opportunity"],
    "WON": ["opportunity", "customer"],
    "LOST": ["opportunity"],
}


def write_opportunities(folder: Path, outcomes: Mapping[int, str | None]) -> None:
    """Write an opportunity and a contact role for each contact that has an outcome."""
    dealt = [(number, outcome) for number, outcome in outcomes.items() if outcome is not None]
    names = {"OPEN": "Proposal", "WON": "Closed Won", "LOST": "Closed Lost"}
    opportunities = [
        {
            "id": f"O{number}",
            "account_id": "A1",
            "amount": "100",
            "campaign_id": "",
            "close_date": plain(START + timedelta(days=number + 90)),
            "created_date": plain(START + timedelta(days=number + 30)),
            "is_closed": str(outcome != "OPEN"),
            "is_won": str(outcome == "WON"),
            "name": f"Deal {number}",
            "owner_id": "",
            "probability": {"OPEN": "50", "WON": "100", "LOST": "0"}[outcome],
            "stage_name": names[outcome],
        }
        for number, outcome in dealt
    ]
    roles = [
        {
            "id": f"R{number}",
            "opportunity_id": f"O{number}",
            "contact_id": f"P{number}",
            "role": "",
            "is_primary": "true",
        }
        for number, _ in dealt
    ]
    write(folder, "sf_opportunity_data.csv", opportunities)
    write(folder, "sf_opportunity_contact_role_data.csv", roles)


@pytest.mark.parametrize("is_repeated", [False, True])
async def test_the_funnel_of_salesforce_is_a_count_of_leads_and_opportunities(
    database: Database, tmp_path: Path, is_repeated: bool
) -> None:
    words = {
        "Open - Not Contacted": ["inquiry"],
        "MQL": ["inquiry", "mql"],
        "Marketing Qualified": ["inquiry", "mql"],
        "Working - Contacted": ["inquiry", "sal"],
        "Nurture": ["inquiry"],
    }
    statuses = [random.Random(number).choice([*words, "converted", "converted"]) for number in range(60)]
    empty = {"master_record_id": "", "is_deleted": "false", "_fivetran_synced": plain(START)}
    leads = [
        {
            "id": f"L{number}",
            "created_date": plain(START + timedelta(days=number)),
            "is_converted": status == "converted",
            "converted_date": plain(START + timedelta(days=number + 9)) if status == "converted" else "",
            "converted_contact_id": f"P{number}" if status == "converted" else "",
            "converted_account_id": "",
            "status": "" if status == "converted" else status,
            "owner_id": "",
            "has_opted_out_of_email": "",
            "email": f"l{number}@x.example",
            "first_name": "",
            "last_name": "",
        }
        | empty
        for number, status in enumerate(statuses)
    ]
    converted = [number for number, status in enumerate(statuses) if status == "converted"]
    people = [
        {"id": f"P{number}", "account_id": "A1", "owner_id": "", "first_name": "", "last_name": "", "email": ""} | empty
        for number in converted
    ]
    write_opportunities(
        tmp_path, outcomes := {number: (None, "OPEN", "WON", "LOST")[number % 4] for number in converted}
    )
    write(tmp_path, "sf_lead_data.csv", leads)
    write(tmp_path, "sf_contact_data.csv", people)
    write(
        tmp_path, "sf_account_data.csv", [{"id": "A1", "name": "Acme", "industry": "", "billing_country": ""} | empty]
    )
    report = await run_import(database, "salesforce", tmp_path)
    assert (report.is_adopted, report.accord, report.rejected) == (True, "What Salesforce says", 0)
    if is_repeated:
        assert (await run_import(database, "salesforce", tmp_path)).is_unchanged
    found = [
        words.get(status, ["inquiry", "sql"]) + OUTCOMES.get(outcomes.get(number), [])
        for number, status in enumerate(statuses)
    ]
    assert {stage for stages in found for stage in stages} == {stage.key for stage in read_accord("salesforce").stages}
    await require_plain_count(database, found, "salesforce")
    [line] = reported_stage_lines(report)
    assert f"Stages of salesforce that the accord does not read: 'Nurture' ({statuses.count('Nurture')} people)" in line


async def test_files_without_any_stage_say_so(database: Database, tmp_path: Path) -> None:
    names = {"property_firstname": "", "property_lastname": "", "property_createdate": plain(START)}
    write(tmp_path, "contact_data.csv", [{"id": 1, "property_email": "p@x.example"} | names])
    report = await run_import(database, "hubspot", tmp_path)
    assert report.reported_stages == ReportedStages(silent_sources=("hubspot",))
    [line] = reported_stage_lines(report)
    assert line.startswith("The accord reads the stages that hubspot reports, and none is known.")
