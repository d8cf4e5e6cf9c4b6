"""Every migration states whether it expands or contracts, and does not state that it expands if it contracts."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from alembic.script import ScriptDirectory

from api.revisions import MigrationKind, compatible_revisions, head_revision, known_revisions, revision_kind
from migrations.kinds import derived_kind
from migrations.lint import findings, kind_findings
from tests.evolution.example_changes import HEAD, write_migration

EXPANDS = (
    "set local lock_timeout = '5s'",
    "alter table contact add column star_sign text",
    "ALTER TABLE contact ADD COLUMN is_vip BOOLEAN DEFAULT false NOT NULL;",
    "alter table contact add column size int generated always as (lead_score * 2) stored not null",
    "alter table contact validate constraint ck_contact_email_kind",
    "create table pet (id uuid primary key, contact_id uuid not null references contact (id))",
    "create index concurrently ix_contact_phone on contact (phone)",
    "drop index concurrently if exists ix_new;; create index concurrently ix_new on contact (phone)",
    "create table pet (id uuid);; create unique index ix on pet (id);; alter table pet alter column id set not null",
    "comment on column contact.phone is 'to drop, or to rename: not null'",
    "create or replace function contact_history() returns trigger language plpgsql as 'begin return null; end'",
    "drop trigger contact_history_insert on contact;; create trigger contact_history_insert after insert on contact",
)
CONTRACTS = (
    "alter table contact add column star_sign text not null",
    "alter table contact drop column phone",
    "alter table contact rename column phone to telephone",
    "alter table contact rename to person",
    "alter table contact alter column phone set not null",
    "alter table contact alter column lead_score type bigint",
    "alter table contact add column a boolean default false not null;; alter table contact alter column a drop default",
    "alter table contact add column a text, drop column phone",
    "drop table handoff",
    "drop function contact_history()",
    "drop trigger contact_history_insert on contact",
    "create table pet (id uuid);; drop table handoff",
)
NOT_CERTAIN = (
    "alter table contact add column size int check (size > 0)",
    "alter table contact add constraint few check (lead_score < 100) not valid",
    "alter table contact drop constraint ck_contact_email_kind, add constraint few check (true) not valid",
    "alter table contact alter column phone drop not null",
    "alter table contact alter column is_test set default true",
    "create unique index concurrently uq_contact_phone on contact (phone)",
    "drop index concurrently ix_contact_email",
    "drop index concurrently if exists uq;; create unique index concurrently uq on contact (phone)",
    "create function check_phone() returns trigger language plpgsql as 'begin return null; end'",
    "update contact set phone = null",
    "insert into member (id) values (gen_random_uuid())",
    "do $$ begin execute 'drop table contact'; end $$",
)


@pytest.mark.parametrize("statements", EXPANDS)
def test_what_the_release_before_does_not_notice_expands(statements: str) -> None:
    assert derived_kind(statements.split(";; ")) is MigrationKind.EXPAND


@pytest.mark.parametrize("statements", CONTRACTS)
def test_what_the_release_before_may_use_and_loses_contracts(statements: str) -> None:
    assert derived_kind(statements.split(";; ")) is MigrationKind.CONTRACT


@pytest.mark.parametrize("statements", NOT_CERTAIN)
def test_everything_else_is_left_to_the_author(statements: str) -> None:
    assert derived_kind(statements.split(";; ")) is None


def test_every_migration_states_its_kind() -> None:
    assert all(revision_kind(revision) for revision in known_revisions())
    assert revision_kind(known_revisions()[-1]) is MigrationKind.CONTRACT


@pytest.mark.parametrize("kind", ["undecided", "", "Expand"])
def test_a_migration_without_a_kind_is_reported(versions: Path, kind: str) -> None:
    write_migration(versions, 'op.add_column("contact", sa.Column("a", sa.Text(), nullable=True))', kind=kind)
    (found,) = findings("aaaaaaaaaaaa")
    assert found.rule == "kind"
    assert 'Write `kind: str = "expand"`' in found.message


def test_a_migration_that_says_expand_and_contracts_is_reported_unless_it_says_why(versions: Path) -> None:
    dropped, unread = 'op.drop_column("contact", "phone")', '"ban-drop-column": "unread since 0.2.0"'
    write_migration(versions, dropped, f"excused = {{{unread}}}\n")
    assert [finding.rule for finding in findings("aaaaaaaaaaaa")] == ["kind"]
    write_migration(versions, dropped, f'excused = {{{unread}, "kind": "unread since 0.2.0"}}\n')
    assert findings("aaaaaaaaaaaa") == ()


def test_a_migration_may_say_contract_where_it_seems_to_expand(versions: Path) -> None:
    write_migration(versions, 'op.add_column("contact", sa.Column("a", sa.Text(), nullable=True))', kind="contract")
    assert list(kind_findings("aaaaaaaaaaaa", "another_change")) == []


def test_the_files_are_read_once_until_one_changes(versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(wraps=ScriptDirectory.from_config)
    monkeypatch.setattr(ScriptDirectory, "from_config", read)
    for _ in range(3):  # as readiness checks do
        assert head_revision() == HEAD
    assert read.call_count == 1
    write_migration(versions, "pass")
    assert head_revision() == "aaaaaaaaaaaa"
    assert read.call_count == 2


def test_releases_run_back_to_the_last_migration_that_contracts(versions: Path) -> None:
    write_migration(versions, "pass", kind="expand")
    assert compatible_revisions("aaaaaaaaaaaa")[-2:] == (HEAD, "aaaaaaaaaaaa")
    write_migration(versions, "pass", kind="contract")
    assert compatible_revisions("aaaaaaaaaaaa") == ("aaaaaaaaaaaa",)
    assert compatible_revisions(None) == ()
