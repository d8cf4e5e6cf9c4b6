"""The present stage of contacts: selected, filtered, sorted and grouped, in lists and through links."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from tests.support.accords import accord_row
from tests.support.graphql import answered, put, refused, uid

START = datetime(2026, 1, 1, tzinfo=UTC)
VERSION, RUN, ACME = uid(1), uid(2), uid(3)
ADA, BOB, CY, DOT, EVE = (uid(number) for number in range(11, 16))
NAMES = {ADA: "Ada", BOB: "Bob", CY: "Cy", DOT: "Dot", EVE: "Eve"}
AGREED = {
    "stages": [
        {"key": "lead", "title": "Lead", "group": "Suspect"},
        {"key": "mql", "title": "MQL", "group": "Prospect"},
        {"key": "buyer", "title": "Buyer", "group": "Customer"},
    ]
}


@pytest.fixture(scope="module")
async def database(module_database: Database) -> Database:
    """Insert five people: Ada and Bob are MQLs, Cy is a buyer and an MQL again, Dot a lead, and Eve has left."""
    async with module_database.write() as session:
        version = accord_row(AGREED, id=VERSION)
        await put(session, "accord_version", version)
        run = {"id": RUN, "reading": "IN_FORCE", "accord_version_id": VERSION, "is_current": True}
        await put(session, "evaluation", run | {"started_at": START, "finished_at": START})
        await put(session, "company", {"id": ACME, "name": "Acme"})
        for contact, first_name in NAMES.items():
            await put(session, "contact", {"id": contact, "first_name": first_name, "company_id": ACME})
            touch = {"id": contact, "contact_id": contact, "kind": "FORM", "direction": "INBOUND"}
            await put(session, "touchpoint", touch | {"occurred_at": START})
        await put(
            session,
            "stage_entry",
            entry(ADA, "lead", 1, 1, until=3),
            entry(ADA, "mql", 2, 3),
            entry(BOB, "mql", 2, 5),
            entry(CY, "buyer", 3, 2),
            entry(CY, "mql", 2, 6) | {"present_at": None},
            entry(DOT, "lead", 1, 4),
            entry(EVE, "mql", 2, 1, until=2),
        )
    return module_database


def entry(contact: object, stage: str, rank: int, day: int, until: int | None = None) -> dict[str, object]:
    at = START + timedelta(days=day)
    left = {} if until is None else {"exited_at": START + timedelta(days=until), "exit_kind": "DEAL_LOST"}
    key = {"contact_id": contact, "evaluation_id": RUN, "accord_version_id": VERSION, "stage": stage, "occurrence": 1}
    return key | {"rank": rank, "entered_at": at, "present_at": at, "is_implied": False} | left


async def names(database: Database, arguments: str) -> list[str]:
    data = await answered(database, f"{{ contacts({arguments}) {{ nodes {{ firstName }} }} }}")
    return [node["firstName"] for node in data["contacts"]["nodes"]]


async def test_the_stage_of_a_person_is_the_highest_open_one(database: Database) -> None:
    data = await answered(database, "{ contacts { nodes { firstName stage { key title rank group occurrence } } } }")
    stages = {node["firstName"]: node["stage"] for node in data["contacts"]["nodes"]}
    buyer = {"key": "buyer", "title": "Buyer", "rank": 3, "group": "Customer", "occurrence": 1}
    assert stages["Cy"] == buyer
    assert stages["Eve"] is None
    assert [stages[name]["key"] for name in ("Ada", "Bob", "Dot")] == ["mql", "mql", "lead"]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ('key: { eq: "mql" }', ["Ada", "Bob"]),
        ('key: { in: ["lead", "buyer"] }', ["Cy", "Dot"]),
        ("rank: { gte: 2 }", ["Ada", "Bob", "Cy"]),
        ('group: { eq: "Prospect" }', ["Ada", "Bob"]),
        ('group: { in: ["Suspect", "Customer"] }, rank: { gt: 1 }', ["Cy"]),
        ("group: { isNull: true }", []),
        ('key: { eq: "mql" }, since: { gte: "2026-01-05T00:00:00Z" }', ["Bob"]),
        ("isNull: true", ["Eve"]),
        ("isNull: false", ["Ada", "Bob", "Cy", "Dot"]),
        ("", ["Ada", "Bob", "Cy", "Dot"]),
        ('isNull: true, key: { eq: "mql" }', []),
    ],
)
async def test_people_are_filtered_by_their_stage(database: Database, stage: str, expected: list[str]) -> None:
    assert await names(database, f"where: {{ stage: {{ {stage} }} }}") == expected
    others = await names(database, f"where: {{ not: {{ stage: {{ {stage} }} }} }}")
    assert others == [name for name in NAMES.values() if name not in expected]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("{ stage: { rank: DESC } }, { stage: { since: DESC } }", ["Cy", "Bob", "Ada", "Dot", "Eve"]),
        ("{ stage: { rank: ASC } }, { stage: { since: ASC } }", ["Dot", "Ada", "Bob", "Cy", "Eve"]),
        ("{ stage: { since: DESC_NULLS_FIRST } }", ["Eve", "Bob", "Dot", "Ada", "Cy"]),
        ("{ stage: { key: ASC } }, { firstName: DESC }", ["Cy", "Dot", "Bob", "Ada", "Eve"]),
    ],
)
async def test_people_are_sorted_by_their_stage_and_paged(database: Database, order: str, expected: list[str]) -> None:
    assert await names(database, f"orderBy: [{order}]") == expected
    for first in (1, 2, 4):
        found: list[str] = []
        after = "null"
        while after:
            document = (
                f"{{ contacts(first: {first}, after: {after}, orderBy: [{order}])"
                " { nodes { firstName } pageInfo { hasNextPage endCursor } } }"
            )
            page: Any = (await answered(database, document))["contacts"]
            found += [node["firstName"] for node in page["nodes"]]
            after = f'"{page["pageInfo"]["endCursor"]}"' if page["pageInfo"]["hasNextPage"] else ""
        assert found == expected
    assert await names(database, f"last: 2, orderBy: [{order}]") == expected[-2:]


async def test_groups_of_people_follow_the_rank_of_their_stage(database: Database) -> None:
    groups = "{ key { stage { key title rank group } } count }"
    data = await answered(database, f"{{ contacts {{ groupBy(keys: [{{ stage: EACH }}]) {groups} }} }}")
    found = [(group["key"]["stage"], group["count"]) for group in data["contacts"]["groupBy"]]
    assert found == [
        ({"key": "lead", "title": "Lead", "rank": 1, "group": "Suspect"}, 1),
        ({"key": "mql", "title": "MQL", "rank": 2, "group": "Prospect"}, 2),
        ({"key": "buyer", "title": "Buyer", "rank": 3, "group": "Customer"}, 1),
        (None, 1),
    ]
    downwards = "keys: [{ stage: EACH }, { company: EACH }], orderBy: [{ key: { stage: DESC } }]"
    data = await answered(
        database, f"{{ contacts {{ groupBy({downwards}) {{ key {{ stage {{ rank }} company {{ name }} }} }} }} }}"
    )
    keys = [group["key"] for group in data["contacts"]["groupBy"]]
    assert [key["stage"] and key["stage"]["rank"] for key in keys] == [3, 2, 1, None]
    assert {key["company"]["name"] for key in keys} == {"Acme"}


async def test_other_lists_are_filtered_and_sorted_by_the_stage_of_their_person(database: Database) -> None:
    document = """{ touchpoints(where: { contact: { stage: { rank: { gte: 2 } } } },
      orderBy: [{ contact: { stage: { rank: DESC } } }, { contact: { firstName: ASC } }]) {
      nodes { contact { firstName stage { key } } } } }"""
    nodes = (await answered(database, document))["touchpoints"]["nodes"]
    assert [node["contact"]["firstName"] for node in nodes] == ["Cy", "Ada", "Bob"]
    document = """{ companies { nodes { contacts(where: { stage: {} }, orderBy: [{ stage: { since: ASC } }]) {
      nodes { firstName } groupBy(keys: [{ stage: EACH }]) { key { stage { key } } count } } } } }"""
    [company] = (await answered(database, document))["companies"]["nodes"]
    assert [node["firstName"] for node in company["contacts"]["nodes"]] == ["Cy", "Ada", "Dot", "Bob"]
    counts = [(group["key"]["stage"]["key"], group["count"]) for group in company["contacts"]["groupBy"]]
    assert counts == [("lead", 1), ("mql", 2), ("buyer", 1)]


@pytest.mark.parametrize(
    ("stage", "nearest"), [('key: { eq: "mqll" }', "mql"), ('group: { in: ["Prospect", "Custmer"] }', "Customer")]
)
async def test_a_stage_or_group_that_no_accord_has_is_refused(database: Database, stage: str, nearest: str) -> None:
    error = await refused(database, f"{{ contacts(where: {{ stage: {{ {stage} }} }}) {{ totalCount }} }}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.UNKNOWN_VALUE
    assert f"Did you mean {nearest}?" in error.remedy


@pytest.mark.parametrize(
    ("of_type", "test", "value", "expected"),
    [
        ("String", "key: { eq: $value }", "mql", 2),
        ("Int", "rank: { gte: $value }", 3, 1),
        ("String", "group: { startsWith: $value }", "sus", 1),
    ],
)
async def test_the_stage_is_compared_with_variables(
    database: Database, of_type: str, test: str, value: object, expected: int
) -> None:
    document = f"query ($value: {of_type}) {{ contacts(where: {{ stage: {{ {test} }} }}) {{ totalCount }} }}"
    assert await answered(database, document, value=value) == {"contacts": {"totalCount": expected}}
