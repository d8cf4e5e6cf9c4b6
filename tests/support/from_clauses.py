"""The FROM clauses of a statement, and which of their sources find at most one row for each row before them.

A reader of the SQL that this package writes, not of any SQL: what it cannot tell to be of one row counts as of many.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

import sqlalchemy as sa

from schema.base import Table

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_BRACKET = re.compile(r"\(([^()]*)\)")
_HELD = re.compile(r"\{(\d+)\}")  # a bracket that was taken out of its text
_SET_OPERATION = re.compile(r"\b(?:union(?: all)?|except|intersect)\b")
_FROM = re.compile(r"(?<!distinct )\bfrom\b(.*?)(?:\b(?:where|group by|having|window|order by|limit)\b|$)")
_NEXT_SOURCE = re.compile(r",|\b(?:(?:left|cross|inner|right|full) )?join\b")
_SELECT = re.compile(r"(?:select|with)\b")
_BEFORE_SELECT = re.compile(r"^with .*?(?=\bselect\b)")
_GROUPED = re.compile(r"\bgroup by (.*?)(?:$| having\b| order by\b| limit\b)")
_CASE = re.compile(r"\bcase\b.*?\bend\b")
_CTE = re.compile(r"\b(\w+) as (?:(?:not )?materialized )?\{(\d+)\}")
_AGGREGATE = re.compile(
    r"\b(?:count|sum|min|max|avg|bool_or|bool_and|array_agg|range_agg|jsonb_object_agg)\{\d+\}"
    r"(?!(?: filter \{\d+\})? over)"
)
# The version that holds at an instant: versions of a record follow each other.
_VERSION = re.compile(
    r"^(?:lateral \(select \w+\.\w+ from )?(\w+)_version (\w+) (?:on|where) \2\.\1_id = [\w.]+"
    r" and coalesce\(\2\.valid_from, \2\.recorded_at\) <= (\S+) and \(\2\.valid_to is null or \2\.valid_to > \3\)"
    r"(?:$|\) \w+ on true$| and )"
)
# What no unique index says: of the rows of a person and stage, one is the first entry, and one the first entry by own
# facts. The tests of a select that keep these alone, by their table.
_FIRST_ENTRIES = {
    "journey": re.compile(r"\(\w+\.is_(?:entry|own)\)"),
    "stage_entry": re.compile(r"not exists \(select from stage_entry (\w+) where .*\b\1\.occurrence < \w+\.occurrence"),
}
_ENTRY_KEY = frozenset({"contact_id", "evaluation_id", "stage"})


@dataclass(frozen=True, slots=True)
class Source:
    """A source of a FROM clause, as it stands with its `on`."""

    text: str
    table: str  # of a sub-select or CTE, the first table that it reads; of a function, its name
    has_many_rows: bool  # for a row of the sources before it; of the first source, at all


@dataclass(frozen=True, slots=True)
class FromClause:
    """The sources of a FROM clause, and what is selected from them."""

    chosen: str
    sources: tuple[Source, ...]

    @property
    def multiplied(self) -> tuple[str, ...]:
        """The tables whose rows multiply each other; empty if at most one source has many rows."""
        many = tuple(source.table for source in self.sources if source.has_many_rows)
        return many if len(many) > 1 else ()


def from_clauses(statement: str) -> tuple[FromClause, ...]:
    """Return every FROM clause of a statement, those of its sub-selects and CTEs too."""
    return _from_clauses(_LITERAL.sub("''", " ".join(statement.split())))


@lru_cache(10_000)  # statements of one kind differ by their literals alone
def _from_clauses(text: str) -> tuple[FromClause, ...]:
    return tuple(_Statement.read(text).clauses())


@dataclass(frozen=True)
class _Statement:
    """A statement without its brackets: they are held apart, and stand in the texts as `{number}`."""

    whole: str
    held: tuple[str, ...]
    found: dict[str, frozenset[frozenset[str]]] = field(default_factory=dict)  # keys of sub-selects, read once

    @classmethod
    def read(cls, text: str) -> "_Statement":
        held: list[str] = []

        def hold(bracket: re.Match[str]) -> str:
            held.append(bracket[1].strip())
            return f"{{{len(held) - 1}}}"

        count = 1
        while count:
            text, count = _BRACKET.subn(hold, text)
        held.append(text)
        _name_ctes(held, len(held) - 1, {})
        return cls(held.pop(), tuple(held))

    def clauses(self) -> Iterator[FromClause]:
        for text in (self.whole, *self.held):
            for select in _SET_OPERATION.split(text) if _SELECT.match(text) else ():
                for found in _FROM.finditer(select):
                    first, *others = _sources(found[1])
                    has_many_rows = frozenset() not in self._keys(_Named.read(first).table)
                    base = Source(self._filled(first), self._first_table(first), has_many_rows)
                    chosen = self._filled(_BEFORE_SELECT.sub("", select[: found.start()]).strip())
                    yield FromClause(chosen, (base, *(self._joined(other) for other in others)))

    def _joined(self, text: str) -> Source:
        return Source(self._filled(text), self._first_table(text), not self._is_of_one_row(text))

    def _filled(self, text: str) -> str:
        while _HELD.search(text):
            text = _HELD.sub(lambda found: f"({self.held[int(found[1])]})", text)
        return text

    def _first_table(self, text: str) -> str:
        table = _Named.read(text).table
        select = self._select_of(table)
        if select is None:
            return re.sub(r"\W.*", "", table)
        found = _FROM.search(_BEFORE_SELECT.sub("", select))
        if found is None:
            held = _HELD.match(select)
            return self._first_table(held[0]) if held else "values"
        return self._first_table(_sources(found[1])[0])

    def _select_of(self, table: str) -> str | None:
        """The text of a sub-select or CTE; None for a table or a function."""
        held = _HELD.fullmatch(table)
        return self.held[int(held[1])] if held else None

    def _is_of_one_row(self, text: str) -> bool:
        if _VERSION.search(self._filled(text)):
            return True
        source = _Named.read(text)
        condition = _CASE.sub("", self._filled(source.condition))
        # A sub-select has each null once, too; a unique key may have several.
        equals = "=" if self._select_of(source.table) is None else "(?:=|is not distinct from)"
        tested = rf"(?:^|and )(?:coalesce\()?{source.alias}\.(\w+)(?:, \d+\))? {equals} (?!any\b)(?!{source.alias}\.)"
        equal = {*re.findall(tested, condition)} if " or " not in condition else set()
        if source.used:
            equal |= _columns(self._filled(source.used).strip("()"))
        return any(key <= equal for key in self._keys(source.table))

    def _keys(self, table: str) -> frozenset[frozenset[str]]:
        """Sets of columns of which a source has each combination once: an empty set if it has at most one row."""
        select = self._select_of(table)
        if select is None:
            return _keys_of_table(table)
        if table not in self.found:
            self.found[table] = frozenset(self._keys_of_select(select))
        return self.found[table]

    def _keys_of_select(self, select: str) -> Iterator[frozenset[str]]:
        if select.startswith("values"):
            if len(_HELD.findall(select)) == 1:
                yield frozenset()
            return
        body = _BEFORE_SELECT.sub("", select)
        if body.endswith(" limit 1"):
            yield frozenset()
        if _SET_OPERATION.search(body):
            return
        found = _FROM.search(body)
        if found is None:
            yield frozenset()
            return
        chosen, grouped = body[: found.start()], _GROUPED.search(body)
        if grouped:
            if "{" not in grouped[1]:
                yield _columns(grouped[1])
            return
        if self._has_aggregate(chosen):
            yield frozenset()
        if once := re.match(r"select distinct on \{(\d+)\}", chosen):
            yield _columns(self.held[int(once[1])])
        elif chosen.startswith("select distinct "):
            yield _columns(chosen.removeprefix("select distinct "))
        yield from self._kept_keys(chosen, found[1], self._filled(body[found.end() :]))

    def _has_aggregate(self, chosen: str) -> bool:
        within = (self.held[int(number)] for number in _HELD.findall(chosen))
        return bool(_AGGREGATE.search(chosen)) or any(
            self._has_aggregate(text) for text in within if not _SELECT.match(text)
        )

    def _kept_keys(self, chosen: str, clause: str, tests: str) -> Iterator[frozenset[str]]:
        """Yield the keys of the first source that a select hands on, if all other sources find at most one row.

        Columns that have to equal a constant belong to no key, for they distinguish nothing.
        """
        first, *others = _sources(clause)
        if any(self._joined(other).has_many_rows for other in others):
            return
        source = _Named.read(first)
        handed_on = {*re.findall(rf"(?:select|,) (?:{source.alias}\.)?(\w+)(?=,| *$)", chosen)}
        has_all = re.search(rf"(?:select|,) (?:{source.alias}\.)?\*", chosen)
        constant = _constant_columns(source.alias, tests)
        keys = {*self._keys(source.table)}
        if source.table in _FIRST_ENTRIES and _FIRST_ENTRIES[source.table].search(tests):
            keys.add(_ENTRY_KEY)
        for key in keys:
            if has_all or key - constant <= handed_on:
                yield key - constant


@dataclass(frozen=True, slots=True)
class _Named:
    table: str
    alias: str
    condition: str
    used: str  # the bracket of the columns of `using`; empty for a source with `on`, or without a condition

    @classmethod
    def read(cls, text: str) -> "_Named":
        named, _, condition = text.partition(" on ")
        named, _, used = named.partition(" using ")
        table, *words = named.removeprefix("lateral ").split()
        names = [word for word in words if "{" not in word]
        return cls(table, names[-1] if names else table, condition, used)


def _name_ctes(held: list[str], place: int, ctes: Mapping[str, str]) -> None:
    """Put the bracket of each CTE before its name, wherever a text or those within it read it: names recur."""
    known = dict(ctes)
    defined = {found[2]: found[1] for found in _CTE.finditer(held[place])}
    for number in _HELD.findall(held[place]):
        _name_ctes(held, int(number), known)
        if number in defined:
            known[defined[number]] = number
    for cte, number in known.items():
        held[place] = re.sub(rf"(\b(?:from|join) |, ){cte}\b(?! as\b)(?!\.)", rf"\1{{{number}}} {cte}", held[place])


def _constant_columns(alias: str, tests: str) -> set[str]:
    """The columns of a source that a WHERE clause compares with a constant, in every case."""
    outer, count = re.sub(r"\((\w+\.\w+ = (?:uuid )?(?:''|\d+))\)", r"\1", tests), 1
    while count:
        outer, count = re.subn(r"\([^()]*\)", "", outer)
    return {*re.findall(rf"\b{alias}\.(\w+) = (?:uuid )?(?:''|\d+)", outer)} if " or " not in outer else set()


def _sources(clause: str) -> list[str]:
    return [source.strip() for source in _NEXT_SOURCE.split(clause)]


def _columns(listed: str) -> frozenset[str]:
    return frozenset(column.split(".")[-1].split(" as ")[-1].strip() for column in listed.split(","))


@cache
def _keys_of_table(table: str) -> frozenset[frozenset[str]]:
    """The primary key of a table, and its unique constraints and indexes of all rows."""
    declared = Table.metadata.tables.get(table)
    if declared is None:
        return frozenset()
    unique = [constraint.columns for constraint in declared.constraints if isinstance(constraint, sa.UniqueConstraint)]
    unique += [
        index.columns
        for index in declared.indexes
        if index.unique
        and index.dialect_options["postgresql"]["where"] is None
        and len(index.expressions) == len(index.columns)
    ]
    keys = (declared.primary_key.columns, *unique)
    return frozenset(frozenset(column.name for column in key) for key in keys)
