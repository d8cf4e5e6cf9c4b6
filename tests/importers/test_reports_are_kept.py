"""What a source said before stays beside what it says now: reported stages are added and never changed."""

from importlib.resources import files
from pathlib import Path

from api.cli.importing.import_notes import reported_stage_lines
from api.db import Database
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows
from tests.importers.test_hand_exports import put as put_export
from tests.importers.test_hubspot import FILES as HUBSPOT
from tests.importers.test_hubspot import put as put_hubspot
from tests.importers.test_repeated_import import everything
from tests.importers.test_salesforce import FILES as SALESFORCE
from tests.importers.test_salesforce import put as put_salesforce
from tests.importers.test_undoing import last_import, undo

STATUSES = "select source_stage, stage from reported_stage where entered_at is null order by recorded_at, id"
DATED = "select source_stage, entered_at from reported_stage where entered_at is not null order by 2, 1"
KEYS = "select external_id, record_id from external_key where entity = 'reported_stage' order by 1"
WORKING, OPEN = ("Working - Contacted", "sal"), ("Open - Not Contacted", "inquiry")
LEADS = SALESFORCE["sf_lead_data.csv"]


def leads(folder: Path, status: str) -> Path:
    return put_salesforce(folder, sf_lead_data=LEADS.replace("Working - Contacted", status))


async def import_statuses(database: Database, folder: Path, *statuses: str) -> None:
    for status in statuses:
        await run_import(database, "salesforce", leads(folder, status), accept_loss=True)


async def test_a_status_without_a_date_stays_when_another_follows_it(database: Database, tmp_path: Path) -> None:
    await import_statuses(database, tmp_path, WORKING[0])
    [[first]] = await rows(database, "select recorded_at from reported_stage where entered_at is null")
    await import_statuses(database, tmp_path, OPEN[0], WORKING[0])
    assert await rows(database, STATUSES) == [WORKING, OPEN, WORKING]
    assert (await rows(database, "select min(recorded_at) from reported_stage where entered_at is null"))[0][0] == first
    before = await everything(database)
    report = await run_import(database, "salesforce", leads(tmp_path, WORKING[0]), accept_loss=True)
    assert report.is_unchanged
    assert await everything(database) == before
    # The accord reads both statuses: the person was in either stage since the report.
    entered = "select e.stage from stage_entry e join evaluation v on v.id = e.evaluation_id and v.is_current"
    found = await rows(database, f"{entered} join contact c on c.id = e.contact_id where c.email = 'kim@y.com'")
    assert {stage for [stage] in found} == {"inquiry", "sal", "mql"}


async def test_undoing_an_import_gives_a_former_status_its_key_back(database: Database, tmp_path: Path) -> None:
    await import_statuses(database, tmp_path, WORKING[0])
    first, keys = await rows(database, STATUSES), await rows(database, KEYS)
    await import_statuses(database, tmp_path, OPEN[0])
    second = await last_import(database)
    await undo(database)
    assert (await rows(database, STATUSES), await rows(database, KEYS)) == (first, keys)
    await import_statuses(database, tmp_path, WORKING[0], OPEN[0])
    assert await rows(database, STATUSES) == [WORKING, OPEN]
    third = await last_import(database)
    assert third != second
    await import_statuses(database, tmp_path, "MQL")
    # The one between goes; the last stays, and the first gets its key back once that is gone, too.
    await undo(database, third)
    assert await rows(database, STATUSES) == [WORKING, ("MQL", "mql")]
    await undo(database)
    assert (await rows(database, STATUSES), await rows(database, KEYS)) == (first, keys)


async def test_a_new_mapping_changes_no_report(database: Database, tmp_path: Path) -> None:
    await import_statuses(database, tmp_path, WORKING[0])
    reports = "select id, recorded_at, source_stage from reported_stage order by id"
    before = await rows(database, reports)
    shipped = files("api.importers").joinpath("presets", "salesforce.toml").read_text("utf-8")
    preset = tmp_path / "own.toml"
    preset.write_text(shipped.replace('"Working - Contacted" = "sal"', '"Working - Contacted" = "sql"'))
    report = await run_import(database, str(preset), leads(tmp_path, WORKING[0]), accept_loss=True)
    assert (report.records["reported_stage"].created, report.records["reported_stage"].changed) == (0, 1)
    assert await rows(database, reports) == before
    assert await rows(database, STATUSES) == [(WORKING[0], "sql")]


