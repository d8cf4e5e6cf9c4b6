"""Search over several types: which records are found, in which order, and how fast they are found."""

import base64
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.derived.search_types import searched_shapes
from api.plan.search.words import searched_names
from api.sql import Sql
from schema.access.rights import Reach
from schema.tables import SHAPES
from tests.plan.generated.rows import all_rows
from tests.plan.oracle.records import Records
from tests.plan.oracle.search_results import TABLES, ranked_results
from tests.plan.oracle.shapes import Rows
from tests.support.examples import examples
from tests.support.graphql import answered, executed, put, refused, uid, with_personal_data
from tests.support.statement_log import LoggingDatabase

ANNA, BEN, ACME = uid(1), uid(2), uid(3)
NAMES = ["Acme", "acme labs", "Acmeda", "Ada", "Ada Berg", "Berg Adams", "Labs-ACME", "O'Brien", "x"]
MAILS = [None, "acme@berg.example", "ada.berg@acme.example", "labs@x.example"]
PAGE = """query ($text: String!, $types: [SearchType!], $first: Int, $after: String) {
  search(text: $text, types: $types, first: $first, after: $after) {
    totalCount nodes { ... on Node { id } } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""


class World:
    """A database and its rows. Not a dataclass, because Hypothesis would print all rows."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    owners = [None, ANNA, BEN]
    async with module_database.write() as session:
        await put(session, "member", {"id": ANNA, "name": "Anna Berg", "email": "ada@us.example"})
        await put(session, "member", {"id": BEN, "name": "Ben Acme", "email": "labs@us.example"})
        for number, name in enumerate(NAMES):
            shared = {"name": name, "owner_id": owners[number % 3]}
            await put(session, "company", {"id": uid(100 + number), "domain": f"{name[:3].lower()}.example", **shared})
            await put(session, "deal", {"id": uid(200 + number), **shared})
            await put(session, "campaign", {"id": uid(300 + number), "name": f"{name} launch"})
            for place, mail in enumerate(MAILS):
                first, _, last = name.partition(" ")
                person = {"first_name": first, "last_name": last or None, "email": mail}
                owner = owners[(number + place) % 3]
                await put(session, "contact", {"id": uid(400 + 10 * number + place), "owner_id": owner, **person})
        for table in ("contact", "company", "deal"):
            await session.script(f"update {table} set deleted_at = now() where id::text like '%1'")
    return World(module_database, await all_rows(module_database))


WORDS = st.lists(
    st.sampled_from(["a", "ac", "ACME", "ada", "berg", "ber", "lab", "labs", "example", "launch", "zz", "b"]),
    min_size=1,
    max_size=2,
)
TYPES = st.none() | st.lists(st.sampled_from([table.upper() for table in TABLES]), min_size=1, max_size=4)
PRINCIPALS = [LOCAL_OPERATOR, with_personal_data(Reach.OWN, ANNA), with_personal_data(Reach.TEAM, BEN)]


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, types=TYPES, size=st.integers(1, 30), principal=st.sampled_from(PRINCIPALS))
async def test_all_pages_together_are_the_results_of_the_oracle(
    world: World, words: list[str], types: list[str] | None, size: int, principal: Principal
) -> None:
    text = " ".join(words)
    expected = [f"{table}_{row['id']}" for table, row in ranked_results(Records(world.rows, principal), text, types)]
    walked: list[str] = []
    after: str | None = None
    while True:
        variables = {"text": text, "types": types, "first": size, "after": after}
        page = (await answered(world.database, PAGE, principal, **variables))["search"]
        assert page["totalCount"] == len(expected)
        assert page["pageInfo"]["hasPreviousPage"] == bool(walked)
        walked += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
    assert walked == expected


async def test_whole_words_of_names_come_before_beginnings_and_these_before_addresses(world: World) -> None:
    document = """{ search(text: "acme", types: [CONTACT, COMPANY], first: 100) { nodes {
      ... on Contact { firstName lastName email } ... on Company { companyName: name } } } }"""
    found = (await answered(world.database, document))["search"]["nodes"]
    names = [
        " ".join(filter(None, (node.get("firstName"), node.get("lastName"), node.get("companyName")))) for node in found
    ]
    ranks = [0 if "acme" in name.lower().replace("-", " ").split() else 1 if "Acmeda" in name else 2 for name in names]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2}
    kinds = ["companyName" in node for node, rank in zip(found, ranks, strict=True) if rank == 0]
    assert kinds == sorted(kinds)


