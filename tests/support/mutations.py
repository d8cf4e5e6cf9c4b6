"""Running mutations in tests: the payload, and what is wrong with the input."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from schema.access.rights import AccessLevel, Reach
from tests.support.graphql import answered, executed

ERRORS = "userErrors { path code message } replayed"


async def run(
    database: Database, mutation: str, selected: str, given: Mapping[str, object], who: Principal = LOCAL_OPERATOR
) -> Any:  # noqa: ANN401 - a payload of any shape
    """Run one mutation with an input. Return its payload."""
    return (await answered(database, _document(mutation, selected), who, input=given))[mutation]


async def refusal(
    database: Database, mutation: str, given: Mapping[str, object], who: Principal = LOCAL_OPERATOR
) -> ErrorCode:
    """Run one mutation that must be refused as a whole. Return the code of its error."""
    result = await executed(database, _document(mutation, ""), who, input=given)
    assert result.errors is not None
    [error] = result.errors
    assert isinstance(error.original_error, AccordError)
    return error.original_error.code


def codes(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the codes of a payload's user errors, by their paths."""
    return {".".join(error["path"]): error["code"] for error in payload["userErrors"]}


def contributor(member: UUID, reach: Reach = Reach.ALL) -> Principal:
    """Return the principal of a member who works on records."""
    return Principal(reach, member, AccessLevel.CONTRIBUTOR, ALL_RIGHTS, "member")


def _document(mutation: str, selected: str) -> str:
    type_name = mutation[0].upper() + mutation[1:]
    return f"mutation ($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {selected} {ERRORS} }} }}"
