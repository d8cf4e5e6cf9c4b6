"""Every mutation, with every record that its input names: one out of reach is answered like one that does not exist.

The inputs are made from the contract: every required field has a value, and one reference at a time leads out of reach.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
)

from api.db import Database
from api.graph.contract import build_schema
from tests.access.test_ways_to_a_value import (
    ANNA,
    ANNA_ONLY,
    CAMPAIGN,
    HIDDEN_COMPANY,
    HIDDEN_CONTACT,
    HIDDEN_DEAL,
    OWN_COMPANY,
    OWN_CONTACT,
    OWN_DEAL,
    PERSONAL,
    TEAM,
    world,
)
from tests.support.graphql import executed, uid

__all__ = ["world"]  # the fixture

REFERENCE = "RecordReference"
# The tables whose records may be out of reach: one within Anna's, and one that is not.
OWN = {"contact": OWN_CONTACT, "company": OWN_COMPANY, "deal": OWN_DEAL, "touchpoint": uid(211), "handoff": uid(219)}
HIDDEN = {
    "contact": HIDDEN_CONTACT,
    "company": HIDDEN_COMPANY,
    "deal": HIDDEN_DEAL,
    "touchpoint": uid(1211),
    "handoff": uid(1219),
}
VISIBLE = {"member": ANNA, "team": TEAM, "campaign": CAMPAIGN}
# Who names a record to merge that is out of reach has to hear why nothing is merged: NOT_ALLOWED, and no value of it.
MERGES = ("mergeContacts", "mergeCompanies")
MEMBERS = ("owner", "sdr", "assignedTo", "manager", "member")
SCALARS: Mapping[str, object] = {
    "String": "x",
    "Int": 1,
    "Boolean": False,
    "ID": "x",
    "Decimal": "1.00",
    "Date": "2026-03-01",
    "DateTime": "2026-03-01T00:00:00Z",
    "Currency": "EUR",
}
VALUES = [*PERSONAL, "Hidden Works", "Hidden deal", "Spymaster"]
Path = tuple[str, ...]


def mutations() -> Iterator[tuple[str, GraphQLInputObjectType]]:
    """Yield every mutation with the type of its input."""
    mutation_type = build_schema()._schema.mutation_type
    assert mutation_type is not None
    for name, field in mutation_type.fields.items():
        of_input = get_named_type(field.args["input"].type)
        assert isinstance(of_input, GraphQLInputObjectType)
        yield name, of_input


def table_of(mutation: str, field: str) -> str | None:
    """Return the table that a field of an input refers to; None if its records are visible to everyone."""
    if field == "id":
        return next((table for table in OWN if mutation.lower().endswith(table)), None)
    if field in ("survivor", "merged", "parent"):
        return "company" if "Compan" in mutation else "contact" if "Contact" in mutation else None
    return field if field in OWN else None


def references(mutation: str, type_: GraphQLInputObjectType, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the paths of the references to records that may be out of reach, with their tables."""
    for name, field in type_.fields.items():
        named = get_named_type(field.type)
        table = table_of(mutation, name)
        if named.name in (REFERENCE, "ID"):
            if table is not None:
                yield (*path, name), table
        elif isinstance(named, GraphQLInputObjectType) and not path:
            yield from references(mutation, named, (name,))


def value_of(mutation: str, name: str, type_: GraphQLInputType, path: Path, named: Mapping[Path, UUID]) -> object:
    """Return a value for a field: a reference to the record in `named`, or else to one within reach."""
    if isinstance(type_, GraphQLNonNull):
        return value_of(mutation, name, type_.of_type, path, named)
    if isinstance(type_, GraphQLList):
        return [value_of(mutation, name, type_.of_type, path, named)]
    if type_.name in (REFERENCE, "ID"):
        table = table_of(mutation, name)
        id_ = named.get(path) or OWN.get(table or "")
        if id_ is None:
            table = "member" if name in MEMBERS else name
            id_ = VISIBLE.get(table, uid(1))
        text = f"{table}_{id_}" if table else f"team_{uid(1)}"
        return text if type_.name == "ID" else {"id": text}
    if isinstance(type_, GraphQLInputObjectType):
        return input_of(mutation, type_, path, named)
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    return SCALARS.get(type_.name, "x")


def input_of(mutation: str, type_: GraphQLInputObjectType, path: Path, named: Mapping[Path, UUID]) -> dict[str, object]:
    """Return an input with every required field, and those on the way to the named record."""
    found: dict[str, object] = {}
    for name, field in type_.fields.items():
        own = (*path, name)
        is_needed = isinstance(field.type, GraphQLNonNull) or any(given[: len(own)] == own for given in named)
        if is_needed:
            found[name] = value_of(mutation, name, field.type, own, named)
    return found


CASES = [
    pytest.param(name, type_, path, table, id=f"{name} {'.'.join(path)}")
    for name, type_ in mutations()
    for path, table in references(name, type_)
]


@pytest.mark.parametrize(("mutation", "type_", "path", "table"), CASES)
async def test_a_record_out_of_reach_is_answered_like_one_that_does_not_exist(
    world: Database, mutation: str, type_: GraphQLInputObjectType, path: Path, table: str
) -> None:
    errors = "userErrors { path code message }"
    selected = f"{errors} results {{ {errors} }}" if "rows" in type_.fields else errors
    document = f"mutation ($input: {type_.name}!) {{ {mutation}(input: $input) {{ {selected} }} }}"
    answers: list[str] = []
    for id_ in (HIDDEN[table], uid(987_654)):
        found = await executed(world, document, ANNA_ONLY, input=input_of(mutation, type_, (), {path: id_}))
        codes = [getattr(error.original_error, "code", None) for error in found.errors or ()]
        answers.append(str((codes, [error.message for error in found.errors or ()], found.data)).replace(str(id_), "…"))
        assert codes or "code" in answers[-1], f"{mutation} was carried out"
    hidden, missing = answers
    if mutation in MERGES:
        assert "NOT_ALLOWED" in hidden
        assert not [value for value in VALUES if value in hidden]
    else:
        assert hidden == missing


def test_the_cases_cover_all_tables() -> None:
    assert {case.values[3] for case in CASES} == OWN.keys()
