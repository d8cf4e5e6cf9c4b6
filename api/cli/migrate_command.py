"""`accord migrate`."""

import asyncio
from typing import Annotated

import typer

from api.cli.migration_plan_text import migration_plan_text
from api.cli.options import Data
from api.embedded import database_connection_url
from api.revisions import known_revisions
from api.revisions import migrate as run_migrations
from api.settings import Settings
from migrations.plan import plan as plan_migrations


def migrate(
    to: Annotated[
        str, typer.Option(metavar="REVISION", help="The target: head, base (an empty database), or a revision.")
    ] = "head",
    back: Annotated[
        bool, typer.Option("--back", help="Allow a downgrade, which drops tables with their data.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show the SQL that would run and what it would lock; run nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Migrate the database to the revision of this Accord."""
    settings = Settings.load(data_dir=data)
    if plan:
        _show_plan(settings, to, back)
        return
    with database_connection_url(settings, is_direct=True) as dsn:
        migrated = asyncio.run(run_migrations(dsn, to=to, may_go_back=back, report=_report_waiting))
    for step in migrated.steps:
        typer.echo(f"{'Applied' if step.is_upgrade else 'Undid'} {step.revision} {step.title}")
    state = f"at revision {migrated.revision}" if migrated.revision else "empty"
    if migrated.revision not in (None, *known_revisions()):
        state += " of a newer Accord, on which this one runs"
    typer.echo(f"{settings.database_shown}: {'now' if migrated.steps else 'already'} {state}.")


def _report_waiting(line: str) -> None:
    typer.echo(line, err=True)


def _show_plan(settings: Settings, to: str, back: bool) -> None:
    with database_connection_url(settings, is_direct=True) as dsn:
        planned = asyncio.run(plan_migrations(dsn, to=to, may_go_back=back))
    typer.echo(migration_plan_text(planned, settings.database_shown))
