"""The entry to the schema: runs a request, or explains how it would run.

A query whose root fields all read records becomes one statement, and PostgreSQL writes the JSON of the response. Such
statements are kept and run again with other values. Mutations run one after another (`mutations/mutation_runner.py`),
and their payloads are read by such statements. Every other query runs through the GraphQL executor, with the records of
all its root fields read by one statement. So does a query with any error, because the executor reports each error at
the field that it concerns, and a mutation whose variables are not valid.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
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
from api.graph.request_cost import mutation_cost, request_cost
from api.plan.cost import MAX_COST, affordable_cost, cost
from api.plan.prepared_statements import BoundStatement, PreparedStatement, prepare
from api.plan.selection import RootField
from api.plan.value_checks.list_readings import list_readings
from schema.access.rights import Reach

KEPT_CHARACTERS = 32_000_000  # the size of the plan cache: the statements and their values, over all documents
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
        """Run a request whose document is valid.

        Errors: OPERATION_RESOLUTION_FAILURE if the operation name does not decide which operation to run; TOO_LARGE for
        a cost over the limit.
        """
        operation = validated.operation(request.operation_name)
        if operation.node.operation is OperationType.MUTATION:
            done = await self._mutations.run(database, principal, request, validated, operation)
            if done is not None:
                extensions = redacted_note(done.redacted) | list_notes(done.unknown)
                return JsonResult(orjson.dumps(done.data), extensions, done.errors, done.is_secret)
        ready, extensions, readings = self._ready(validated, operation, request.variables, principal)
        failure = None
        if ready is not None:
            try:
                evaluated = await require_readings(database, readings)
                found = await ready.run(database)
                return JsonResult(found.json, extensions | list_notes(found.unknown, evaluated))
            except (AccordError, *DATABASE_FAILURES, asyncpg.InternalClientError) as error:
                failure = error
        return await self._execute(database, request, validated, principal, failure)

    def cost(self, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal) -> int:
        """Return the cost of a request whose document is valid, before it runs (`request_cost.py`).

        It is kept with the plan for all requests of the same shape.
        Errors: OPERATION_RESOLUTION_FAILURE if the operation name does not decide which operation to run.
        """
        operation = validated.operation(request.operation_name)
        if operation.node.operation is OperationType.MUTATION:
            return mutation_cost(len(operation.node.selection_set.selections), request.variables)
        plan = self._plan(validated, operation, request.variables, principal)
        return 0 if plan is None else plan.cost

    def explain(self, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal) -> Explanation:
        """Return how a request would run.

        Errors: those of `execute`, but a cost over the limit is only reported; NOT_ALLOWED for a principal that does
        not reach every record: PostgreSQL's plan counts rows, and estimates numbers of rows, out of its reach, too.
        """
        if principal.reach is not Reach.ALL:
            message = f"An explanation counts all rows that PostgreSQL reads, and your reach is {principal.reach}."
            raise AccordError(ErrorCode.NOT_ALLOWED, message, f"Use a credential with the reach {Reach.ALL}.")
        operation = validated.operation(request.operation_name)
        ready, _, _ = self._ready(validated, operation, request.variables, principal)
        values = operation.values(request.variables)
        if not isinstance(values, VariableValues):
            raise AccordError(ErrorCode.BAD_INPUT, values[0].message, "Give the variables values that fit their types.")
        planned = self._planned(validated, operation, values)
        valid = [root for root in planned.roots if isinstance(_prepared(root, principal), RootField)]
        is_json = ready is not None
        if ready is None and valid:
            ready = prepare(valid, principal).bind(principal, {})
        return Explanation(planned, cost(valid), ready, is_json)

    def _ready(
        self, validated: ValidatedDocument, operation: Operation, given: Mapping[str, Any], principal: Principal
    ) -> tuple[BoundStatement | None, dict[str, object], tuple[RequestedReading, ...]]:
        """Return the bound statement, None if the request is to be executed; extensions; the readings of its lists."""
        plan = self._plan(validated, operation, given, principal)
        if plan is None:
            return None, {}, ()
        values = operation.coerced(given)
        if plan.statement is None or values is None:
            return None, plan.extensions, ()
        try:
            return plan.statement.bind(principal, values), plan.extensions, plan.readings
        except AccordError:
            return None, plan.extensions, ()

    def _plan(
        self, validated: ValidatedDocument, operation: Operation, given: Mapping[str, Any], principal: Principal
    ) -> _CachedPlan | None:
        """Return the plan for all requests of one shape; None if a value is not valid."""
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
        if operation.node.operation is not OperationType.QUERY:
            return _CachedPlan(None, {}, shape)
        planned = self._planned(validated, operation, values)
        price_of_request = request_cost(planned, operation.node)
        executed = _CachedPlan(None, {}, shape, cost=price_of_request)
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
        return _CachedPlan(statement, extensions, shape, readings, price_of_request)

    def _planned(self, validated: ValidatedDocument, operation: Operation, values: VariableValues) -> PlannedDocument:
        collector = FieldCollector(self._schema, validated.fragments, values)
        return plan_document(collector, self._types, operation.node)

    async def _execute(
        self,
        database: Database,
        request: GraphQLRequest,
        validated: ValidatedDocument,
        principal: Principal,
        failure: Exception | None,
    ) -> JsonResult | ExecutedResult:
        operation = validated.operation(request.operation_name)
        values = operation.values(request.variables)
        if isinstance(values, VariableValues):
            planned = self._planned(validated, operation, values)
        else:  # the executor reports invalid variables before it resolves any field
            planned = PlannedDocument(FieldCollector(self._schema, {}, VariableValues({}, {})), self._types, {})
        roots = {key: _prepared(field, principal) for key, field in planned.fields.items() if field is not None}
        if isinstance(failure, AccordError) and failure.code in OF_ONE_FIELD:
            failure = None  # it is raised for the field that it concerns
        price = affordable_cost(root for root in roots.values() if isinstance(root, RootField))
        records = RootRecords(database, principal, roots, failure)
        context = Context(database, principal, validated.document, planned, records)
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
        return ExecutedResult(result, _cost_extension(price) | redacted | list_notes(records.unknown, records.readings))


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
