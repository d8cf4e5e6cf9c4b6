"""A small schema of its own: the edge is tested apart from what Accord answers."""

import enum
from typing import cast

import strawberry
from graphql import GraphQLError
from starlette.types import Scope

from api.access.principal import EVERYONE, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.gateway import Gateway


class Silent(strawberry.Schema):
    """A schema that leaves the logging of errors to the edge."""

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
    """The way of questions into a small schema that has no records."""
    return Gateway(Silent(query, mutation), {})


def nobody(_scope: Scope) -> tuple[Database, Principal]:
    """No database, which nothing here asks."""
    return cast("Database", None), EVERYONE
