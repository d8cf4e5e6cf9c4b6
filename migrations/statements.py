"""The SQL that a migration runs, generated without a database for `accord migrate --plan` and for squawk."""

import io
from dataclasses import dataclass

from alembic import command
from alembic.script import Script, ScriptDirectory

from api.revisions import alembic_config


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a migration, and whether it runs inside the migration's transaction."""

    text: str
    is_in_transaction: bool


class _Pieces(io.StringIO):
    """A buffer that keeps each write as a piece of its own: Alembic writes one statement at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        self.pieces.append(text.strip())
        return super().write(text)


def statements(revision: str, *, is_upgrade: bool = True) -> tuple[Statement, ...]:
    """Return the statements of a migration in their order, without those that update Alembic's own table."""
    found: list[Statement] = []
    is_inside = False
    for piece in _written(revision, is_upgrade=is_upgrade):
        if piece in ("BEGIN;", "COMMIT;"):
            is_inside = piece == "BEGIN;"
        elif piece and not piece.startswith("--") and "alembic_version" not in piece:
            found.append(Statement(piece, is_inside))
    return tuple(found)


def script(revision: str) -> str:
    """Return the upgrade of a migration as one SQL text, `begin` and `commit` included."""
    return "\n\n".join(_written(revision, is_upgrade=True)) + "\n"


def _written(revision: str, *, is_upgrade: bool) -> list[str]:
    step = migration(revision)
    before = step.down_revision or "base"
    pieces = _Pieces()
    if is_upgrade:
        command.upgrade(alembic_config(output=pieces), f"{before}:{revision}", sql=True)
    else:
        command.downgrade(alembic_config(output=pieces), f"{revision}:{before}", sql=True)
    return pieces.pieces


def migration(revision: str) -> Script:
    """Load the file of a revision; ValueError if there is none."""
    found = ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    if found is None:
        raise ValueError(f"There is no revision {revision}.")
    return found
