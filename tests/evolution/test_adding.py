"""A field and an entity are one declaration each: everything else follows, on a database with people in it."""

from pathlib import Path
from typing import Any

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.revisions import migrate, require_current
from api.sql import Sql
from schema.base import column, new_id
from tests.conftest import command
from tests.evolution.scratch import GOING, add_entity, add_field, add_word, copy_tree, follow_recipes, run, seen_in

SENIORITY = "How senior the person is, in the source's words."


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copy_tree(tmp_path_factory.mktemp("tree"))
    add_field(made)
    add_word(made)
    add_entity(made)
    follow_recipes(made)
    return made


@pytest.fixture(scope="module")
def said(tree: Path) -> str:
    """What the one command prints."""
    return run(tree, "-m", "migrations.draft", "add contact.seniority and rivals")


@pytest.fixture(scope="module")
async def seen(tree: Path, said: str, module_dsn: str) -> dict[str, Any]:  # noqa: ARG001 - drafted first
    async with Database.open(module_dsn, size=1) as database, database.write() as session:
        await session.copy("contact", ["id", "job_title"], [(new_id(), "CEO")])
        await session.run(Sql("update contact set job_title = 'CTO'"))
    await command(module_dsn, "analyze contact")
    return seen_in(tree, module_dsn)


def test_one_command_drafts_refreshes_the_contract_and_says_what_to_commit(tree: Path, said: str) -> None:
    drafted = sorted(path.name for path in (tree / "migrations/versions").glob("*rivals*.py"))
    assert [name.split("_", 3)[3] for name in drafted] == [
        "add_contact_seniority_and_rivals.py",
        "add_contact_seniority_and_rivals_indexes_and_checks.py",
    ]
    assert all(f"Drafted migrations/versions/{name}" in said for name in drafted)
    assert "Refreshed schema/schema.graphql" in said
    assert f"git add CHANGELOG.md schema migrations/versions/{drafted[0]} migrations/versions/{drafted[1]}" in said
    assert "squawk flags" not in said
    # The field, its filter and its order; of figures and groups: values told apart, extremes, keys, and their orders.
    assert (tree / "schema/schema.graphql").read_text(encoding="utf-8").count("seniority: ") == 9


def test_the_draft_passes_the_checks_as_it_is(tree: Path, said: str) -> None:  # noqa: ARG001 - drafted first
    run(tree, "-m", "ruff", "check", "--no-cache", "migrations/versions")
    run(tree, "-m", "ruff", "format", "--no-cache", "--check", "migrations/versions")


def test_the_draft_makes_what_the_declarations_say(seen: dict[str, Any]) -> None:
    assert seen["applied"] == [
        "Add contact.seniority and rivals", "Add contact.seniority and rivals: indexes and checks",
    ]  # fmt: skip
    assert seen["differences"] == []
    assert seen["column"] == f"text -- {SENIORITY}"


def test_the_recipes_of_the_readme_work(tree: Path, seen: dict[str, Any]) -> None:
    drafted = "".join(path.read_text(encoding="utf-8") for path in (tree / "migrations/versions").glob("*rivals*.py"))
    for expected in ('"competitor"', "FUNCTION deal_history", 'add_column(\n        "deal_version"', "ix_deal_region"):
        assert expected in drafted
    for expected in ("type Competitor ", "competitors(", "  region: String", "  deals_closed\n"):
        assert expected in seen["sdl"]


def test_the_field_has_history_from_its_first_change_on(seen: dict[str, Any]) -> None:
    assert seen["versions"] == [["CEO", None, False], ["CTO", None, False], ["CTO", "C level", True]]


def test_the_field_is_asked_for_filtered_by_and_sorted_by(seen: dict[str, Any]) -> None:
    assert seen["answer"]["data"]["contacts"]["nodes"] == [
        {"email": "ana@acme.com", "seniority": "Director", "isSpeaker": True},
        {"email": None, "seniority": "C level", "isSpeaker": False},
        {"email": "bo@acme.com", "seniority": "Assistant", "isSpeaker": False},
    ]


def test_graphiqls_docs_tell_the_field_by_its_declaration(seen: dict[str, Any]) -> None:
    docs = seen["docs"]["data"]
    for kind, fields in (("contact", "fields"), ("where", "inputFields"), ("order", "inputFields")):
        described = {each["name"]: each["description"] for each in docs[kind][fields]}
        assert described["seniority"] == SENIORITY
    assert f'  """{SENIORITY}"""\n  seniority: String\n' in seen["sdl"]


