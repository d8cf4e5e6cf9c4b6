"""Runs in a changed copy of the tree: migrate a database with people in it, use what is new, and tell what was seen."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from api.access.principal import EVERYONE
from api.cli.plan_text import plan_text
from api.db import Database
from api.graph.contract import gateway, sdl
from api.importers.run import run_import
from api.revisions import connected, known_revisions, migrate, present_revision
from api.sample.rows import Rows
from api.sql import Sql
from api.web.website import build_site
from migrations.catalogue import DatabaseObject, compare, read, read_declared
from migrations.plan import plan

PRESET = """
title = "What is new"
source = "crm"
accord = "standard"

[[files]]
name = "people.csv"
key = "id"

[[files.records]]
table = "contact"
fields = { email = "mail", seniority = "level", is_speaker = "speaks" }

[[files]]
name = "rivals.csv"
key = "id"

[[files.records]]
table = "rival"
fields = { name = "firm", domain = "site" }
"""
PEOPLE = "id,mail,level,speaks\n1,ana@acme.com,Director,yes\n2,bo@acme.com,Assistant,no\n"
RIVALS = "id,firm,site\nr1,Globex,globex.example\nr2,Hooli,\n"
QUESTION = """{
  contacts(where: {seniority: {isNull: false}}, orderBy: [{seniority: DESC}]) { nodes { email seniority isSpeaker } }
  rivals(where: {domain: {isNull: true}}, orderBy: [{name: ASC}]) { nodes { id name company { name } } totalCount }
}"""
DOCS = """{
  contact: __type(name: "Contact") { fields { name description } }
  where: __type(name: "ContactWhere") { inputFields { name description } }
  order: __type(name: "ContactOrder") { inputFields { name description } }
  rival: __type(name: "Rival") { description fields { name description } }
}"""
VERSIONS = "select job_title, seniority, valid_to is null as is_open from contact_version order by id"


async def observe(dsn: str, folder: Path) -> dict[str, Any]:
    """Everything, in the order in which it happens."""
    seen: dict[str, Any] = {"sdl": sdl()}
    async with connected(dsn) as connection:
        before = await present_revision(connection)
    seen["plan"] = plan_text(await plan(dsn), "the database")
    seen["applied"] = [step.title for step in (await migrate(dsn)).steps]
    async with connected(dsn) as connection:
        catalogue = await connection.run_sync(read)
        seen["differences"] = compare(catalogue, await connection.run_sync(read_declared))
        seen["column"] = catalogue[DatabaseObject("column", "contact", "seniority")]
        seen["triggers"] = [part.name for part in catalogue if part.kind == "trigger" and part.on_table == "rival"]
    async with Database.open(dsn, size=2) as database:
        await _use(database, folder, seen)
    undone = await migrate(dsn, to=before or "base", may_go_back=True)
    seen["undone"] = [step.title for step in undone.steps]
    async with connected(dsn) as connection:
        kept = await connection.execute(
            text("select job_title, valid_to is null from contact_version order by id limit 2")
        )
        seen["kept"] = [list(row) for row in kept.all()]
    await migrate(dsn)
    seen["newest"] = known_revisions()[0]
    return seen


async def _use(database: Database, folder: Path, seen: dict[str, Any]) -> None:
    async with database.write() as session:
        await session.run(Sql("update contact set seniority = 'C level'"))
    async with database.read() as session:
        seen["versions"] = [list(row.values()) for row in await session.rows(Sql(VERSIONS))]
    for name, content in (("crm.toml", PRESET), ("people.csv", PEOPLE), ("rivals.csv", RIVALS)):
        (folder / name).write_text(content, encoding="utf-8")
    report = await run_import(database, str(folder / "crm.toml"), folder)
    seen["imported"] = {table: tally.created for table, tally in report.records.items()}
    made = Rows("contact")
    seen["factory"] = {"seniority", "is_speaker"} <= set(made.columns)
    site = build_site(gateway(), lambda _request: (database, EVERYONE))
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        for key, document in (("answer", QUESTION), ("docs", DOCS)):
            seen[key] = (await client.post("/graphql", json={"query": document})).json()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(observe(sys.argv[1], Path(sys.argv[2])))))
