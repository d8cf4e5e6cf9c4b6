"""The columns of a file's temporary table. It collects them while the records of the preset are bound."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from api.importers.cell_parsers import DateSettings, join_row_key, join_texts, parse_address
from api.importers.cell_values import Parse, parse_key
from api.importers.mapping import FileMap
from api.importers.row_values import RowCondition, StagedColumn
from api.importers.value_reading import Conditions, ValueReading
from api.intake.staged_merges import MERGES, is_merged, survivor_of
from api.sql import Sql, name
from schema.placeholders import without_words

_ADDRESS = "TEXT address"
_PLAIN_KEY = "TEXT {}"  # the `_use` of a key without options, so that such keys share a column


@dataclass(frozen=True, slots=True)
class ValueKind:
    """What a reading makes of its cells: an SQL type, by a parser that depends on the formats of their dates.

    Two readings of the same cells share a staged column if their SQL type, `use` and words agree.
    """

    sql_type: str
    parser: Callable[[Sequence[str]], Parse]
    join: Callable[[Sequence[str]], str] = join_texts
    use: str = ""
    is_required: bool = False
    is_key: bool = False
    is_vital: bool = True
    when_empty: object = None
    when_unreadable: object = None
    is_name: bool = False


@dataclass(slots=True)
class FileBinding:
    """A file and its temporary table: `cell_…` columns are read from the rows, `id_…` columns hold new ids.

    `empty` are the texts that are read as an empty cell; `keys` the staged columns that hold a source's keys, with
    their labels.
    """

    file: FileMap
    stage: str
    dates: DateSettings
    empty: frozenset[str] = frozenset()
    columns: list[StagedColumn] = field(default_factory=list)
    id_columns: list[str] = field(default_factory=list)
    looked_up: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    row_key: str = ""
    _places: dict[tuple[str, tuple[str, ...], RowCondition | None], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.row_key = self.add(self.file.key, _PLAIN_KEY, "TEXT", parse_key, join=join_row_key, is_required=True)
        self.keys[self.row_key] = self.file.key_label

    def column(self, staged: str) -> Sql:
        """Return a staged column, qualified by its table."""
        return Sql("{}.{}", name(self.stage), name(staged))

    def is_left_out(self, staged: str) -> Sql:
        """The condition that the cell of a staged column could not be read."""
        return Sql("coalesce({} = any({}.left_out), false)", staged, name(self.stage))

    def new_id(self) -> Sql:
        """Add a column of new ids."""
        self.id_columns.append(f"id_{len(self.id_columns)}")
        return self.column(self.id_columns[-1])

    def test(self, when: Conditions, unless: Conditions) -> Sql | None:
        """Add a column that holds whether conditions are met; None without conditions."""
        condition = self.condition(when, unless)
        if condition is None:
            return None
        first = next(iter((*when, *unless)))
        return self.column(self.add((first,), "test", "BOOLEAN", bool, condition=condition, is_test=True))

    def condition(self, when: Conditions, unless: Conditions) -> RowCondition | None:
        """Return the condition that `when` and `unless` of a preset make; None if both are empty."""
        if not when and not unless:
            return None
        return RowCondition(
            tuple((column, _folded(texts)) for column, texts in when.items()),
            tuple((column, _folded(texts)) for column, texts in unless.items()),
            _folded(self.empty),
        )

    def plain_key(self, column: str, condition: RowCondition | None, *, is_required: bool) -> Sql:
        """Add a column with the text of a cell, as a key."""
        return self.column(
            self.add((column,), _PLAIN_KEY, "TEXT", parse_key, condition=condition, is_required=is_required)
        )

    def address(self, column: str, condition: RowCondition | None, *, is_required: bool) -> Sql:
        """Add a column with the e-mail address in a cell, in the one spelling by which it is compared."""
        return self.column(
            self.add((column,), _ADDRESS, "TEXT", parse_address, condition=condition, is_required=is_required)
        )

    def has_addresses(self, column: str) -> bool:
        """Whether a record of the file reads its e-mail address from this column."""
        read = [readings for record in self.file.records for readings in record.fields.get("email", ())]
        return any(column in reading.sources and reading.lookup is None for reading in read)

    def value(self, reading: ValueReading, kind: ValueKind, condition: RowCondition | None) -> str:
        """Add a column with the value of a reading, and return its name."""
        staged = self.add(
            reading.sources,
            _use(reading, kind),
            kind.sql_type,
            kind.parser(self.file.forms_of(reading.sources[0])),
            join=kind.join,
            condition=condition,
            is_required=kind.is_required or reading.is_required,
            reading=reading,
            is_vital=kind.is_vital,
            stand_ins=(kind.when_empty, kind.when_unreadable),
            empty=self._empty_cells(reading, kind),
        )
        if kind.is_key:
            self.keys[staged] = reading.label
        return staged

    def looked_up_value(
        self, reading: ValueReading, by: Sql, kind: ValueKind, *, is_address: bool, links_to: str | None
    ) -> Sql:
        """Add a column with the value, for rows of other files; it is null if no row, or several, match `by`.

        Several rows are one if they name one person: keys of contacts that are merged. Then the first key holds, that
        of a contact which is not merged before the others.
        A scalar subquery with an index on the matched column: a join would multiply the other file's rows.
        """
        column = str(reading.column)
        parse = kind.parser(self.file.forms_of(column))
        empty = self._empty_cells(reading, kind)
        value = self.add((column,), _use(reading, kind), kind.sql_type, parse, reading=reading, empty=empty)
        matched = reading.lookup.match if reading.lookup else column
        match = self.add(
            (matched,),
            _ADDRESS if is_address else _PLAIN_KEY,
            "TEXT",
            parse_address if is_address else parse_key,
        )
        self.looked_up.add(match)
        rows = Sql("from {} o where o.{} = {}", name(self.stage), name(match), by)
        if links_to is not None and links_to in MERGES:
            return self._person(links_to, Sql("o.{}", name(value)), rows)
        return Sql("(select case when count(*) = 1 then (array_agg(o.{}))[1] end {})", name(value), rows)

    @staticmethod
    def _person(table: str, key: Sql, rows: Sql) -> Sql:
        """The key of the only person that the rows name. Merges are looked up only where several rows match."""
        return Sql(
            "(select case when count(*) = 1 then min({}) when count(*) > 1 then"
            " (select case when count(distinct {}) = 1 then (array_agg({} order by {}, {}))[1] end {}) end {})",
            *(key, survivor_of(table, key, key), key, is_merged(table, key), key, rows, rows),
        )

    def add(
        self,
        columns: Sequence[str],
        use: str,
        sql_type: str,
        parse: Parse,
        *,
        join: Callable[[Sequence[str]], str] | None = None,
        condition: RowCondition | None = None,
        is_required: bool = False,
        is_test: bool = False,
        reading: ValueReading | None = None,
        is_vital: bool = True,
        stand_ins: tuple[object, object] = (None, None),
        empty: frozenset[str] | None = None,
    ) -> str:
        """Return the name of the staged column for these columns of the file, use and condition; add it if missing.

        `stand_ins` are the values of a cell that is empty, and of one that cannot be read. `empty` are the texts that
        are read as an empty cell, where they differ from the file's.
        """
        place = self._places.setdefault((use, tuple(columns), condition), len(self.columns))
        if place == len(self.columns):
            first, *rest = columns
            joined = join if rest else None
            self.columns.append(
                StagedColumn(
                    name=f"cell_{place}",
                    column=first,
                    sql_type=sql_type,
                    parse=parse,
                    is_required=is_required,
                    others=tuple(rest),
                    join=joined,
                    condition=condition,
                    is_test=is_test,
                    reading=reading,
                    forms=() if reading is None else self.file.forms_of(first),
                    is_vital=is_vital,
                    when_empty=stand_ins[0],
                    when_unreadable=stand_ins[1],
                    empty=self.empty if empty is None else empty,
                )
            )
        else:
            self.columns[place] = self.columns[place].stricter(is_required=is_required, is_vital=is_vital)
        return self.columns[place].name

    def _empty_cells(self, reading: ValueReading, kind: ValueKind) -> frozenset[str]:
        """The texts that a reading takes for an empty cell: not those it has a word for, and in names no mere words."""
        empty = without_words(self.empty) if kind.is_name else self.empty
        return empty - reading.words.keys() if reading.words else empty


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.casefold() for text in texts)


def _use(reading: ValueReading, kind: ValueKind) -> str:
    """What distinguishes one way of reading the same cells from another."""
    how = reading.model_dump_json(
        include={
            *("prefix", "words", "contains", "others", "unknown", "first_of", "decimal", "scale"),
            *("plus", "plus_months", "single", "id_form"),
        },
        exclude_defaults=True,
    )
    return f"{kind.use}{kind.sql_type} {how}"
