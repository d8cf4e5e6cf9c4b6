"""Runs in a changed copy of the tree: migrate a database with people in it, and use what is new."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from api.cli.migration_plan_text import migration_plan_text
from api.db import Database
from api.graph.contract import gateway, sdl
from api.importers.run_import import run_import
from api.revisions import known_revisions, migrate, open_connection, present_revision
from api.sample.row_buffers import RowBuffer
from api.sql import Sql
from api.web.identification import identify_local_operator
from api.web.website import build_site
from migrations.catalogue import DatabaseObject, compare, read, read_declared
from migrations.plan import plan

PRESET = """
title = "The new field and table"
source = "crm"
accord = "standard"

[[files]]
name = "people.csv"
key = "id"

[[files.records]]
table = "contact"
fields = { email = "mail", star_sign = "sign", is_left_handed = "left" }

[[files]]
name = "yachts.csv"
key = "id"

[[files.records]]
table = "yacht"
fields = { name = "name", harbour = "port" }
"""
PEOPLE = "id,mail,sign,left\n1,ana@acme.com,Libra,yes\n2,bo@acme.com,Aries,no\n"
YACHTS = "id,name,port\ny1,Albatross,Kiel\ny2,Seagull,\n"
DOCUMENT = """{
  contacts(where: {starSign: {isNull: false}}, orderBy: [{starSign: DESC}]) { nodes { email starSign isLeftHanded } }
  yachts(where: {harbour: {isNull: true}}, orderBy: [{name: ASC}]) { nodes { id name company { name } } totalCount }
}"""
DOCS = """{
  contact: __type(name: "Contact") { fields { name description } }
  where: __type(name: "ContactWhere") { inputFields { name description } }
  order: __type(name: "ContactOrder") { inputFields { name description } }
  yacht: __type(name: "Yacht") { description fields { name description } }
}"""
VERSIONS = "select job_title, star_sign, valid_to is null as is_open from contact_version order by id"

FORMER = "select kind, is_moonlit from touchpoint_correction order by replaced_at"


async def observe(dsn: str, folder: Path) -> dict[str, Any]:
    """Migrate forwards, use the database, migrate back and forwards again; return what was seen on the way."""
    seen: dict[str, Any] = {"sdl": sdl()}
    async with open_connection(dsn) as connection:
        before = await present_revision(connection)
    seen["plan"] = migration_plan_text(await plan(dsn), "the database")
    seen["applied"] = [step.title for step in (await migrate(dsn)).steps]
    async with open_connection(dsn) as connection:
        catalogue = await connection.run_sync(read)
        seen["differences"] = compare(catalogue, await connection.run_sync(read_declared))
        seen["column"] = catalogue[DatabaseObject("column", "contact", "star_sign")]
        seen["triggers"] = [entry.name for entry in catalogue if entry.kind == "trigger" and entry.on_table == "yacht"]
    async with Database.open(dsn, size=2) as database:
        await _use(database, folder, seen)
    undone = await migrate(dsn, to=before or "base", may_go_back=True)
    seen["undone"] = [step.title for step in undone.steps]
    async with open_connection(dsn) as connection:
        kept = await connection.execute(
            text("select job_title, valid_to is null from contact_version order by id limit 2")
        )
        seen["kept"] = [list(row) for row in kept.all()]
    await migrate(dsn)
    seen["newest"] = known_revisions()[0]
    return seen


async def _use(database: Database, folder: Path, seen: dict[str, Any]) -> None:
    async with database.write() as session:
        await session.run(Sql("update contact set star_sign = 'Gemini', email_kind = 'PIGEON'"))
        await session.run(Sql("update touchpoint set is_moonlit = true"))
    async with database.read() as session:
        seen["stored_words"] = [row["email_kind"] for row in await session.rows(Sql("select email_kind from contact"))]
        seen["former"] = [list(row.values()) for row in await session.rows(Sql(FORMER))]
        seen["versions"] = [list(row.values()) for row in await session.rows(Sql(VERSIONS))]
    async with database.write() as session:
        # Going back restores the former CHECK, which a row with the new word would violate.
        await session.run(Sql("update contact set email_kind = null"))
    for name, content in (("crm.toml", PRESET), ("people.csv", PEOPLE), ("yachts.csv", YACHTS)):
        (folder / name).write_text(content, encoding="utf-8")
    report = await run_import(database, str(folder / "crm.toml"), folder)
    seen["imported"] = {table: tally.created for table, tally in report.records.items()}
    seen["sample_columns"] = list(RowBuffer("contact").columns)
    site = build_site(gateway(), lambda: database, identify_local_operator)
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        for key, document in (("response", DOCUMENT), ("docs", DOCS)):
            seen[key] = (await client.post("/graphql", json={"query": document})).json()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(observe(sys.argv[1], Path(sys.argv[2])))))
