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
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, get_variable_values
from graphql.execution.values import VariableValues
from strawberry.types import ExecutionResult

from api.access.principal import Principal, Reach
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.context import Context, Records
from api.graph.declared import Declared
from api.graph.document import Document
from api.graph.documents import Checked, Documents
from api.graph.question import Question
from api.graph.reader import Reader
from api.graph.variables import Shape, Variables
from api.plan.cost import MOST_COST, cost
from api.plan.read import Prepared, Ready, prepare
from api.plan.selection import Root

KEPT_CHARACTERS = 32_000_000  # of statements, over all documents and the shapes of their variables


@dataclass(frozen=True, slots=True)
class Written:
    """The data of an answer as PostgreSQL wrote it: JSON, without an error."""

    data: bytes
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class Executed:
    """What the executor found."""

    result: ExecutionResult
    extensions: dict[str, object]


@dataclass(frozen=True, slots=True)
class Explained:
    """How a question is answered: the values that answering it goes through."""

    roots: Mapping[str, Root | AccordError | None]
    cost: int
    ready: Ready | None  # the statement with its values, if any records are read
    is_written: bool  # whether PostgreSQL writes the whole answer


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the questions of one shape are answered by one statement; None where they are not."""

    statement: Prepared | None
    variables: Variables
    extensions: dict[str, object]

    @property
    def weight(self) -> int:
        return 1_000 + (len(self.statement.text) if self.statement else 0)


_Key = tuple[Checked, str | None, Reach, Shape]


class Gateway:
    """Answers documents by the schema and the declared types it is made of."""

    def __init__(self, schema: strawberry.Schema, types: Mapping[str, Declared]) -> None:
        self._strawberry = schema
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public way to the schema it builds
        self._types = types
        self._documents = Documents(schema, types)
        self._variables: LRUCache[tuple[Checked, str | None], Variables] = LRUCache(4_096)
        self._plans: LRUCache[_Key, _Plan] = LRUCache(KEPT_CHARACTERS, getsizeof=lambda plan: plan.weight)

    def checked(self, question: Question) -> Checked:
        """The document of a question, parsed and validated, or its errors."""
        return self._documents.checked(question.query)

    async def answer(
        self, database: Database, question: Question, checked: Checked, who: Principal
    ) -> Written | Executed:
        """Answer a question whose document is sound.

        Errors: BAD_INPUT where it is not clear which operation is meant; TOO_LARGE for what could cost too much.
        """
        plan = self._plan(checked, question, who)
        ready = _ready(plan, question, who)
        failure = None
        if ready is not None:
            try:
                return Written(await ready.run(database), plan.extensions)
            except (AccordError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                failure = error
        return await self._execute(database, question, checked, who, failure)

    def explain(self, question: Question, checked: Checked, who: Principal) -> Explained:
        """Tell how a question would be answered. Errors: as `answer`, but for the cost, which is told."""
        ready = _ready(self._plan(checked, question, who), question, who)
        operation = checked.operation(question.operation_name)
        values = get_variable_values(self._schema, operation.variable_definitions or (), dict(question.variables))
        if not isinstance(values, VariableValues):
            raise AccordError(ErrorCode.BAD_INPUT, values[0].message, "Give the variables values that fit their types.")
        roots = self._roots(checked, operation, values)
        sound = [each for each in roots.values() if isinstance(each, Root) and isinstance(_tried(each, who), Root)]
        is_written = ready is not None
        if ready is None and sound:
            ready = prepare(sound, who).filled(who, {})
        return Explained(roots, cost(sound), ready, is_written)

    def _plan(self, checked: Checked, question: Question, who: Principal) -> _Plan:
        name, given = question.operation_name, question.variables
        variables = self._variables.get((checked, name))
        if variables is None:
            variables = Variables.of(self._schema, checked.operation(name), checked.structural)
            self._variables[checked, name] = variables
        key = (checked, name, who.reach, variables.shape(given))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._make(checked, variables, given, who)
            self._plans[key] = plan
        return plan

    def _make(self, checked: Checked, variables: Variables, given: Mapping[str, Any], who: Principal) -> _Plan:
        unplanned = _Plan(None, variables, {})
        values = variables.with_slots(self._schema, given)
        if values is None or variables.node.operation.value != "query":
            return unplanned
        roots = self._roots(checked, variables.node, values)
        if not all(isinstance(each, Root) for each in roots.values()):
            return unplanned
        sound = [each for each in roots.values() if isinstance(each, Root)]
        price = cost(sound)
        if price > MOST_COST:
            return unplanned
        try:
            return _Plan(prepare(sound, who), variables, _priced(price))
        except AccordError:
            return unplanned

    def _roots(
        self, checked: Checked, operation: OperationDefinitionNode, values: VariableValues
    ) -> dict[str, Root | AccordError | None]:
        """The root fields of an operation: what they read, what is wrong with them, or None for one that is no read."""
        document = Document(self._schema, checked.fragments, values)
        reader = Reader(document, self._types)
        found: dict[str, Root | AccordError | None] = {}
        for key, nodes in document.selected((operation.selection_set,), "Query").items():
            try:
                found[key] = reader.root(key, nodes)
            except AccordError as error:
                found[key] = error
            except GraphQLError:
                found[key] = None  # an argument that only the executor can refuse
        return found

    async def _execute(
        self, database: Database, question: Question, checked: Checked, who: Principal, failure: Exception | None
    ) -> Written | Executed:
        operation = checked.operation(question.operation_name)
        given = dict(question.variables)
        values = get_variable_values(self._schema, operation.variable_definitions or (), given)
        roots = self._roots(checked, operation, values) if isinstance(values, VariableValues) else {}
        sound = {key: _tried(each, who) for key, each in roots.items() if each is not None}
        price = cost(each for each in sound.values() if isinstance(each, Root))
        if price > MOST_COST:
            raise _too_costly(price)
        records = Records(database, who, sound, failure)
        result = await self._strawberry.execute(
            question.query,
            variable_values=given,
            context_value=Context(database, records, checked.document, who),
            operation_name=question.operation_name,
        )
        if not isinstance(result, ExecutionResult):
            raise TypeError(f"one answer was expected, not {type(result).__name__}")
        return Executed(result, _priced(price))


def _ready(plan: _Plan, question: Question, who: Principal) -> Ready | None:
    """The plan's statement with this question's values; None where one does not fit, and is to be told in its place."""
    values = plan.variables.coerced(question.variables)
    if plan.statement is None or values is None:
        return None
    try:
        return plan.statement.filled(who, values)
    except AccordError:
        return None


def _tried(root: Root | AccordError, who: Principal) -> Root | AccordError:
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
