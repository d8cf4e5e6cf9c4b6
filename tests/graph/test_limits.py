"""The limits on documents, selections and records: every limit is reported with its figure, and rejecting is cheap."""

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.gateway import ExecutedResult, JsonResult
from api.graph.reading.limits import (
    MAX_ALIAS_LENGTH,
    MAX_ALIASES,
    MAX_DIRECTIVES,
    MAX_FILTER_LEVELS,
    MAX_FILTERS,
    MAX_LEVELS,
    MAX_ROOT_FIELDS,
    MAX_TOKENS,
)
from api.graph.request import GraphQLRequest
from api.plan.cost.response_records import MAX_RECORDS
from tests.support.graphql import answered, executed, planned, refused


def levels(number: int) -> str:
    """Return a document whose deepest field is on that level."""
    links = number - 3  # companies, nodes, …, id
    return "{ companies(first: 1) { nodes { " + "parent { " * links + "id" + " }" * links + " } } }"


def at_limit(what: str, number: int) -> str:
    match what:
        case "levels of fields":
            return levels(number)
        case "aliases":
            return "{ contacts(first: 1) { nodes { " + " ".join(f"a{n}: id" for n in range(number)) + " } } }"
        case "directives":
            return "{ contacts(first: 1) { nodes { id " + "email @skip(if: true) " * number + "} } }"
        case "characters in an alias":
            return "{ contacts(first: 1) { nodes { ...F } } } fragment F on Contact { " + "a" * number + ": id }"
        case "root fields":
            return "{ " + " ".join(f"a{n}: __typename" for n in range(number)) + " }"
        case _:  # tokens: 20 of them surround the words
            words = '"a" ' * (number - 20)
            return "{ contacts(where: { firstName: { in: [" + words + "] } }) { totalCount } }"


LIMITS = {
    "levels of fields": MAX_LEVELS,
    "aliases": MAX_ALIASES,
    "directives": MAX_DIRECTIVES,
    "root fields": MAX_ROOT_FIELDS,
    "characters in an alias": MAX_ALIAS_LENGTH,
    "tokens": MAX_TOKENS,
}


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
async def test_a_document_at_a_limit_runs_and_one_over_it_is_rejected(
    what: str, limit: int, database: Database
) -> None:
    assert (await executed(database, at_limit(what, limit))).errors is None
    [error] = (await executed(database, at_limit(what, limit + 1))).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE
    figure = "more than 2,000" if what == "tokens" else f"{limit + 1:,}"
    assert error.message == f"The document has {figure} {what}, with fragments expanded. The limit is {limit:,}."


async def test_a_field_repeated_too_often_to_validate_is_rejected(database: Database) -> None:
    [error] = (await executed(database, "{ contacts { nodes { " + "id " * 1_900 + "} } }")).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(("times", "is_rejected"), [(150, False), (300, True)])
def test_few_fields_are_compared_before_a_document_is_rejected(times: int, is_rejected: bool) -> None:
    """At graphql-core's own limit, a document is compared for a second, in which nobody else is served."""
    request = GraphQLRequest("{ contacts { nodes { " + "company { id } " * times + "} } }")
    errors = gateway().validated(request).errors
    assert bool(errors) is is_rejected
    assert all(
        isinstance(error.original_error, AccordError) and error.original_error.code is ErrorCode.TOO_LARGE
        for error in errors
    )


async def test_fragments_count_as_often_as_they_are_spread(database: Database) -> None:
    fragment = "fragment Names on Contact { " + " ".join(f"a{n}: id" for n in range(10)) + " }"
    spread = "a: contacts(first: 1) { nodes { ...Names } } b: contacts(first: 1) { nodes { ...Names } }"
    assert (await executed(database, f"{{ {spread} }} {fragment}")).errors is None
    third = "c: contacts(first: 1) { nodes { ...Names } }"
    [error] = (await executed(database, f"{{ {spread} {third} }} {fragment}")).errors or ()
    assert "33 aliases" in error.message


async def test_introspection_may_have_more_levels(database: Database) -> None:
    deep = '{ __type(name: "Contact") { fields { type { ' + "ofType { " * 15 + "name" + " }" * 15 + " } } } }"
    assert (await executed(database, deep)).errors is None


@pytest.mark.parametrize("number", [20, 200])
def test_fragments_that_double_at_every_level_are_rejected_quickly(number: int) -> None:
    doubling = "".join(f"fragment F{n} on Company {{ ...F{n + 1} parent {{ ...F{n + 1} }} }} " for n in range(number))
    document = f"{{ companies {{ nodes {{ ...F0 }} }} }} {doubling} fragment F{number} on Company {{ id }}"
    # Measured as often as they are spread, they would take exponential time.
    assert gateway().validated(GraphQLRequest(document)).errors


