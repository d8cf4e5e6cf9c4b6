"""A new field, word and table are one declaration each; everything else is derived, on a database with people in it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.revisions import migrate, require_compatible
from api.sql import Sql
from schema.base import column, new_id, now
from tests.evolution.example_changes import (
    KPI_DEPRECATION,
    STAR_SIGN,
    add_entity,
    add_fact_field,
    add_fields,
    add_word,
    deprecate_kpi,
    observe_in,
)
from tests.support.databases import run_statements
from tests.support.source_copy import copy_source_tree, run_python

pytestmark = pytest.mark.evolution


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_source_tree(tmp_path_factory.mktemp("tree"))
    add_fields(copy)
    add_fact_field(copy)
    add_word(copy)
    add_entity(copy)
    deprecate_kpi(copy)
    return copy


@pytest.fixture(scope="module")
def output(tree: Path) -> str:
    """What the command that drafts the migration prints."""
    return run_python(tree, "-m", "migrations.draft", "add contact.star_sign and yachts", "--kind", "expand")


@pytest.fixture(scope="module")
async def seen(tree: Path, output: str, module_dsn: str) -> dict[str, Any]:  # noqa: ARG001 - drafted first
    async with Database.open(module_dsn, size=1) as database, database.write() as session:
        person = new_id()
        await session.copy("contact", ["id", "job_title"], [(person, "CEO")])
        await session.run(Sql("update contact set job_title = 'CTO'"))
        touch = (person, new_id(), now(), now() - timedelta(days=1), "CALL", "INBOUND")
        columns = ["contact_id", "id", "occurred_at", "recorded_at", "kind", "direction"]
        await session.copy("touchpoint", columns, [touch])
        await session.run(Sql("update touchpoint set kind = 'EMAIL_SENT'"))
    await run_statements(module_dsn, "analyze contact")
    return observe_in(tree, module_dsn)


def test_one_command_drafts_the_migration_rewrites_the_contract_and_lists_what_to_commit(
    tree: Path, output: str
) -> None:
    drafted = sorted(path.name for path in (tree / "migrations/versions").glob("*yachts*.py"))
    assert [name.split("_", 3)[3] for name in drafted] == [
        "add_contact_star_sign_and_yachts.py",
        "add_contact_star_sign_and_yachts_indexes_and_checks.py",
    ]
    assert all(f"Drafted migrations/versions/{name}" in output for name in drafted)
    assert "Refreshed schema/schema.graphql" in output
    assert f"git add CHANGELOG.md schema migrations/versions/{drafted[0]} migrations/versions/{drafted[1]}" in output
    assert "squawk found" not in output
    # The field, its filter and its order; in aggregates and groups: distinct values, extremes, keys, and their orders.
    assert (tree / "schema/schema.graphql").read_text(encoding="utf-8").count("starSign: ") == 13


def test_the_draft_passes_lint_and_format_checks(tree: Path, output: str) -> None:  # noqa: ARG001 - drafted first
    run_python(tree, "-m", "ruff", "check", "--no-cache", "migrations/versions")
    run_python(tree, "-m", "ruff", "format", "--no-cache", "--check", "migrations/versions")


def test_the_migrated_database_equals_the_declarations(seen: dict[str, Any]) -> None:
    assert seen["applied"] == [
        "Add contact.star_sign and yachts", "Add contact.star_sign and yachts: indexes and checks",
    ]  # fmt: skip
    assert seen["differences"] == []
    assert seen["column"] == f"text -- {STAR_SIGN}"


def test_the_field_has_history_from_its_first_change_on(seen: dict[str, Any]) -> None:
    assert seen["versions"] == [["CEO", None, False], ["CTO", None, False], ["CTO", "Gemini", True]]


def test_the_field_of_a_fact_is_kept_at_its_corrections(seen: dict[str, Any]) -> None:
    assert seen["former"] == [["CALL", False], ["EMAIL_SENT", False]]


def test_the_field_can_be_selected_filtered_and_ordered(seen: dict[str, Any]) -> None:
    assert seen["response"]["data"]["contacts"]["nodes"] == [
        {"email": "ana@acme.com", "starSign": "Libra", "isLeftHanded": True},
        {"email": None, "starSign": "Gemini", "isLeftHanded": False},
        {"email": "bo@acme.com", "starSign": "Aries", "isLeftHanded": False},
    ]


def test_the_graphql_description_of_the_field_is_its_declaration(seen: dict[str, Any]) -> None:
    docs = seen["docs"]["data"]
    for kind, fields in (("contact", "fields"), ("where", "inputFields"), ("order", "inputFields")):
        described = {field["name"]: field["description"] for field in docs[kind][fields]}
        assert described["starSign"] == STAR_SIGN
    assert f'  """{STAR_SIGN}"""\n  starSign: String\n' in seen["sdl"]


def test_a_word_is_added_to_its_check_without_reading_the_rows_under_a_lock(seen: dict[str, Any]) -> None:
    lines = seen["plan"].splitlines()
    (replaced,) = (number for number, line in enumerate(lines) if "ck_contact_email_kind" in line and "PIGEON" in line)
    assert lines[replaced].endswith(" not valid;")
    assert lines[replaced + 1].endswith("; rows left alone.")
    validated = lines.index("alter table contact validate constraint ck_contact_email_kind;")
    assert lines[validated + 1].endswith(": SHARE UPDATE EXCLUSIVE, nobody waits; scanned.")


def test_a_deprecation_is_shown_wherever_its_field_word_or_kpi_is(seen: dict[str, Any]) -> None:
    directive = '@deprecated(reason: "Use phone instead, until 2027-06-30")'
    uses = {"String": 7, "StringFilter": 1, "SortDirection": 3, "Int!": 1, "GroupByEach": 1}
    assert {name: seen["sdl"].count(f"  telex: {name} {directive}\n") for name in uses} == uses
    assert seen["sdl"].count('  PIGEON @deprecated(reason: "Use ROLE instead, until 2027-06-30")\n') == 1
    assert seen["sdl"].count(f'  NEW_CUSTOMERS @deprecated(reason: "{KPI_DEPRECATION}")\n') == 1


@pytest.mark.parametrize("reason", ["Use phone instead", "until the summer", "until 27-06-30"])
def test_a_deprecation_without_a_last_day_cannot_be_declared(reason: str) -> None:
    with pytest.raises(ValueError, match="until YYYY-MM-DD"):
        column("Telex number.", deprecated=reason, default=None)


def test_the_check_accepts_the_new_word(seen: dict[str, Any]) -> None:
    assert seen["stored_words"] == ["PIGEON"]


def test_a_preset_and_the_sample_can_fill_the_field(seen: dict[str, Any]) -> None:
    assert seen["imported"]["contact"] == 2
    assert {"star_sign", "is_left_handed"} <= set(seen["sample_columns"])


def test_the_entity_can_be_imported_queried_and_is_described(seen: dict[str, Any]) -> None:
    assert seen["imported"]["yacht"] == 2
    assert seen["triggers"] == ["yacht_history_insert", "yacht_history_update"]
    (seagull,) = seen["response"]["data"]["yachts"]["nodes"]
    assert (seagull["name"], seagull["company"], seen["response"]["data"]["yachts"]["totalCount"]) == (
        "Seagull",
        None,
        1,
    )
    assert seagull["id"].startswith("yacht_")
    assert seen["docs"]["data"]["yacht"]["description"] == "A yacht that a company owns."
    assert all(field["description"] for field in seen["docs"]["data"]["yacht"]["fields"])


def test_the_plan_shows_the_sql_the_locks_and_who_waits(seen: dict[str, Any]) -> None:
    lines = seen["plan"].splitlines()
    assert lines[0].endswith("2 migrations would run, to revision " + seen["newest"] + ". Nothing was run.")
    added = lines.index("ALTER TABLE contact ADD COLUMN star_sign TEXT;")
    assert lines[added + 1].startswith("--   contact (about 1 rows, ")
    assert lines[added + 1].endswith(": ACCESS EXCLUSIVE, reads and writes wait; rows left alone.")
    built = next(
        number for number, line in enumerate(lines) if line.startswith("CREATE INDEX CONCURRENTLY ix_contact_star_sign")
    )
    assert lines[built + 1].endswith(": SHARE UPDATE EXCLUSIVE, nobody waits; scanned.")
    assert not any(line.startswith("--   yacht") for line in lines)
    assert not any("rewritten" in line for line in lines)


def test_going_back_keeps_the_earlier_columns(seen: dict[str, Any]) -> None:
    assert seen["undone"] == list(reversed(seen["applied"]))
    assert seen["kept"] == [["CEO", False], ["CTO", False]]


async def test_the_release_before_accepts_the_expanded_database_and_does_not_migrate_it(
    seen: dict[str, Any], module_dsn: str
) -> None:
    async with Database.open(module_dsn, size=1) as database:
        await require_compatible(database)
    done = await migrate(module_dsn)
    assert (done.steps, done.revision) == ((), seen["newest"])
    with pytest.raises(AccordError, match=seen["newest"]) as refused:
        await migrate(module_dsn, to="base", may_go_back=True)
    assert refused.value.code is ErrorCode.DATABASE_NEWER
