"""How the tests ask: a document in, the answer as a client gets it out; and rows written straight into tables."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from strawberry.types import ExecutionResult

from api.access.principal import EVERYONE, Principal
from api.db import Database, WriteSession
from api.graph.context import Context
from api.graph.contract import build_schema
from api.sql import Sql, join, name


def uid(number: int) -> UUID:
    """A made-up id that is easy to read in a golden file."""
    return UUID(int=number)


async def executed(
    database: Database, document: str, who: Principal = EVERYONE, /, **variables: object
) -> ExecutionResult:
    """The whole result, errors too."""
    context = Context(database, who)
    result = await build_schema().execute(document, variable_values=variables, context_value=context)
    assert isinstance(result, ExecutionResult)
    return result


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
