"""Erasing a person: nothing that identifies them is left anywhere, what was counted stays counted, nothing returns."""

from pathlib import Path
from typing import Any

import pytest

from api.access.principal import ALL_RIGHTS, Principal
from api.db import Database
from api.errors import ErrorCode
from api.importers.run_import import run_import
from api.sql import Sql
from schema.access.rights import AccessLevel, Reach
from schema.tables import METADATA
from tests.support.graphql import answered
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import ADA, ANNA, BOB, CREATED, MERGED_CONTACT, write_unevaluated_company

SECRETS = ("zuckerkandl", "berta@szeps.example", "4912345", "salonniere", "told in confidence", "crm-1847")
PERSON = {"contact": {"id": f"contact_{ADA}"}}


@pytest.fixture
async def company(database: Database) -> Database:
    async with database.write() as session:
        await write_unevaluated_company(session)
        await session.script(
            f"update contact set last_name = 'Zuckerkandl', email = 'berta@szeps.example', phone = '+4912345',"
            f" job_title = 'Salonniere' where id = '{ADA}';"
            f" insert into handoff (id, contact_id, handed_at, decided_at, status, note, why) values"
            f" ('{BOB}', '{ADA}', '{CREATED}', '{CREATED}', 'ACCEPTED', 'Told in confidence', 'Zuckerkandl called');"
            f" insert into external_key values ('contact', 'crm', 'crm-1847', '{ADA}');"
            " insert into import_change (record_type, row_key, before, after) values"
            f""" ('contact', '{{"id": "{ADA}"}}', '{{"last_name": "Szeps", "lead_source": "WEB"}}',"""
            """ '{"last_name": "Zuckerkandl", "lead_source": "FAIR"}'),"""
            """ ('external_key', '{"entity": "contact", "source": "crm", "external_id": "crm-1847"}', null,"""
            f""" '{{"record_id": "{ADA}"}}')"""
        )
    return database


async def everything(database: Database) -> str:
    """Every row of every table, as one text."""
    async with database.read() as session:
        found = [
            row["text"]
            for table in METADATA.sorted_tables
            for row in await session.rows(Sql(f"select t::text as text from {table.name} t"))
        ]
    return "\n".join(found).casefold()


async def erase(company: Database, **more: Any) -> Any:  # noqa: ANN401
    given = {"contact": {"id": f"contact_{ADA}"}, **more}
    return await run(company, "erasePerson", "contact { firstName lastName email phone erasedAt } filesChanged", given)


async def version_of(company: Database, id_: object) -> int:
    found = await answered(company, "query ($id: ID!) { contact(id: $id) { rowVersion } }", id=f"contact_{id_}")
    return int(found["contact"]["rowVersion"])


async def test_nothing_that_identifies_the_person_is_left_in_any_table(company: Database) -> None:
    given = {"id": f"contact_{ADA}", "expectedVersion": await version_of(company, ADA), "lastName": "Szeps-Zuckerkandl"}
    assert codes(await run(company, "updateContact", "status", given)) == {}
    await run(company, "unmergeContacts", "contact { id }", {"contact": {"id": f"contact_{MERGED_CONTACT}"}})
    merging = {"survivor": {"id": f"contact_{MERGED_CONTACT}"}, "merged": [{"id": f"contact_{ADA}"}]}
    assert codes(await run(company, "mergeContacts", "contact { id }", merging)) == {}
    async with company.write() as session:  # notes that were corrected, and a fact that was removed
        await session.script("update handoff set note = 'told in confidence: ' || note")
    async with company.write() as session:
        await session.script(f"delete from handoff where id = '{BOB}'")
    async with company.read() as session:
        assert await session.value(Sql("select count(*) from handoff_correction where contact_id = {}", ADA)) == 2
    before = await everything(company)
    assert all(secret in before for secret in SECRETS)
    erased = await erase(company)
    assert erased["userErrors"] == []
    assert erased["contact"]["lastName"] == "erased"
    after = await everything(company)
    assert [secret for secret in SECRETS if secret in after] == []


async def test_what_was_counted_stays_counted(company: Database) -> None:
    counts = """{ contacts { totalCount groupBy(keys: [{stage: EACH}]) { count } } touchpoints { totalCount }
      known: contacts(where: {email: {isNull: false}}) { totalCount }
      handoffs { totalCount } dealContacts { totalCount } }"""
    before = await answered(company, counts)
    await erase(company)
    assert await answered(company, counts) == before
    async with company.read() as session:
        assert not await session.value(
            Sql(
                "select exists (select from contact c join contact_version v on v.contact_id = c.id"
                " where v.valid_to is null and row(c.email, c.phone, c.last_name, c.erased_at)"
                " is distinct from row(v.email, v.phone, v.last_name, v.erased_at))"
            )
        )


