"""Draft a migration from the declarations and rewrite the SDL: `make migration m="what changes"`.

The draft is the difference between the existing migrations and the declarations, computed on a temporary PostgreSQL
server; the developer's own database is not used. Whether a migration expands or contracts is derived from its
statements; where that is not certain, the author has to state it. Review a draft before committing it: a renamed
column, for example, is drafted as a drop and an addition. Steps that would block other sessions are drafted as a second
migration.
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

from api.embedded.server import start
from api.graph.contract import sdl
from api.revisions import MIGRATIONS, MigrationKind, known_revisions, migrate, open_connection
from migrations.kinds import derived_kind
from migrations.lint import findings
from migrations.statements import migration, statements

INI = MIGRATIONS.parent / "alembic.ini"
SDL_FILE = MIGRATIONS.parent / "schema" / "schema.graphql"
UNDECIDED = 'kind: str = "undecided"'


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m migrations.draft", description="Draft a migration.")
    parser.add_argument("title", help="what changes, such as 'add contact.seniority'")
    parser.add_argument(
        "--kind", type=MigrationKind, choices=list(MigrationKind), help="whether it expands or contracts"
    )
    arguments = parser.parse_args()
    if not arguments.title:
        parser.error("the title is missing. Name what changes: make migration m='add contact.seniority'")
    drafted = draft(arguments.title)
    state_kinds(drafted, arguments.kind)
    is_contract_new = refresh_contract()
    print("\n".join(report(drafted, is_contract_new=is_contract_new)))  # noqa: T201 - a command


def refresh_contract() -> bool:
    """Write the SDL that follows from the declarations; return whether it changed."""
    before = SDL_FILE.read_text(encoding="utf-8") if SDL_FILE.exists() else ""
    text = sdl()
    SDL_FILE.write_text(text, encoding="utf-8")
    return text != before


def report(drafted: Sequence[Path], *, is_contract_new: bool) -> list[str]:
    """Return the lines to print: the files written, what squawk finds in them, and the files to commit."""
    if not drafted and not is_contract_new:
        return ["Nothing to migrate, and the contract is unchanged."]
    lines = [f"Drafted {relative(path)}" for path in drafted] or ["Nothing to migrate."]
    if is_contract_new:
        lines.append(f"Refreshed {relative(SDL_FILE)}")
    revisions = {Path(migration(revision).path).name: revision for revision in known_revisions()[:-1]}
    lines += [
        f"squawk found {finding}"
        for path in drafted
        if path.name in revisions
        for finding in findings(revisions[path.name])
    ]
    lines += [
        f'{relative(path)} does not state its kind: write "expand" if the release before still reads and writes on the'
        ' migrated database, else "contract" (or draft it with kind=expand or kind=contract)'
        for path in drafted
        if UNDECIDED in path.read_text(encoding="utf-8")
    ]
    lines.append("Review these files, then commit them with the declaration (schema/) and a line in CHANGELOG.md:")
    return [*lines, f"  git add CHANGELOG.md schema {' '.join(relative(path) for path in drafted)}".rstrip()]


def state_kinds(drafted: Sequence[Path], given: MigrationKind | None) -> None:
    """Write the given kind into drafted migrations, or else the one that follows from the statements of each.

    Where neither is there, the migration stays undecided.
    """
    names = {path.name: path for path in drafted}
    for revision in known_revisions():
        step = migration(revision)
        path = names.get(Path(step.path).name)
        if path is None:
            continue
        derived = derived_kind(statement.text for statement in statements(revision))
        if kind := given or derived:
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(UNDECIDED, f'kind: str = "{kind}"'), encoding="utf-8")


def relative(path: Path) -> str:
    """Return a path relative to the current folder."""
    return os.path.relpath(path)


def draft(title: str) -> tuple[Path, ...]:
    """Write the migrations that the declarations need: none, one, or two if steps are deferred to a second."""
    with tempfile.TemporaryDirectory(prefix="accord-draft-", ignore_cleanup_errors=True) as folder:
        server = start(Path(folder), is_durable=False)
        try:
            return asyncio.run(_draft(server.dsn(), title))
        finally:
            server.close()


async def _draft(dsn: str, title: str) -> tuple[Path, ...]:
    await migrate(dsn)
    async with open_connection(dsn) as connection:
        return await connection.run_sync(_write, title)


def _write(connection: Connection, title: str) -> tuple[Path, ...]:
    config = Config(INI, attributes={"connection": connection, "only_if_needed": True})
    revision = command.revision(config, message=title, autogenerate=True)
    scripts = revision if isinstance(revision, list) else [revision]
    return tuple(Path(script.path) for script in scripts if isinstance(script, Script))


if __name__ == "__main__":
    main()
