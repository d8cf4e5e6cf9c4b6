"""${message.capitalize().rstrip(".")}.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

Rules. A migration stands for itself: it never imports the declarations, which move on. Expand, then contract: the
release before this one still runs while this is applied, so add what is new now (nullable, or with a default), and drop
or tighten in a later release. What reads or builds on a large table comes in a migration of its own behind this one, as
drafted: constraints `not valid` first and validated then, indexes `concurrently`. `make check` reads every migration
with squawk; what it flags for a good reason is excused by `excused = {"rule-name": "the reason"}` beside `revision`.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | None = ${repr(branch_labels)}
depends_on: str | None = ${repr(depends_on)}


def upgrade() -> None:
    # Who waits for a lock makes everybody behind it wait too: give up early, and be run again at a quieter time.
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    ${upgrades if upgrades else ""}


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    ${downgrades if downgrades else ""}
