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

import orjson
import strawberry
from cachetools import LRUCache
from graphql import GraphQLError, GraphQLSchema, OperationType
from graphql.execution.values import VariableValues
from strawberry.types import ExecutionResult

from api.access.evaluation import RequestedReading
from api.access.principal import Principal
from api.db import LOST_CONNECTION, Database
from api.errors import AccordError, ErrorCode
from api.funnel.readings.prepare_readings import require_readings
from api.graph.context import OF_ONE_FIELD, Context, RootRecords
from api.graph.declared import Declared
from api.graph.introspection import Introspection
from api.graph.mutations.mutation_runner import MutationRunner
from api.graph.pricing.document_price import document_price
from api.graph.pricing.kept_statistics import CostStatistics, KeptStatistics
from api.graph.reading.document_cache import DocumentCache, ValidatedDocument
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.planned import PlannedDocument, RequestError, plan_document
from api.graph.reading.refused_values import with_way
from api.graph.reading.response_notes import list_notes, redacted_note
from api.graph.reading.variables import Operation, Shape
from api.graph.request import GraphQLRequest
from api.plan.cost.price import Price
from api.plan.prepared_statements import BoundStatement, PreparedStatement, prepare
from api.plan.selection import RootField
from api.plan.value_checks.list_readings import list_readings
from schema.access.rights import Reach

KEPT_CHARACTERS = 32_000_000  # the size of the plan cache: the statements and their values, over all documents
_VALUE_WEIGHT = 100  # what a value takes beside its characters


@dataclass(frozen=True, slots=True)
class JsonResult:
    """The data of a response as JSON. Only mutations have errors, or show a secret (`is_secret`), such as a new key.

    `is_untouched`: it is certain that nothing was executed, because the database could not be reached.
    """

    data: bytes
    extensions: dict[str, object]
    errors: Sequence[GraphQLError] = ()
    is_secret: bool = False
    is_untouched: bool = False


