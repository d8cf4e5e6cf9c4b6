"""The way of every question: a document whose root fields all read records is answered by one statement, as PostgreSQL
wrote it; any other runs through the executor, and its records come from the same statements.

What is not certain to end well is left to the executor, which tells each error in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import strawberry
from cachetools import LRUCache
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues
from strawberry.types import ExecutionResult

from api.access.principal import Principal, Reach
from api.db import FAILURES, Database
from api.errors import AccordError, ErrorCode
from api.graph.context import Context, Records, RequestError
from api.graph.declared import Declared
from api.graph.reading.document import Document
from api.graph.reading.document_cache import Documents, ValidatedDocument
from api.graph.reading.selection import Reader
from api.graph.reading.variables import Operation, Shape
from api.graph.request import GraphQLRequest
from api.plan.cost import MOST_COST, cost
from api.plan.read import Prepared, Ready, prepare
from api.plan.selection import Root

KEPT_CHARACTERS = 32_000_000  # of statements and what they hold, over all documents and the shapes of their variables
_EACH = 100  # what a value takes beside its characters


@dataclass(frozen=True, slots=True)
class JsonResult:
    """The data of an answer as PostgreSQL wrote it: JSON, without an error."""

    data: bytes
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class ExecutedResult:
    """What the executor found."""

    result: ExecutionResult
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a question is answered: the values that answering it goes through."""

    roots: Mapping[str, Root | RequestError | None]
    cost: int
    ready: Ready | None  # the statement with its values, if any records are read
    is_json: bool  # whether PostgreSQL writes the whole answer


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the questions of one shape are answered by one statement; None where they are not."""

    statement: Prepared | None
    extensions: dict[str, object]
    shape: Shape

    @property
    def weight(self) -> int:
        held = len(self.statement.text) + _weight(self.statement.values) if self.statement else 0
        return 1_000 + len(self.shape[1]) + held


def _weight(value: object) -> int:
    match value:
        case str():
            return _EACH + len(value)
        case list() | tuple():
            return _EACH + sum(map(_weight, value))
        case _:
            return _EACH


_Key = tuple[int, Reach, Shape]


class Gateway:
    """Answers documents by the schema and the declared types it is made of."""

    def __init__(self, schema: strawberry.Schema, types: Mapping[str, Declared]) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public way to the schema it builds
        self._types = types
        self._documents = Documents(schema, types)
        self._plans: LRUCache[_Key, _Plan] = LRUCache(KEPT_CHARACTERS, getsizeof=lambda plan: plan.weight)

    def validated(self, question: GraphQLRequest) -> ValidatedDocument:
        """The document of a question, parsed and validated, or its errors."""
        return self._documents.validated(question.query)

    async def answer(
        self, database: Database, question: GraphQLRequest, validated: ValidatedDocument, who: Principal
    ) -> JsonResult | ExecutedResult:
        """Answer a question whose document is sound.

        Errors: BAD_INPUT where it is not clear which operation is meant; TOO_LARGE for what could cost too much.
        """
        operation = validated.operation(question.operation_name)
        ready, extensions = self._ready(validated, operation, question.variables, who)
        failure = None
        if ready is not None:
            try:
                return JsonResult(await ready.run(database), extensions)
            except (AccordError, *FAILURES, asyncpg.InternalClientError) as error:
                failure = error
        return await self._execute(database, question, validated, who, failure)

    def explain(self, question: GraphQLRequest, validated: ValidatedDocument, who: Principal) -> Explanation:
        """Tell how a question would be answered. Errors: as `answer`, but for the cost, which is told."""
        operation = validated.operation(question.operation_name)
        ready, _ = self._ready(validated, operation, question.variables, who)
        values = operation.values(question.variables)
        if not isinstance(values, VariableValues):
            raise AccordError(ErrorCode.BAD_INPUT, values[0].message, "Give the variables values that fit their types.")
        roots = self._roots(validated, operation.node, values)
        sound = [each for each in roots.values() if isinstance(each, Root) and isinstance(_tried(each, who), Root)]
        is_json = ready is not None
        if ready is None and sound:
            ready = prepare(sound, who).filled(who, {})
        return Explanation(roots, cost(sound), ready, is_json)

    def _ready(
        self, validated: ValidatedDocument, operation: Operation, given: Mapping[str, Any], who: Principal
    ) -> tuple[Ready | None, dict[str, object]]:
        """The plan's statement with this question's values, None where one does not fit; what is told beside it."""
        shape = operation.shape(given)
        key = (operation.number, who.reach, shape)
        try:
            plan = self._plans[key]
        except KeyError:
            slots = operation.with_slots(given)
            if slots is None:  # so it is for these values: others of the same shape may fit
                return None, {}
            plan = self._plans[key] = self._make(validated, operation, slots, shape, who)
        values = operation.coerced(given)
        if plan.statement is None or values is None:
            return None, plan.extensions
        try:
            return plan.statement.filled(who, values), plan.extensions
        except AccordError:
            return None, plan.extensions

    def _make(
        self, validated: ValidatedDocument, operation: Operation, values: VariableValues, shape: Shape, who: Principal
    ) -> _Plan:
        unplanned = _Plan(None, {}, shape)
        if operation.node.operation is not OperationType.QUERY:
            return unplanned
        roots = self._roots(validated, operation.node, values)
        if not all(isinstance(each, Root) for each in roots.values()):
            return unplanned
        sound = [each for each in roots.values() if isinstance(each, Root)]
        price = cost(sound)
        if price > MOST_COST:
            return unplanned
        try:
            return _Plan(prepare(sound, who), _priced(price), shape)
        except AccordError:
            return unplanned

    def _roots(
        self, validated: ValidatedDocument, operation: OperationDefinitionNode, values: VariableValues
    ) -> dict[str, Root | RequestError | None]:
        """The root fields of an operation: what they read, what is wrong with them, or None for one that is no read.

        Null for a variable with a default may stand where null is not allowed: GraphQL refuses it only when it comes
        there, within a root field or, at the root's own directives, before any (the key is then empty).
        """
        document = Document(self._schema, validated.fragments, values)
        reader = Reader(document, self._types)
        found: dict[str, Root | RequestError | None] = {}
        try:
            selected = document.selected((operation.selection_set,), "Query")
        except GraphQLError as error:
            return {"": error}
        for key, nodes in selected.items():
            try:
                found[key] = reader.root(key, nodes)
            except (AccordError, GraphQLError) as error:
                found[key] = error
        return found

    async def _execute(
        self,
        database: Database,
        question: GraphQLRequest,
        validated: ValidatedDocument,
        who: Principal,
        failure: Exception | None,
    ) -> JsonResult | ExecutedResult:
        operation = validated.operation(question.operation_name)
        values = operation.values(question.variables)
        roots = self._roots(validated, operation.node, values) if isinstance(values, VariableValues) else {}
        sound = {key: _tried(each, who) for key, each in roots.items() if each is not None}
        price = cost(each for each in sound.values() if isinstance(each, Root))
        if price > MOST_COST:
            raise _too_costly(price)
        records = Records(database, who, sound, failure)
        result = await self._strawberry.execute(
            question.query,
            variable_values=dict(question.variables),
            context_value=Context(database, records, validated.document, who),
            operation_name=question.operation_name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError(f"one answer was expected, not {type(result).__name__}")
        return ExecutedResult(result, _priced(price))


def _tried(root: Root | RequestError, who: Principal) -> Root | RequestError:
    """A root field that can be written, or why not: a cursor may be none of its list."""
    if isinstance(root, Root):
        try:
            prepare((root,), who)
        except AccordError as error:
            return error
    return root


def _priced(price: int) -> dict[str, object]:
    return {"cost": {"requested": price, "limit": MOST_COST}} if price else {}


def _too_costly(price: int) -> AccordError:
    return AccordError(
        ErrorCode.TOO_LARGE,
        f"The answer could hold {price:,} records (page sizes multiplied down the tree), and may hold {MOST_COST:,}.",
        "Ask for smaller pages with `first`, or for the inner lists in a request of their own.",
    )
