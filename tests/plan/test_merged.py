"""People who were merged into another one: no list has them, as none has the deleted, but ids and links still do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.plan.list_arguments import Page
from api.plan.prepared_statements import prepare
from api.plan.selection import ColumnValue, Connection, OneRecord, RootField, ToMany, TotalCount
from schema.access.rights import Reach
from tests.support.graphql import answered, executed, put, refused, uid, with_personal_data
from tests.support.small_company import ACME, ADA, ANNA, BEN, CREATED, MERGED_CONTACT, write_small_company

DOUBLE, SURVIVOR = f"contact_{MERGED_CONTACT}", f"contact_{ADA}"
TOUCH = uid(79)

# Each of these counts, lists or compares contacts, and Adda among them if she is neither merged nor deleted.
LISTS = [
    "{ contacts { totalCount nodes { firstName } edges { node { firstName } } pageInfo { endCursor } } }",
    "{ contacts(first: 1, orderBy: [{lastName: DESC}, {firstName: DESC}]) { nodes { firstName } } }",
    "{ contacts(last: 1) { nodes { firstName } pageInfo { hasPreviousPage startCursor } } }",
    '{ contacts(search: "berg") { totalCount nodes { firstName } } }',
    '{ contacts(where: {lastName: {eq: "Berg"}}) { totalCount } }',
    "{ contacts(orderBy: [{stage: {rank: ASC}}]) { nodes { firstName } } }",
    "{ contacts(where: {stage: {isNull: true}}) { nodes { firstName } } }",
    "{ contacts { aggregate { count sum { leadScore } } } }",
    "{ contacts { groupBy(keys: [{lastName: EACH}]) { count key { lastName } } } }",
    "{ contacts { groupCount(keys: [{firstName: EACH}]) } }",
    '{ contacts(asOf: "2026-03-01T00:00:00Z") { totalCount nodes { firstName } } }',
    '{ search(text: "adda") { totalCount nodes { __typename } } }',
    "{ companies { nodes { name contacts { totalCount nodes { firstName } } } } }",
    '{ members { nodes { name ownedContacts(search: "berg") { totalCount aggregate { max { leadScore } } } } } }',
    "{ companies(where: {contacts: {some: {leadScore: {eq: 5}}}}) { nodes { name } } }",
    "{ companies(where: {contacts: {none: {leadScore: {eq: 5}}}}) { nodes { name } } }",
    "{ members(where: {ownedContacts: {every: {not: {leadScore: {eq: 5}}}}}) { nodes { name } } }",
    "{ companies(where: {contacts: {count: {eq: 2}}}) { nodes { name } } }",
    "{ members(where: {ownedContacts: {min: {leadScore: {eq: 5}}}}) { nodes { name } } }",
    "{ companies(where: {contacts: {where: {leadScore: {eq: 5}}, count: {eq: 1}}}) { nodes { name } } }",
    "{ companies(orderBy: [{contacts: {min: {leadScore: ASC}}}]) { edges { cursor } } }",
    "{ touchpoints(where: {contact: {company: {contacts: {some: {leadScore: {eq: 5}}}}}}) { totalCount } }",
]


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """The small company, in which Adda (Acme, Anna's) is merged into Ada (Acme, Anna's). Adda has a touchpoint."""
    async with module_database.write() as session:
        await write_small_company(session)
        touch = {"contact_id": MERGED_CONTACT, "kind": "CALL", "direction": "OUTBOUND"}
        await put(session, "touchpoint", touch | {"id": TOUCH, "occurred_at": CREATED, "recorded_at": CREATED})
    return module_database


@pytest.fixture
async def with_adda(world: Database) -> AsyncIterator[Database]:
    """The same while Adda is not merged."""
    await _set(world, "merged_into_id = null")
    yield world
    await _set(world, f"merged_into_id = '{ADA}', deleted_at = null")


async def _set(database: Database, change: str) -> None:
    async with database.write() as session:
        await session.script(f"update contact set {change} where id = '{MERGED_CONTACT}'")


@pytest.mark.parametrize("document", LISTS)
async def test_a_merged_person_is_in_no_list_like_a_deleted_one(document: str, with_adda: Database) -> None:
    unmerged = await answered(with_adda, document)
    await _set(with_adda, f"merged_into_id = '{ADA}'")
    merged = await answered(with_adda, document)
    await _set(with_adda, "merged_into_id = null, deleted_at = now()")
    assert merged == await answered(with_adda, document)
    assert merged != unmerged


async def test_a_merged_person_is_read_by_id_with_the_survivor(world: Database) -> None:
    document = """query ($id: ID!) { contact(id: $id) { ...Merged } node(id: $id) { ...Merged }
      nodes(ids: [$id]) { ...Merged } }
      fragment Merged on Contact { firstName mergedInto { firstName } touchpoints { totalCount } isCounted }"""
    adda = {
        "firstName": "Adda",
        "mergedInto": {"firstName": "Ada"},
        "touchpoints": {"totalCount": 1},
        "isCounted": False,
    }
    assert await answered(world, document, id=DOUBLE) == {"contact": adda, "node": adda, "nodes": [adda]}


async def test_links_to_a_merged_person_still_name_that_person(world: Database) -> None:
    document = """{ touchpoints(where: {contact: {firstName: {eq: "Adda"}}}) {
      nodes { contact { firstName } } groupBy(keys: [{contact: EACH}]) { key { contact { firstName } } } }
      sorted: touchpoints(first: 1, orderBy: [{contact: {firstName: DESC}}, {contact: {leadScore: ASC}}],
        where: {contact: {lastName: {eq: "Berg"}}}) { nodes { contact { firstName } } } }"""
    adda = {"contact": {"firstName": "Adda"}}
    assert await answered(world, document) == {
        "touchpoints": {"nodes": [adda], "groupBy": [{"key": adda}]},
        "sorted": {"nodes": [adda]},
    }


INCLUDED: list[tuple[str, list[str]]] = [
    ("contacts(%s)", ["Ada", "Bob", "Carl", "Adda"]),
    ('contacts(search: "adda", %s)', ["Adda"]),
    ("contacts(where: {mergedInto: {isNull: false}}, %s)", ["Adda"]),
    ("contacts(where: {mergedInto: {isNull: true}}, %s)", ["Ada", "Bob", "Carl"]),
    (f'contacts(where: {{mergedIntoId: {{eq: "{SURVIVOR}"}}}}, %s)', ["Adda"]),
    (f'contacts(where: {{mergedInto: {{id: {{eq: "{SURVIVOR}"}}}}}}, %s)', ["Adda"]),
    ('contacts(asOf: "2026-03-01T00:00:00Z", %s)', ["Ada", "Bob", "Carl", "Adda"]),
]


@pytest.mark.parametrize(("field", "names"), INCLUDED)
async def test_a_list_with_include_merged_has_them(field: str, names: list[str], world: Database) -> None:
    document = "query ($merged: Boolean) { contacts: %s { totalCount nodes { firstName } aggregate { count } } }"
    document %= field % "includeMerged: $merged"
    found = (await answered(world, document, merged=True))["contacts"]
    assert [row["firstName"] for row in found["nodes"]] == names
    assert (found["totalCount"], found["aggregate"]["count"]) == (len(names), len(names))


async def test_a_nested_list_has_the_argument_too(world: Database) -> None:
    document = """query ($id: ID!) { company(id: $id) { contacts { totalCount }
      all: contacts(includeMerged: true) { totalCount groupBy(keys: [{mergedInto: EACH}]) { count } } } }"""
    found = await answered(world, document, id=f"company_{ACME}")
    # Ada and Carl, and Adda in a group of her own.
    assert found["company"] == {
        "contacts": {"totalCount": 2},
        "all": {"totalCount": 3, "groupBy": [{"count": 1}, {"count": 2}]},
    }


async def test_the_list_of_merged_contacts_has_them_by_itself(world: Database) -> None:
    document = """query ($id: ID!) { contact(id: $id) { mergedContacts { totalCount nodes { firstName } } }
      some: contacts(where: {mergedContacts: {some: {firstName: {eq: "Adda"}}}}) { nodes { firstName } }
      counted: contacts(where: {mergedContacts: {count: {eq: 1}}}) { nodes { firstName } }
      named: contacts(where: {mergedContacts: {some: {mergedInto: {firstName: {eq: "Ada"}}}}}) { totalCount }
      sorted: contacts(first: 1, orderBy: [{mergedContacts: {count: DESC}}]) { nodes { firstName } } }"""
    ada = {"nodes": [{"firstName": "Ada"}]}
    assert await answered(world, document, id=SURVIVOR) == {
        "contact": {"mergedContacts": {"totalCount": 1, "nodes": [{"firstName": "Adda"}]}},
        "some": ada,
        "counted": ada,
        "named": {"totalCount": 1},
        "sorted": ada,
    }


@pytest.mark.parametrize(
    "field",
    [
        "contacts(where: {mergedInto: {isNull: false}})",
        "contacts(where: {not: {mergedInto: {isNull: true}}})",
        "contacts(where: {or: [{mergedIntoId: {isNull: false}}]}, includeMerged: false)",
        "companies(where: {contacts: {some: {mergedInto: {}}}})",
        "companies(where: {contacts: {where: {mergedInto: {}}, count: {gt: 0}}})",
    ],
)
async def test_a_filter_over_merges_needs_a_list_with_merged_people(field: str, world: Database) -> None:
    error = await refused(world, f"{{ {field} {{ totalCount }} }}")
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT
    assert "includeMerged: true" in error.remedy


async def test_a_merged_person_out_of_reach_stays_hidden(world: Database) -> None:
    document = """query ($id: ID!) { contact(id: $id) { firstName } contacts(includeMerged: true) { totalCount }
      touchpoints(where: {kind: {eq: CALL}}) { totalCount } }"""
    counts: dict[str, Any] = {}
    for member in (ANNA, BEN):
        found = await executed(world, document, with_personal_data(Reach.OWN, member), id=DOUBLE)
        assert found.errors is None
        counts[str(member)] = [found.data[key]["totalCount"] for key in ("contacts", "touchpoints")]
        assert (found.data["contact"] is not None) is (member == ANNA)
    assert counts == {str(ANNA): [3, 1], str(BEN): [0, 0]}


async def test_a_survivor_that_was_deleted_is_not_shown(world: Database) -> None:
    async with world.write() as session:
        await session.script(f"update contact set deleted_at = now() where id = '{ADA}'")
    try:
        document = "query ($id: ID!) { contact(id: $id) { mergedInto { firstName } } contacts { totalCount } }"
        found = await answered(world, document, LOCAL_OPERATOR, id=DOUBLE)
        assert found == {"contact": {"mergedInto": None}, "contacts": {"totalCount": 2}}
    finally:
        async with world.write() as session:
            await session.script(f"update contact set deleted_at = null where id = '{ADA}'")


CHAIN = uid(36)
_TOUCHES = ToMany("touches", "contact_id", Connection("touchpoint", Page(5), (TotalCount("count"),)))


async def test_lists_of_facts_have_those_of_merged_people_along_the_chain(world: Database) -> None:
    """Ada's lists have the facts of Adda, and of Addy, who was merged into Adda before."""
    async with world.write() as session:
        addy = {"id": CHAIN, "first_name": "Addy", "merged_into_id": MERGED_CONTACT, "effective_at": CREATED}
        await put(session, "contact", addy)
        touch = {"contact_id": CHAIN, "kind": "CALL", "direction": "OUTBOUND", "duration_seconds": 60}
        await put(session, "touchpoint", touch | {"id": uid(80), "occurred_at": CREATED, "recorded_at": CREATED})
    document = """query ($id: ID!) {
      contact(id: $id) {
        touchpoints(where: {kind: {eq: CALL}}) {
          totalCount nodes { contact { firstName } } aggregate { sum { durationSeconds } } }
        mergedContacts { nodes { firstName touchpoints { totalCount } } } }
      some: contacts(where: {touchpoints: {some: {durationSeconds: {eq: 60}}}}) { nodes { firstName } }
      none: contacts(where: {touchpoints: {none: {kind: {eq: CALL}}}}) { nodes { firstName } }
      every: contacts(where: {touchpoints: {every: {kind: {eq: FORM}}}}) { nodes { firstName } }
      counted: contacts(where: {touchpoints: {count: {eq: 5}}}) { nodes { firstName } }
      sorted: contacts(first: 1, orderBy: [{touchpoints: {count: DESC}}]) { nodes { firstName } }
      past: contacts(asOf: "2026-02-05T00:00:00Z", where: {touchpoints: {count: {eq: 5}}}) { nodes { firstName } } }"""
    others = {"nodes": [{"firstName": "Bob"}, {"firstName": "Carl"}]}
    ada = {"nodes": [{"firstName": "Ada"}]}
    found = await answered(world, document, id=SURVIVOR)
    own = found.pop("contact")
    assert own["touchpoints"] == {
        "totalCount": 2,
        "nodes": [{"contact": {"firstName": "Adda"}}, {"contact": {"firstName": "Addy"}}],
        "aggregate": {"sum": {"durationSeconds": "60"}},
    }
    assert own["mergedContacts"] == {"nodes": [{"firstName": "Adda", "touchpoints": {"totalCount": 1}}]}
    assert found == {"some": ada, "none": others, "every": others, "counted": ada, "sorted": ada, "past": ada}


def test_lists_of_facts_cost_nothing_more_while_nobody_is_merged() -> None:
    roots = (RootField("it", OneRecord("contact", ADA, (_TOUCHES,))),)
    prepared = prepare(roots, LOCAL_OPERATOR)
    assert "recursive" not in prepared.text
    assert prepared.with_merged is not None
    assert "recursive" in prepared.with_merged.text
    names = (RootField("it", OneRecord("contact", ADA, (ColumnValue("name", "first_name"),))),)
    assert prepare(names, LOCAL_OPERATOR).with_merged is None
