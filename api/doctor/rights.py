"""Checks of what the role of the database may do."""

import asyncpg

from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.sql import Sql
from schema.tables import METADATA

_MOST_NAMED = 5
_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")
_OWNER = "Let the role of DATABASE_URL own the tables (`reassign owned by … to …`)"


async def schema_rights(examined: Examined) -> Diagnosis:
    """Whether the role has a schema, may create in it, and may make temporary tables."""
    statement = Sql(
        "select current_user as role, current_schema() as schema,"
        " current_schema() is not null and has_schema_privilege(current_schema(), 'CREATE') as creates,"
        " has_database_privilege(current_database(), 'TEMPORARY') as has_temporary"
    )
    async with examined.database.read() as session:
        row = await session.row(statement)
    if row is None:
        raise TypeError("a statement without FROM returned no row")
    role = row["role"]
    if row["schema"] is None:
        return wrong(
            f"The role {role} has no schema to use: no schema of its search_path exists or may be used.",
            f"Run `grant usage, create on schema public to {role}`, or set the search_path of the role.",
        )
    if not row["has_temporary"]:
        return wrong(
            f"The role {role} may not make temporary tables, which imports and evaluations use.",
            f"Run `grant temporary on database … to {role}`.",
        )
    if not row["creates"]:
        return warning(
            f"The role {role} may not create in the schema {row['schema']}: `accord migrate` fails with it.",
            f"Run `grant create on schema {row['schema']} to {role}`, or migrate with another role.",
        )
    return fine(f"The role {role} may create in the schema {row['schema']}.")


async def table_rights(examined: Examined) -> Diagnosis:
    """Whether the role may read and write all tables, and owns them."""
    async with examined.database.read() as session:
        tables = await session.rows(_table_rights_statement())
    for right in _NEEDED:
        denied = [table for table in tables if not table[right.lower()]]
        if denied:
            return wrong(
                f"The role may not {right} in {_named(denied)}.", f"{_OWNER}, or grant it {', '.join(_NEEDED)} on them."
            )
    foreign = [table for table in tables if not table["owns"]]
    if foreign:
        return warning(
            f"The role does not own {_named(foreign)}: it cannot migrate, nor load or rebuild large tables.",
            f"{_OWNER}.",
        )
    return fine("The role owns all tables, and may write them.")


async def writable(examined: Examined) -> Diagnosis:
    """Whether the database can be written at all."""
    statement = Sql(
        "select pg_is_in_recovery() as is_standby,"
        " (select reset_val from pg_settings where name = 'default_transaction_read_only') as read_only"
    )
    async with examined.database.read() as session:
        row = await session.row(statement)
    if row is None:
        raise TypeError("a statement without FROM returned no row")
    if row["is_standby"]:
        return wrong(
            "The server is a standby, which cannot be written.", "Let DATABASE_URL lead to the primary server."
        )
    if row["read_only"] == "on":
        return wrong(
            "default_transaction_read_only is on for this role, database or server: nothing can be written.",
            "Run `alter role … reset default_transaction_read_only`, or the same for the database.",
        )
    return fine("The database can be written.")


def _table_rights_statement() -> Sql:
    rights = ", ".join(f"has_table_privilege(oid, '{right}') as {right.lower()}" for right in _NEEDED)
    return Sql(
        f"select relname::text as name, {rights}, pg_has_role(relowner, 'USAGE') as owns from pg_class"
        " where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relname = any({})"
        " order by relname",
        [table.name for table in METADATA.sorted_tables],
    )


def _named(tables: list[asyncpg.Record]) -> str:
    names = [str(table["name"]) for table in tables]
    more = f" and {len(names) - _MOST_NAMED} more tables" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