async def test_the_records_of_a_response_multiply_page_sizes_down_the_tree(database: Database) -> None:
    document = (
        "query ($first: Int) { contacts(first: 100) { totalCount nodes { company { id } touchpoints(first: $first)"
    )
    document += " { nodes { id } } } } }"
    request = GraphQLRequest(document, {"first": 4})
    result = await gateway().execute(database, await planned(database, request))
    assert _records(result) == {"requested": 100 * (1 + 1 + 4), "limit": MAX_RECORDS}
    [error] = (await executed(database, document, first=499)).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE
    assert f"{100 * (1 + 1 + 499):,}" in error.message
    assert f"{MAX_RECORDS:,}" in error.message


def _records(result: JsonResult | ExecutedResult) -> object:
    cost = result.extensions["cost"]
    assert isinstance(cost, dict)
    return cost["records"]


@pytest.mark.parametrize(
    ("selected", "records"),
    [
        ("aggregate { count max { createdAt } }", 0),
        ("groupBy(keys: [{ country: EACH }]) { count }", 1_000),
        ("groupBy(keys: [{ owner: EACH }], first: 7) { aggregate { count } key { country } }", 7),
        ("groupBy(keys: [{ owner: EACH }], first: 7) { key { owner { team { id } } company { id } } }", 7 * 4),
        ("nodes { owner { ownedDeals(first: 0) { aggregate { count } } } }", 3 * (1 + 1)),
    ],
)
async def test_groups_count_as_records_and_figures_do_not(selected: str, records: int, database: Database) -> None:
    request = GraphQLRequest(f"{{ contacts(first: 3) {{ {selected} }} }}")
    result = await gateway().execute(database, await planned(database, request))
    assert _records(result) == {"requested": records, "limit": MAX_RECORDS}


@pytest.mark.parametrize(
    ("selected", "records"),
    [
        ("nodes { __typename }", 3),
        ("nodes { ... on Contact { company { id } } } totalCount", 3 * 2),
        ("edges { cursor } pageInfo { hasNextPage }", 3),
        ("edges { node { ... on Deal { touchpoints(first: 5) { nodes { id } } } } }", 3 * 6),
    ],
)
async def test_a_result_of_a_search_counts_as_the_record_that_holds_the_most(
    selected: str, records: int, database: Database
) -> None:
    document = f'{{ search(text: "a", types: [CONTACT, DEAL], first: 3) {{ {selected} }} }}'
    request = GraphQLRequest(document)
    result = await gateway().execute(database, await planned(database, request))
    assert _records(result) == {"requested": records, "limit": MAX_RECORDS}


def _nested(levels: int, inner: object) -> object:
    return {"not": _nested(levels - 1, inner)} if levels else inner


FILTERED = "query ($where: ContactWhere) { contacts(where: $where) { totalCount } }"


async def test_filters_nested_over_the_limit_are_rejected(database: Database) -> None:
    deepest: object = {}
    for _ in range(MAX_FILTER_LEVELS // 3):
        deepest = {"company": {"contacts": {"some": deepest}}}
    assert (await answered(database, FILTERED, where=deepest)) == {"contacts": {"totalCount": 0}}
    assert (await answered(database, FILTERED, where=_nested(MAX_FILTER_LEVELS - 1, {}))) == {
        "contacts": {"totalCount": 0}
    }
    for where in (_nested(MAX_FILTER_LEVELS, {}), {"and": [{}, _nested(MAX_FILTER_LEVELS - 1, {"and": []})]}):
        error = await refused(database, FILTERED, where=where)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.TOO_LARGE
        assert f"more than {MAX_FILTER_LEVELS} levels" in error.message


@pytest.mark.parametrize("levels", [150, 200, 240, 260, 900])
async def test_variables_nested_too_deeply_are_an_error_of_the_caller(levels: int, database: Database) -> None:
    outcome = await executed(database, FILTERED, where=_nested(levels, {}))
    [error] = outcome.errors or ()
    assert "levels" in error.message or "nested" in error.message
    cause = error.original_error
    assert cause is None or (isinstance(cause, AccordError) and cause.code is ErrorCode.TOO_LARGE)


async def test_the_limit_on_filters_counts_all_filters_of_the_document(database: Database) -> None:
    document = "query ($a: ContactWhere, $b: DealWhere) { contacts(where: $a) { totalCount } deals(where: $b) {"
    document += " totalCount } }"
    many: dict[str, object] = {"or": [{} for _ in range(MAX_FILTERS - 2)]}
    assert (await executed(database, document, a=many, b={})).errors is None
    error = await refused(database, document, a=many, b={"not": {}})
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    assert f"more than {MAX_FILTERS:,} objects" in error.message
