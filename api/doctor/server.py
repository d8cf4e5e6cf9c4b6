"""Checks of the PostgreSQL server: its version, its encoding and its parameters."""

from collections.abc import Mapping

from api.db import SUPPORTED_VERSIONS, supported_versions_text
from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.sql import Sql

_ON = "on"


async def parameters(examined: Examined, *names: str) -> Mapping[str, str]:
    """Return parameters as this role and database begin a session with them, in the units of PostgreSQL.

    Shapes: one value for each parameter that the server has. Reads pg_settings.
    """
    async with examined.database.read() as session:
        rows = await session.rows(Sql("select name, reset_val from pg_settings where name = any({})", list(names)))
    return {row["name"]: row["reset_val"] for row in rows}


async def server_version(examined: Examined) -> Diagnosis:
    """Whether Accord is tested with the version of the server."""
    async with examined.database.read() as session:
        major = session.connection.get_server_version().major
        shown = await session.value(Sql("select current_setting('server_version')"))
    found = f"The server is PostgreSQL {shown}."
    if major in SUPPORTED_VERSIONS:
        return fine(found)
    return wrong(f"{found} Accord supports {supported_versions_text()}.", "Use a server of one of these versions.")


async def encoding(examined: Examined) -> Diagnosis:
    """Whether the database keeps all characters, and knows upper and lower case of letters beside ASCII."""
    statement = Sql(
        "select current_setting('server_encoding') as encoding, d.datcollate, d.datctype, d.datcollversion,"
        " pg_database_collation_actual_version(d.oid) as actual"
        " from pg_database d where d.datname = current_database()"
    )
    async with examined.database.read() as session:
        row = await session.row(statement)
        is_utf8 = row is not None and row["encoding"] == "UTF8"
        knows_case = is_utf8 and await session.value(Sql("select lower('ÄÉ') = 'äé'"))
    if row is None or not is_utf8:
        return wrong(
            f"The encoding of the database is {row['encoding'] if row else 'unknown'}, which lacks characters.",
            "Create a database with `create database … template template0 encoding 'UTF8'`, and move the data there.",
        )
    if row["datcollversion"] is not None and row["datcollversion"] != row["actual"]:
        return warning(
            f"The rules for sorting text have changed since indexes were built: version {row['datcollversion']}, now"
            f" {row['actual']}. Indexes of text may miss rows.",
            "Run `reindex database`, then `alter database … refresh collation version`.",
        )
    if not knows_case:
        return warning(
            f"The locale {row['datctype']} has no upper and lower case for letters such as Ä: filters that ignore case"
            " miss them.",
            "Create the database with a locale of UTF-8, such as C.UTF-8, and move the data there.",
        )
    return fine("The encoding is UTF8, and upper and lower case of all letters are known.")


async def durability(examined: Examined) -> Diagnosis:
    """Whether what was committed survives a crash."""
    found = await parameters(examined, "fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in ("fsync", "full_page_writes") if found[name] != _ON]
    if off:
        return wrong(
            f"Off: {', '.join(off)}. A crash of the machine can destroy the whole database.",
            f"Set {' and '.join(off)} to on in postgresql.conf, and reload the server.",
        )
    if found["synchronous_commit"] == "off":
        return warning(
            "synchronous_commit is off: a crash loses what was committed in the last moments.",
            "Set synchronous_commit to on.",
        )
    return fine("What was committed survives a crash.")


async def autovacuum(examined: Examined) -> Diagnosis:
    """Whether PostgreSQL removes dead rows and renews statistics by itself."""
    found = await parameters(examined, "autovacuum", "track_counts")
    off = [name for name in ("autovacuum", "track_counts") if found[name] != _ON]
    if off:
        return warning(
            f"Off: {', '.join(off)}. Tables grow, statements get slow, and transaction ids run out.",
            f"Set {' and '.join(off)} to on in postgresql.conf, and reload the server.",
        )
    # Options of a table look like {autovacuum_enabled=false}.
    statement = Sql(
        "select array_agg(relname::text order by relname) from pg_class"
        " where relnamespace = current_schema()::regnamespace"
        " and exists (select from unnest(reloptions) o where o in ('autovacuum_enabled=false',"
        " 'autovacuum_enabled=off'))"
    )
    async with examined.database.read() as session:
        tables = await session.value(statement)
    if tables:
        return warning(
            f"Autovacuum is off for {', '.join(tables)}.", "Run `alter table … reset (autovacuum_enabled)` for each."
        )
    return fine("Autovacuum is on.")


async def time_zone(examined: Examined) -> Diagnosis:
    """Whether the sessions of Accord have the time zone that they ask for."""
    async with examined.database.read() as session:
        found = await session.value(Sql("select current_setting('TimeZone')"))
    if found == "UTC":
        return fine("Sessions of Accord have the time zone UTC.")
    return wrong(
        f"Accord asks for sessions in UTC and gets {found}: something between drops its startup parameters.",
        "Let the pooler pass on or set the parameter timezone, or connect to PostgreSQL directly.",
    )
