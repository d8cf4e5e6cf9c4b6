"""Checks of the revision, statistics, indexes and age of the tables."""

from api.accord.in_force import accord_in_force
from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.errors import AccordError
from api.revisions import head_revision, require_compatible
from api.sql import Sql

MANY_CHANGES = 10_000
"""So many changes, beside half of the table, make its statistics old."""
OLD_AGE = 500_000_000
"""Autovacuum freezes rows from an age of 200,000,000 on, so that an older database shows that something stops it."""
LAST_AGE = 1_500_000_000
"""PostgreSQL stops writing at about 2,100,000,000."""


async def revision(examined: Examined) -> Diagnosis:
    """Whether this release runs on the database."""
    try:
        await require_compatible(examined.database)
    except AccordError as error:
        return wrong(error.message, error.remedy)
    return fine(f"This Accord, of revision {head_revision()}, runs on the database.")


async def accord(examined: Examined) -> Diagnosis:
    """Whether an accord is in force, without which there are no stages and KPIs."""
    try:
        async with examined.database.read() as session:
            found = await accord_in_force(session)
    except AccordError as error:
        return warning(error.message, error.remedy)
    return fine(f"Version {found.number} of the accord is in force.")


async def statistics(examined: Examined) -> Diagnosis:
    """Whether the planner's statistics are there and not old, as plans and the cost of requests need."""
    statement = Sql(
        "select c.relname::text as name, c.reltuples < 0 as is_missing from pg_class c"
        " left join pg_stat_user_tables s on s.relid = c.oid"
        " where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'"
        " and (c.reltuples < 0 and coalesce(s.n_live_tup, 0) >= 1000"
        " or s.n_mod_since_analyze > {} + 0.5 * c.reltuples) order by c.relname",
        MANY_CHANGES,
    )
    async with examined.database.read() as session:
        rows = await session.rows(statement)
    remedy = "Run `analyze` in the database. If it comes back, look why autovacuum does not keep up."
    missing = [str(row["name"]) for row in rows if row["is_missing"]]
    if missing:
        return warning(f"PostgreSQL has no statistics of {', '.join(missing)}: statements are planned blindly.", remedy)
    if rows:
        names = ", ".join(str(row["name"]) for row in rows)
        return warning(f"Half of {names} has changed since PostgreSQL's statistics were made.", remedy)
    return fine("The planner's statistics are up to date.")


async def indexes(examined: Examined) -> Diagnosis:
    """Whether all indexes can be used: one whose concurrent creation failed is written but never read."""
    statement = Sql(
        "select array_agg(c.relname::text order by c.relname) from pg_index i join pg_class c on c.oid = i.indexrelid"
        " where c.relnamespace = current_schema()::regnamespace and not (i.indisvalid and i.indisready)"
        " and not exists (select from pg_stat_progress_create_index p where p.index_relid = c.oid)"
    )
    async with examined.database.read() as session:
        invalid = await session.value(statement)
    if not invalid:
        return fine("All indexes are valid.")
    return warning(
        f"PostgreSQL does not use {', '.join(invalid)}: an index is invalid after its creation failed.",
        "Run `reindex index concurrently …` for each.",
    )


async def transaction_ids(examined: Examined) -> Diagnosis:
    """Whether PostgreSQL is far from running out of transaction ids."""
    statement = Sql(
        "select greatest(age(datfrozenxid), mxid_age(datminmxid)) from pg_database where datname = current_database()"
    )
    async with examined.database.read() as session:
        age = int(await session.value(statement))
    found = f"The oldest transaction id is {age:,} transactions old."
    if age < OLD_AGE:
        return fine(found)
    remedy = "Run `vacuum freeze` in the database, after ending old transactions and dropping unused replication slots."
    if age >= LAST_AGE:
        return wrong(f"{found} PostgreSQL stops writing at about 2,100,000,000.", remedy)
    return warning(f"{found} Autovacuum does not keep up.", remedy)


async def size(examined: Examined) -> Diagnosis:
    """How large the database is."""
    async with examined.database.read() as session:
        shown = await session.value(Sql("select pg_size_pretty(pg_database_size(current_database()))"))
    return fine(f"The database has {shown}.")
