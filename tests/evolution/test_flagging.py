"""`migrations.lint` reports migrations that lock a table in use or break the release that still runs."""

from pathlib import Path

import pytest

from migrations import lint
from migrations.lint import findings, squawk
from tests.evolution.example_changes import write_migration

BAD = {
    'op.add_column("contact", sa.Column("star_sign", sa.Text(), nullable=False))': "adding-required-field",
    'op.alter_column("contact", "phone", new_column_name="telephone")': "renaming-column",
    'op.rename_table("contact", "person")': "renaming-table",
    'op.create_index("ix_contact_phone", "contact", ["phone"])': "require-concurrent-index-creation",
    'op.drop_index("ix_contact_email", "contact")': "require-concurrent-index-deletion",
    'op.drop_column("contact", "phone")': "ban-drop-column",
    'op.drop_table("handoff")': "ban-drop-table",
    'op.alter_column("contact", "phone", nullable=False)': "adding-not-nullable-field",
    'op.alter_column("contact", "lead_score", type_=sa.BigInteger())': "changing-column-type",
    'op.create_check_constraint("few", "contact", "lead_score < 100")': "constraint-missing-not-valid",
    'op.create_foreign_key("fk_a", "contact", "member", ["owner_id"], ["id"])': "constraint-missing-not-valid",
    'op.create_unique_constraint("uq_contact_email", "contact", ["email"])': "disallowed-unique-constraint",
    'op.execute("alter table contact drop constraint ck_contact_email_kind")': "ban-drop-constraint",
}
GOOD = (
    'op.add_column("contact", sa.Column("star_sign", sa.Text(), nullable=True))',
    'op.add_column("contact", sa.Column("is_vip", sa.Boolean(), server_default=sa.text("false"), nullable=False))',
    'op.create_table("pet", sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("name", sa.Integer()))',
    '[op.execute(f"alter table deal {s}") for s in ("drop constraint a", "add constraint a unique using index b")]',
)


@pytest.mark.parametrize(("change", "rule"), BAD.items())
def test_a_migration_that_locks_or_breaks_is_reported(versions: Path, change: str, rule: str) -> None:
    write_migration(versions, change)
    found = {finding.rule: finding for finding in findings("aaaaaaaaaaaa")}
    assert found[rule].file == "2027_01_01_another_change.py"
    assert found[rule].message


@pytest.mark.parametrize("change", GOOD)
def test_a_migration_that_only_adds_is_not_reported(versions: Path, change: str) -> None:
    write_migration(versions, change)
    assert findings("aaaaaaaaaaaa") == ()


def test_a_drop_from_a_table_and_its_version_table_is_reported_once(versions: Path) -> None:
    change = '[op.drop_column(table, "phone") for table in ("contact", "contact_version")]'
    write_migration(versions, change, kind="contract")
    assert [finding.rule for finding in findings("aaaaaaaaaaaa")] == ["ban-drop-column"]


def test_a_migration_without_timeouts_is_reported() -> None:
    rules = {finding.rule for finding in squawk("begin;\nalter table contact add column a text;\ncommit;\n", "x")}
    assert rules == {"require-lock-timeout", "require-statement-timeout"}


def test_a_rule_is_excused_only_with_a_reason(versions: Path) -> None:
    dropped, excused = 'op.drop_column("contact", "phone")', 'excused = {"ban-drop-column": "unread since 0.2.0"}\n'
    write_migration(versions, dropped, excused, kind="contract")
    assert findings("aaaaaaaaaaaa") == ()
    write_migration(versions, dropped, 'excused = {"ban-drop-column": " "}\n', kind="contract")
    assert [finding.rule for finding in findings("aaaaaaaaaaaa")] == ["ban-drop-column"]


def test_the_command_fails_if_there_is_a_finding(versions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_migration(versions, 'op.drop_table("handoff")')
    with pytest.raises(SystemExit, match="1"):
        lint.main()
    assert "2027_01_01_another_change.py: ban-drop-table: " in capsys.readouterr().err


def test_the_existing_migrations_pass() -> None:
    lint.main()
