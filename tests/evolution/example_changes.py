"""Changes of the declarations that the tests make in a copy of the source tree, and migrations that they add.

Nobody adds fields of these names to a CRM, so the tests also pass once the examples of schema/README.md were added.
"""

import json
from pathlib import Path
from typing import Any

from api.revisions import head_revision
from tests.support.source_copy import run_python

HEAD = head_revision()
STAR_SIGN = "The star sign of the person."
FIELDS = f"""
    star_sign: str | None = column("{STAR_SIGN}", index=True, default=None)
    is_left_handed: bool = column("True if the person is left-handed.", server_default="false", default=None)
    telex: str | None = column("Telex number.", deprecated="Use phone instead, until 2027-06-30", default=None)
"""
FACT_FIELD = """
    is_moonlit: bool = column("True if the moon shone.", server_default="false", default=None)
"""
KPI_DEPRECATION = "Use deals_won instead, until 2027-06-30"
WORD = """
    PIGEON = "PIGEON", "A carrier pigeon.", "Use ROLE instead, until 2027-06-30"
"""
ENTITY = '''"""Yachts of companies."""

from uuid import UUID

from schema.base import column, link
from schema.records import HistoryRecord


class Yacht(HistoryRecord, table=True):
    """A yacht that a company owns."""

    name: str = column("The name of the yacht.", unique=True)
    harbour: str | None = column("The home port of the yacht.", default=None)
    company_id: UUID | None = link(
        "company", "The owner of the yacht.", back="yachts", back_doc="The yachts of the company.", default=None
    )
'''
MIGRATION = '''"""Another change."""

import sqlalchemy as sa
from alembic import op

revision: str = "aaaaaaaaaaaa"
down_revision: str | None = "{head}"
branch_labels: str | None = None
depends_on: str | None = None
kind: str = "{kind}"
{excused}

def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    {change}


def downgrade() -> None:
    pass
'''


def write_migration(versions: Path, change: str, excused: str = "", kind: str = "expand") -> None:
    """Write a migration after the existing ones. Its downgrade does nothing."""
    text = MIGRATION.format(head=HEAD, change=change, excused=excused, kind=kind)
    (versions / "2027_01_01_another_change.py").write_text(text, encoding="utf-8")


def add_fields(tree: Path) -> None:
    """Add three columns to Contact, one of them deprecated."""
    with (tree / "schema/tables/contact.py").open("a", encoding="utf-8") as module:
        module.write(FIELDS)


def add_fact_field(tree: Path) -> None:
    """Append a required field with a default to the touchpoint."""
    with (tree / "schema/tables/touchpoint.py").open("a", encoding="utf-8") as touchpoint:
        touchpoint.write(FACT_FIELD)


def add_word(tree: Path) -> None:
    """Add a deprecated word to EmailKind."""
    vocabularies = tree / "schema/vocab.py"
    before, role, after = vocabularies.read_text(encoding="utf-8").partition('    ROLE = "ROLE"')
    line, rest = after.split("\n", 1)
    vocabularies.write_text(f"{before}{role}{line}{WORD}{rest}", encoding="utf-8")


def add_entity(tree: Path) -> None:
    """Add a table with history, and register it after the company that it links to."""
    (tree / "schema/tables/yacht.py").write_text(ENTITY, encoding="utf-8")
    registry = tree / "schema/tables/__init__.py"
    text = registry.read_text(encoding="utf-8")
    text = text.replace(
        "from schema.tables.contact ", "from schema.tables.yacht import Yacht\nfrom schema.tables.contact "
    )
    registry.write_text(text.replace("    Company,\n", "    Company,\n    Yacht,\n"), encoding="utf-8")


def deprecate_kpi(tree: Path) -> None:
    """Deprecate the KPI new_customers."""
    with (tree / "schema/kpis/volume.py").open("a", encoding="utf-8") as kpis:
        deprecated = f'replace(NEW_CUSTOMERS, deprecated="{KPI_DEPRECATION}")'
        kpis.write("\nfrom dataclasses import replace\n\n")
        kpis.write(f"KPIS = (*(kpi for kpi in KPIS if kpi is not NEW_CUSTOMERS), {deprecated})\n")


def observe_in(tree: Path, dsn: str) -> dict[str, Any]:
    """Run `observe.py` in the tree, on a database with people in it; return what it saw."""
    script = Path(__file__).with_name("observe.py")
    seen: dict[str, Any] = json.loads(run_python(tree, str(script), dsn, str(tree)))
    return seen
