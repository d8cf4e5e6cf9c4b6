"""Draft a migration from the declarations: `make migration m="what changes"`.

The draft is the difference between what the present migrations make and what the declarations say, on a throw-away
PostgreSQL: the developer's own database plays no part in it. Read the draft before you commit it; a rename, for one,
looks like a drop and an addition.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection

from api.embedded.server import start
from api.revisions import MIGRATIONS, connected, migrate

INI = MIGRATIONS.parent / "alembic.ini"
FIRST_TITLE = "The ground floor"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m migrations.draft", description="Draft a migration.")
    parser.add_argument("title", nargs="?", default="", help="what changes, such as 'add deal.region'")
    parser.add_argument("--first", action="store_true", help="replace the one migration there is (before a release)")
    said = parser.parse_args()
    if said.first:
        forget_the_only_one()
    elif not said.title:
        parser.error("say what changes: make migration m='add deal.region'")
    made = draft(said.title or FIRST_TITLE)
    print(f"Drafted {made}: read it before you commit it." if made else "Nothing to migrate.")  # noqa: T201 - a command


def draft(title: str) -> Path | None:
    """Write the migration that the declarations need beyond the present ones; None if there is nothing to change."""
    with tempfile.TemporaryDirectory(prefix="accord-draft-", ignore_cleanup_errors=True) as folder:
        server = start(Path(folder), is_durable=False)
        try:
            return asyncio.run(_draft(server.dsn(), title))
        finally:
            server.close()


def forget_the_only_one() -> None:
    """Delete the first migration, to be drafted anew. Only before a release, while nobody has it: there must be one."""
    found = [each for each in (MIGRATIONS / "versions").glob("*.py") if not each.name.startswith("_")]
    if len(found) > 1:
        raise SystemExit(f"{len(found)} migrations are there: the first is history. Draft a further one instead.")
    for each in found:
        each.unlink()


async def _draft(dsn: str, title: str) -> Path | None:
    if any((MIGRATIONS / "versions").glob("*.py")):
        await migrate(dsn)
    async with connected(dsn) as connection:
        return await connection.run_sync(_write, title)


def _write(connection: Connection, title: str) -> Path | None:
    config = Config(INI, attributes={"connection": connection, "only_if_needed": True})
    made = command.revision(config, message=title, autogenerate=True)
    return Path(made.path) if isinstance(made, Script) else None


if __name__ == "__main__":
    main()
