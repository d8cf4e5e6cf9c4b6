"""What a root field selects of its payload: which records are read, and how the response is written from the outcome.

The declared fields of the payload type decide. Records come from the read path, all of one root field in one statement.
It depends on what is selected, not on which records the mutation wrote: their ids are bound as parameters. So a plan is
made once for each shape of a request.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from graphql import FieldNode

from api.access.principal import Principal
from api.db import Database
from api.graph.declared import ObjectType, Output, object_type
from api.graph.derived.links import visible_shapes
from api.graph.mutations.mutation import MAX_ROWS
from api.graph.mutations.payload_queries import PayloadQuery
from api.graph.reading.aggregate_reader import TYPENAME
from api.graph.reading.selection_reader import SelectionReader
from api.identity.ids import parse_id
from api.plan.list_arguments import Comparison, Page
from api.plan.prepared_statements import BoundStatement, PreparedStatement, prepare
from api.plan.selection import Connection, Field, Nodes, OneRecord, RecordId, RootField
from api.plan.value_checks.known_values import UnknownText
from api.sql import Parameter
from api.workflows.outcome import Outcome

_KEY = "__id"
_TABLES = {shape.type_name: shape.name for shape in visible_shapes()}

# A value within an outcome, such as a row or a user error; and the values of the same kind in a whole outcome.
_Source = Any
_Sources = Callable[[Outcome], Iterable[_Source]]
# For each selected record field of a payload: the records by id.
_Records = Sequence[Mapping[UUID | None, object]]
_Write = Callable[[_Source, _Records], object]


@dataclass(frozen=True, slots=True)
class PayloadRecords:
    """One selected field with a record: what is selected of it, and the ids of its records in an outcome.

    `key` names it among the root fields of the statement. `in_list`: it is a field of rows, and has many records.
    """

    key: str
    table: str
    fields: tuple[Field, ...]
    ids: Callable[[Outcome], Sequence[UUID]]
    in_list: bool

    @property
    def parameter(self) -> str:
        """The name of the parameter for the ids. No variable of a document has such a name."""
        return f"payload.{self.key}"

    @property
    def root(self) -> RootField:
        """What reads the records."""
        ids = Parameter(self.parameter)
        if not self.in_list:
            return RootField(self.key, OneRecord(self.table, ids, self.fields))
        nodes = Nodes("nodes", (RecordId(_KEY, is_plain=True), *self.fields))
        page = Page(MAX_ROWS, where=Comparison("id", "in", ids), with_merged=True)
        return RootField(self.key, Connection(self.table, page, (nodes,)))

    def bound(self, ids: Sequence[UUID]) -> object:
        """Return the value of the parameter."""
        return ids if self.in_list else next(iter(ids), None)

    def by_id(self, ids: Sequence[UUID], found: Any) -> dict[UUID | None, object]:  # noqa: ANN401 - parsed JSON
        """Return the records of such a root field by id. Records that are not visible are missing."""
        if self.in_list:
            return {parse_id(self.table, row.pop(_KEY)): row for row in found["nodes"]}
        return {} if found is None else {ids[0]: found}


@dataclass(frozen=True, slots=True)
class WrittenPayload:
    """A payload as the response has it. `redacted` and `unknown` are those of the statement that read its records."""

    value: object
    redacted: tuple[str, ...] = ()
    unknown: tuple[UnknownText, ...] = ()


@dataclass(frozen=True, slots=True)
class PayloadPlan:
    """How to write the payload of a root field. `statement` reads its records; None if it selects none.

    `queries` read the fields that are no records; `write` leaves them null.
    """

    statement: PreparedStatement | None
    records: tuple[PayloadRecords, ...]
    write: _Write
    queries: tuple[PayloadQuery, ...] = ()

    async def written(
        self, database: Database, principal: Principal, outcome: Outcome, variables: Mapping[str, object]
    ) -> WrittenPayload:
        """Return the payload of an outcome.

        Shapes: an outcome -> the payload. One statement if it has records that are selected, else none.
        Errors: those of `BoundStatement.run`.
        """
        ids = [list(dict.fromkeys(records.ids(outcome))) for records in self.records]
        if self.statement is None or not any(ids):
            return WrittenPayload(self.write(outcome, [{} for _ in ids]))
        response = await self._bound(self.statement, principal, variables, ids).run(database)
        found = orjson.loads(response.json)
        read = [it.by_id(some, found[it.key]) for it, some in zip(self.records, ids, strict=True)]
        return WrittenPayload(self.write(outcome, read), self.statement.redacted, response.unknown)

    def require_values(self, principal: Principal, variables: Mapping[str, object]) -> None:
        """Require that the variables can be bound, before anything is written. Errors: such as BAD_INPUT for an id."""
        if self.statement is not None:
            self._bound(self.statement, principal, variables, [() for _ in self.records])

    def _bound(
        self,
        statement: PreparedStatement,
        principal: Principal,
        variables: Mapping[str, object],
        ids: Iterable[Sequence[UUID]],
    ) -> BoundStatement:
        own = {it.parameter: it.bound(some) for it, some in zip(self.records, ids, strict=True)}
        return statement.bind(principal, {**variables, **own})


def plan_payload(
    reader: SelectionReader, nodes: Sequence[FieldNode], payload_type: str, principal: Principal
) -> PayloadPlan:
    """Return the plan of the payload that the nodes of a root field select.

    Errors: those of `prepare`, such as NOT_ALLOWED for a filter by a field that the principal may not read; BAD_INPUT
            and TOO_LARGE for arguments of lists within.
    """
    planning = _Planning(reader)
    write = planning.object(nodes, payload_type, lambda outcome: (outcome,), in_list=False)
    roots = [records.root for records in planning.records]
    statement = prepare(roots, principal) if roots else None
    return PayloadPlan(statement, tuple(planning.records), write, tuple(planning.queries))


@dataclass(frozen=True, slots=True)
class _Planning:
    """Reads the fields that are selected of a payload, and collects those with records."""

    reader: SelectionReader
    records: list[PayloadRecords] = field(default_factory=list)
    queries: list[PayloadQuery] = field(default_factory=list)

    def object(self, nodes: Sequence[FieldNode], type_name: str, sources: _Sources, *, in_list: bool) -> _Write:
        """Return what writes an object of a type. `sources` are the values of an outcome that it is written from."""
        declared = object_type(self.reader.types, type_name)
        writes = [
            (key, self._field(declared, key, selected, sources, in_list=in_list))
            for key, selected in self.reader.collector.collect(nodes, type_name).items()
        ]
        return lambda source, records: {key: write(source, records) for key, write in writes}

    def _field(
        self, declared: ObjectType, key: str, nodes: Sequence[FieldNode], sources: _Sources, *, in_list: bool
    ) -> _Write:
        name = nodes[0].name.value
        if name == TYPENAME:
            return lambda _source, _records: declared.name
        output = declared.field(name)
        resolve = output.resolve
        if output.type.name in _TABLES:
            return self._record(output, nodes, sources, in_list=in_list)
        if not isinstance(self.reader.types.get(output.type.name), ObjectType):
            return lambda source, _records: resolve(source, None)
        if not output.type.is_list:
            self.queries.append(PayloadQuery.of(key, output, nodes))
            return lambda _source, _records: None

        def items(outcome: Outcome) -> Iterable[_Source]:
            return (item for source in sources(outcome) for item in resolve(source, None) or ())

        write = self.object(nodes, output.type.name, items, in_list=True)

        def listed(source: _Source, records: _Records) -> object:
            found = resolve(source, None)
            return None if found is None else [write(item, records) for item in found]

        return listed

    def _record(self, output: Output, nodes: Sequence[FieldNode], sources: _Sources, *, in_list: bool) -> _Write:
        table, resolve, at = _TABLES[output.type.name], output.resolve, len(self.records)

        def ids(outcome: Outcome) -> Sequence[UUID]:
            found = (resolve(source, None) for source in sources(outcome))
            return [id_ for id_ in found if id_ is not None]

        self.records.append(PayloadRecords(f"records{at}", table, self.reader.record(nodes, table), ids, in_list))
        return lambda source, records: records[at].get(resolve(source, None))
