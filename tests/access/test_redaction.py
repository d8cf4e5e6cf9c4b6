"""Personal data without the right PERSONAL_DATA: null and listed where it is read, an error where it would decide."""

from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Scope

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.gateway import JsonResult
from api.graph.reading.field_paths import read_field_paths
from api.graph.request import GraphQLRequest
from api.plan.record_labels import record_labels
from api.web.website import build_site
from schema.access.rights import AccessLevel, Reach
from tests.support.graphql import answered, executed, planned, put, uid, with_personal_data
from tests.support.small_company import ACME, ADA, BOB, CREATED, DEAL, LATER, row_of, write_small_company

HANDOFF = uid(81)
ANALYST = Principal(Reach.ALL)
# Levels have no right of their own: even an administrator needs it.
ADMIN = Principal(Reach.ALL, level=AccessLevel.ADMIN)
EXECUTED = " kpiCatalogue { key }"  # a field that reads no records: the executor runs the document
# Every personal value of the small company's contacts.
PERSONAL = ["Ada", "Stern", "Berg", "ada@acme.example", "+4930123", "Bob", "Carl", "Adda", "Call before noon"]


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
        await session.script(f"update contact set phone = '+4930123' where id = '{ADA}'")
        decided = {"status": "REJECTED", "reject_reason": "NO_FIT", "decided_at": LATER, "note": "Call before noon"}
        await put(session, "handoff", {"contact_id": ADA, "id": HANDOFF, "handed_at": CREATED} | decided)
        await put(session, "team", row_of(id=uid(3), name="Outbound", kind="SALES"))
    return module_database


async def read(
    database: Database, document: str, principal: Principal = ANALYST, /, **variables: object
) -> tuple[Any, list[str]]:
    """Run a document that must have no errors, by itself and beside a field of the executor: both are the same."""
    found: list[tuple[Any, Any]] = []
    for text in (document, document.rstrip().removesuffix("}") + EXECUTED + "}"):
        request = GraphQLRequest(text, variables)
        validated = gateway().validated(request)
        assert not validated.errors, validated.errors
        result = await gateway().execute(database, await planned(database, request, principal))
        if isinstance(result, JsonResult):
            data, whole = orjson.loads(result.data), result.data.decode()
        else:
            assert result.result.errors is None, result.result.errors
            data = {key: value for key, value in (result.result.data or {}).items() if key != "kpiCatalogue"}
            whole = str(result.result.data)
        if principal is not LOCAL_OPERATOR:
            assert not [value for value in PERSONAL if value in whole]
        found.append((data, result.extensions.get("redacted", [])))
    plain, beside = found
    assert plain == beside
    return plain


async def test_a_field_without_the_right_is_null_and_listed_once(world: Database) -> None:
    document = f"""{{ contacts(orderBy: [{{createdAt: ASC}}]) {{ nodes {{ email mail: email jobTitle leadScore phone }}
      edges {{ node {{ email owner {{ name email }} }} }} }} contact(id: "contact_{ADA}") {{ email emailKind }} }}"""
    found, redacted = await read(world, document)
    assert redacted == ["Contact.email", "Contact.phone"]
    assert found["contacts"]["nodes"][0] == {
        "email": None,
        "mail": None,
        "jobTitle": None,
        "leadScore": 7,
        "phone": None,
    }
    assert found["contact"] == {"email": None, "emailKind": None}
    # Members are no contacts: their names and addresses are no personal data of this kind.
    owner = {"name": "Anna", "email": "anna@example.com"}
    assert found["contacts"]["edges"][0]["node"] == {"email": None, "owner": owner}
    found, redacted = await read(world, document, LOCAL_OPERATOR)
    assert (found["contact"]["email"], redacted) == ("ada@acme.example", [])


@pytest.mark.parametrize("principal", [ANALYST, ADMIN], ids=["viewer", "admin"])
@pytest.mark.parametrize(
    "field",
    [
        f'node(id: "contact_{ADA}") {{ ... on Contact {{ FIELDS }} }}',
        f'nodes(ids: ["contact_{ADA}", "deal_{DEAL}"]) {{ ... on Contact {{ FIELDS }} ... on Deal {{ name }} }}',
        f'contact(id: "contact_{ADA}", asOf: "2026-01-20T00:00:00Z") {{ FIELDS }}',
        'contacts(asOf: "2026-01-20T00:00:00Z") { nodes { FIELDS } }',
        "contacts(includeMerged: true) { nodes { FIELDS mergedInto { FIELDS } mergedContacts { nodes { FIELDS } } } }",
        f'company(id: "company_{ACME}") {{ contacts {{ nodes {{ FIELDS }} }} }}',
        f'deal(id: "deal_{DEAL}") {{ contactRoles {{ nodes {{ contact {{ FIELDS }} }} }} }}',
        "touchpoints { nodes { contact { FIELDS } } }",
        "touchpoints { groupBy(keys: [{contact: EACH}]) { key { contact { FIELDS } } count } }",
    ],
)
async def test_no_path_to_a_contact_shows_its_personal_data(world: Database, field: str, principal: Principal) -> None:
    document = "{ " + field.replace("FIELDS", "id firstName lastName email phone") + " }"
    _, redacted = await read(world, document, principal)
    assert redacted == ["Contact.email", "Contact.firstName", "Contact.lastName", "Contact.phone"]
    found, _ = await read(world, document, LOCAL_OPERATOR)
    assert "Ada" in str(found)


