"""Search: every given word begins some word of a record's names and addresses, and an index serves it."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.reading.search_value import read_search
from api.sql import Sql
from schema.access.rights import Reach
from schema.tables import SHAPES
from tests.plan.oracle.filters import matches_search, words
from tests.support.examples import examples
from tests.support.graphql import answered, executed, put, refused, uid, with_personal_data
from tests.support.statement_log import LoggingDatabase

ANNA, ACME = uid(1), uid(2)
NAMES = [
    None,
    "Ada",
    "ADA-Lena",
    "Äpfel",
    "o'Brien",
    "O\u2019Brien",
    "de la Cruz",
    "3M",
    "1e5",
    "x_y",
    "A&B <b>",
    "+49",
]
MAILS = [None, "ada.berg@acme-labs.example", "berg+news@ACME.example", "a_b@x.example", "1e5@3m.example", "%@'\\"]
ROWS: list[dict[str, Any]] = [
    {"id": uid(100 + number), "first_name": first, "last_name": last, "email": mail}
    for number, (first, last, mail) in enumerate(
        (first, last, mail) for first in NAMES for last in NAMES[::3] for mail in MAILS[:: 1 if first is None else 2]
    )
]
DOCUMENT = (
    "query ($text: String) { contacts(first: 500, search: $text) { totalCount nodes { id } aggregate { count } } }"
)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await put(session, "member", {"id": ANNA, "name": "Anna Berg", "email": "anna@us.example"})
        await put(session, "company", {"id": ACME, "name": "Acme Labs", "domain": "acme-labs.example"})
        await put(session, "contact", *({**row, "company_id": ACME, "owner_id": ANNA} for row in ROWS[::2]))
        await put(session, "contact", *ROWS[1::2])
    return module_database


def matches(text: str, row: dict[str, Any]) -> bool:
    return matches_search("contact", row, text)


TEXTS = st.one_of(
    st.text("adbergäÄl3m1e5 @._-'\"\\&|!:*()<>%+", min_size=1, max_size=12),
    st.sampled_from([text[:size] for text in NAMES + MAILS if text for size in (1, 2, 5, 40)]),
    st.tuples(st.sampled_from(["ada", "BERG", "acme"]), st.sampled_from([" la", "@x", ".exam", " 1E", "'br"])).map(
        "".join
    ),
).filter(words)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
async def test_a_search_finds_what_the_oracle_finds(world: Database, text: str) -> None:
    expected = [f"contact_{row['id']}" for row in ROWS if matches(text, row)]
    found = (await answered(world, DOCUMENT, text=text))["contacts"]
    assert [node["id"] for node in found["nodes"]] == expected
    assert found["totalCount"] == found["aggregate"]["count"] == len(expected)


async def test_a_search_combines_with_filter_order_parent_and_scope(world: Database) -> None:
    document = """{ contacts(search: "ada", where: { email: { isNull: false } }, orderBy: [{ email: DESC }], first: 1) {
        totalCount nodes { email } pageInfo { hasNextPage } }
      companies(search: "acme ex") { nodes { name contacts(search: "ÄPF ada") { totalCount } } }
      members(search: "us ber") { nodes { name } } }"""
    both = [row for row in ROWS if matches("ada", row) and row["email"] is not None]
    found = await answered(world, document)
    assert found["contacts"]["totalCount"] == len(both)
    assert found["contacts"]["nodes"] == [{"email": max(row["email"] for row in both)}]
    here = [row for row in ROWS[::2] if matches("äpf ada", row)]
    assert here
    assert found["companies"]["nodes"] == [{"name": "Acme Labs", "contacts": {"totalCount": len(here)}}]
    assert found["members"]["nodes"] == [{"name": "Anna Berg"}]
    own = await answered(world, DOCUMENT, with_personal_data(Reach.OWN, ANNA), text="ada")
    assert own["contacts"]["totalCount"] == sum(matches("ada", row) for row in ROWS[::2])


async def test_one_statement_serves_every_text_and_null_is_ignored(world: Database) -> None:
    database = LoggingDatabase(world)
    for text in ("ada", "berg acme"):
        assert (await executed(database, DOCUMENT, LOCAL_OPERATOR, text=text)).is_json
    assert len({text for text, _ in database.texts}) == 1
    assert (await answered(world, DOCUMENT, text=None))["contacts"]["totalCount"] == len(ROWS)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", ErrorCode.BAD_INPUT, "no word"),
        (" @ _ \u2013 ", ErrorCode.BAD_INPUT, "no word"),
        ("a\0b", ErrorCode.BAD_INPUT, "no stored text"),
        ("a\ud800", ErrorCode.BAD_INPUT, "no stored text"),
        ("a" * 201, ErrorCode.TOO_LARGE, "201 characters"),
    ],
)
async def test_a_text_that_cannot_be_searched_for_is_rejected(
    text: str, code: ErrorCode, message: str, world: Database
) -> None:
    error = await refused(world, DOCUMENT, text=text)
    assert isinstance(error, AccordError)
    assert error.code is code
    assert message in error.message


def test_a_word_may_have_the_maximum_length_of_a_search() -> None:
    assert read_search("\U0001d538" * 200) == ("\U0001d538" * 200,)


def test_the_searched_columns_are_names_and_addresses() -> None:
    searched = {shape.name: shape.searched for shape in SHAPES.values() if shape.searched}
    assert searched == {
        "member": ("name", "email"),
        "company": ("name", "domain"),
        "contact": ("first_name", "last_name", "email"),
        "campaign": ("name",),
        "deal": ("name",),
    }


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_of_a_search_uses_the_search_index(world: Database, mode: str) -> None:
    database = LoggingDatabase(world)
    document = "query ($text: String) { contacts(first: 1, search: $text) { totalCount nodes { firstName } } }"
    await answered(database, document, text="nobody3000")
    ((statement, values),) = database.texts
    async with world.write() as session:
        await session.run(
            Sql(
                "insert into contact (id, first_name, email) select gen_random_uuid(), 'nobody' || n, 'x@y.example'"
                " from generate_series(1, 20000) n"
            )
        )
        await session.script(f"analyze contact; set local plan_cache_mode = {mode}")
        plan = await session.connection.fetch(f"explain (analyze) {statement}", *values)
        text = "\n".join(row[0] for row in plan)
        await session.script("delete from contact where first_name like 'nobody%'")
    assert text.count("ix_contact_search") == 2, text  # for the count and for the page
    assert "Seq Scan on contact" not in text, text
