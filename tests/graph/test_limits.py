"""What one document may hold and cost: each limit is told with its figure, and refusing costs no more than reading."""

import pytest

from api.access.principal import EVERYONE
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.limits import MOST_ALIASES, MOST_DIRECTIVES, MOST_LEVELS, MOST_ROOT_FIELDS, MOST_TOKENS
from api.graph.question import Question
from api.plan.cost import MOST_COST
from tests.graph.asking import executed


def levels(number: int) -> str:
    """A document whose deepest field is on that level."""
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
        case "root fields":
            return "{ " + " ".join(f"a{n}: __typename" for n in range(number)) + " }"
        case _:  # tokens, of which all but the words stand around them
            words = '"a" ' * (number - 20)
            return "{ contacts(where: { firstName: { in: [" + words + "] } }) { totalCount } }"


LIMITS = {
    "levels of fields": MOST_LEVELS,
    "aliases": MOST_ALIASES,
    "directives": MOST_DIRECTIVES,
    "root fields": MOST_ROOT_FIELDS,
    "tokens": MOST_TOKENS,
}


@pytest.mark.parametrize(("what", "limit"), LIMITS.items())
async def test_a_limit_is_the_last_that_is_answered(what: str, limit: int, database: Database) -> None:
    assert (await executed(database, at_limit(what, limit))).errors is None
    [error] = (await executed(database, at_limit(what, limit + 1))).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE
    figure = "more than 2,000" if what == "tokens" else f"{limit + 1:,}"
    assert error.message == f"The question has {figure} {what}, fragments written out, and may have {limit:,}."


async def test_the_same_field_over_and_over_is_refused_in_words(database: Database) -> None:
    [error] = (await executed(database, "{ contacts { nodes { " + "id " * 1_900 + "} } }")).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE


async def test_fragments_count_as_often_as_they_are_spread(database: Database) -> None:
    fragment = "fragment Names on Contact { " + " ".join(f"a{n}: id" for n in range(10)) + " }"
    spread = "a: contacts(first: 1) { nodes { ...Names } } b: contacts(first: 1) { nodes { ...Names } }"
    assert (await executed(database, f"{{ {spread} }} {fragment}")).errors is None
    third = "c: contacts(first: 1) { nodes { ...Names } }"
    [error] = (await executed(database, f"{{ {spread} {third} }} {fragment}")).errors or ()
    assert "33 aliases" in error.message


async def test_introspection_needs_more_levels_and_has_a_rule_of_its_own(database: Database) -> None:
    deep = '{ __type(name: "Contact") { fields { type { ' + "ofType { " * 15 + "name" + " }" * 15 + " } } } }"
    assert (await executed(database, deep)).errors is None


@pytest.mark.parametrize("number", [20, 200])
def test_fragments_that_double_at_each_level_cost_no_more_than_their_length(number: int) -> None:
    doubling = "".join(f"fragment F{n} on Company {{ ...F{n + 1} parent {{ ...F{n + 1} }} }} " for n in range(number))
    document = f"{{ companies {{ nodes {{ ...F0 }} }} }} {doubling} fragment F{number} on Company {{ id }}"
    # Walked as often as they are spread, they would be walked for longer than anybody waits.
    assert gateway().checked(Question(document)).errors


async def test_the_cost_multiplies_page_sizes_down_the_tree_and_is_told(database: Database) -> None:
    document = (
        "query ($first: Int) { contacts(first: 100) { totalCount nodes { company { id } touchpoints(first: $first)"
    )
    document += " { nodes { id } } } } }"
    question = Question(document, {"first": 4})
    from_cost = await gateway().answer(database, question, gateway().checked(question), EVERYONE)
    assert from_cost.extensions == {"cost": {"requested": 10 + 100 * (1 + 1 + 4), "limit": MOST_COST}}
    [error] = (await executed(database, document, first=499)).errors or ()
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE
    assert f"{10 + 100 * (1 + 1 + 499):,}" in error.message
    assert f"{MOST_COST:,}" in error.message
