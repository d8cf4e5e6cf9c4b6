"""The cells that a file's records ask for, each once, and the SQL that takes their values from the staged rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from api.importers.cell_parsers import Calendar, items, key_meaning, meaning, one_key, put_together, row_key
from api.importers.cell_values import Parse, key
from api.importers.mapping import FileMap, RecordMap, is_needed
from api.importers.row_values import Cell, Guard
from api.importers.value_reading import Conditions, Reading
from api.intake.column_sql import INSTANT, sql_type
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, new_id
from schema.mail_address import email_kind
from schema.vocab import EmailKind

_PLAIN_KEY = "TEXT {}"
Meaning = Callable[[Sequence[str]], Parse]  # the forms of a column's dates to what reads its cells


@dataclass(frozen=True, slots=True)
class Need:
    """A value without which a row means nothing, and that no cell alone can prove: why it is refused, and by which."""

    value: Sql
    shown: Sql
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lead:
    """The key of a record of another table that has to be known, and the cell it stands in."""

    key: Sql
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class _Taking:
    """How a reading becomes a value of an SQL type; `use` tells it from other ways of reading the same cells."""

    kind: str
    means: Meaning
    put: Callable[[Sequence[str]], str] = put_together
    use: str = ""
    is_required: bool = False


@dataclass(slots=True)
class Binding:
    """One file's temporary table as it grows: `cell_…` are read from the rows, `id_…` are fresh ids."""

    file: FileMap
    stage: str
    origin: str
    calendar: Calendar
    cells: list[Cell] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    looked_up: set[str] = field(default_factory=set)
    others: Mapping[str, "Binding"] = field(default_factory=dict)
    row_key: str = ""
    _known: dict[tuple[str, tuple[str, ...], Guard | None], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.row_key = self._cell(self.file.key, _PLAIN_KEY, "TEXT", key, put=row_key, is_required=True)

    def column(self, staged: str) -> Sql:
        """A staged column, under its table's name."""
        return Sql("{}.{}", name(self.stage), name(staged))

    def fresh_id(self) -> Sql:
        """A column of fresh ids."""
        self.ids.append(f"id_{len(self.ids)}")
        return self.column(self.ids[-1])

    def holds(self, when: Conditions, unless: Conditions) -> Sql | None:
        """Whether conditions hold for a row; None where there are none."""
        guard = _guard(when, unless)
        if guard is None:
            return None
        first = next(iter((*when, *unless)))
        return self.column(self._cell((first,), "test", "BOOLEAN", bool, guard=guard, is_test=True))

    def key(self, record: RecordMap, reading: Reading, *, is_required: bool) -> Sql:
        """A source's key for a record."""
        taking = _Taking("TEXT", lambda _forms: key_meaning(reading), one_key, is_required=is_required)
        return self._take(record, reading, taking)

    def list_of_keys(self, record: RecordMap, reading: Reading) -> tuple[Sql, Sql]:
        """The keys in a cell that is a list, and as many fresh ids."""
        guard, separator = self._guard_of(record, reading), reading.split or ";"
        split = items(separator)

        def ids(cell: str) -> object:
            found = split(cell)
            return [new_id() for _ in found] if isinstance(found, list) else None

        keys = self._cell(reading.sources, f"items {separator}", "TEXT[]", split, guard=guard)
        made = self._cell(reading.sources, f"ids {separator}", "UUID[]", ids, guard=guard)
        return self.column(keys), self.column(made)

    def moment(self, record: RecordMap, readings: Sequence[Reading], *, is_required: bool) -> Sql:
        """An instant."""
        taking = _Taking(INSTANT, self.calendar.instants, is_required=is_required and len(readings) == 1)
        return _first(self._take(record, each, taking) for each in readings)

    def value(
        self,
        record: RecordMap,
        shape: ColumnShape,
        readings: Sequence[Reading],
        told: Mapping[str, Sql],
    ) -> Sql:
        """What the rows say of a column; a link's value is still the source's key."""
        must = is_needed(shape) and len(readings) == 1
        return _first(self._given(self._one(record, shape, each, must=must), each, told) for each in readings)

    def leads(
        self, record: RecordMap, shape: ColumnShape, readings: Sequence[Reading], told: Mapping[str, Sql]
    ) -> Iterator[Lead]:
        """The keys of records that a column is read `through`, where no reading before has said it."""
        for place, reading in enumerate(readings):
            if reading.through is None:
                continue
            asked = self.key(record, _key_through(reading), is_required=reading.is_required)
            before = [self._given(self._one(record, shape, each, must=False), each, told) for each in readings[:place]]
            if before:
                asked = Sql("case when {} is null then {} end", _first(before), asked)
            yield Lead(asked, reading.through.partition(".")[0], reading.label)

    def kind_of_mailbox(self, record: RecordMap, readings: Sequence[Reading]) -> Sql:
        """The kind of the mailbox goes with the address."""
        taking = _Taking("TEXT", lambda _forms: _mailbox, use="mailbox ")
        return _first(self._take(record, each, taking) for each in readings)

    def shown(self, record: RecordMap, reading: Reading) -> Sql:
        """The cell that a person finds in the file, to show it."""
        if reading.lookup is None:
            return Sql("null::text")
        return self._plain_key(reading.lookup.by, self._guard_of(record, reading), is_required=False)

    def _one(self, record: RecordMap, shape: ColumnShape, reading: Reading, *, must: bool) -> Sql:
        if shape.link is not None:
            return self.key(record, reading, is_required=must)
        if reading.through is not None:
            return self._through(record, reading)
        kind = sql_type(record.table, shape.name)
        # Instants are read alike whatever they are for, so they share a cell.
        taking = _Taking(
            kind,
            lambda forms: meaning(shape, reading, forms, self.calendar),
            use="" if kind == INSTANT else f"{record.table}.{shape.name} ",
            is_required=must or reading.is_required,
        )
        return self._take(record, reading, taking)

    def _through(self, record: RecordMap, reading: Reading) -> Sql:
        """A field of the record whose key the column holds; links come first, so it is written by then."""
        table, _, column = (reading.through or "").partition(".")
        return Sql(
            "(select l.{} from external_key k join {} l on l.id = k.record_id"
            " where k.entity = {} and k.source = {} and k.external_id = {})",
            name(column),
            name(table),
            table,
            self.origin,
            self.key(record, _key_through(reading), is_required=reading.is_required),
        )

    def _given(self, value: Sql, reading: Reading, told: Mapping[str, Sql]) -> Sql:
        """A value as the fields before it leave it."""
        if reading.not_before is not None:
            first = told[reading.not_before]
            value = Sql(
                "case when {} > {} and {} < {} + interval '1 day' then {} else {} end",
                *(first, value, first, value, first, value),
            )
        if not reading.given:
            return value
        asked = [Sql("{}::text = any({}::text[])", told[each], list(words)) for each, words in reading.given.items()]
        return Sql("case when {} then {} end", all_of(asked), value)

    def _take(self, record: RecordMap, reading: Reading, taking: _Taking) -> Sql:
        """Take a reading's value from its cells, or from those of another file."""
        if reading.constant is not None:
            value = Sql(f"{{}}::{taking.kind}", taking.means(())(_as_cell(reading.constant)))
            test = self.holds(reading.when, reading.unless)
            return value if test is None else Sql("case when {} then {} end", test, value)
        guard = self._guard_of(record, reading)
        if reading.lookup is not None:
            by = self._plain_key(reading.lookup.by, guard, is_required=taking.is_required)
            other = self.others.get(reading.lookup.file)
            return Sql(f"null::{taking.kind}") if other is None else other.found(reading, by, taking)
        parse = taking.means(self.file.forms_of(reading.sources[0]))
        return self.column(
            self._cell(
                reading.sources,
                _use(reading, taking),
                taking.kind,
                parse,
                put=taking.put,
                guard=guard,
                is_required=taking.is_required or reading.is_required,
            )
        )

    def found(self, reading: Reading, by: Sql, taking: _Taking) -> Sql:
        """What this file's one row says whose column equals another file's; nothing where there are several."""
        column = str(reading.column)
        value = self._cell((column,), _use(reading, taking), taking.kind, taking.means(self.file.forms_of(column)))
        match = self._cell((reading.lookup.match if reading.lookup else column,), _PLAIN_KEY, "TEXT", key)
        self.looked_up.add(match)
        return Sql(
            "(select case when count(*) = 1 then (array_agg(o.{}))[1] end from {} o where o.{} = {})",
            name(value),
            name(self.stage),
            name(match),
            by,
        )

    def _plain_key(self, column: str, guard: Guard | None, *, is_required: bool) -> Sql:
        return self.column(self._cell((column,), _PLAIN_KEY, "TEXT", key, guard=guard, is_required=is_required))

    def _guard_of(self, record: RecordMap, reading: Reading) -> Guard | None:
        """When a cell is read: where its row means the record, and the reading's own conditions hold."""
        unless = {**record.unless}
        if record.is_optional and record.key is not None and record.key.lookup is None:
            unless |= {column: (*unless.get(column, ()), "") for column in record.key.sources}
        asked = [_guard(record.when, unless), _guard(reading.when, reading.unless)]
        found = [guard for guard in asked if guard is not None]
        if len(found) < 2:
            return found[0] if found else None
        return Guard(found[0].when + found[1].when, found[0].unless + found[1].unless)

    def _cell(
        self,
        columns: Sequence[str],
        use: str,
        kind: str,
        parse: Parse,
        *,
        put: Callable[[Sequence[str]], str] | None = None,
        guard: Guard | None = None,
        is_required: bool = False,
        is_test: bool = False,
    ) -> str:
        place = self._known.setdefault((use, tuple(columns), guard), len(self.cells))
        if place == len(self.cells):
            first, *rest = columns
            several = put if rest else None
            self.cells.append(
                Cell(f"cell_{place}", first, kind, parse, is_required, tuple(rest), several, guard, is_test)
            )
        elif is_required and not self.cells[place].is_required:
            self.cells[place] = self.cells[place].required()
        return self.cells[place].name


def _key_through(reading: Reading) -> Reading:
    return reading.model_copy(update={"through": None, "words": None})


def _first(values: Iterable[Sql]) -> Sql:
    found = list(values)
    return found[0] if len(found) == 1 else Sql("coalesce({})", join(", ", found))


def _guard(when: Conditions, unless: Conditions) -> Guard | None:
    if not when and not unless:
        return None
    return Guard(
        tuple((column, frozenset(word.casefold() for word in words)) for column, words in when.items()),
        tuple((column, frozenset(word.casefold() for word in words)) for column, words in unless.items()),
    )


def _use(reading: Reading, taking: _Taking) -> str:
    """What tells one way of reading a column from another; plain keys share a cell."""
    how = reading.model_dump_json(
        include={"prefix", "words", "contains", "others", "unknown", "decimal", "scale", "plus"}, exclude_defaults=True
    )
    return f"{taking.use}{taking.kind} {how}"


def _as_cell(constant: bool | int | str) -> str:
    return str(constant).lower() if isinstance(constant, bool) else str(constant)


def _mailbox(cell: str) -> EmailKind | None:
    return email_kind(cell)