async def test_a_note_of_a_handoff_is_personal_data(world: Database) -> None:
    document = "{ handoffs { nodes { rejectReason note } } }"
    assert await read(world, document) == (
        {"handoffs": {"nodes": [{"rejectReason": "NO_FIT", "note": None}]}},
        ["Handoff.note"],
    )
    found = await answered(world, document, with_personal_data(Reach.ALL))
    assert found["handoffs"]["nodes"][0]["note"] == "Call before noon"


async def test_what_is_listed_does_not_depend_on_the_rows(world: Database) -> None:
    document = f'{{ contacts(where: {{id: {{eq: "contact_{uid(999)}"}}}}) {{ nodes {{ email }} }} }}'
    assert await read(world, document) == ({"contacts": {"nodes": []}}, ["Contact.email"])
    document = "query ($is: Boolean!) { contacts { nodes { id email @include(if: $is) } } }"
    assert (await read(world, document, **{"is": False}))[1] == []
    assert (await read(world, document, **{"is": True}))[1] == ["Contact.email"]


# A use of a personal field -> the field that the error names, and how it is used.
DECIDING = [
    ('contacts(where: {email: {eq: "ada@acme.example"}})', "filters by", "Contact.email"),
    ("contacts(where: {phone: {isNull: false}})", "filters by", "Contact.phone"),
    ('contacts(where: {or: [{leadScore: {gt: 1}}, {not: {firstName: {contains: "a"}}}]})', "filters by", "firstName"),
    ('companies(where: {contacts: {some: {lastName: {startsWith: "B"}}}})', "filters by", "Contact.lastName"),
    ('companies(where: {contacts: {none: {email: {eq: "x"}}}})', "filters by", "Contact.email"),
    ('companies(where: {contacts: {every: {email: {eq: "x"}}}})', "filters by", "Contact.email"),
    ('companies(where: {contacts: {count: {gt: 0}, where: {email: {eq: "x"}}}})', "filters by", "Contact.email"),
    ('touchpoints(where: {contact: {firstName: {eq: "Ada"}}})', "filters by", "Contact.firstName"),
    ('handoffs(where: {note: {contains: "noon"}})', "filters by", "Handoff.note"),
    ('members(where: {ownedContacts: {some: {mergedContacts: {some: {email: {eq: "x"}}}}}})', "filters by", "email"),
    ("contacts(orderBy: [{lastName: ASC}])", "sorts by", "Contact.lastName"),
    ("contacts(orderBy: [{leadScore: ASC}, {email: DESC}])", "sorts by", "Contact.email"),
    ("touchpoints(orderBy: [{contact: {lastName: ASC}}])", "sorts by", "Contact.lastName"),
    ('companies(orderBy: [{contacts: {count: ASC, where: {email: {eq: "x"}}}}])', "filters by", "Contact.email"),
    ('contacts(search: "ada")', "searches", "Contact."),
    ('search(text: "ada", types: [CONTACT])', "searches", "Contact."),
    ('search(text: "ada", types: [COMPANY, CONTACT])', "searches", "Contact."),
]


@pytest.mark.parametrize(("field", "use", "name"), DECIDING)
async def test_what_decides_over_rows_may_not_be_personal(world: Database, field: str, use: str, name: str) -> None:
    for inner in ("totalCount", "__typename", "nodes { __typename }", "pageInfo { startCursor }"):
        await check_refused(world, f"{{ {field} {{ {inner} }} }}", use, name)
    assert (await executed(world, f"{{ {field} {{ totalCount }} }}", LOCAL_OPERATOR)).errors is None


@pytest.mark.parametrize(
    ("field", "use", "name"),
    [
        ("contacts { aggregate { countDistinct { email } } }", "aggregates", "Contact.email"),
        ("contacts { groupBy(keys: [{email: EACH}]) { count } }", "groups by", "Contact.email"),
        ("contacts { groupCount(keys: [{lastName: EACH}]) }", "groups by", "Contact.lastName"),
        (
            "contacts { groupBy(keys: [{email: EACH}], having: {count: {gt: 1}}) { count } }",
            "groups by",
            "Contact.email",
        ),
        (
            "contacts { groupBy(keys: [{country: EACH}]) { aggregate { countDistinct { phone } } } }",
            "aggregates",
            "Contact.phone",
        ),
        (
            f'company(id: "company_{ACME}") {{ contacts(where: {{email: {{eq: "x"}}}}) {{ nodes {{ id }} }} }}',
            "filters by",
            "Contact.email",
        ),
        ("companies { nodes { contacts(orderBy: [{email: ASC}]) { nodes { id } } } }", "sorts by", "Contact.email"),
        ('companies { nodes { contacts(search: "ada") { nodes { id } } } }', "searches", "Contact."),
    ],
)
async def test_what_figures_and_nested_lists_are_made_of_may_not_be_personal(
    world: Database, field: str, use: str, name: str
) -> None:
    await check_refused(world, f"{{ {field} }}", use, name)
    assert (await executed(world, f"{{ {field} }}", LOCAL_OPERATOR)).errors is None


