"""Merges that people made: later imports of both records neither undo them nor take anything from the survivor."""

from functools import partial
from pathlib import Path

from api.db import Database
from api.importers.run_import import run_import
from tests.importers.conftest import rows
from tests.importers.test_salesforce import FILES, put
from tests.support.graphql import answered
from tests.support.mutations import run

MERGED = """select k.external_id, s.external_id from {0} c join external_key k on k.record_id = c.id
    join external_key s on s.record_id = c.merged_into_id where s.external_id not like 'l%' order by 1"""
COMPANIES = """select k.external_id, s.external_id from {} c join external_key k on k.record_id = c.id
    join external_key s on s.record_id = c.company_id where k.entity = '{}' order by 1"""
import_files = partial(run_import, accept_loss=True)


async def _id(database: Database, table: str, key: str) -> dict[str, str]:
    [[found]] = await rows(
        database, f"select record_id from external_key where entity = '{table}' and external_id = '{key}'"
    )
    return {"id": f"{table}_{found}"}


async def test_a_source_that_knows_of_no_merge_does_not_undo_it(database: Database, tmp_path: Path) -> None:
    contacts = FILES["sf_contact_data.csv"].replace("true,u1,,,p1", "false,u1,,,")
    folder = put(tmp_path, sf_contact_data=contacts)
    await import_files(database, "salesforce", folder)
    assert await rows(database, MERGED.format("contact")) == []
    survivor, merged = await _id(database, "contact", "p1"), await _id(database, "contact", "p2")
    await run(database, "mergeContacts", "contact { id }", {"survivor": survivor, "merged": [merged]})
    report = await import_files(database, "salesforce", folder)
    assert report.is_unchanged
    changed = contacts.replace("eve@old.com", "eve@older.com")
    await import_files(database, "salesforce", put(tmp_path, sf_contact_data=changed))
    found = await rows(database, MERGED.format("contact"))
    assert found == [("p2", "p1")]
    assert await rows(database, "select email from contact where merged_into_id is not null") == [("eve@older.com",)]


async def test_links_to_a_merged_company_lead_to_its_survivor(database: Database, tmp_path: Path) -> None:
    folder = put(tmp_path, sf_account_data=FILES["sf_account_data.csv"].replace("TRUE", "false"))
    await import_files(database, "salesforce", folder)
    survivor, merged = await _id(database, "company", "a2"), await _id(database, "company", "a1")
    await run(database, "mergeCompanies", "company { id }", {"survivor": survivor, "merged": [merged]})
    before = [await rows(database, COMPANIES.format(table, table)) for table in ("contact", "deal")]
    assert {company for found in before for _, company in found} == {"a2"}
    again = await import_files(database, "salesforce", folder)
    assert [await rows(database, COMPANIES.format(table, table)) for table in ("contact", "deal")] == before
    assert again.records["company"].changed == 0
    assert (await import_files(database, "salesforce", folder)).is_unchanged


async def test_an_import_does_not_empty_what_the_survivor_took(database: Database, tmp_path: Path) -> None:
    contacts = FILES["sf_contact_data.csv"].replace("true,u1,,,p1", "false,u1,,,")
    contacts = contacts.replace("eve@old.com,Eve,Hall,false,u1,,", "eve@old.com,Eve,Hall,false,u1,,Fair")
    folder = put(tmp_path, sf_contact_data=contacts)
    await import_files(database, "salesforce", folder)
    survivor, merged = await _id(database, "contact", "p2"), await _id(database, "contact", "p1")
    async with database.write() as session:
        await session.script("update contact set email_opt_out = true, phone = '+491' where email = 'eve@x.com'")
    payload = await run(
        database, "mergeContacts", "contact { emailOptOut phone jobTitle }", {"survivor": survivor, "merged": [merged]}
    )
    taken = {"emailOptOut": True, "phone": "+491", "jobTitle": "CTO"}
    assert payload["contact"] == taken
    await import_files(database, "salesforce", folder)
    found = await answered(
        database, "query ($id: ID!) { contact(id: $id) { emailOptOut phone jobTitle } }", id=survivor["id"]
    )
    assert found["contact"] == taken