def test_a_word_is_added_to_its_check_without_reading_the_rows_under_a_lock(seen: dict[str, Any]) -> None:
    lines = seen["plan"].splitlines()
    (replaced,) = (
        number for number, line in enumerate(lines) if "ck_contact_email_kind" in line and "'SHARED'" in line
    )
    assert lines[replaced].endswith(" not valid;")
    assert lines[replaced + 1].endswith("; rows left alone.")
    proven = lines.index("alter table contact validate constraint ck_contact_email_kind;")
    assert lines[proven + 1].endswith(": SHARE UPDATE EXCLUSIVE, nobody waits; scanned.")


def test_a_deprecation_is_told_wherever_its_field_word_or_kpi_is(seen: dict[str, Any]) -> None:
    told = '@deprecated(reason: "Use phone instead, until 2027-06-30")'
    places = {"String": 3, "StringFilter": 1, "SortDirection": 3, "Int!": 1, "Each": 1}
    assert {each: seen["sdl"].count(f"  fax: {each} {told}\n") for each in places} == places
    assert seen["sdl"].count('  SHARED @deprecated(reason: "Use ROLE instead, until 2027-06-30")\n') == 1
    assert seen["sdl"].count(f'  new_customers @deprecated(reason: "{GOING}")\n') == 1


@pytest.mark.parametrize("reason", ["Use phone instead", "until the summer", "until 27-06-30"])
def test_a_deprecation_without_a_day_cannot_be_declared(reason: str) -> None:
    with pytest.raises(ValueError, match="until YYYY-MM-DD"):
        column("Fax number.", deprecated=reason, default=None)


def test_a_preset_and_the_sample_can_fill_the_field(seen: dict[str, Any]) -> None:
    assert seen["imported"]["contact"] == 2
    assert seen["factory"]


def test_the_entity_is_imported_asked_for_and_told(seen: dict[str, Any]) -> None:
    assert seen["imported"]["rival"] == 2
    assert seen["triggers"] == ["rival_history_insert", "rival_history_update"]
    (hooli,) = seen["answer"]["data"]["rivals"]["nodes"]
    assert (hooli["name"], hooli["company"], seen["answer"]["data"]["rivals"]["totalCount"]) == ("Hooli", None, 1)
    assert hooli["id"].startswith("rival_")
    assert seen["docs"]["data"]["rival"]["description"] == "Another firm that sells to the same people."
    assert all(each["description"] for each in seen["docs"]["data"]["rival"]["fields"])


def test_the_plan_tells_the_sql_and_whom_it_keeps_waiting(seen: dict[str, Any]) -> None:
    lines = seen["plan"].splitlines()
    assert lines[0].endswith("2 migrations would run, to revision " + seen["newest"] + ". Nothing was run.")
    added = lines.index("ALTER TABLE contact ADD COLUMN seniority TEXT;")
    assert lines[added + 1].startswith("--   contact (about 1 rows, ")
    assert lines[added + 1].endswith(": ACCESS EXCLUSIVE, reads and writes wait; rows left alone.")
    built = next(
        number for number, line in enumerate(lines) if line.startswith("CREATE INDEX CONCURRENTLY ix_contact_s")
    )
    assert lines[built + 1].endswith(": SHARE UPDATE EXCLUSIVE, nobody waits; scanned.")
    assert not any(line.startswith("--   rival") for line in lines)
    assert not any("rewritten" in line for line in lines)


def test_going_back_keeps_what_was_there_before(seen: dict[str, Any]) -> None:
    assert seen["undone"] == list(reversed(seen["applied"]))
    assert seen["kept"] == [["CEO", False], ["CTO", False]]


async def test_the_release_before_refuses_the_newer_database(seen: dict[str, Any], module_dsn: str) -> None:
    async with Database.open(module_dsn, size=1) as database:
        with pytest.raises(AccordError, match=seen["newest"]) as refused:
            await require_current(database)
    assert refused.value.code is ErrorCode.DATABASE_NEWER
    with pytest.raises(AccordError, match="newer Accord"):
        await migrate(module_dsn)
