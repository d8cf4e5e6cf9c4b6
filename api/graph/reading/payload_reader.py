"""Reading the records of a payload: by the read path, in a statement that is prepared once for each shape of a request.

The statement depends on what is selected, not on which records the mutation wrote: their ids are bound as parameters.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from cachetools import LRUCache
from graphql import FieldNode

from api.access.principal import Principal
from api.db import Database
from api.graph.reading.planned import PlannedDocument
from api.graph.reading.selection_reader import Path, RecordSelection
from api.identity.ids import parse_id
from api.plan.list_arguments import Comparison, Page
from api.plan.prepared_statements import PreparedStatement, prepare
from api.plan.selection import Connection, Nodes, OneRecord, RecordId, RootField
from api.sql import Parameter

_KEPT_STATEMENTS = 1_000  # statements kept
MAX_ROWS = 1_000  # of a bulk mutation
_RECORD, _RECORDS, _KEY = "payload.id", "payload.ids", "__id"


@dataclass(frozen=True, slots=True)
class _PayloadStatement:
    """The statement for the records of one table at one path of a payload, one record or many."""

    path: Path
    table: str
    one: PreparedStatement
    many: PreparedStatement


PayloadStatements = LRUCache[Hashable, tuple[_PayloadStatement, ...]]


def payload_statements() -> PayloadStatements:
    """Return an empty cache of statements, by operation, shape of its variables, plan key and root field."""
    return LRUCache(maxsize=_KEPT_STATEMENTS)


# A root field: its response key, its nodes, and the name of its payload type.
PayloadField = tuple[str, Sequence[FieldNode], str]


@dataclass(frozen=True, slots=True)
class RequestPayloads:
    """The payloads of one request: the document with slots in place of the values of bound variables, and the values.

    `key` is what the statements depend on beside the root field. `redacted` collects the fields that are null because
    the principal may not read them.
    """

    kept: PayloadStatements
    key: Hashable
    document: PlannedDocument
    variables: Mapping[str, object]
    redacted: set[str] = field(default_factory=set)

    def require_readable(self, principal: Principal, root: PayloadField) -> None:
        """Require that what a root field selects of its payload can be read, before anything is written.

        Errors: those of `prepare`, such as NOT_ALLOWED for a filter by a field that the principal may not read;
        BAD_INPUT and TOO_LARGE for arguments of lists within.
        """
        self._statements(principal, root)

    async def read(
        self, database: Database, principal: Principal, payload_field: PayloadField, ids: Mapping[str, Sequence[UUID]]
    ) -> dict[Path, dict[UUID, object]]:
        """Return the records that a root field selects of its payload, by path and id.

        Records that are not visible are missing.
        Shapes: ids by table -> rows. One statement for each path with records.
        Errors: those of `BoundStatement.run`; BAD_INPUT and TOO_LARGE for arguments of lists within.
        """
        found: dict[Path, dict[UUID, object]] = {}
        for statement in self._statements(principal, payload_field):
            wanted = list(dict.fromkeys(ids.get(statement.table, ())))
            if wanted:
                found[statement.path] = await self._rows(database, principal, statement, wanted)
        return found

    def _statements(self, principal: Principal, payload_field: PayloadField) -> tuple[_PayloadStatement, ...]:
        response_key, nodes, payload_type = payload_field
        key = (self.key, response_key)
        found = self.kept.get(key)
        if found is None:
            selected = self.document.planned(nodes, payload_type)
            found = tuple(_statement(path, selection, principal) for path, selection in selected.items())
            self.kept[key] = found
        return found

    async def _rows(
        self, database: Database, principal: Principal, statement: _PayloadStatement, ids: Sequence[UUID]
    ) -> dict[UUID, object]:
        prepared = statement.one if len(ids) == 1 else statement.many
        self.redacted.update(prepared.redacted)
        parameters = {**self.variables, _RECORD: ids[0], _RECORDS: ids}
        read = await prepared.bind(principal, parameters).run(database)
        response = orjson.loads(read.json)["it"]
        if len(ids) == 1:
            return {} if response is None else {ids[0]: response}
        return {parse_id(statement.table, row[_KEY]): row for row in response["nodes"]}


def _statement(path: Path, selection: RecordSelection, principal: Principal) -> _PayloadStatement:
    one = OneRecord(selection.table, Parameter(_RECORD), selection.fields)
    nodes = Nodes("nodes", (RecordId(_KEY, is_plain=True), *selection.fields))
    page = Page(
        MAX_ROWS,
        where=Comparison("id", "in", Parameter(_RECORDS)),
        with_merged=True,
    )
    many = Connection(selection.table, page, (nodes,))
    return _PayloadStatement(
        path,
        selection.table,
        prepare((RootField("it", one),), principal),
        prepare((RootField("it", many),), principal),
    )
