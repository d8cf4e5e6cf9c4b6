"""What every resolver gets: the database of this request, who asks, and the records that the document asks for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLError, GraphQLResolveInfo

from api.access.principal import Principal
from api.db import Database
from api.errors import AccordError
from api.plan.read import read_document
from api.plan.selection import Root

RequestError = AccordError | GraphQLError  # what cannot be read, by our rules or GraphQL's


@dataclass(slots=True)
class Records:
    """The records of a document's root fields: read by one statement, when the first of them is needed.

    What is wrong with one field is told in its place; what failed in reading, in the place of each.
    """

    database: Database
    who: Principal
    roots: Mapping[str, Root | RequestError]
    failure: Exception | None = None
    _reading: "asyncio.Task[Mapping[str, object]] | None" = None

    async def of(self, key: str) -> object:
        """What the root field of that key answers, in the asked keys."""
        root = self.roots[key]
        if not isinstance(root, Root):
            raise root
        if self.failure is not None:
            raise self.failure
        if self._reading is None:
            sound = [each for each in self.roots.values() if isinstance(each, Root)]
            self._reading = asyncio.create_task(read_document(self.database, sound, self.who))
        return (await self._reading)[key]


@dataclass(frozen=True, slots=True)
class Context:
    """The value behind `info.context`; made anew for each request."""

    database: Database
    records: Records
    document: DocumentNode
    who: Principal
    # The records behind figures, by their path in the answer: read with it, told when the executor comes there.
    drilled: dict[tuple[str | int, ...], object] = field(default_factory=dict)


Info = GraphQLResolveInfo[Context]
