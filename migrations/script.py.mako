"""${message.capitalize().rstrip(".")}.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

Rules. A migration is self-contained: it never imports the declarations, because they change later. Expand, then
contract: add nullable columns or columns with a default now, and drop or tighten in a later release. `kind` says whether
the release before still reads and writes on the migrated database: "expand", or "contract" if not. Steps that scan or index a large table belong in a migration of
their own after this one, as drafted: constraints are added `not valid` and validated there, indexes are built
`concurrently`. `make check` runs squawk on every migration; `excused = {"rule-name": "the reason"}` beside `revision`
excuses a rule.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | None = ${repr(branch_labels)}
depends_on: str | None = ${repr(depends_on)}
kind: str = "undecided"


def upgrade() -> None:
    # Sessions queue behind a migration that waits for a lock: it gives up early, and can be run again at a quieter time.
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    ${upgrades if upgrades else ""}


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    ${downgrades if downgrades else ""}
