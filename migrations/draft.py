"""Draft a migration from the declarations, and refresh the contract: `make migration m="what changes"`.

The draft is the difference between what the present migrations make and what the declarations say, on a throw-away
PostgreSQL: the developer's own database plays no part in it. Read the draft before you commit it; a rename, for one,
looks like a drop and an addition. What would keep others waiting is a migration of its own behind the first.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script
from sqlalchemy import Connection

from api.cli.sdl_command import COMMITTED
from api.embedded.server import start
from api.graph.contract import sdl
from api.revisions import MIGRATIONS, known_revisions, migrate, open_connection
from migrations.lint import flagged
from migrations.statements import migration

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
    is_contract_new = refresh_contract()
    print("\n".join(told(made, is_contract_new=is_contract_new)))  # noqa: T201 - a command


def refresh_contract() -> bool:
    """Write the SDL that the declarations imply; whether it is another than before."""
    before = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    text = sdl()
    COMMITTED.write_text(text, encoding="utf-8")
    return text != before


def told(made: Sequence[Path], *, is_contract_new: bool) -> list[str]:
    """What was written, what squawk says of it, and what to commit."""
    written = [*made, COMMITTED] if is_contract_new else [*made]
    if not written:
        return ["Nothing to migrate, and the contract is as it was."]
    lines = [f"Drafted {shown(each)}" for each in made] or ["Nothing to migrate."]
    if is_contract_new:
        lines.append(f"Refreshed {shown(COMMITTED)}")
    revisions = {Path(migration(each).path).name: each for each in known_revisions()[:-1]}
    lines += [
        f"squawk flags {finding}"
        for each in made
        if each.name in revisions
        for finding in flagged(revisions[each.name])
    ]
    lines += [
        "Read what was written, then commit it together with the declaration (schema/) and a line in CHANGELOG.md:"
    ]
    return [*lines, f"  git add CHANGELOG.md schema {' '.join(shown(each) for each in made)}"]


def shown(path: Path) -> str:
    """A path as one types it here."""
    return os.path.relpath(path)


def draft(title: str) -> tuple[Path, ...]:
    """Write the migrations that the declarations need: none, one, or one and what is put off to a second."""
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


async def _draft(dsn: str, title: str) -> tuple[Path, ...]:
    if any((MIGRATIONS / "versions").glob("*.py")):
        await migrate(dsn)
    async with open_connection(dsn) as connection:
        return await connection.run_sync(_write, title)


def _write(connection: Connection, title: str) -> tuple[Path, ...]:
    config = Config(INI, attributes={"connection": connection, "only_if_needed": True})
    made = command.revision(config, message=title, autogenerate=True)
    scripts = made if isinstance(made, list) else [made]
    return tuple(Path(each.path) for each in scripts if isinstance(each, Script))


if __name__ == "__main__":
    main()
