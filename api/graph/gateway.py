"""The entry to the schema: runs a request, or explains how it would run.

A query whose root fields all read records becomes one statement, and PostgreSQL writes the JSON of the response. Such
statements are kept and run again with other values. Mutations run one after another (`mutations/mutation_runner.py`),
and their payloads are read by such statements. Every other query runs through the GraphQL executor, with the records of
all its root fields read by one statement. So does a query with any error, because the executor reports each error at
the field that it concerns, and a mutation whose variables are not valid.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
import strawberry
from cachetools import LRUCache
from graphql import GraphQLError, GraphQLSchema, OperationType
from graphql.execution.values import VariableValues
from strawberry.types import ExecutionResult

from api.access.evaluation import RequestedReading
from api.access.principal import Principal
from api.db import DATABASE_FAILURES, Database
from api.errors import AccordError, ErrorCode
from api.funnel.readings.prepare_readings import require_readings
from api.graph.context import OF_ONE_FIELD, Context, RootRecords
from api.graph.declared import Declared
from api.graph.mutations.mutation_runner import MutationRunner
from api.graph.reading.document_cache import DocumentCache, ValidatedDocument
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.planned import PlannedDocument, RequestError, plan_document
from api.graph.reading.refused_values import with_way
from api.graph.reading.response_notes import list_notes, redacted_note
from api.graph.reading.variables import Operation, Shape
from api.graph.request import GraphQLRequest
from api.graph.request_cost import mutation_cost, records_cost, request_cost
from api.plan.cost import MAX_COST, affordable_cost, cost
from api.plan.prepared_statements import BoundStatement, PreparedStatement, prepare
from api.plan.selection import RootField
from api.plan.value_checks.list_readings import list_readings
from schema.access.rights import Reach

KEPT_CHARACTERS = 32_000_000  # the size of the plan cache: the statements and their values, over all documents
_NO_VALUES = VariableValues({}, {})
_VALUE_WEIGHT = 100  # what a value takes beside its characters


@dataclass(frozen=True, slots=True)
class JsonResult:
    """The data of a response as JSON. Only mutations have errors, or show a secret (`is_secret`), such as a new key."""

    data: bytes
    extensions: dict[str, object]
    errors: Sequence[GraphQLError] = ()
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ExecutedResult:
    """The result of the GraphQL executor."""

    result: ExecutionResult
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Executable:
    """What the GraphQL executor needs of a request: its document as planned, the records of its root fields, costs."""

    planned: PlannedDocument
    roots: Mapping[str, RootField | RequestError]
    record_cost: int
    cost: int


@dataclass(slots=True)
class ReadyRequest:
    """A request that is ready to run, with the cost that is known before it does.

    One of three: a mutation, a statement that writes the response, or a document for the executor.
    """

    request: GraphQLRequest
    validated: ValidatedDocument
    operation: Operation
    principal: Principal
    cost: int
    is_mutation: bool = False
    statement: BoundStatement | None = None
    extensions: Mapping[str, object] = field(default_factory=dict)
    readings: tuple[RequestedReading, ...] = ()
    executable: _Executable | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a request would run: the values that running it goes through."""

    planned: PlannedDocument
    cost: int
    ready: BoundStatement | None  # the statement with its values; None if no records are read
    is_json: bool  # whether PostgreSQL writes the whole response


@dataclass(frozen=True, slots=True)
class _CachedPlan:
    """The statement for all requests of one shape; None if they run through the executor."""

    statement: PreparedStatement | None
    extensions: dict[str, object]
    shape: Shape
    readings: tuple[RequestedReading, ...] = ()  # of lists of stage entries: evaluated before the statement runs
    cost: int = 0

    @property
    def weight(self) -> int:
        statements = [self.statement, self.statement.unguarded] if self.statement else []
        held = sum(len(statement.text) + _weight(statement.values) for statement in statements if statement)
        return 1_000 + len(self.shape[1]) + held


def _weight(value: object) -> int:
    match value:
        case str():
            return _VALUE_WEIGHT + len(value)
        case list() | tuple():
            return _VALUE_WEIGHT + sum(map(_weight, value))
        case _:
            return _VALUE_WEIGHT


