"""What every resolver gets: the database of this request, and who asks."""

from dataclasses import dataclass, field

from graphql import GraphQLResolveInfo

from api.access.principal import EVERYONE, Principal
from api.db import Database


@dataclass(frozen=True, slots=True)
class Context:
    """The value behind `info.context`; made anew for each request."""

    database: Database
    who: Principal = EVERYONE
    # The records behind figures, by their path in the answer: read with it, told when the executor comes there.
    drilled: dict[tuple[str | int, ...], object] = field(default_factory=dict)


Info = GraphQLResolveInfo[Context]
