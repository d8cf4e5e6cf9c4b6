"""How the tests ask: a document in, the answer as a client gets it out; and rows written straight into tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLError

from api.access.principal import EVERYONE, Principal
from api.db import Database, WriteSession
from api.errors import AccordError
from api.graph.contract import gateway
from api.graph.gateway import JsonResult
from api.graph.request import GraphQLRequest
from api.sql import Sql, join, name


def uid(number: int) -> UUID:
    """A made-up id that is easy to read in a golden file."""
    return UUID(int=number)


@dataclass(frozen=True)
class Outcome:
    """What a question is answered, whichever way it went."""

    data: Any
    errors: Sequence[GraphQLError] | None
    is_json: bool = False


async def executed(database: Database, document: str, who: Principal = EVERYONE, /, **variables: object) -> Outcome:
    """The whole outcome, errors too."""
    question = GraphQLRequest(document, variables)
    validated = gateway().validated(question)
    if validated.errors:
        return Outcome(None, validated.errors)
    try:
        answer = await gateway().execute(database, question, validated, who)
    except AccordError as error:
        return Outcome(None, (GraphQLError(error.message, original_error=error),))
    if isinstance(answer, JsonResult):
        return Outcome(orjson.loads(answer.data), None, is_json=True)
    return Outcome(answer.result.data, answer.result.errors)


async def answered(database: Database, document: str, who: Principal = EVERYONE, /, **variables: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """The data of a document that has no errors."""
    result = await executed(database, document, who, **variables)
    assert result.errors is None, result.errors
    return result.data


async def refused(database: Database, document: str, **variables: object) -> Exception:
    """The one error of a document."""
    result = await executed(database, document, **variables)
    assert result.errors is not None
    assert len(result.errors) == 1
    return result.errors[0].original_error or result.errors[0]


async def put(session: WriteSession, table: str, *rows: Mapping[str, object]) -> None:
    """Write rows."""
    for row in rows:
        columns = join(", ", (name(column) for column in row))
        values = join(", ", (Sql("{}", value) for value in row.values()))
        await session.run(Sql("insert into {} ({}) values ({})", name(table), columns, values))