# The operation's number, the principal's plan key, and the shape of the variables.
_CacheKey = tuple[int, Hashable, Shape]


class Gateway:
    """Runs requests against one schema."""

    def __init__(self, schema: strawberry.Schema, types: Mapping[str, Declared]) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public access to its schema
        self._types = types
        self._documents = DocumentCache(self._schema, types)
        self._plans: LRUCache[_CacheKey, _CachedPlan] = LRUCache(KEPT_CHARACTERS, getsizeof=lambda plan: plan.weight)
        self._mutations = MutationRunner(self._schema, types)

    def validated(self, request: GraphQLRequest) -> ValidatedDocument:
        """Return the document of a request, parsed and validated, or its errors."""
        return self._documents.validated(request.query)

    async def execute(
        self, database: Database, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal
    ) -> JsonResult | ExecutedResult:
        """Run a request whose document is valid. Errors: those of `ready`."""
        return await self.run(database, self.ready(request, validated, principal))

    def ready(self, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal) -> ReadyRequest:
        """Return a request whose document is valid as it is run, with its cost. Nothing is executed.

        Errors: OPERATION_RESOLUTION_FAILURE if the operation name does not decide which operation to run; TOO_LARGE for
        a cost over the limit.
        """
        operation = validated.operation(request.operation_name)
        if operation.node.operation is OperationType.MUTATION:
            price = mutation_cost(len(operation.node.selection_set.selections), request.variables)
            return ReadyRequest(request, validated, operation, principal, price, is_mutation=True)
        plan = self._plan(validated, operation, request.variables, principal)
        statement = None if plan is None else _bound(plan, operation, request.variables, principal)
        if plan is not None and statement is not None:
            return ReadyRequest(
                request,
                validated,
                operation,
                principal,
                plan.cost,
                statement=statement,
                extensions=plan.extensions,
                readings=plan.readings,
            )
        executable = self._executable(validated, operation, request.variables, principal)
        return ReadyRequest(request, validated, operation, principal, executable.cost, executable=executable)

    async def run(self, database: Database, ready: ReadyRequest) -> JsonResult | ExecutedResult:
        """Run a request. Errors: TOO_LARGE for a cost over the limit."""
        request, validated, principal = ready.request, ready.validated, ready.principal
        if ready.is_mutation:
            done = await self._mutations.run(database, principal, request, validated, ready.operation)
            if done is not None:
                extensions = redacted_note(done.redacted) | list_notes(done.unknown)
                return JsonResult(orjson.dumps(done.data), extensions, done.errors, done.is_secret)
        failure = None
        if ready.statement is not None:
            try:
                evaluated = await require_readings(database, ready.readings)
                found = await ready.statement.run(database)
                return JsonResult(found.json, {**ready.extensions, **list_notes(found.unknown, evaluated)})
            except (AccordError, *DATABASE_FAILURES, asyncpg.InternalClientError) as error:
                failure = error
        return await self._execute(database, ready, failure)

    def explain(self, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal) -> Explanation:
        """Return how a request would run.

        Errors: those of `execute`, but a cost over the limit is only reported; NOT_ALLOWED for a principal that does
        not reach every record: PostgreSQL's plan counts rows, and estimates numbers of rows, out of its reach, too.
        """
        if principal.reach is not Reach.ALL:
            message = f"An explanation counts all rows that PostgreSQL reads, and your reach is {principal.reach}."
            raise AccordError(ErrorCode.NOT_ALLOWED, message, f"Use a credential with the reach {Reach.ALL}.")
        operation = validated.operation(request.operation_name)
        plan = self._plan(validated, operation, request.variables, principal)
        ready = None if plan is None else _bound(plan, operation, request.variables, principal)
        values = operation.values(request.variables)
        if not isinstance(values, VariableValues):
            raise AccordError(ErrorCode.BAD_INPUT, values[0].message, "Give the variables values that fit their types.")
        planned = self._planned(validated, operation, values)
        valid = [root for root in planned.roots if isinstance(_prepared(root, principal), RootField)]
        is_json = ready is not None
        if ready is None and valid:
            ready = prepare(valid, principal).bind(principal, {})
        return Explanation(planned, cost(valid), ready, is_json)

    def _plan(
        self, validated: ValidatedDocument, operation: Operation, given: Mapping[str, Any], principal: Principal
    ) -> _CachedPlan | None:
        """Return the plan of a query, made once for its shape; None if a value is not valid."""
        shape = operation.shape(given)
        key = (operation.number, principal.plan_key, shape)
        try:
            return self._plans[key]
        except KeyError:
            slots = operation.with_slots(given)
            if slots is None:  # an invalid value is not cached: other values of the same shape may be valid
                return None
            plan = self._plans[key] = self._make_plan(validated, operation, slots, shape, principal)
            return plan

    def _make_plan(
        self,
        validated: ValidatedDocument,
        operation: Operation,
        values: VariableValues,
        shape: Shape,
        principal: Principal,
    ) -> _CachedPlan:
        executed = _CachedPlan(None, {}, shape)
        if operation.node.operation is not OperationType.QUERY:
            return executed
        planned = self._planned(validated, operation, values)
        if len(planned.roots) < len(planned.fields):
            return executed
        price = cost(planned.roots)
        if price > MAX_COST:
            return executed
        try:
            statement = prepare(planned.roots, principal)
        except AccordError:
            return executed
        readings = tuple(dict.fromkeys(list_readings(planned.roots)))
        extensions = _cost_extension(price) | redacted_note(statement.redacted)
        return _CachedPlan(statement, extensions, shape, readings, records_cost(planned.roots))

    def _planned(self, validated: ValidatedDocument, operation: Operation, values: VariableValues) -> PlannedDocument:
        collector = FieldCollector(self._schema, validated.fragments, values)
        return plan_document(collector, self._types, operation.node)

    def _executable(
        self, validated: ValidatedDocument, operation: Operation, given: Mapping[str, Any], principal: Principal
    ) -> _Executable:
        """Plan a request that the executor runs. Errors: TOO_LARGE for a cost over the limit."""
        values = operation.values(given)
        if not isinstance(values, VariableValues):  # the executor reports them before it resolves any field
            return _Executable(PlannedDocument(FieldCollector(self._schema, {}, _NO_VALUES), self._types, {}), {}, 0, 0)
        planned = self._planned(validated, operation, values)
        prepared = {key: _prepared(field, principal) for key, field in planned.fields.items() if field is not None}
        roots = [root for root in prepared.values() if isinstance(root, RootField)]
        price = affordable_cost(roots)
        return _Executable(planned, prepared, price, request_cost(planned, roots))

    async def _execute(
        self, database: Database, ready: ReadyRequest, failure: Exception | None
    ) -> JsonResult | ExecutedResult:
        request, principal = ready.request, ready.principal
        executable = ready.executable or self._executable(
            ready.validated, ready.operation, request.variables, principal
        )
        if isinstance(failure, AccordError) and failure.code in OF_ONE_FIELD:
            failure = None  # it is raised for the field that it concerns
        records = RootRecords(database, principal, executable.roots, failure)
        context = Context(database, principal, ready.validated.document, executable.planned, records)
        result = await self._strawberry.execute(
            request.query,
            variable_values=dict(request.variables),
            context_value=context,
            operation_name=request.operation_name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError(f"one result was expected, not {type(result).__name__}")
        result.errors = result.errors and list(map(with_way, result.errors))
        redacted = redacted_note({*context.redacted, *records.redacted})
        notes = redacted | list_notes(records.unknown, records.readings)
        return ExecutedResult(result, _cost_extension(executable.record_cost) | notes)


def _bound(
    plan: _CachedPlan, operation: Operation, given: Mapping[str, Any], principal: Principal
) -> BoundStatement | None:
    """Return the statement of a plan with the values of a request; None if the request is to be executed."""
    values = operation.coerced(given)
    if plan.statement is None or values is None:
        return None
    try:
        return plan.statement.bind(principal, values)
    except AccordError:
        return None


def _prepared(root: RootField | RequestError, principal: Principal) -> RootField | RequestError:
    """Return the root field if its statement can be written, or the error if not: a cursor may be invalid."""
    if isinstance(root, RootField):
        try:
            prepare((root,), principal)
        except AccordError as error:
            return error
    return root


def _cost_extension(price: int) -> dict[str, object]:
    return {"cost": {"requested": price, "limit": MAX_COST}} if price else {}
