"""Documents made up from the schema: every way of asking for records that the language has, within the limits."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)

from tests.plan.generated.arguments import Arguments, Wish
from tests.plan.generated.variables import Asked, Variables
from tests.plan.oracle.executor import contract
from tests.plan.oracle.shapes import KEYS, TYPES, VISIBLE, Rows
from tests.support.random_choices import RandomChoices

Composite = GraphQLObjectType | GraphQLInterfaceType

MOST_STEPS = 7  # levels of fields below a root field
MOST_FIELDS = 35
MOST_ALIASES = 24
MOST_DIRECTIVES = 20
MOST_ROOTS = 12  # in fragments
PARTS, MANY = 4, 12  # of one selection; of figures, which hold nothing more
FIGURES = ("DistinctCounts", "Numbers", "Extremes")
MOST_COST = 700  # of one way down the tree: page sizes multiplied
LONG = "_and_so_on" * 7  # an alias that PostgreSQL would cut
# Types that are there for what they hold: a name and nothing more would be a waste.
HOLDERS = ("Connection", "Edge", "Group", "Aggregate")


@dataclass(frozen=True)
class Made:
    """A document, and the cursors that it wants: each from the answer to a document of its own."""

    asked: Asked
    cursors: tuple[tuple[Wish, Asked], ...]


@dataclass(frozen=True)
class Head:
    """A field without its selection: written again it is merged with itself."""

    text: str
    is_aliased: bool
    kind: Composite | None
    cost: int = 0


@dataclass(frozen=True)
class Fragment:
    """A named fragment, and what it takes to spread it."""

    name: str
    text: str
    on: str
    is_aliased: bool
    steps: int
    cost: int
    aliases: int
    directives: int
    fields: int


@dataclass
class Left:
    """How much more may be written."""

    fields: int = MOST_FIELDS
    aliases: int = MOST_ALIASES
    directives: int = MOST_DIRECTIVES
    roots: int = MOST_ROOTS

    def may_open(self, kind: Composite) -> bool:
        """Whether a fragment may be opened: at the root, where fields are few, it counts as all it may hold."""
        if kind.name != "Query":
            return True
        self.roots -= PARTS
        return self.roots >= 0


@dataclass(frozen=True)
class Place:
    """Where a selection stands: its type, the levels and the cost that are left, whether its fields need aliases.

    Below the interface Node the same key of two types may mean different things: there every field has its own.
    """

    kind: Composite
    steps: int
    cost: int
    is_aliased: bool = False


class Author:
    """Writes one document that reads records, with so many fields at most.

    A bad one may hold input that is refused, in arguments of its root fields.
    """

    def __init__(self, chance: RandomChoices, rows: Rows, *, fields: int = MOST_FIELDS, is_bad: bool = False) -> None:
        self.chance = chance
        self.variables = Variables(chance)
        self.arguments = Arguments(chance, rows, self.variables, is_bad=is_bad)
        self.left = Left(fields)
        self.heads: dict[str, list[Head]] = {}
        self.fragments: list[Fragment] = []
        self.plain: dict[tuple[str, str], Head] = {}  # fields without alias: everywhere with the same arguments
        self.named = 0

    def document(self) -> Made:
        """The whole document."""
        query = contract().query_type
        assert query is not None
        place = Place(query, MOST_STEPS, MOST_COST)
        roots = " ".join(self.chance.several(1, PARTS, lambda: self._part(place)))
        fragments = "".join(f"\n{each.text}" for each in self.fragments)
        cursors = tuple((wish, self.variables.asked(wish.rows)) for wish in self.arguments.wishes)
        return Made(self.variables.asked(roots, fragments, "".join(wish.rows for wish, _ in cursors)), cursors)

    def _selection(self, place: Place) -> str:
        most = MANY if place.kind.name.endswith(FIGURES) else PARTS
        return f"{{ {' '.join(self.chance.several(1, most, lambda: self._part(place)))} }}"

    def _part(self, place: Place) -> str:
        ways: list[Callable[[Place], str]] = [*[self._field] * 8, self._again, self._inline, self._spread]
        return self.chance.one(ways)(place)

    # ---------------------------------------------------------------------------------------------------- fields

    def _field(self, place: Place) -> str:
        names = self._names(place)
        name = self.chance.one(names)
        self.left.fields -= 1
        if name == "__typename":
            return f"{self._key(name, may_stay=True)[0]}{self._directives()}"
        found = place.kind.fields[name]
        known = self.plain.get((place.kind.name, name))
        if known is not None and known.cost <= place.cost and not place.is_aliased and self.chance.happens(2):
            return self._written(known, place)
        must_stay = self.left.aliases <= 0
        if must_stay and known is not None:
            return self._written(known, place) if known.cost <= place.cost else "__typename"
        key, is_aliased = self._key(name, may_stay=known is None and not place.is_aliased)
        arguments, cost = self._arguments(place, found)
        kind = get_named_type(found.type)
        head = Head(f"{key}{arguments}", is_aliased, None if is_leaf_type(kind) else kind, cost)
        if not is_aliased and not place.is_aliased:
            self.plain[place.kind.name, name] = head
        if is_aliased or not place.is_aliased:
            self.heads.setdefault(place.kind.name, []).append(head)
        return self._written(head, place)

    def _again(self, place: Place) -> str:
        """A field that was written before: it is merged where both are of one value."""
        heads = [
            each
            for each in self.heads.get(place.kind.name, ())
            if each.cost <= place.cost and (each.is_aliased or not place.is_aliased)
            if each.kind is None or (place.steps > 1 and self.left.fields > 0)
            if not each.is_aliased or self.left.aliases > 0
        ]
        if not heads:
            return self._field(place)
        head = self.chance.one(heads)
        self.left.fields -= 1
        self.left.aliases -= 1 if head.is_aliased else 0
        return self._written(head, place)

    def _written(self, head: Head, place: Place) -> str:
        text = f"{head.text}{self._directives()}"
        if head.kind is None:
            return text
        size = max(1, head.cost)
        return f"{text} {self._selection(Place(head.kind, place.steps - 1, place.cost // size))}"

    def _names(self, place: Place) -> list[str]:
        kind = place.kind
        leaves = ["__typename"]
        others: list[str] = []
        for name, found in kind.fields.items():
            of_type = get_named_type(found.type)
            if place.is_aliased and self.left.aliases <= 0:
                continue
            if is_leaf_type(of_type):
                leaves.append(name)
            elif place.steps > 1 and self.left.fields > 0 and (kind.name != "Query" or _is_of_records(of_type.name)):
                others += [name] * _weight(kind, of_type.name)
        if not others:
            return leaves
        is_more = kind.name == "Query" or kind.name.endswith(HOLDERS) or self.chance.happens(2)
        return others if is_more and not self.chance.happens(9) else leaves

    def _key(self, name: str, *, may_stay: bool) -> tuple[str, bool]:
        """A field's name, or an alias that nothing else in the document has."""
        if self.left.aliases <= 0 or (may_stay and not self.chance.happens(4)):
            return name, False
        self.left.aliases -= 1
        self.named += 1
        alias = f"k{self.named}{LONG if self.chance.happens(12) else ''}"
        return f"{alias}: {name}", True

    def _arguments(self, place: Place, found: GraphQLField) -> tuple[str, int]:
        """The arguments of a field, and what its rows multiply the cost by."""
        if "id" in found.args:
            return self.arguments.of_id(found), 0
        if "ids" in found.args:
            return self.arguments.of_ids(), 4
        kind = get_named_type(found.type).name
        if "keys" in found.args:
            return self.arguments.of_groups(TYPES[kind.removesuffix("Group")], place.cost)
        if "first" in found.args:
            table = TYPES[kind.removesuffix("Connection")]
            return self.arguments.of_list(found, table, place.cost, is_root=place.kind.name == "Query")
        return "", 0

    # ------------------------------------------------------------------------------------- fragments, directives

    def _inline(self, place: Place) -> str:
        if not self.left.may_open(place.kind):
            return self._field(place)
        on, inner = self._narrowed(place)
        return f"...{on}{self._directives()} {self._selection(inner)}"

    def _narrowed(self, place: Place) -> tuple[str, Place]:
        """A type condition that may stand here, and the place within it."""
        kind = place.kind
        schema = contract()
        node = schema.type_map["Node"]
        assert isinstance(node, GraphQLInterfaceType)
        if kind is node:
            table = self.chance.one([each for each in VISIBLE if KEYS[each] == ("id",)])
            of_type = schema.type_map[VISIBLE[table].type_name]
            assert isinstance(of_type, GraphQLObjectType)
            return f" on {of_type.name}", Place(of_type, place.steps, place.cost, is_aliased=True)
        ways: list[tuple[str, Place]] = [("", place), (f" on {kind.name}", place)]
        if isinstance(kind, GraphQLObjectType) and node in kind.interfaces:
            ways.append((" on Node", Place(node, place.steps, place.cost, place.is_aliased)))
        return self.chance.one(ways)

    def _spread(self, place: Place) -> str:
        """A named fragment: one that fits, or a new one."""
        known = [each for each in self.fragments if self._fits(each, place)]
        if known and self.chance.happens(2):
            found = self.chance.one(known)
            self.left.aliases -= found.aliases
            self.left.directives -= found.directives
            self.left.fields -= found.fields
        elif self.left.fields <= 0 or not self.left.may_open(place.kind):
            return self._field(place)
        else:
            found = self._fragment(place)
        return f"...{found.name}{self._directives()}"

    def _fits(self, fragment: Fragment, place: Place) -> bool:
        interfaces = place.kind.interfaces if isinstance(place.kind, GraphQLObjectType) else ()
        return (
            fragment.on in (place.kind.name, *(each.name for each in interfaces))
            and fragment.on != "Query"
            and fragment.is_aliased >= place.is_aliased
            and fragment.steps <= place.steps
            and fragment.cost <= place.cost
            and fragment.aliases <= self.left.aliases
            and fragment.directives <= self.left.directives
            and fragment.fields <= self.left.fields
        )

    def _fragment(self, place: Place) -> Fragment:
        on, inner = self._narrowed(place)
        before = replace(self.left)
        selected = self._selection(inner)
        self.named += 1
        name = f"part{self.named}"
        fragment = Fragment(
            name,
            f"fragment {name}{on or f' on {inner.kind.name}'} {selected}",
            inner.kind.name,
            inner.is_aliased,
            inner.steps,
            inner.cost,
            before.aliases - self.left.aliases,
            before.directives - self.left.directives,
            before.fields - self.left.fields,
        )
        self.fragments.append(fragment)
        return fragment

    def _directives(self) -> str:
        if self.left.directives <= 1 or not self.chance.happens(7):
            return ""
        names = self.chance.one([["skip"], ["include"], ["skip", "include"], ["include", "skip"]])
        self.left.directives -= len(names)
        return "".join(f" @{name}(if: {self._if(name)})" for name in names)

    def _if(self, name: str) -> str:
        is_true = (name == "include") is not self.chance.happens(3)
        return self.variables.written("Boolean!", is_true)


def _weight(kind: Composite, of_type: str) -> int:
    """Lists above all, and of these the deals: they have every kind of column, money in several currencies too."""
    if of_type == "DealConnection":
        return 9 if kind.name == "Query" else 3
    return 3 if kind.name == "Query" and of_type.endswith("Connection") else 1


def _is_of_records(of_type: str) -> bool:
    return of_type == "Node" or of_type.removesuffix("Connection") in TYPES