async def check_refused(world: Database, document: str, use: str, name: str) -> None:
    """Require that a document is refused, and that another root field beside it is answered all the same."""
    result = await executed(world, f"{document.rstrip().removesuffix('}')} teams {{ totalCount }} }}", ANALYST)
    assert result.errors is not None, document
    (error,) = result.errors
    cause = error.original_error
    assert isinstance(cause, AccordError), document
    assert cause.code is ErrorCode.NOT_ALLOWED
    assert cause.message.startswith(f"The request {use} `")
    assert name in cause.message
    assert "PERSONAL_DATA" in cause.message
    assert error.path is not None
    assert len(error.path) == 1
    # The field is never null, so neither is the response: the error alone tells what happened.
    assert result.data is None or result.data[error.path[0]] is None


async def test_a_search_of_all_types_leaves_contacts_out(world: Database) -> None:
    document = """query ($text: String!) { search(text: $text) { totalCount pageInfo { hasNextPage }
      nodes { __typename ... on Contact { phone } ... on Company { name } } edges { node { __typename } } } }"""
    found, redacted = await read(world, document, text="acme")
    assert found["search"]["nodes"] == [{"__typename": "Company", "name": "Acme"}]
    assert found["search"]["totalCount"] == 1
    assert redacted == ["Contact.email", "Contact.firstName", "Contact.lastName"]
    found, redacted = await read(world, document, LOCAL_OPERATOR, text="acme")
    assert [node["__typename"] for node in found["search"]["nodes"]] == ["Company", "Contact"]
    assert redacted == []
    # What is named has no personal data: nothing is redacted.
    document = '{ search(text: "acme", types: [COMPANY]) { totalCount } }'
    assert await read(world, document) == ({"search": {"totalCount": 1}}, [])


async def test_a_cursor_of_a_principal_with_the_right_does_not_serve_one_without(world: Database) -> None:
    document = """query ($after: String) { contacts(first: 1, after: $after, orderBy: [{email: ASC}]) {
      edges { cursor } } }"""
    cursor = (await answered(world, document))["contacts"]["edges"][0]["cursor"]
    result = await executed(world, document, ANALYST, after=cursor)
    assert [error.original_error.code for error in result.errors or ()] == [ErrorCode.NOT_ALLOWED]  # type: ignore[union-attr]
    other = await executed(world, "query ($after: String) { contacts(after: $after) { totalCount } }", after=cursor)
    assert other.errors is not None  # a cursor of another order


async def test_a_statement_is_shared_only_by_principals_with_the_same_rights(world: Database) -> None:
    document = "query Shared { contacts { nodes { firstName } } }"
    readers = [LOCAL_OPERATOR, ANALYST, with_personal_data(Reach.ALL), ADMIN, ANALYST, LOCAL_OPERATOR]
    plans = len(gateway()._plans)
    for reader in readers:
        found = await answered(world, document, reader)
        names = {node["firstName"] for node in found["contacts"]["nodes"]}
        assert names == ({None} if reader in (ANALYST, ADMIN) else {"Ada", "Bob", "Carl"})
    assert len(gateway()._plans) == plans + 4


async def test_the_command_line_reads_labels_and_fields_within_the_rights(world: Database) -> None:
    async with world.read() as session:
        assert await record_labels(session, ANALYST, "contact", [ADA, BOB]) == {ADA: None, BOB: None}
        assert await record_labels(session, ANALYST, "handoff", [HANDOFF]) == {HANDOFF: None}
        assert await record_labels(session, ANALYST, "deal", [DEAL]) == {DEAL: "First"}
        assert await record_labels(session, LOCAL_OPERATOR, "contact", [ADA]) == {ADA: "Ada Berg"}
        paths = read_field_paths("contact", ("email", "company.name"))
        row = {"email": None, "company": {"name": "Acme"}}
        assert await paths.read(session, ANALYST, [ADA]) == {ADA: row}


async def test_the_response_over_http_lists_what_it_leaves_out(world: Database) -> None:
    async def identify(_scope: Scope) -> Principal:
        return ANALYST

    site = build_site(gateway(), lambda: world, identify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        for beside in ("", EXECUTED):
            query = f'{{ contact(id: "contact_{ADA}") {{ email leadScore }}{beside} }}'
            response = (await client.post("/graphql", json={"query": query})).json()
            assert response["data"]["contact"] == {"email": None, "leadScore": 7}
            assert response["extensions"]["redacted"] == ["Contact.email"]
            assert "errors" not in response
        refused = (await client.post("/graphql", json={"query": '{ contacts(search: "ada") { totalCount } }'})).json()
        assert refused["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
        assert "redacted" not in refused.get("extensions", {})
