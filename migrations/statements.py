"""A migration as the SQL it runs, written out without a database: for `accord migrate --plan`, and for squawk."""

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
    """Keeps what Alembic writes apart: it writes one statement at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str, /) -> int:
        self.pieces.append(text.strip())
        return super().write(text)


def statements(revision: str, *, is_upgrade: bool = True) -> tuple[Statement, ...]:
    """What a migration itself says, one statement after the other, without Alembic's own bookkeeping."""
    found: list[Statement] = []
    is_inside = False
    for piece in _written(revision, is_upgrade=is_upgrade):
        if piece in ("BEGIN;", "COMMIT;"):
            is_inside = piece == "BEGIN;"
        elif piece and not piece.startswith("--") and "alembic_version" not in piece:
            found.append(Statement(piece, is_inside))
    return tuple(found)


def script(revision: str) -> str:
    """A migration forwards as one SQL text, with its transactions."""
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
    """The file of a revision."""
    found = ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    if found is None:
        raise ValueError(f"there is no revision {revision}")
    return found
