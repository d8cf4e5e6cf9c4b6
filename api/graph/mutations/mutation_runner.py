"""Running mutations: the root fields of an operation one after another, each in a unit of work of its own.

As GraphQL defines it, a root field that fails is null and has an error at its path, and the ones after it run all the
same. What was committed stays.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import FieldNode, GraphQLError, GraphQLSchema, located_error
from graphql.execution.values import VariableValues

from api.access.principal import Principal
from api.db import Database, UnreachableError
from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared
from api.graph.mutations.all_mutations import MUTATIONS
from api.graph.mutations.mutation import MAX_ROWS, Mutation
from api.graph.mutations.mutation_fields import INPUT, MUTATION
from api.graph.mutations.payload_plan import PayloadPlan, plan_payload
from api.graph.mutations.payload_queries import PayloadReading
from api.graph.mutations.record_inputs import IDEMPOTENCY_KEY
from api.graph.reading.aggregate_reader import TYPENAME
from api.graph.reading.document_cache import ValidatedDocument
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.refused_values import with_way
from api.graph.reading.selection_reader import SelectionReader
from api.graph.reading.variables import Operation
from api.graph.request import GraphQLRequest
from api.plan.value_checks.known_values import UnknownText
from api.traffic.deadline import part_of_request
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import Call, perform

_KEPT_PLANS = 1_000
# What a mutation does at the deadline of its request: before its commit begins, and after that.
NOT_WRITTEN = "This mutation wrote nothing. Send it again, with the same idempotency key."
WRITTEN = (
    "This mutation is written; only its payload was not read in time. Read the records, or repeat the idempotency key."
)
_BY_NAME = {mutation.name: mutation for mutation in MUTATIONS}

# The operation's number, the principal's plan key, the shape of the variables that the payload depends on; the root
# field's response key.
_PlanKey = tuple[Hashable, str]


@dataclass(slots=True)
class MutationsResult:
    """The data and the errors of a mutation's root fields.

    `redacted` has the fields that are null because the principal may not read them, `unknown` the free texts in filters
    that no record ever had. `is_secret`: it shows a secret, such as a new API key. `is_touched`: something was
    executed, or may have been: the answer to a commit can be lost.
    """

    data: dict[str, object] = field(default_factory=dict)
    errors: list[GraphQLError] = field(default_factory=list)
    redacted: set[str] = field(default_factory=set)
    unknown: list[UnknownText] = field(default_factory=list)
    is_secret: bool = False
    is_touched: bool = False


class MutationRunner:
    """Runs the mutations of one schema. The plans of payloads are kept."""

    def __init__(self, schema: GraphQLSchema, types: Mapping[str, Declared]) -> None:
        self.schema = schema
        self.types = types
        self.plans: LRUCache[_PlanKey, PayloadPlan] = LRUCache(_KEPT_PLANS)

    async def run(
        self,
        database: Database,
        principal: Principal,
        request: GraphQLRequest,
        validated: ValidatedDocument,
        operation: Operation,
    ) -> MutationsResult | None:
        """Run all root fields of a mutation.

        None if it has none that could run, because a variable or a directive on them is not valid. Nothing was done
        then, and the executor reports what is wrong.
        """
        values = operation.values(request.variables)
        if not isinstance(values, VariableValues):
            return None
        collector = FieldCollector(self.schema, validated.fragments, values)
        try:
            roots = collector.collect_from((operation.node.selection_set,), MUTATION)
        except GraphQLError:
            return None
        run = _Run(self, database, principal, request, operation, collector)
        for key, nodes in roots.items():
            try:
                with part_of_request(NOT_WRITTEN):
                    run.result.data[key] = await run.root(key, nodes)
            except Exception as error:  # noqa: BLE001 - each is reported at its field; bugs are logged by the edge
                run.result.data[key] = None
                run.result.errors.append(with_way(located_error(error, nodes, [key])))
        return run.result


@dataclass(frozen=True, slots=True)
class _Run:
    """One request on its way through its root fields."""

    runner: MutationRunner
    database: Database
    principal: Principal
    request: GraphQLRequest
    operation: Operation
    collector: FieldCollector
    result: MutationsResult = field(default_factory=MutationsResult)

    async def root(self, key: str, nodes: Sequence[FieldNode]) -> object:
        """Run a root field. Return its payload.

        Errors: NOT_ALLOWED; TOO_LARGE for too many rows; those of `plan_payload` and `perform`, all before anything is
                written; TIMED_OUT, whose remedy says whether it is written; those of reading the payload afterwards.
        """
        name = nodes[0].name.value
        if name == TYPENAME:
            return MUTATION
        mutation, given = _BY_NAME[name], self.collector.arguments(MUTATION, nodes[0])[INPUT]
        self.principal.require(mutation.permission)
        _limit_rows(given)
        variables = self.collector.variables.coerced
        selecting = self.operation.selecting(self.request.variables)
        plan = self._plan(key, nodes, mutation, selecting)
        if selecting:
            plan.require_values(self.principal, variables)
        idempotency_key = given.get(IDEMPOTENCY_KEY.name)
        input_hash = "" if idempotency_key is None else _hash(given)
        call = Call(mutation.name, input_hash, idempotency_key, self.request.request_id)
        was_touched, self.result.is_touched = self.result.is_touched, True
        try:
            outcome = await perform(self.database, self.principal, call, mutation.prepare(given))
        except UnreachableError:
            self.result.is_touched = was_touched
            raise
        self.result.is_secret |= bool(outcome.secrets)
        with part_of_request(WRITTEN):
            payload = await plan.written(self.database, self.principal, outcome, variables)
            self.result.redacted.update(payload.redacted)
            self.result.unknown += payload.unknown
            return await self._with_queries(key, plan, outcome, payload.value)

    async def _with_queries(self, key: str, plan: PayloadPlan, outcome: Outcome, value: object) -> object:
        """Return a payload with the fields that root fields read."""
        if not plan.queries or not isinstance(value, dict):
            return value
        reading = PayloadReading(
            self.database, self.principal, self.runner.types, self.operation, self.collector, self.request.variables
        )
        for query in plan.queries:
            value[query.key] = await reading.read(query, outcome, key)
        self.result.redacted.update(reading.redacted)
        self.result.errors += map(with_way, reading.errors)
        return value

    def _plan(
        self, key: str, nodes: Sequence[FieldNode], mutation: Mutation, selecting: Mapping[str, Any]
    ) -> PayloadPlan:
        """Return the plan of a root field's payload. It depends on the variables of the selection alone."""
        plan_key = (self.operation.number, self.principal.plan_key, self.operation.shape(selecting)), key
        plan = self.runner.plans.get(plan_key)
        if plan is None:
            slots = self.operation.slots_in(self.collector.variables, selecting)
            collector = FieldCollector(self.runner.schema, self.collector.fragments, slots)
            reader = SelectionReader(collector, self.runner.types)
            plan = self.runner.plans[plan_key] = plan_payload(reader, nodes, mutation.payload_type, self.principal)
        return plan


def _limit_rows(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, list) and len(value) > MAX_ROWS:
            raise AccordError(
                ErrorCode.TOO_LARGE,
                f"`{name}` has {len(value):,} rows. The limit is {MAX_ROWS:,}.",
                "Send the rows in several mutations.",
            )


def _hash(given: Mapping[str, Any]) -> str:
    """Return the hash of an input without its idempotency key: equal inputs have equal hashes."""
    values = {name: value for name, value in given.items() if name != IDEMPOTENCY_KEY.name}
    text = orjson.dumps(values, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()
