"""A small GraphQL schema, so that the HTTP edge is tested apart from Accord's own."""

import enum
from typing import NoReturn

import strawberry
from graphql import GraphQLError

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.gateway import Gateway


class Silent(strawberry.Schema):
    """A schema that leaves the logging of errors to the HTTP edge."""

    def process_errors(self, errors: list[GraphQLError], execution_context: object = None) -> None:  # noqa: ARG002
        return


@strawberry.enum
class Team(enum.Enum):
    SALES = "sales"
    MARKETING = "marketing"


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def partner(self, team: Team) -> Team:
        return Team.SALES if team is Team.MARKETING else Team.MARKETING

    @strawberry.field
    def twice(self, number: int) -> int:
        return 2 * number

    @strawberry.field
    def refused(self) -> str | None:
        raise AccordError(ErrorCode.UNKNOWN_STAGE, "There is no stage `lead`.", "The stages are mql and customer.")

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("password=hunter2")

    @strawberry.field
    def broken_and_needed(self) -> str:
        raise RuntimeError("password=hunter2")


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> bool:
        return True


def small_gateway(query: type, mutation: type | None = None) -> Gateway:
    """A gateway over a small schema without records."""
    return Gateway(Silent(query, mutation), {})


class _Unreachable(Database):
    """A database that cannot be reached."""

    def __init__(self) -> None:
        """Open no pool."""

    def read(self, *, timeout_ms: int | None = None) -> NoReturn:
        raise ConnectionRefusedError(f"nothing within {timeout_ms} ms")


_UNREACHABLE = _Unreachable()


def no_database() -> Database:
    """Stands in for the database, which the small schema does not read."""
    return _UNREACHABLE


async def with_credentials() -> bool:
    """Says that real credentials exist."""
    return True
