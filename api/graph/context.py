"""What every resolver gets: the database of this request."""

from dataclasses import dataclass

from graphql import GraphQLResolveInfo

from api.db import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The value behind `info.context`; made anew for each request."""

    database: Database


Info = GraphQLResolveInfo[Context]