async def test_one_statement_serves_every_text_and_the_executor_returns_the_same(world: World) -> None:
    database = LoggingDatabase(world.database)
    selected = """search(text: $text) { __typename nodes { __typename ... on SearchResult { ... on Deal { id } } }
      edges { node { ... on Member { name } ... on Node { id } } } }"""
    for text in ("acme", "ada b"):
        outcome = await executed(database, f"query ($text: String!) {{ {selected} }}", LOCAL_OPERATOR, text=text)
        assert outcome.is_json
        assert len(outcome.data["search"]["edges"]) > 2
        beside = await executed(
            world.database, f"query ($text: String!) {{ kpiCatalogue {{ key }} {selected} }}", LOCAL_OPERATOR, text=text
        )
        assert not beside.is_json
        assert beside.data["search"] == outcome.data["search"]
    assert len({text for text, _ in database.texts}) == 1


async def _cursor(world: World, **variables: object) -> str:
    page: dict[str, Any] = (await answered(world.database, PAGE, first=1, **variables))["search"]
    cursor: str = page["pageInfo"]["endCursor"]
    return cursor


def cursor_text(*parts: object) -> str:
    return base64.b64encode(orjson.dumps(parts)).decode()


DIGEST = sha256(b"acme").hexdigest()[:16]
FORGED = {
    "a rank that deals do not have": cursor_text("search deal", DIGEST, 2, 0, str(uid(200))),
    "a table that is not searched": cursor_text("search deal", DIGEST, 0, 1, str(uid(200))),
    "no id": cursor_text("search deal", DIGEST, 0, 0, 7),
    "no list": "bm90aGluZw==",
    "no base64": "x",
}


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED)
async def test_a_forged_cursor_is_rejected(cursor: str, world: World) -> None:
    error = await refused(world.database, PAGE, text="acme", types=["DEAL"], after=cursor)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert "is not a cursor of this search" in error.message


@pytest.mark.parametrize(
    "other", [{"text": "ada"}, {"text": "acme", "types": ["DEAL"]}, {"text": "acme", "types": ["CONTACT", "DEAL"]}]
)
async def test_a_cursor_of_another_search_is_rejected(other: dict[str, object], world: World) -> None:
    cursor = await _cursor(world, text="acme")
    assert (await answered(world.database, PAGE, text="ACME", after=cursor))["search"]["nodes"]
    error = await refused(world.database, PAGE, **other, after=cursor)
    assert isinstance(error, AccordError)
    assert "is not a cursor of this search" in error.message


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('text: ""', ErrorCode.BAD_INPUT, "no word"),
        ('text: "a", types: []', ErrorCode.BAD_INPUT, "leaves nothing to search"),
        ('text: "a", first: -1', ErrorCode.BAD_INPUT, "negative number"),
        ('text: "a", first: 501', ErrorCode.TOO_LARGE, "more than a page holds"),
    ],
)
async def test_an_invalid_argument_is_rejected(arguments: str, code: ErrorCode, message: str, world: World) -> None:
    error = await refused(world.database, f"{{ search({arguments}) {{ totalCount }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert message in error.message


def test_every_table_with_searched_columns_is_a_type() -> None:
    assert {shape.name for shape in searched_shapes()} == {"member", "company", "contact", "campaign", "deal"}
    assert searched_names("contact") == ("first_name", "last_name")
    assert searched_names("deal") == SHAPES["deal"].searched


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_every_rank_is_read_by_an_index_and_only_if_the_page_needs_it(world: World, mode: str) -> None:
    database = LoggingDatabase(world.database)
    document = "query ($text: String!) { search(text: $text, types: [CONTACT], first: 1) { nodes { __typename } } }"
    await answered(database, document, text="nobody3")
    ((statement, values),) = database.texts
    async with world.database.write() as session:
        await session.run(
            Sql(
                "insert into contact (id, first_name, email) select gen_random_uuid(), 'nobody' || n, 'x@y.example'"
                " from generate_series(1, 20000) n"
            )
        )
        await session.script(f"analyze contact; set local plan_cache_mode = {mode}")
        plan = await session.connection.fetch(f"explain (analyze, costs off) {statement}", *values)
        text = "\n".join(row[0] for row in plan)
        await session.script("delete from contact where first_name like 'nobody%'")
    assert "Seq Scan on contact" not in text, text
    assert text.count("ix_contact_name_search") == 4, text  # whole words, beginnings, and what each excludes
    assert "ix_contact_search (never executed)" in text.replace("Bitmap Index Scan on ", ""), text
