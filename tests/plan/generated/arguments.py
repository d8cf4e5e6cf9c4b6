"""Arguments of the fields that read records, made up from the schema."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import GraphQLField, get_named_type

from tests.plan.generated.filters import Filters, operators_of
from tests.plan.generated.groups import group_arguments
from tests.plan.generated.variables import Variables, literal
from tests.plan.oracle.executor import contract
from tests.plan.oracle.filters import words
from tests.plan.oracle.pages import LARGEST_PAGE, PAGE_SIZE
from tests.plan.oracle.shapes import COLUMNS, KEYS, TYPES, VISIBLE, Rows
from tests.support.random_choices import RandomChoices

MOST_CURSORS = 2
ALWAYS = "9999-01-01T00:00:00Z"  # as of then all is as it is now
BAD_IDS = ("", "nothing", "contact_1", "accord_version_00000000-0000-0000-0000-00000000003d", "stage_entry_x")
BAD_CURSORS = ("", "x", "bm90aGluZw==", "WyJpZCsiLCAxXQ==")


@dataclass(frozen=True)
class Wish:
    """A real cursor that a document wants in the place of a stand-in: of some row of a list, whatever its page."""

    stand_in: str
    rows: str  # the list as a root field
    place: int


class Arguments:
    """Writes the arguments of one document. Bad ones may hold input that is refused, in root fields."""

    def __init__(self, chance: RandomChoices, rows: Rows, variables: Variables, *, is_bad: bool) -> None:
        self.chance = chance
        self.rows = rows
        self.variables = variables
        self.is_bad = is_bad
        self.wishes: list[Wish] = []

    def of_id(self, found: GraphQLField) -> str:
        """The arguments of a field that reads one record."""
        kind = get_named_type(found.type).name
        table = TYPES.get(kind) or self._any_table()
        given = self._filters(None).id(table)
        if self.is_bad and self.chance.happens(2):
            given = self.chance.one([*BAD_IDS, *([] if kind in ("Team", "Node") else [given.replace(table, "team")])])
        written = {"id": self.variables.written("ID!", given)}
        self._add_as_of(written, found)
        return _brackets(written)

    def of_ids(self) -> str:
        """The argument of a field that reads several records of any types."""
        ids = list(self.chance.several(0, 4, lambda: self._filters(None).id(self._any_table())))
        if self.is_bad and self.chance.happens(2):
            ids.append(self.chance.one(BAD_IDS))
        return _brackets({"ids": self.variables.written("[ID!]!", ids)})

    def of_list(self, found: GraphQLField, table: str, most: int, *, is_root: bool) -> tuple[str, int]:
        """The arguments of a list, and how many rows it may have."""
        what = self._what(table)
        page, size = self._page(most)
        written = page | what
        for key in ("after", "before"):
            if self.chance.happens(5) and len(self.wishes) < MOST_CURSORS:
                written[key] = self.variables.written("String", self._wish(table, what))
            else:
                self._leave_out(written, key, "String", '"x"')
        self._add_as_of(written, found)
        if self.is_bad and is_root and self.chance.happens(2):
            written |= self._bad(table, size)
        assert set(written) <= set(found.args)
        return _brackets(written), max(1, size)

    def of_groups(self, table: str, most: int) -> tuple[str, int]:
        """The arguments of the groups of a list, and how many groups there may be."""
        written, size = group_arguments(self._filters(self.variables), table, self.variables, most)
        return _brackets(written), max(1, size)

    # ------------------------------------------------------------------------------------------------- which rows

    def _what(self, table: str) -> dict[str, str]:
        """Filter, search and order: what a cursor belongs to."""
        written: dict[str, str] = {}
        kind = VISIBLE[table].type_name
        # A filter or an order is a variable as a whole only if none is in it.
        filters = self._filters(self.chance.one([None, self.variables]))
        if self.chance.happens(2):
            written["where"] = self.variables.written(f"{kind}Where", filters.where(table))
        else:
            self._leave_out(written, "where", f"{kind}Where", "{ not: {} }")
        if self.chance.happens(2):
            written["orderBy"] = self.variables.written(f"[{kind}Order!]", filters.order(table))
        else:
            default = "[{ createdAt: DESC }]" if "createdAt" in COLUMNS[table] else None
            self._leave_out(written, "orderBy", f"[{kind}Order!]", default)
        if VISIBLE[table].searched:
            text = self._text(table) if self.chance.happens(6) else ""
            if text:
                written["search"] = self.variables.written("String", text)
            else:
                self._leave_out(written, "search", "String", '"x"')
        return written

    def _text(self, table: str) -> str:
        """Beginnings of words that are searched, of one row or of two; nothing where there are none."""
        texts = (row[column] or "" for row in self.rows[table] for column in VISIBLE[table].searched)
        there = sorted({word for text in texts for word in words(text)})
        found = self.chance.several(1, 2, lambda: self.chance.one(there)) if there else ()
        return " ".join(word[: self.chance.integer(1, len(word))] for word in found)

    def _wish(self, table: str, what: Mapping[str, str]) -> str:
        """A stand-in for the cursor of some row of the list."""
        stand_in = f"<cursor {len(self.wishes)}>"
        rows = _brackets({"first": str(LARGEST_PAGE), **what})
        self.wishes.append(
            Wish(stand_in, f"wanted: {root_of(table)}{rows} {{ edges {{ cursor }} }}", self.chance.integer(0, 30))
        )
        return stand_in

    # ------------------------------------------------------------------------------------------------------ pages

    def _page(self, most: int) -> tuple[dict[str, str], int]:
        written: dict[str, str] = {}
        if most >= PAGE_SIZE and self.chance.happens(4):
            for key in ("first", "last"):
                self._leave_out(written, key, "Int", "3")
            return written, PAGE_SIZE
        size = self.chance.integer(0, min(6, most))
        given, other = self.chance.one([("first", "last"), ("first", "last"), ("last", "first")])
        written[given] = self.variables.written("Int", size)
        self._leave_out(written, other, "Int", "3")
        return written, size

    def _bad(self, table: str, size: int) -> dict[str, str]:
        """Input that is refused."""
        match self.chance.integer(0, 5):
            case 0:
                return {"first": self.variables.written("Int", LARGEST_PAGE + 1), "last": "null"}
            case 1:
                return {"last": self.variables.written("Int", -1), "first": "null"}
            case 2:
                return {"first": str(size), "last": self.variables.written("Int", size)}
            case 3:
                given = self.variables.written("String", self.chance.one(BAD_CURSORS))
                return {self.chance.one(["after", "before"]): given}
            case 4:
                key = self.chance.one(KEYS[table]).removesuffix("_id") + ("Id" if KEYS[table] != ("id",) else "")
                bad = self.variables.written("ID", self.chance.one(BAD_IDS))
                return {"where": f"{{ {key}: {{ eq: {bad} }} }}"}
            case _:
                key = self.chance.one(sorted(COLUMNS[table]))
                operator, of_type = self.chance.one(sorted(operators_of(table, key).items()))
                name = self.variables.new(of_type)
                self.variables.given[name] = None
                return {"where": f"{{ not: {{ {key}: {{ {operator}: ${name} }} }} }}"}

    # ------------------------------------------------------------------------------------------------------- both

    def _add_as_of(self, written: dict[str, str], found: GraphQLField) -> None:
        if "asOf" in found.args:
            if self.chance.happens(8):
                written["asOf"] = self.variables.written("DateTime", ALWAYS)
            else:
                self._leave_out(written, "asOf", "DateTime", literal("1900-01-01T00:00:00Z", "DateTime"))

    def _leave_out(self, written: dict[str, str], key: str, of_type: str, default: str | None = None) -> None:
        found = self.variables.nothing(of_type, default) if self.chance.happens(3) else None
        if found is not None:
            written[key] = found

    def _filters(self, variables: Variables | None) -> Filters:
        return Filters(self.chance, self.rows, variables)

    def _any_table(self) -> str:
        return self.chance.one([table for table in VISIBLE if KEYS[table] == ("id",)])


def root_of(table: str) -> str:
    """The root field that lists a table."""
    query = contract().query_type
    assert query is not None
    wanted = f"{VISIBLE[table].type_name}Connection"
    return next(str(name) for name, each in query.fields.items() if get_named_type(each.type).name == wanted)


def _brackets(written: Mapping[str, str]) -> str:
    return f"({', '.join(f'{key}: {value}' for key, value in written.items())})" if written else ""
