"""How Alembic connects and what it compares. Alembic executes this file for every command."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Column, Connection
from sqlalchemy.schema import SchemaItem

from api.embedded import database_connection_url
from api.errors import AccordError
from api.revisions import open_connection, store_compatibility
from api.revisions.compatibility import COMPATIBILITY_TABLE
from api.settings import Settings
from migrations.autogenerate import complete_draft
from schema.tables import METADATA


def is_compared(declared: SchemaItem, name: str | None, kind: str, _is_reflected: bool, migrated: object) -> bool:
    """Return whether Alembic compares an object: every one but what migrations store, and existing generated columns.

    It cannot change them, and takes PostgreSQL's spelling of an expression for another expression. The comparison of
    catalogues finds a difference; drop the column and add it again.
    """
    if kind == "table" and name == COMPATIBILITY_TABLE:
        return False
    return migrated is None or not (isinstance(declared, Column) and declared.computed is not None)


def on_version_apply(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Store which releases still run, in the transaction of the migration."""
    if ctx.connection is not None:
        store_compatibility(ctx.connection, next(iter(heads), None))
    observer = context.config.attributes.get("on_version_apply")
    if observer is not None:
        observer(ctx=ctx, step=step, heads=heads, run_args=run_args)


def run_on(connection: Connection) -> None:
    """Run the requested command; each migration runs in its own transaction."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        compare_server_default=True,
        include_object=is_compared,
        transaction_per_migration=True,
        process_revision_directives=complete_draft,
        on_version_apply=on_version_apply,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_the_settings_database() -> None:
    """Run the `alembic` command line on the database that `accord` would use."""
    settings = Settings.load()
    with database_connection_url(settings, is_direct=True) as dsn:
        async with open_connection(dsn) as connection:
            await connection.run_sync(run_on)
            await connection.commit()


def write_out() -> None:
    """Write the SQL of the requested migrations instead of running it, for `accord migrate --plan` and for squawk."""
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if context.is_offline_mode():
    write_out()
elif connection is not None:
    run_on(connection)
else:
    try:
        asyncio.run(run_on_the_settings_database())
    except AccordError as error:
        raise SystemExit(str(error)) from error