async def test_the_person_cannot_be_stored_again(company: Database) -> None:
    await erase(company)
    new = {"firstName": "Berta", "email": "Berta@Szeps.example"}
    assert codes(await run(company, "createContact", "contact { id }", new)) == {"input.email": "ERASED"}
    keyed = {"firstName": "Berta", "externalKey": {"source": "crm", "externalId": "crm-1847"}}
    assert codes(await run(company, "upsertContact", "contact { id }", keyed)) == {"input.externalKey": "ERASED"}
    other = {"id": f"contact_{BOB}", "expectedVersion": await version_of(company, BOB), "email": "berta@szeps.example"}
    assert codes(await run(company, "updateContact", "contact { id }", other)) == {"input.email": "ERASED"}
    own = {"id": f"contact_{ADA}", "expectedVersion": await version_of(company, ADA), "firstName": "Berta"}
    assert codes(await run(company, "updateContact", "contact { id }", own)) == {"input.firstName": "ERASED"}
    assert codes(await erase(company)) == {"input.contact": "ERASED"}


async def test_an_import_skips_the_person_and_reports_the_line(database: Database, tmp_path: Path) -> None:
    key = {"source": "crm", "externalId": "crm-1847"}
    given = {"firstName": "Berta", "email": "berta@szeps.example", "externalKey": key}
    made = await run(database, "createContact", "contact { id }", given)
    erased = await run(database, "erasePerson", "contact { id }", {"contact": {"id": made["contact"]["id"]}})
    assert erased["userErrors"] == []
    (tmp_path / "people.toml").write_text(PRESET)
    (tmp_path / "people.csv").write_text(
        "id,name,email\ncrm-1847,Berta,new@szeps.example\ncrm-2,Berta,BERTA@szeps.example\ncrm-3,Emil,emil@x.example\n"
    )
    report = await run_import(
        database, str(tmp_path / "people.toml"), tmp_path, rejects_folder=tmp_path, accept_loss=True
    )
    assert (report.rejected, report.records["contact"].created) == (2, 1)
    assert report.rejects is not None
    lines = report.rejects.read_text()
    assert "erased" in lines
    assert not any(text in lines.casefold() for text in ("berta", "szeps", "crm-1847"))


async def test_the_files_of_rejected_rows_are_redacted(
    company: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCORD_DATA_DIR", str(tmp_path))
    file = tmp_path / "rejected-crm-20260101T000000000000Z.csv"
    file.write_text(
        "file,line,column,value,reason\r\n"
        "a.csv,2,mail,berta@szeps.example,is no date\r\na.csv,3,mail,x@y.example,other\r\n"
    )
    assert (await erase(company))["filesChanged"] == 1
    assert file.read_bytes() == (
        b"file,line,column,value,reason\r\na.csv,2,mail,(erased),is no date\r\na.csv,3,mail,x@y.example,other\r\n"
    )


async def test_erasing_needs_the_access_level_and_the_reach(company: Database) -> None:
    given = {"contact": {"id": f"contact_{ADA}"}}
    contributor = Principal(Reach.ALL, ANNA, AccessLevel.CONTRIBUTOR, ALL_RIGHTS, "Anna")
    assert await refusal(company, "erasePerson", given, contributor) is ErrorCode.NOT_ALLOWED
    async with company.write() as session:
        await session.script(f"update contact set owner_id = null where id = '{MERGED_CONTACT}'")
    own = Principal(Reach.OWN, ANNA, AccessLevel.OPERATOR, ALL_RIGHTS, "Anna")
    assert await refusal(company, "erasePerson", given, own) is ErrorCode.NOT_ALLOWED


PRESET = """title = "People"
source = "crm"
accord = "standard"
zone = "UTC"

[[files]]
name = "people.csv"
key = "id"

[[files.records]]
table = "contact"
fields = { first_name = "name", email = "email" }
"""


async def test_the_reason_of_an_erasure_is_kept_and_audited(company: Database) -> None:
    for reference in ("", "Berta Zuckerkandl", "berta@szeps.example", "x" * 65):
        wrong = await run(company, "erasePerson", "contact { id }", PERSON | {"reference": reference})
        assert codes(wrong) == {"input.reference": "INVALID"}
    given = PERSON | {"reason": "OBJECTION", "reference": "DSR-2041"}
    erased = await run(company, "erasePerson", "contact { erasureReason erasureReference }", given)
    assert erased["contact"] == {"erasureReason": "OBJECTION", "erasureReference": "DSR-2041"}
    audit = "{ audit(orderBy: [{occurredAt: DESC}], first: 1) { nodes { changeType valuesAfter } } }"
    assert (await answered(company, audit))["audit"]["nodes"] == [
        {"changeType": "ERASED", "valuesAfter": {"erasure_reason": "OBJECTION", "erasure_reference": "DSR-2041"}}
    ]


async def test_without_a_reason_the_person_asked_for_the_erasure(company: Database) -> None:
    erased = await run(company, "erasePerson", "contact { erasureReason erasureReference }", PERSON)
    assert erased["contact"] == {"erasureReason": "REQUESTED", "erasureReference": None}