@dataclass(frozen=True, slots=True)
class ExecutedResult:
    """The result of the GraphQL executor."""

    result: ExecutionResult
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a request would run: the values that running it goes through."""

    planned: PlannedDocument
    ready: BoundStatement | None  # the statement with its values; None if no records are read
    is_json: bool  # whether PostgreSQL writes the whole response


@dataclass(frozen=True, slots=True)
class _CachedPlan:
    """The price and the statement for all requests of one shape; no statement if they run through the executor.

    `refusal` is the error of a request that has too many KPI requests.
    """

    statement: PreparedStatement | None
    extensions: dict[str, object]
    shape: Shape
    price: Price
    readings: tuple[RequestedReading, ...] = ()  # of lists of stage entries: evaluated before the statement runs
    refusal: AccordError | None = None

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


# The operation's number, the principal's plan key, the shape of the variables, and the generation of the statistics.
_CacheKey = tuple[int, Hashable, Shape, int]
_LEAST = Price(0)


class Gateway:
    """Runs requests against one schema."""

    def __init__(self, schema: strawberry.Schema, types: Mapping[str, Declared]) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public access to its schema
        self._types = types
        self._documents = DocumentCache(self._schema, types)
        self._plans: LRUCache[_CacheKey, _CachedPlan] = LRUCache(KEPT_CHARACTERS, getsizeof=lambda plan: plan.weight)
        self._mutations = MutationRunner(self._schema, types)
        self._statistics = KeptStatistics()
        self._introspection = Introspection(self._schema)

    def validated(self, request: GraphQLRequest) -> ValidatedDocument:
        """Return the document of a request, parsed and validated, or its errors."""
        return self._documents.validated(request.query)

    async def price(
        self, database: Database, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal
    ) -> Price:
        """Return the price of a request whose document is valid, before it runs. Units: `api.plan.cost.price`.

        It is kept with the plan for all requests of the same shape, so that it costs a look-up. A request that cannot
        run, such as one with an invalid variable, has the least price.
        Errors: OPERATION_RESOLUTION_FAILURE; TOO_LARGE for too many KPI requests. A price over the limit is none.
        """
        operation = validated.operation(request.operation_name)
        plan = self._plan(validated, operation, request.variables, principal, await self._statistics.of(database))
        if plan is None:
            return _LEAST
        if plan.refusal is not None:
            raise plan.refusal
        return plan.price

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
                return JsonResult(
                    orjson.dumps(done.data), extensions, done.errors, done.is_secret, is_untouched=not done.is_touched
                )
        plan = self._plan(validated, operation, request.variables, principal, await self._statistics.of(database))
        if plan is not None:
            schema = await self._introspection.answer(validated, operation.node, request.variables)
            if schema is not None:
                return JsonResult(schema, plan.price.extensions)
        ready, failure = self._ready(plan, operation, request.variables, principal), None
        if plan is not None and ready is not None:
            try:
                evaluated = await require_readings(database, plan.readings)
                found = await ready.run(database)
                return JsonResult(found.json, plan.extensions | list_notes(found.unknown, evaluated))
            except (AccordError, *LOST_CONNECTION) as error:
                failure = error
        return await self._execute(database, request, validated, principal, plan, failure)

    def explain(self, request: GraphQLRequest, validated: ValidatedDocument, principal: Principal) -> Explanation:
        """Return how a request would run.

        Errors: those of `execute`, but for a price over the limit; NOT_ALLOWED for a principal that does
        not reach every record: PostgreSQL's plan counts rows, and estimates numbers of rows, out of its reach, too.
        """
        if principal.reach is not Reach.ALL:
            message = f"An explanation counts all rows that PostgreSQL reads, and your reach is {principal.reach}."
            raise AccordError(ErrorCode.NOT_ALLOWED, message, f"Use a credential with the reach {Reach.ALL}.")
        operation = validated.operation(request.operation_name)
        plan = self._plan(validated, operation, request.variables, principal, CostStatistics())
        ready = self._ready(plan, operation, request.variables, principal)
        values = operation.values(request.variables)
        if not isinstance(values, VariableValues):
            raise AccordError(ErrorCode.BAD_INPUT, values[0].message, "Give the variables values that fit their types.")
        planned = self._planned(validated, operation, values)
        valid = [root for root in planned.roots if isinstance(_prepared(root, principal), RootField)]
        is_json = ready is not None
        if ready is None and valid:
            ready = prepare(valid, principal).bind(principal, {})
        return Explanation(planned, ready, is_json)

    def _plan(
        self,
        validated: ValidatedDocument,
        operation: Operation,
        given: Mapping[str, Any],
        principal: Principal,
        statistics: CostStatistics,
    ) -> _CachedPlan | None:
        """Return the plan of a request; None if a value of a variable is invalid."""
        shape = operation.shape(given)
        key = (operation.number, principal.plan_key, shape, statistics.generation)
        plan = self._plans.get(key)
        if plan is None:
            values = operation.values(given)
            if not isinstance(values, VariableValues):  # not kept: other values of the same shape may be valid
                return None
            slots = operation.slots_in(values, given)
            plan = self._plans[key] = self._make_plan(
                validated, operation, (values, slots), shape, principal, statistics
            )
        return plan

    def _ready(
        self, plan: _CachedPlan | None, operation: Operation, given: Mapping[str, Any], principal: Principal
    ) -> BoundStatement | None:
        """Return the bound statement of a plan; None if the request is to be executed."""
        if plan is None or plan.statement is None:
            return None
        values = operation.coerced(given)
        if values is None:
            return None
        try:
            return plan.statement.bind(principal, values)
        except AccordError:
            return None

    def _make_plan(
        self,
        validated: ValidatedDocument,
        operation: Operation,
        variables: tuple[VariableValues, VariableValues],
        shape: Shape,
        principal: Principal,
        statistics: CostStatistics,
    ) -> _CachedPlan:
        """Make the plan of a shape from the values of its variables, and from slots in place of the bound ones."""
        values, slots = variables
        planned = self._planned(validated, operation, slots)
        reads_records = len(planned.roots) == len(planned.fields)
        try:
            priced_document = planned if reads_records else self._planned(validated, operation, values)
            price = document_price(priced_document, operation.node, statistics, principal)
        except AccordError as refusal:
            return _CachedPlan(None, {}, shape, _LEAST, refusal=refusal)
        executed = _CachedPlan(None, {}, shape, price)
        if operation.node.operation is not OperationType.QUERY or not reads_records or not price.is_affordable:
            return executed
        try:
            statement = prepare(planned.roots, principal)
        except AccordError:
            return executed
        readings = tuple(dict.fromkeys(list_readings(planned.roots)))
        extensions = price.extensions | redacted_note(statement.redacted)
        return _CachedPlan(statement, extensions, shape, price, readings)

    def _planned(self, validated: ValidatedDocument, operation: Operation, values: VariableValues) -> PlannedDocument:
        collector = FieldCollector(self._schema, validated.fragments, values)
        return plan_document(collector, self._types, operation.node)

    async def _execute(
        self,
        database: Database,
        request: GraphQLRequest,
        validated: ValidatedDocument,
        principal: Principal,
        plan: _CachedPlan | None,
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
        price = _LEAST if plan is None else plan.price
        if plan is not None and plan.refusal is not None:
            raise plan.refusal
        price.require_affordable()
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
        notes = list_notes(records.unknown, records.readings)
        return ExecutedResult(result, price.extensions | redacted | notes)


def _prepared(root: RootField | RequestError, principal: Principal) -> RootField | RequestError:
    """Return the root field if its statement can be written, or the error if not: a cursor may be invalid."""
    if isinstance(root, RootField):
        try:
            prepare((root,), principal)
        except AccordError as error:
            return error
    return root
