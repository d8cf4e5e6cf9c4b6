"""Run GraphQL documents as a client would, and write rows straight into tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import orjson
from graphql import GraphQLError

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database, WriteSession
from api.errors import AccordError
from api.graph.contract import gateway
from api.graph.gateway import JsonResult, RequestPlan
from api.graph.request import GraphQLRequest
from api.sql import Sql, join, name
from schema.access.rights import Reach, Right


def uid(number: int) -> UUID:
    """Return an id that is easy to read in a golden file."""
    return UUID(int=number)


@dataclass(frozen=True)
class Outcome:
    """The result of a document, whether PostgreSQL or the executor wrote it (`is_json`: PostgreSQL)."""

    data: Any
    errors: Sequence[GraphQLError] | None
    is_json: bool = False
    redacted: Sequence[str] = ()  # the fields that are null because the principal may not read them
    extensions: Mapping[str, Any] = field(default_factory=dict)


def with_personal_data(reach: Reach, member_id: UUID | None = None) -> Principal:
    """Return a viewer who may read personal data."""
    return Principal(reach, member_id, rights=frozenset({Right.PERSONAL_DATA}))


async def planned(database: Database, request: GraphQLRequest, principal: Principal = LOCAL_OPERATOR) -> RequestPlan:
    """Return the plan of a request whose document is valid."""
    return await gateway().plan(database, request, gateway().validated(request), principal)


async def executed(
    database: Database, document: str, principal: Principal = LOCAL_OPERATOR, /, **variables: object
) -> Outcome:
    """Run a document. Return its data and its errors."""
    request = GraphQLRequest(document, variables)
    validated = gateway().validated(request)
    if validated.errors:
        return Outcome(None, validated.errors)
    try:
        result = await gateway().execute(database, await planned(database, request, principal))
    except AccordError as error:
        return Outcome(None, (GraphQLError(error.message, original_error=error),))
    redacted = cast("list[str]", result.extensions.get("redacted", []))
    if isinstance(result, JsonResult):
        return Outcome(orjson.loads(result.data), result.errors or None, True, redacted, result.extensions)
    return Outcome(result.result.data, result.result.errors, False, redacted, result.extensions)


async def answered(
    database: Database, document: str, principal: Principal = LOCAL_OPERATOR, /, **variables: object
) -> Any:  # noqa: ANN401 - JSON of any shape
    """Run a document that must have no errors. Return its data."""
    result = await executed(database, document, principal, **variables)
    assert result.errors is None, result.errors
    return result.data


async def refused(database: Database, document: str, **variables: object) -> Exception:
    """Run a document that must have exactly one error. Return its cause."""
    result = await executed(database, document, **variables)
    assert result.errors is not None
    assert len(result.errors) == 1
    return result.errors[0].original_error or result.errors[0]


def code_of(error: GraphQLError) -> str | None:
    """Return the code of an expected error; None for any other."""
    cause = error.original_error
    return cause.code.value if isinstance(cause, AccordError) else None


async def put(session: WriteSession, table: str, *rows: Mapping[str, object]) -> None:
    """Insert rows into a table."""
    for row in rows:
        columns = join(", ", (name(column) for column in row))
        values = join(", ", (Sql("{}", value) for value in row.values()))
        await session.run(Sql("insert into {} ({}) values ({})", name(table), columns, values))
