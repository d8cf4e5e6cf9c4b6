"""Generator of the arguments of fields that read records."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import GraphQLField, GraphQLInputObjectType, get_named_type

from tests.plan.generated.filters import Filters, operators_of
from tests.plan.generated.groups import group_arguments, group_count_arguments
from tests.plan.generated.variables import Variables, literal
from tests.plan.oracle.executor import contract
from tests.plan.oracle.filters import words
from tests.plan.oracle.pages import LARGEST_PAGE, PAGE_SIZE
from tests.plan.oracle.search_results import TABLES
from tests.plan.oracle.shapes import COLUMNS, KEYS, MERGED, TYPES, VISIBLE, Rows
from tests.support.random_choices import RandomChoices

MAX_CURSORS = 2
FAR_FUTURE = "9999-01-01T00:00:00Z"  # the rows as of this instant are the current rows
FAR_FUTURE_SUFFIX = "@99990101T000000Z"
INVALID_IDS = ("", "nothing", "contact_1", "accord_version_00000000-0000-0000-0000-00000000003d", "stage_entry_x")
INVALID_CURSORS = ("", "x", "bm90aGluZw==", "WyJpZCsiLCAxXQ==")


@dataclass(frozen=True)
class CursorRequest:
    """A stand-in in a document that needs a real cursor: the cursor of one row of a list, on whatever page."""

    stand_in: str
    list_field: str  # the list as a root field, which returns the cursors
    position: int


class Arguments:
    """Generates the arguments of one document. With `is_invalid`, root fields may have input that is rejected."""

    def __init__(self, chance: RandomChoices, rows: Rows, variables: Variables, *, is_invalid: bool) -> None:
        self.chance = chance
        self.rows = rows
        self.variables = variables
        self.is_invalid = is_invalid
        self.cursor_requests: list[CursorRequest] = []

    def of_id(self, field: GraphQLField) -> str:
        """Return the arguments of a field that reads one record."""
        kind = get_named_type(field.type).name
        table = TYPES.get(kind) or self._any_table()
        id_ = self._filters(None).id(table)
        if self.is_invalid and self.chance.happens(2):
            id_ = self.chance.one([*INVALID_IDS, *([] if kind in ("Team", "Node") else [id_.replace(table, "team")])])
        if kind == "Node" and self.chance.happens(5):  # others bind their id, and leave such a one to the executor
            id_ += FAR_FUTURE_SUFFIX
        arguments = {"id": self.variables.literal_or_variable("ID!", id_)}
        self._add_as_of(arguments, field)
        return _brackets(arguments)

    def of_ids(self) -> str:
        """Return the argument of a field that reads several records of any types."""
        ids = list(self.chance.several(0, 4, lambda: self._filters(None).id(self._any_table())))
        ids = [f"{id_}{FAR_FUTURE_SUFFIX}" if self.chance.happens(10) else id_ for id_ in ids]
        if self.is_invalid and self.chance.happens(2):
            ids.append(self.chance.one(INVALID_IDS))
        return _brackets({"ids": self.variables.literal_or_variable("[ID!]!", ids)})

    def of_list(self, field: GraphQLField, table: str, max_rows: int, *, is_root: bool) -> tuple[str, int]:
        """Return the arguments of a list, and the maximum number of its rows."""
        selection = self._row_selection(field, table)
        page, size = self._page(max_rows)
        arguments = page | selection
        for key in ("after", "before"):
            if self.chance.happens(5) and len(self.cursor_requests) < MAX_CURSORS:
                arguments[key] = self.variables.literal_or_variable("String", self._cursor_stand_in(table, selection))
            else:
                self._leave_out(arguments, key, "String", '"x"')
        self._add_as_of(arguments, field)
        if self.is_invalid and is_root and self.chance.happens(2):
            arguments |= self._invalid_arguments(table, size)
        assert set(arguments) <= set(field.args)
        return _brackets(arguments), max(1, size)

    def of_search(self, max_results: int) -> tuple[str, int]:
        """Return the arguments of a search, and the maximum number of its results."""
        table = self.chance.one(TABLES)
        text = self._text(table) or "a"
        arguments = {"text": self.variables.literal_or_variable("String!", text)}
        if self.chance.happens(2):
            types = self.chance.several(1, 3, lambda: self.chance.one([table.upper(), *map(str.upper, TABLES)]))
            arguments["types"] = self.variables.literal_or_variable("[SearchType!]", list(types))
        else:
            self._leave_out(arguments, "types", "[SearchType!]", "[DEAL]")
        selection = dict(arguments)
        size = self.chance.integer(0, min(6, max_results))
        arguments["first"] = self.variables.literal_or_variable("Int", size)
        if self.chance.happens(4) and len(self.cursor_requests) < MAX_CURSORS:
            field = f"search{_brackets({'first': str(LARGEST_PAGE), **selection})}"
            stand_in = self._stand_in(f"cursors: {field} {{ edges {{ cursor }} }}")
            arguments["after"] = self.variables.literal_or_variable("String", stand_in)
        else:
            self._leave_out(arguments, "after", "String", '"x"')
        if self.is_invalid and self.chance.happens(2):
            arguments |= self._invalid_search()
        return _brackets(arguments), max(1, size)

    def of_groups(self, table: str, max_groups: int) -> tuple[str, int]:
        """Return the arguments of `groupBy`, and the maximum number of groups."""
        arguments, size = group_arguments(self._filters(self.variables), table, self.variables, max_groups)
        return _brackets(arguments), max(1, size)

    def of_group_count(self, table: str) -> str:
        """Return the arguments of `groupCount`."""
        return _brackets(group_count_arguments(self._filters(self.variables), table, self.variables))

    # ------------------------------------------------------------------------------------------------- which rows

    def _row_selection(self, field: GraphQLField, table: str) -> dict[str, str]:
        """Return filter, search and order: the arguments that have to be the same for a cursor."""
        arguments: dict[str, str] = {}
        kind = VISIBLE[table].type_name
        # Only a filter or an order without variables can be a variable as a whole.
        filters = self._filters(self.chance.one([None, self.variables]))
        filters.is_about_merges = table in MERGED and "includeMerged" not in field.args  # all of these are merged
        if "includeMerged" in field.args and self.chance.happens(3):
            arguments["includeMerged"] = self.variables.literal_or_variable("Boolean", True)
            filters.is_about_merges = True
        elif "includeMerged" in field.args:
            self._leave_out(arguments, "includeMerged", "Boolean", "true")
        if self.chance.happens(2):
            arguments["where"] = self.variables.literal_or_variable(f"{kind}Where", filters.where(table))
        else:
            self._leave_out(arguments, "where", f"{kind}Where", "{ not: {} }")
        if self.chance.happens(2):
            arguments["orderBy"] = self.variables.literal_or_variable(f"[{kind}Order!]", filters.order(table))
        else:
            default = "[{ createdAt: DESC }]" if "createdAt" in COLUMNS[table] else None
            self._leave_out(arguments, "orderBy", f"[{kind}Order!]", default)
        if VISIBLE[table].searched:
            text = self._text(table) if self.chance.happens(6) else ""
            if text:
                arguments["search"] = self.variables.literal_or_variable("String", text)
            else:
                self._leave_out(arguments, "search", "String", '"x"')
        return arguments

    def _text(self, table: str) -> str:
        """Return prefixes of one or two searched words; empty without searched words."""
        texts = (row[column] or "" for row in self.rows[table] for column in VISIBLE[table].searched)
        searched = sorted({word for text in texts for word in words(text)})
        chosen = self.chance.several(1, 2, lambda: self.chance.one(searched)) if searched else ()
        return " ".join(word[: self.chance.integer(1, len(word))] for word in chosen)

    def _cursor_stand_in(self, table: str, selection: Mapping[str, str]) -> str:
        """Return a stand-in for the cursor of some row of the list."""
        with_merged = {"includeMerged": "true"} if table in MERGED else {}
        arguments = _brackets({"first": str(LARGEST_PAGE), **selection, **with_merged})
        return self._stand_in(f"cursors: {root_of(table)}{arguments} {{ edges {{ cursor }} }}")

    def _stand_in(self, list_field: str) -> str:
        """Return a stand-in for a cursor that a list returns."""
        stand_in = f"<cursor {len(self.cursor_requests)}>"
        self.cursor_requests.append(CursorRequest(stand_in, list_field, self.chance.integer(0, 30)))
        return stand_in

    # ------------------------------------------------------------------------------------------------------ pages

    def _page(self, max_rows: int) -> tuple[dict[str, str], int]:
        arguments: dict[str, str] = {}
        if max_rows >= PAGE_SIZE and self.chance.happens(4):
            for key in ("first", "last"):
                self._leave_out(arguments, key, "Int", "3")
            return arguments, PAGE_SIZE
        size = self.chance.integer(0, min(6, max_rows))
        argument, other = self.chance.one([("first", "last"), ("first", "last"), ("last", "first")])
        arguments[argument] = self.variables.literal_or_variable("Int", size)
        self._leave_out(arguments, other, "Int", "3")
        return arguments, size

    def _invalid_search(self) -> dict[str, str]:
        match self.chance.integer(0, 2):
            case 0:
                return {"types": self.variables.literal_or_variable("[SearchType!]", [])}
            case 1:
                return {"first": self.variables.literal_or_variable("Int", self.chance.one([-1, LARGEST_PAGE + 1]))}
            case _:
                return {"after": self.variables.literal_or_variable("String", self.chance.one(INVALID_CURSORS))}

    def _invalid_arguments(self, table: str, size: int) -> dict[str, str]:
        """Return arguments that are rejected."""
        match self.chance.integer(0, 7):
            case 0:
                return {"first": self.variables.literal_or_variable("Int", LARGEST_PAGE + 1), "last": "null"}
            case 1:
                return {"last": self.variables.literal_or_variable("Int", -1), "first": "null"}
            case 2:
                return {"first": str(size), "last": self.variables.literal_or_variable("Int", size)}
            case 3:
                cursor = self.variables.literal_or_variable("String", self.chance.one(INVALID_CURSORS))
                return {self.chance.one(["after", "before"]): cursor}
            case 4:
                key = self.chance.one(KEYS[table]).removesuffix("_id") + ("Id" if KEYS[table] != ("id",) else "")
                id_ = self.variables.literal_or_variable("ID", self.chance.one(INVALID_IDS))
                return {"where": f"{{ {key}: {{ eq: {id_} }} }}"}
            case 5:
                kind = f"{VISIBLE[table].type_name}Where"
                key, of_type = self.chance.one(_parts(kind))
                name = self.variables.new(of_type)
                self.variables.given[name] = None
                return {"where": f"{{ {key}: {self.chance.one(['null', f'${name}'])} }}"}
            case 6:
                own = "mergedInto: {}" if table in MERGED else "isNull: false"
                return {
                    "where": f"{{ or: [{{ {own} }}] }}",
                    **({"includeMerged": "false"} if table in MERGED else {}),
                }
            case _:
                key = self.chance.one(sorted(COLUMNS[table]))
                operator, of_type = self.chance.one(sorted(operators_of(table, key).items()))
                name = self.variables.new(of_type)
                self.variables.given[name] = None
                return {"where": f"{{ not: {{ {key}: {{ {operator}: ${name} }} }} }}"}

    # ------------------------------------------------------------------------------------------------------- both

    def _add_as_of(self, arguments: dict[str, str], field: GraphQLField) -> None:
        if "asOf" in field.args:
            if self.chance.happens(8):
                arguments["asOf"] = self.variables.literal_or_variable("DateTime", FAR_FUTURE)
            else:
                self._leave_out(arguments, "asOf", "DateTime", literal("1900-01-01T00:00:00Z", "DateTime"))

    def _leave_out(self, arguments: dict[str, str], key: str, of_type: str, default: str | None = None) -> None:
        value = self.variables.null_or_absent(of_type, default) if self.chance.happens(3) else None
        if value is not None:
            arguments[key] = value

    def _filters(self, variables: Variables | None) -> Filters:
        return Filters(self.chance, self.rows, variables)

    def _any_table(self) -> str:
        return self.chance.one([table for table in VISIBLE if KEYS[table] == ("id",)])


def _parts(where_type: str) -> list[tuple[str, str]]:
    """Return the parts of a filter with their types."""
    where = contract().type_map[where_type]
    assert isinstance(where, GraphQLInputObjectType)
    return [(name, str(field.type)) for name, field in sorted(where.fields.items())]


def root_of(table: str) -> str:
    """Return the root field that lists a table."""
    query = contract().query_type
    assert query is not None
    connection = f"{VISIBLE[table].type_name}Connection"
    return next(str(name) for name, field in query.fields.items() if get_named_type(field.type).name == connection)


def _brackets(arguments: Mapping[str, str]) -> str:
    return f"({', '.join(f'{key}: {value}' for key, value in arguments.items())})" if arguments else ""
