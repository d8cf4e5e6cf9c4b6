"""A copy of the source tree to change, and programs that run in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from api.revisions import head_revision
from tests.support.sources import TOP

README = (TOP / "schema" / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```python\n# ([\w/.]+): [^\n]*\n(.*?)```", README, flags=re.DOTALL))
HEAD = head_revision()
FIELD = """
    seniority: str | None = column("How senior the person is, in the source's words.", index=True, default=None)
    is_speaker: bool = column("The person speaks at our events.", server_default="false", default=None)
    fax: str | None = column("Fax number.", deprecated="Use phone instead, until 2027-06-30", default=None)
"""
GOING = "Ask deals_won instead, until 2027-06-30"
WORD = """
    SHARED = "SHARED", "A mailbox that several people read.", "Use ROLE instead, until 2027-06-30"
"""
ENTITY = '''"""A rival: another firm that sells to the same people."""

from schema.base import HistoryRecord, column, link


class Rival(HistoryRecord, table=True):
    """Another firm that sells to the same people."""

    name: str = column("What the firm is called.", unique=True)
    domain: str | None = column("The firm's internet domain.", default=None)
    company_id: UUID | None = link(
        "company", "The firm as a company.", back="rivals", back_doc="Who rivals it.", default=None
    )
'''.replace("from schema.base", "from uuid import UUID\n\nfrom schema.base")
MIGRATION = '''"""Something else."""

import sqlalchemy as sa
from alembic import op

revision: str = "aaaaaaaaaaaa"
down_revision: str | None = "{head}"
branch_labels: str | None = None
depends_on: str | None = None
{excused}

def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    {change}


def downgrade() -> None:
    pass
'''


def put(versions: Path, change: str, excused: str = "") -> None:
    """Write a migration behind those that there are, which does one thing and undoes nothing."""
    text = MIGRATION.format(head=HEAD, change=change, excused=excused)
    (versions / "2027_01_01_something_else.py").write_text(text, encoding="utf-8")


def copy_tree(to: Path) -> Path:
    """Copy what drafting needs."""
    for part in ("api", "schema", "migrations"):
        shutil.copytree(TOP / part, to / part, ignore=shutil.ignore_patterns("node_modules", "dist", "__pycache__"))
    for name in ("alembic.ini", "pyproject.toml", ".squawk.toml"):
        shutil.copy(TOP / name, to)
    return to


def add_field(tree: Path, declaration: str = FIELD) -> None:
    """One more column of Contact."""
    with (tree / "schema/tables/contact.py").open("a", encoding="utf-8") as module:
        module.write(declaration)


def add_word(tree: Path) -> None:
    """One more word of EmailKind."""
    vocabularies = tree / "schema/vocab.py"
    before, role, after = vocabularies.read_text(encoding="utf-8").partition('    ROLE = "ROLE"')
    line, rest = after.split("\n", 1)
    vocabularies.write_text(f"{before}{role}{line}{WORD}{rest}", encoding="utf-8")


def add_entity(tree: Path) -> None:
    """One more table, registered behind the company that it links to."""
    (tree / "schema/tables/rival.py").write_text(ENTITY, encoding="utf-8")
    registry = tree / "schema/tables/__init__.py"
    text = registry.read_text(encoding="utf-8")
    text = text.replace(
        "from schema.tables.contact ", "from schema.tables.rival import Rival\nfrom schema.tables.contact "
    )
    registry.write_text(text.replace("    Company,\n", "    Company,\n    Rival,\n"), encoding="utf-8")


def follow_recipes(tree: Path) -> None:
    """Do what the recipes of schema/README.md say."""
    assert set(BLOCKS) == {
        "schema/tables/deal.py",
        "schema/tables/competitor.py",
        "schema/tables/__init__.py",
        "schema/kpis/volume.py",
    }
    (tree / "schema/tables/competitor.py").write_text(BLOCKS["schema/tables/competitor.py"])
    with (tree / "schema/tables/deal.py").open("a") as deal:
        deal.write(BLOCKS["schema/tables/deal.py"])
    with (tree / "schema/kpis/volume.py").open("a") as kpis:
        going = f'replace(NEW_CUSTOMERS, deprecated="{GOING}")'
        kpis.write(f"\nfrom dataclasses import replace\n\n{BLOCKS['schema/kpis/volume.py']}\n")
        kpis.write(f"KPIS = (*(each for each in KPIS if each is not NEW_CUSTOMERS), {going}, DEALS_CLOSED)\n")
    tables = tree / "schema/tables/__init__.py"
    registered = tables.read_text().replace("    Company,\n", "    Company,\n    Competitor,\n")
    tables.write_text(
        registered.replace(
            "from schema.tables.contact", f"{BLOCKS['schema/tables/__init__.py']}from schema.tables.contact"
        )
    )


def run(tree: Path, *words: str) -> str:
    """Run a Python program on the tree's own packages; what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", *words],
        cwd=tree,
        env=environment | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def seen_in(tree: Path, dsn: str) -> dict[str, Any]:
    """What `observe.py` sees in the tree."""
    found: dict[str, Any] = json.loads(run(tree, str(Path(__file__).with_name("observe.py")), dsn, str(tree)))
    return found
