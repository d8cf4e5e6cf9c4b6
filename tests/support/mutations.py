"""Run mutations as a client would."""

from collections.abc import Mapping
from typing import Any

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from tests.support.graphql import answered, executed

ERRORS = "userErrors { path code message } replayed"


async def run(
    database: Database, mutation: str, selected: str, given: Mapping[str, object], who: Principal = LOCAL_OPERATOR
) -> Any:  # noqa: ANN401
    """Run one mutation with an input. Return its payload."""
    type_name = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {selected} {ERRORS} }} }}"
    return (await answered(database, document, who, input=given))[mutation]


async def refusal(
    database: Database, mutation: str, given: Mapping[str, object], who: Principal = LOCAL_OPERATOR
) -> ErrorCode:
    """Run one mutation that must have exactly one error. Return its code."""
    type_name = mutation[0].upper() + mutation[1:]
    document = f"mutation ($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {ERRORS} }} }}"
    result = await executed(database, document, who, input=given)
    assert result.errors is not None
    [error] = result.errors
    assert isinstance(error.original_error, AccordError)
    return error.original_error.code


def codes(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the codes of a payload's user errors by their paths."""
    return {".".join(error["path"]): error["code"] for error in payload["userErrors"]}
