"""The context of one request, which every resolver can read as `info.context`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLResolveInfo

from api.access.principal import Principal
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.funnel.readings.prepare_readings import EvaluatedReading, require_readings
from api.graph.reading.planned import PlannedDocument, RequestError
from api.graph.reading.type_names import with_type_names
from api.plan.prepared_statements import read_document
from api.plan.selection import RootField
from api.plan.value_checks.known_values import UnknownText
from api.plan.value_checks.list_readings import list_readings

# Errors of the statement that are raised for the root fields that they concern, and not for all of them.
OF_ONE_FIELD = frozenset(
    {
        ErrorCode.UNKNOWN_VALUE,
        ErrorCode.MIXED_CURRENCIES,
        ErrorCode.NO_REPORTING_CURRENCY,
        ErrorCode.TOO_MANY_GROUPS,
    }
)


@dataclass(slots=True)
class RootRecords:
    """The records of a document's root fields. One statement reads them all when the first is needed.

    An error in one root field is raised for that field alone. A failure of the statement is raised for all of them.
    Once they are read, `unknown` has the free texts in filters that no record ever had, and `redacted` the fields that
    are null because the principal may not read them; `readings` has the readings that lists of stage entries name.
    """

    database: Database
    principal: Principal
    roots: Mapping[str, RootField | RequestError]
    failure: Exception | None = None
    unknown: tuple[UnknownText, ...] = ()
    redacted: tuple[str, ...] = ()
    readings: tuple[EvaluatedReading, ...] = ()
    _reading: "asyncio.Task[Mapping[str, object]] | None" = None

    async def read(self, key: str) -> object:
        """Return the value of the root field with that response key. Errors: those of the field or the statement."""
        root = self.roots[key]
        if not isinstance(root, RootField):
            raise root
        if self.failure is not None:
            raise self.failure
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        found = (await self._reading)[key]
        if isinstance(found, AccordError):
            raise found
        return found

    async def _read_all(self) -> Mapping[str, object]:
        """Read all root fields; in place of one that the data contradict (`OF_ONE_FIELD`) stands its error."""
        valid = [with_type_names(root) for root in self.roots.values() if isinstance(root, RootField)]
        errors: dict[str, object] = {}
        self.readings = await require_readings(self.database, list_readings(tuple(valid)))
        try:
            found = await read_document(self.database, valid, self.principal)
        except AccordError as error:
            if error.code not in OF_ONE_FIELD:
                raise
            for root in valid:
                try:
                    await read_document(self.database, (root,), self.principal)
                except AccordError as own:
                    errors[root.key] = own
            known = [root for root in valid if root.key not in errors]
            found = await read_document(self.database, known, self.principal)
        self.unknown, self.redacted = found.unknown, found.redacted
        return {**found.values, **errors}


@dataclass(frozen=True, slots=True)
class Context:
    """The value of `info.context`, created for each request."""

    database: Database
    principal: Principal
    syntax_tree: DocumentNode
    document: PlannedDocument
    records: RootRecords
    # Lists of records behind figures, by their path in the response. They are read together with the figures, in one
    # snapshot, and returned when the executor resolves the field; an error is raised then.
    drilled: dict[tuple[str | int, ...], object] = field(default_factory=dict)
    # The fields, such as Contact.email, that resolvers return as null because the principal may not read them.
    redacted: set[str] = field(default_factory=set)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """Open a snapshot. Those of one request are opened one after another: it holds one connection at a time.

        The cost: root fields that compute figures wait for each other. Otherwise thirty aliases would take a pool.
        """
        async with self._turn, self.database.read() as session:
            yield session


Info = GraphQLResolveInfo[Context]
