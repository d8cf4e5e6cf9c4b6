"""Responses to generated documents equal those of graphql-core, which runs them over known payloads.

Every mutation of the documents was carried out before, under an idempotency key, or is rejected: so its payload is
known, and the documents can be anything that GraphQL allows. graphql-core has the schema from the SDL alone.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from graphql import execute_sync, get_named_type, parse, print_ast, value_to_literal
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from api.db import Database
from api.graph.reading.limits import limit_errors
from tests.plan.oracle.executor import contract
from tests.support.graphql import answered, executed
from tests.support.random_choices import RandomChoices
from tests.support.small_company import ACME, ADA, CARL, DEAL, write_unevaluated_company

TYPES: Mapping[str, Any] = contract().type_map
SELECTED = {
    "UpdateContactPayload": ("contact", "status", "userErrors", "replayed"),
    "SetDealRolePayload": ("deal", "contact", "status", "userErrors"),
    "UpsertCompaniesPayload": ("results", "userErrors", "replayed"),
    "UpsertCompaniesResult": ("company", "status", "userErrors"),
    "UserError": ("path", "code", "message"),
    "Contact": ("id", "jobTitle", "leadScore", "company"),
    "Company": ("id", "name", "annualRevenue", "employees"),
    "Money": ("amount", "currency"),
    "Deal": ("id", "name"),
}
WHOLE = {
    "Contact": "id jobTitle leadScore company { id name employees annualRevenue { amount currency } }",
    "Company": "id name employees annualRevenue { amount currency }",
    "Deal": "id name",
}
VARIABLES = {"yes": True, "no": False}
DIRECTIVES: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "@include(if: true)",
    "@skip(if: true)",
    "@include(if: $yes)",
    "@skip(if: $yes)",
)
DIRECTIVES += ("@include(if: $no)", "@skip(if: $no) @include(if: $yes)")


@dataclass(frozen=True)
class Case:
    """A mutation with an input, and its payload or the message of its error."""

    mutation: str
    input: Mapping[str, Any]
    payload: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


def key_of(number: int) -> dict[str, str]:
    return {"source": "crm", "externalId": str(number)}


async def payload_of(database: Database, mutation: str, given: Mapping[str, Any], selected: str) -> Any:  # noqa: ANN401
    document = f"mutation ($input: {input_type(mutation)}!) {{ {mutation}(input: $input) {{ {selected} }} }}"
    return (await answered(database, document, input=given))[mutation]


async def record(database: Database, type_name: str, id_: str) -> Any:  # noqa: ANN401
    """Read a record by a query."""
    document = f'{{ node(id: "{id_}") {{ ... on {type_name} {{ {WHOLE[type_name]} }} }} }}'
    return (await answered(database, document))["node"]


def input_type(mutation: str) -> str:
    return str(get_named_type(TYPES["Mutation"].fields[mutation].args["input"].type))


@pytest.fixture(scope="module")
async def cases(module_database: Database) -> list[Case]:
    """Carry the mutations out for the first time. Return them with the payloads of repetitions."""
    async with module_database.write() as session:
        await write_unevaluated_company(session)
    run = partial(payload_of, module_database)
    contact = {"id": f"contact_{ADA}", "expectedVersion": 1, "jobTitle": "Ärztin", "leadScore": 9}
    found: list[Case] = []

    changed = contact | {"idempotencyKey": "changed"}
    assert (await run("updateContact", changed, "status"))["status"] == "CHANGED"
    rows: list[dict[str, Any]] = [
        {"externalKey": key_of(1), "name": "Één", "annualRevenue": {"amount": "10.50", "currency": "EUR"}},
        {"externalKey": key_of(2), "name": None, "employees": 3},
        {"externalKey": key_of(3), "name": "Three"},
    ]
    companies = {"rows": rows, "mode": "EACH", "idempotencyKey": "companies"}
    first = await run("upsertCompanies", companies, "results { company { id } userErrors { message } }")
    again = await run("upsertCompanies", companies, "results { userErrors { message } }")
    role = {
        "deal": {"id": f"deal_{DEAL}"},
        "contact": {"id": f"contact_{CARL}"},
        "role": "buys",
        "idempotencyKey": "role",
    }
    assert (await run("setDealRole", role, "status"))["status"] == "CREATED"

    ada = await record(module_database, "Contact", f"contact_{ADA}")
    found.append(
        Case("updateContact", changed, {"contact": ada, "status": "CHANGED", "userErrors": [], "replayed": True})
    )
    stale = contact | {"expectedVersion": 1, "jobTitle": "", "company": {"id": f"company_{ACME}"}}
    errors = [
        {
            "path": ["input", "jobTitle"],
            "code": "INVALID",
            "message": "The text is empty. Pass null to empty the field.",
        },
        {
            "path": ["input", "expectedVersion"],
            "code": "STALE_VERSION",
            "message": "The record has version 2, not 1. Read it again.",
        },
    ]
    rejected = {"contact": None, "status": None, "userErrors": errors, "replayed": False}
    found.append(Case("updateContact", stale, rejected))
    results = [
        {
            "company": result["company"] and await record(module_database, "Company", result["company"]["id"]),
            "status": "CREATED" if result["company"] else "REJECTED",
            "userErrors": [
                {"path": ["input", "rows", "1", "name"], "code": "REQUIRED", "message": kept["message"]}
                for kept in repeated["userErrors"]
            ],
        }
        for result, repeated in zip(first["results"], again["results"], strict=True)
    ]
    assert [result["company"] is None for result in results] == [False, True, False]
    found.append(Case("upsertCompanies", companies, {"results": results, "userErrors": [], "replayed": True}))
    deal = await record(module_database, "Deal", f"deal_{DEAL}")
    carl = await record(module_database, "Contact", f"contact_{CARL}")
    found.append(Case("setDealRole", role, {"deal": deal, "contact": carl, "status": "CREATED", "userErrors": []}))
    message = "The idempotency key was used for another input of `updateContact` within the last 24 hours."
    found.append(Case("updateContact", changed | {"leadScore": None}, error=message))
    return found


@dataclass
class Documents:
    """A generator of documents with the mutations of some cases."""

    choices: RandomChoices
    cases: list[Case]
    fragments: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    def document(self) -> str:
        roots = self.selection("Mutation", self.root, 3)
        text = f"{{ {roots} }} {' '.join(self.fragments)}"
        definitions = [f"${name}: Boolean!" for name in VARIABLES if f"${name}" in text]
        self.variables |= {name: value for name, value in VARIABLES.items() if f"${name}" in text}
        definitions += [f"${name}: {name.rpartition('_')[0]}!" for name in self.variables if name not in VARIABLES]
        head = f"({', '.join(definitions)})" if definitions else ""
        return f"mutation {head} {text}"

    def selection(self, type_name: str, field_of: Callable[[], str], most: int) -> str:
        """Return one to so many selected fields, some of them in fragments."""
        return " ".join(self.choices.several(1, most, lambda: self.part(type_name, field_of, most)))

    def part(self, type_name: str, field_of: Callable[[], str], most: int) -> str:
        kind = self.choices.one(("field", "field", "field", "inline", "typed", "named"))
        if kind == "field" or most < 2:
            return field_of()
        inner = self.selection(type_name, field_of, most - 1)
        directive = self.choices.one(DIRECTIVES)
        if kind == "named":
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {type_name} {{ {inner} }}")
            return f"...{name} {directive} {f'...{name}' if self.choices.happens(3) else ''}"
        return f"... {f'on {type_name}' if kind == 'typed' else ''} {directive} {{ {inner} }}"

    def root(self) -> str:
        if self.choices.happens(6):
            return self.choices.one(("__typename", "kind: __typename"))
        number = self.choices.integer(0, len(self.cases) - 1)
        case = self.cases[number]
        # A response key always stands for one case, so that fields of one key can be merged.
        alias = f"{self.choices.one(('a', 'b'))}{number}"
        name = f"{input_type(case.mutation)}_{number}"
        is_variable = number % 2 == 0
        if is_variable:
            self.variables[name] = case.input
        argument = f"${name}" if is_variable else literal(case)
        payload = str(get_named_type(TYPES["Mutation"].fields[case.mutation].type))
        selected = self.selection(payload, partial(self.field, payload), 3)
        return f"{alias}: {case.mutation}(input: {argument}) {self.choices.one(DIRECTIVES)} {{ {selected} }}"

    def field(self, type_name: str) -> str:
        name = self.choices.one((*SELECTED[type_name], "__typename"))
        alias = f"{name.strip('_')}{self.choices.one(('A', 'B'))}: " if self.choices.happens(3) else ""
        inner = "String" if name == "__typename" else str(get_named_type(TYPES[type_name].fields[name].type))
        selected = f"{{ {self.selection(inner, partial(self.field, inner), 2)} }}" if inner in SELECTED else ""
        return f"{alias}{name} {self.choices.one(DIRECTIVES)} {selected}"


def literal(case: Case) -> str:
    node = value_to_literal(case.input, TYPES[input_type(case.mutation)])
    assert node is not None
    return print_ast(node)


def expected(document: str, variables: Mapping[str, Any], cases: list[Case]) -> tuple[str, list[object]]:
    """Return the data that graphql-core returns, as JSON, and the errors."""

    def resolver(mutation: str) -> Callable[..., object]:
        def resolve(_info: object, input: Mapping[str, Any]) -> object:  # noqa: A002 - the argument's name
            [case] = [case for case in cases if case.mutation == mutation and case.input == input]
            if case.error is not None:
                raise ValueError(case.error)
            return case.payload

        return resolve

    root = {case.mutation: resolver(case.mutation) for case in cases}
    result = execute_sync(contract(), parse(document), root, variable_values=dict(variables))
    return json.dumps(result.data), [(it.message, it.path, it.locations) for it in result.errors or ()]


async def assert_as_graphql_core(
    database: Database, document: str, variables: Mapping[str, Any], cases: list[Case]
) -> None:
    found = await executed(database, document, **variables)
    assert found.is_json, (document, found.errors)
    errors = [(it.message, it.path, it.locations) for it in found.errors or ()]
    assert (json.dumps(found.data), errors) == expected(document, variables, cases)


# Without shrinking, which takes minutes: the seed of a failure is short enough.
@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(seed=st.integers(0, 2**32))
async def test_a_response_equals_that_of_graphql_core(module_database: Database, cases: list[Case], seed: int) -> None:
    generator = Documents(RandomChoices.of_seed(seed), cases)
    document = generator.document()
    assume(not limit_errors(parse(document)))
    await assert_as_graphql_core(module_database, document, generator.variables, cases)


async def test_an_error_is_reported_at_all_places_of_a_root_field(module_database: Database, cases: list[Case]) -> None:
    [failing] = [case for case in cases if case.error is not None]
    twice = " ".join(f"it: updateContact(input: {literal(failing)}) {{ {name} }}" for name in ("status", "replayed"))
    await assert_as_graphql_core(module_database, f"mutation {{ {twice} __typename }}", {}, cases)
