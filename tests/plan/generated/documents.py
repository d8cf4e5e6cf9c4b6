"""Generator of documents that read records, with every feature of the language, within the limits."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from tests.plan.generated.arguments import Arguments, CursorRequest
from tests.plan.generated.variables import GeneratedRequest, Variables
from tests.plan.oracle.executor import contract
from tests.plan.oracle.shapes import KEYS, TYPES, VISIBLE, Rows
from tests.support.random_choices import RandomChoices

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

MAX_LEVELS = 7  # levels of fields below a root field
MAX_FIELDS = 35
MAX_ALIASES = 24
MAX_DIRECTIVES = 20
MAX_ROOTS = 12  # in fragments
MAX_PARTS, MAX_AGGREGATES = 4, 12  # of one selection; of a selection of aggregates, which are leaves
AGGREGATE_TYPES = ("DistinctCounts", "Numbers", "Extremes")
MAX_COST = 700  # of one path down the tree: page sizes multiplied
LONG_SUFFIX = "_and_so_on" * 7  # of an alias that PostgreSQL would truncate
# Types that matter for their nested fields: a selection of leaves alone would test little.
CONTAINER_TYPES = ("Connection", "Edge", "Group", "Aggregate")


@dataclass(frozen=True)
class GeneratedDocument:
    """A request, and the cursors that it needs, each with the request that returns it."""

    request: GeneratedRequest
    cursors: tuple[tuple[CursorRequest, GeneratedRequest], ...]


@dataclass(frozen=True)
class FieldHead:
    """A field without its selection. If it is written again, GraphQL merges both."""

    text: str
    is_aliased: bool
    kind: Composite | None
    cost: int = 0


@dataclass(frozen=True)
class Fragment:
    """A named fragment, and what a spread of it requires and consumes."""

    name: str
    text: str
    on: str
    is_aliased: bool
    levels: int
    cost: int
    aliases: int
    directives: int
    fields: int


@dataclass
class Budget:
    """The number of fields, aliases, directives and root fields that may still be generated."""

    fields: int = MAX_FIELDS
    aliases: int = MAX_ALIASES
    directives: int = MAX_DIRECTIVES
    roots: int = MAX_ROOTS

    def may_open(self, kind: Composite) -> bool:
        """Return whether a fragment may be opened; at the root it consumes the maximum number of its fields."""
        if kind.name != "Query":
            return True
        self.roots -= MAX_PARTS
        return self.roots >= 0


@dataclass(frozen=True)
class Position:
    """The position of a selection: its type, the remaining levels and cost, and whether its fields need aliases.

    Below the interface Node and below a union, the same key may mean different things for two types, so every field has
    an alias.
    """

    kind: Composite
    levels: int
    cost: int
    is_aliased: bool = False


class DocumentGenerator:
    """Generates one document that reads records, with at most so many fields.

    With `is_invalid`, arguments of its root fields may have input that is rejected.
    """

    def __init__(
        self, chance: RandomChoices, rows: Rows, *, fields: int = MAX_FIELDS, is_invalid: bool = False
    ) -> None:
        self.chance = chance
        self.variables = Variables(chance)
        self.arguments = Arguments(chance, rows, self.variables, is_invalid=is_invalid)
        self.budget = Budget(fields)
        self.heads: dict[str, list[FieldHead]] = {}
        self.fragments: list[Fragment] = []
        self.unaliased: dict[tuple[str, str], FieldHead] = {}  # they have the same arguments everywhere
        self.name_count = 0

    def document(self) -> GeneratedDocument:
        """Return the document."""
        query = contract().query_type
        assert query is not None
        position = Position(query, MAX_LEVELS, MAX_COST)
        roots = " ".join(self.chance.several(1, MAX_PARTS, lambda: self._part(position)))
        fragments = "".join(f"\n{fragment.text}" for fragment in self.fragments)
        lists = [cursor.list_field for cursor in self.arguments.cursor_requests]
        cursors = tuple(
            (cursor, self.variables.request(cursor.list_field)) for cursor in self.arguments.cursor_requests
        )
        return GeneratedDocument(self.variables.request(roots, fragments, "".join(lists)), cursors)

    def _selection(self, position: Position) -> str:
        max_parts = MAX_AGGREGATES if position.kind.name.endswith(AGGREGATE_TYPES) else MAX_PARTS
        return f"{{ {' '.join(self.chance.several(1, max_parts, lambda: self._part(position)))} }}"

    def _part(self, position: Position) -> str:
        generators: list[Callable[[Position], str]] = [
            *[self._field] * 8,
            self._repeated_field,
            self._inline,
            self._spread,
        ]
        return self.chance.one(generators)(position)

    # ---------------------------------------------------------------------------------------------------- fields

    def _field(self, position: Position) -> str:
        names = self._names(position)
        name = self.chance.one(names)
        self.budget.fields -= 1
        if name == "__typename":
            return f"{self._key(name, may_stay=True)[0]}{self._directives()}"
        assert not isinstance(position.kind, GraphQLUnionType)  # it has no other field than `__typename`
        found = position.kind.fields[name]
        known = self.unaliased.get((position.kind.name, name))
        if known is not None and known.cost <= position.cost and not position.is_aliased and self.chance.happens(2):
            return self._with_selection(known, position)
        must_stay = self.budget.aliases <= 0
        if must_stay and known is not None:
            return self._with_selection(known, position) if known.cost <= position.cost else "__typename"
        key, is_aliased = self._key(name, may_stay=known is None and not position.is_aliased)
        arguments, cost = self._arguments(position, found)
        kind = get_named_type(found.type)
        head = FieldHead(f"{key}{arguments}", is_aliased, None if is_leaf_type(kind) else kind, cost)
        if not is_aliased and not position.is_aliased:
            self.unaliased[position.kind.name, name] = head
        if is_aliased or not position.is_aliased:
            self.heads.setdefault(position.kind.name, []).append(head)
        return self._with_selection(head, position)

    def _repeated_field(self, position: Position) -> str:
        """Return a field that was generated before: GraphQL merges the two if they belong to the same object."""
        heads = [
            head
            for head in self.heads.get(position.kind.name, ())
            if head.cost <= position.cost and (head.is_aliased or not position.is_aliased)
            if head.kind is None or (position.levels > 1 and self.budget.fields > 0)
            if not head.is_aliased or self.budget.aliases > 0
        ]
        if not heads:
            return self._field(position)
        head = self.chance.one(heads)
        self.budget.fields -= 1
        self.budget.aliases -= 1 if head.is_aliased else 0
        return self._with_selection(head, position)

    def _with_selection(self, head: FieldHead, position: Position) -> str:
        text = f"{head.text}{self._directives()}"
        if head.kind is None:
            return text
        size = max(1, head.cost)
        return f"{text} {self._selection(Position(head.kind, position.levels - 1, position.cost // size))}"

    def _names(self, position: Position) -> list[str]:
        kind = position.kind
        leaves = ["__typename"]
        others: list[str] = []
        for name, found in ({} if isinstance(kind, GraphQLUnionType) else kind.fields).items():
            of_type = get_named_type(found.type)
            if position.is_aliased and self.budget.aliases <= 0:
                continue
            if is_leaf_type(of_type):
                # Root fields without a selection, such as personReport, are not planned.
                leaves += [name] if kind.name != "Query" else []
            elif (
                position.levels > 1
                and self.budget.fields > 0
                and (kind.name != "Query" or _reads_records(of_type.name))
            ):
                others += [name] * _weight(kind, of_type.name)
        if not others:
            return leaves
        is_more = kind.name == "Query" or kind.name.endswith(CONTAINER_TYPES) or self.chance.happens(2)
        return others if is_more and not self.chance.happens(9) else leaves

    def _key(self, name: str, *, may_stay: bool) -> tuple[str, bool]:
        """Return the name of a field, or an alias that is unique in the document."""
        if self.budget.aliases <= 0 or (may_stay and not self.chance.happens(4)):
            return name, False
        self.budget.aliases -= 1
        self.name_count += 1
        alias = f"k{self.name_count}{LONG_SUFFIX if self.chance.happens(12) else ''}"
        return f"{alias}: {name}", True

    def _arguments(self, position: Position, found: GraphQLField) -> tuple[str, int]:
        """Return the arguments of a field, and the factor by which its rows multiply the cost."""
        if "id" in found.args:
            return self.arguments.of_id(found), 0
        if "ids" in found.args:
            return self.arguments.of_ids(), 4
        kind = get_named_type(found.type).name
        if "text" in found.args:
            return self.arguments.of_search(position.cost)
        if "keys" in found.args and is_leaf_type(get_named_type(found.type)):
            return self.arguments.of_group_count(TYPES[position.kind.name.removesuffix("Connection")]), 0
        if "keys" in found.args:
            return self.arguments.of_groups(TYPES[kind.removesuffix("Group")], position.cost)
        if "first" in found.args:
            table = TYPES[kind.removesuffix("Connection")]
            return self.arguments.of_list(found, table, position.cost, is_root=position.kind.name == "Query")
        return "", 0

    # ------------------------------------------------------------------------------------- fragments, directives

    def _inline(self, position: Position) -> str:
        if not self.budget.may_open(position.kind):
            return self._field(position)
        on, inner = self._narrowed(position)
        return f"...{on}{self._directives()} {self._selection(inner)}"

    def _narrowed(self, position: Position) -> tuple[str, Position]:
        """Return a type condition that is allowed here, and the position within it."""
        kind = position.kind
        schema = contract()
        node = schema.type_map["Node"]
        assert isinstance(node, GraphQLInterfaceType)
        if kind is node or isinstance(kind, GraphQLUnionType):
            of_type = self.chance.one(
                list(kind.types)
                if isinstance(kind, GraphQLUnionType)
                else [schema.type_map[VISIBLE[name].type_name] for name in VISIBLE if KEYS[name] == ("id",)]
            )
            assert isinstance(of_type, GraphQLObjectType)
            return f" on {of_type.name}", Position(of_type, position.levels, position.cost, is_aliased=True)
        conditions: list[tuple[str, Position]] = [("", position), (f" on {kind.name}", position)]
        if isinstance(kind, GraphQLObjectType) and node in kind.interfaces:
            conditions.append((" on Node", Position(node, position.levels, position.cost, position.is_aliased)))
        return self.chance.one(conditions)

    def _spread(self, position: Position) -> str:
        """Return a spread of a named fragment: of one that fits, or of a new one."""
        known = [fragment for fragment in self.fragments if self._fits(fragment, position)]
        if known and self.chance.happens(2):
            found = self.chance.one(known)
            self.budget.aliases -= found.aliases
            self.budget.directives -= found.directives
            self.budget.fields -= found.fields
        elif self.budget.fields <= 0 or not self.budget.may_open(position.kind):
            return self._field(position)
        else:
            found = self._fragment(position)
        return f"...{found.name}{self._directives()}"

    def _fits(self, fragment: Fragment, position: Position) -> bool:
        interfaces = position.kind.interfaces if isinstance(position.kind, GraphQLObjectType) else ()
        return (
            fragment.on in (position.kind.name, *(interface.name for interface in interfaces))
            and fragment.on != "Query"
            and fragment.is_aliased >= position.is_aliased
            and fragment.levels <= position.levels
            and fragment.cost <= position.cost
            and fragment.aliases <= self.budget.aliases
            and fragment.directives <= self.budget.directives
            and fragment.fields <= self.budget.fields
        )

    def _fragment(self, position: Position) -> Fragment:
        on, inner = self._narrowed(position)
        before = replace(self.budget)
        selected = self._selection(inner)
        self.name_count += 1
        name = f"part{self.name_count}"
        fragment = Fragment(
            name,
            f"fragment {name}{on or f' on {inner.kind.name}'} {selected}",
            inner.kind.name,
            inner.is_aliased,
            inner.levels,
            inner.cost,
            before.aliases - self.budget.aliases,
            before.directives - self.budget.directives,
            before.fields - self.budget.fields,
        )
        self.fragments.append(fragment)
        return fragment

    def _directives(self) -> str:
        if self.budget.directives <= 1 or not self.chance.happens(7):
            return ""
        names = self.chance.one([["skip"], ["include"], ["skip", "include"], ["include", "skip"]])
        self.budget.directives -= len(names)
        return "".join(f" @{name}(if: {self._if(name)})" for name in names)

    def _if(self, name: str) -> str:
        is_true = (name == "include") is not self.chance.happens(3)
        return self.variables.literal_or_variable("Boolean!", is_true)


def _weight(kind: Composite, of_type: str) -> int:
    """Return the weight of a field: lists come most often, and deals, which have every kind of column, most of all."""
    if of_type == "DealConnection":
        return 9 if kind.name == "Query" else 3
    return 3 if kind.name == "Query" and of_type.endswith("Connection") else 1


def _reads_records(of_type: str) -> bool:
    return of_type in ("Node", "SearchResultConnection") or of_type.removesuffix("Connection") in TYPES