async def test_every_date_of_a_stage_is_a_report(database: Database, tmp_path: Path) -> None:
    history = HUBSPOT["contact_property_history_data.csv"]
    back = "1,2020-05-01 00:00:00.000,CRM,lifecyclestage,marketingqualifiedlead\n"
    dates = [at("2020-03-01"), at("2020-05-01")]
    mql = f"select entered_at from ({DATED}) r where source_stage = 'marketingqualifiedlead'"
    folder = put_hubspot(tmp_path, contact_property_history_data=history + back)
    await run_import(database, "hubspot", folder)
    assert await rows(database, mql) == [(date,) for date in dates]
    assert (await run_import(database, "hubspot", folder)).is_unchanged
    # A later file has the last date of the stage alone, as the column of a contact has.
    later = "1,2020-06-01 00:00:00.000,CRM,lifecyclestage,marketingqualifiedlead\n"
    header = history.partition("\n")[0] + "\n"
    await run_import(database, "hubspot", put_hubspot(tmp_path, contact_property_history_data=header + later))
    assert await rows(database, mql) == [(date,) for date in (*dates, at("2020-06-01"))]


async def test_the_same_report_in_two_files_is_one(database: Database, tmp_path: Path) -> None:
    # contact_data has the date of the stage lead; the history says the same, with another form of the date.
    history = HUBSPOT["contact_property_history_data.csv"] + "1,2020-01-05 06:49:18.000,CRM,lifecyclestage,lead\n"
    await run_import(database, "hubspot", put_hubspot(tmp_path, contact_property_history_data=history))
    assert await rows(database, f"select count(*) from ({DATED}) r where source_stage = 'lead'") == [(1,)]


async def test_a_date_set_anew_in_a_hand_export_keeps_the_earlier_one(database: Database, tmp_path: Path) -> None:
    def contacts(stage: str, lead: str, customer: str = "") -> Path:
        header = "Record ID,Email,Lifecycle Stage,Became a Lead Date,Became a Customer Date"
        line = f"1,a@x.example,{stage},{lead},{customer}"
        return put_export(tmp_path / "hand", contacts=f"{header}\n{line}\n")

    await run_import(database, "hubspot-export", contacts("Lead", "2026-01-05 09:00"))
    await run_import(database, "hubspot-export", contacts("Customer", "2026-01-05 09:00", "2026-02-05 09:00"))
    await run_import(database, "hubspot-export", contacts("Lead", "2026-03-05 09:00", "2026-02-05 09:00"))
    assert await rows(database, DATED) == [
        ("lead", at("2026-01-05 09:00")),
        ("customer", at("2026-02-05 09:00")),
        ("lead", at("2026-03-05 09:00")),
    ]


async def test_a_present_stage_without_a_date_is_followed_too(database: Database, tmp_path: Path) -> None:
    def contacts(stage: str) -> Path:
        return put_export(tmp_path / "hand", contacts=f"Record ID,Email,Lifecycle Stage\n1,a@x.example,{stage}\n")

    for stage in ("Lead", "Evangelist", "Evangelist", "Lead"):
        await run_import(database, "hubspot-export", contacts(stage))
    assert await rows(database, STATUSES) == [("lead", "inquiry"), ("Evangelist", None), ("lead", "inquiry")]


async def test_two_accounts_of_one_system_report_apart(database: Database, tmp_path: Path) -> None:
    folder = put_hubspot(tmp_path)
    report = await run_import(database, "hubspot", folder)
    assert report.reported_stages.unread_source is None
    # The teams and owners have the same names in both accounts, so their rows are rejected.
    other = await run_import(database, "hubspot", folder, source="hubspot_us", accept_loss=True)
    counts = await rows(database, "select source, count(*) from reported_stage group by 1 order by 1")
    assert counts == [("hubspot", 3), ("hubspot_us", 3)]
    lines = [*reported_stage_lines(other)]
    assert lines[0].startswith("The accord reads the stages that hubspot reports, and this import is of hubspot_us")


async def test_a_single_account_with_another_name_is_noted(database: Database, tmp_path: Path) -> None:
    report = await run_import(database, "hubspot", put_hubspot(tmp_path), source="hubspot_us")
    assert (report.reported_stages.unread_source, report.reported_stages.read_sources) == ("hubspot_us", ("hubspot",))
    [line, unread] = reported_stage_lines(report)
    assert "Name hubspot_us as the source in the rules" in line
    assert unread.startswith("Stages of hubspot_us that the accord does not read: 'evangelist' (1 person)")


async def test_stages_that_another_accord_does_not_have_are_named(database: Database, tmp_path: Path) -> None:
    folder = put_hubspot(tmp_path)
    for accord in ("maven", None):  # adopted by this import, and in force before it
        report = await run_import(database, "hubspot", folder, accord=accord)
        found = {(stage.stage, stage.mapped_to, stage.people) for stage in report.reported_stages.missing}
        assert found == {("lead", "inquiry", 1), ("marketingqualifiedlead", "mql", 1)}
        [line] = [line for line in reported_stage_lines(report) if line.startswith("WARNING")]
        assert "'lead' as inquiry (1 person)" in line
