"""`accord migrate`."""

from typing import Annotated

import typer

from api.cli.options import Data
from api.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("migrate")(migrate)


def migrate(
    to: Annotated[str, typer.Option(metavar="REVISION", help="Where to: head, base (empty), or a revision.")] = "head",
    back: Annotated[bool, typer.Option("--back", help="Allow going back, which drops tables with their data.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show the SQL that would run and whom it would keep waiting; run nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Bring the database to the revision that this Accord works with."""
    import asyncio

    from api.embedded import database_address
    from api.revisions import migrate as run

    settings = Settings.load(data_dir=data)
    if plan:
        _show_plan(settings, to, back)
        return
    with database_address(settings) as dsn:
        done = asyncio.run(run(dsn, to=to, may_go_back=back))
    for step in done.steps:
        typer.echo(f"{'Applied' if step.is_upgrade else 'Undid'} {step.revision} {step.title}")
    place = f"at revision {done.revision}" if done.revision else "empty"
    typer.echo(f"{settings.database_shown}: {'now' if done.steps else 'already'} {place}.")


def _show_plan(settings: Settings, to: str, back: bool) -> None:
    import asyncio

    from api.cli.migration_plan_text import plan_text
    from api.embedded import database_address
    from migrations.plan import plan

    with database_address(settings) as dsn:
        found = asyncio.run(plan(dsn, to=to, may_go_back=back))
    typer.echo(plan_text(found, settings.database_shown))
