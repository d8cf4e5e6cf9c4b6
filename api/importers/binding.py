"""Turns the readings of one record into SQL expressions over the columns of its file's temporary table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from api.importers.cell_parsers import (
    begin_parser,
    join_key,
    join_salesforce_ids,
    key_list_parser,
    key_parser,
    value_parser,
)
from api.importers.cell_values import Parse
from api.importers.fields import is_name, is_needed, is_vital
from api.importers.file_binding import FileBinding, ValueKind
from api.importers.mapping import RecordMap
from api.importers.row_values import RowCondition
from api.importers.value_reading import ValueReading, label_of
from api.intake.column_sql import INSTANT, sql_type
from api.intake.merge import AT_IMPORT
from api.intake.staged import LeftOutValue, RequiredKey
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, new_id
from schema.mail_address import email_kind
from schema.vocab import EmailKind


@dataclass(frozen=True, slots=True)
class TakenValue:
    """The value of a reading; `side_cell` is the staged column of a cell whose value alone may be left out."""

    value: Sql
    side_cell: str | None = None


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of a field, and when a row leaves it out because a cell cannot be read; None if no row does."""

    value: Sql
    left_out: LeftOutValue | None


@dataclass(frozen=True, slots=True)
class RecordBinding:
    """One record of a file's rows. `files` are all files of the preset, for lookups; `source` is whose keys they have.

    Methods add the columns they need to the file's binding, and return expressions over them.
    """

    file: FileBinding
    files: Mapping[str, FileBinding]
    source: str
    record: RecordMap

    def key(self, reading: ValueReading, *, is_required: bool, table: str | None = None) -> Sql:
        """A source's key for a record of `table`."""
        join_parts = join_key if reading.id_form is None else join_salesforce_ids
        kind = ValueKind("TEXT", lambda _forms: key_parser(reading), join_parts, "", is_required, is_key=True)
        return self._take(reading, kind, links_to=table).value

    def list_of_keys(self, reading: ValueReading) -> tuple[Sql, Sql]:
        """The keys in a cell that is a list, and as many new ids, as arrays."""
        condition, separator = self._condition(reading), reading.split or ";"
        parse = key_list_parser(separator, ends_at=reading.ends_at, id_form=reading.id_form)
        use = f"ids {separator} {reading.ends_at or ''}"

        def new_ids(cell: str) -> object:
            found = parse(cell)
            return [new_id() for _ in found] if isinstance(found, list) else None

        ids = self.file.add(reading.sources, use, "UUID[]", new_ids, condition=condition)
        return self.linked_keys(reading), self.file.column(ids)

    def linked_keys(self, reading: ValueReading) -> Sql:
        """The keys in a cell that is a list, as an array."""
        condition, separator = self._condition(reading), reading.split or ";"
        parse = key_list_parser(separator, ends_at=reading.ends_at, id_form=reading.id_form)
        use = f"items {separator} {reading.ends_at or ''} {reading.id_form}"
        return self.file.column(self.file.add(reading.sources, use, "TEXT[]", parse, condition=condition))

    def instant(self, readings: Sequence[ValueReading], *, is_required: bool) -> Sql:
        """An instant: the first that the readings give. If it is not required, an unreadable cell gives none."""
        is_one = is_required and len(readings) == 1
        return _first(
            [
                self._take(
                    reading,
                    ValueKind(
                        INSTANT,
                        partial(begin_parser, reading, self.file.dates),
                        is_required=is_one,
                        is_vital=is_required,
                    ),
                ).value
                for reading in readings
            ]
        )

    def value(self, column: ColumnShape, readings: Sequence[ValueReading], fields: Mapping[str, Sql]) -> FieldValue:
        """The value of a column: the first that the readings give. For a link it is the source's key.

        A cell that cannot be read hides the readings after it: their value would be a guess. `fields` are the values of
        the fields that stand above this one.
        """
        is_required = is_needed(column) and len(readings) == 1
        taken = [self._read(column, reading, is_required=is_required) for reading in readings]
        values, lacking = [], []
        for reading, found in zip(readings, taken, strict=True):
            values.append(self._depending(found.value, reading, fields))
            is_left_out = None if found.side_cell is None else self.file.is_left_out(found.side_cell)
            lacking.append(is_left_out and all_of((is_left_out, *_given(reading, fields))))
        value = _first(values, lacking)
        conditions = [condition for condition in lacking if condition is not None]
        if not conditions:
            return FieldValue(value, None)
        left_out = LeftOutValue(
            column.name,
            frozenset(found.side_cell for found in taken if found.side_cell is not None),
            Sql("({} is null and ({}))", value, join(" or ", conditions)),
            is_vital=any(is_vital(column, reading) for reading in readings),
            label=label_of(tuple(readings)),
        )
        return FieldValue(value, left_out)

    def required_keys(
        self, column: ColumnShape, readings: Sequence[ValueReading], fields: Mapping[str, Sql]
    ) -> Iterator[RequiredKey]:
        """The keys of records that a column is read `through`; required only where no earlier reading has a value."""
        for place, reading in enumerate(readings):
            if reading.through is None:
                continue
            key = self.key(_key_of_through(reading), is_required=reading.is_required)
            earlier = [
                self._depending(self._read(column, before, is_required=False).value, before, fields)
                for before in readings[:place]
            ]
            if earlier:
                key = Sql("case when {} is null then {} end", _first(earlier), key)
            yield RequiredKey(key, reading.through.partition(".")[0], reading.label)

    def email_kind(self, column: ColumnShape, readings: Sequence[ValueReading]) -> Sql:
        """The kind of the mailbox that an e-mail address names. `readings` are those of the address."""
        return _first(
            [
                self._take(
                    reading,
                    ValueKind("TEXT", partial(self._kind_parser, column, reading), use="mailbox ", is_vital=False),
                ).value
                for reading in readings
            ]
        )

    def _kind_parser(self, column: ColumnShape, reading: ValueReading, forms: Sequence[str]) -> Parse:
        if reading.through is not None:
            return _kind_of_address
        parse = value_parser(column, reading, forms, self.file.dates)

        def kind_of(cell: str) -> object:
            try:
                address = parse(cell)
            except ValueError:
                return None  # the column of the address reports it
            return _kind_of_address(address) if isinstance(address, str) else None

        return kind_of

    def reported(self, reading: ValueReading) -> Sql:
        """The cell to report where a looked-up value is missing: the one that is in this file."""
        if reading.lookup is None:
            return Sql("null::text")
        return self.file.plain_key(reading.lookup.by, self._condition(reading), is_required=False)

    def _read(self, column: ColumnShape, reading: ValueReading, *, is_required: bool) -> TakenValue:
        if column.link is not None:
            return TakenValue(self.key(reading, is_required=is_required, table=column.link.target))
        if reading.through is not None:
            return TakenValue(self._through(reading))
        if column.name == "deleted_at":
            return TakenValue(self._take(reading, self._deletion(reading)).value)
        kind = sql_type(self.record.table, column.name)
        return self._take(
            reading,
            ValueKind(
                kind,
                lambda forms: value_parser(column, reading, forms, self.file.dates),
                # Instants are read alike for every column, so they share a staged column.
                use="" if kind == INSTANT else f"{self.record.table}.{column.name} ",
                is_required=is_required or reading.is_required,
                # Whether `given` holds is known later, so a row is rejected for such a cell later, too.
                is_vital=is_vital(column, reading) and not reading.given,
                is_name=is_name(column),
            ),
        )

    def _deletion(self, reading: ValueReading) -> ValueKind:
        """When a record was deleted. That it was is certain, even if the date cannot be read."""
        return ValueKind(
            INSTANT,
            self.file.dates.instants,
            use=f"deletion {reading.at_import} {reading.vital} ",
            is_vital=bool(reading.vital),
            when_empty=AT_IMPORT if reading.at_import else None,
            when_unreadable=AT_IMPORT,
        )

    def _through(self, reading: ValueReading) -> Sql:
        """A field of the record whose key the column holds. Linked tables are written first, so the record exists."""
        table, _, column = (reading.through or "").partition(".")
        return Sql(
            "(select l.{} from external_key k join {} l on l.id = k.record_id"
            " where k.entity = {} and k.source = {} and k.external_id = {})",
            name(column),
            name(table),
            table,
            self.source,
            self.key(_key_of_through(reading), is_required=reading.is_required),
        )

    def _depending(self, value: Sql, reading: ValueReading, fields: Mapping[str, Sql]) -> Sql:
        """The value after `not_before` and `given`, which depend on fields above it."""
        if reading.not_before is not None:
            first = fields[reading.not_before]
            value = Sql(
                "case when {} > {} and {} < {} + interval '1 day' then {} else {} end",
                *(first, value, first, value, first, value),
            )
        if not reading.given:
            return value
        return Sql("case when {} then {} end", all_of(_given(reading, fields)), value)

    def _take(self, reading: ValueReading, kind: ValueKind, *, links_to: str | None = None) -> TakenValue:
        """The value of a reading: a constant, of this file, or of another file. `links_to` is the table of a key."""
        if reading.constant is not None:
            value = Sql(f"{{}}::{kind.sql_type}", kind.parser(())(_as_cell(reading.constant)))
            test = self.file.test(reading.when, reading.unless)
            return TakenValue(value if test is None else Sql("case when {} then {} end", test, value))
        condition = self._condition(reading)
        if reading.lookup is None:
            cell = self.file.value(reading, kind, condition)
            return TakenValue(self.file.column(cell), None if kind.is_vital else cell)
        other = self.files.get(reading.lookup.file)
        if other is None:
            self.file.plain_key(reading.lookup.by, condition, is_required=kind.is_required)
            return TakenValue(Sql(f"null::{kind.sql_type}"))
        is_address = other.has_addresses(reading.lookup.match)
        column = self.file.address if is_address else self.file.plain_key
        by = column(reading.lookup.by, condition, is_required=kind.is_required)
        return TakenValue(other.looked_up_value(reading, by, kind, is_address=is_address, links_to=links_to))

    def _condition(self, reading: ValueReading) -> RowCondition | None:
        """When a cell is read: if its row means the record, and the reading's own conditions hold.

        Otherwise the cell may hold anything: a cell that is not needed must not cost its row.
        """
        unless = {**self.record.unless}
        if self.record.is_optional and self.record.key is not None and self.record.key.lookup is None:
            unless |= {column: (*unless.get(column, ()), "") for column in self.record.key.sources}
        both = [self.file.condition(self.record.when, unless), self.file.condition(reading.when, reading.unless)]
        found = [condition for condition in both if condition is not None]
        if len(found) < 2:
            return found[0] if found else None
        return RowCondition(found[0].when + found[1].when, found[0].unless + found[1].unless, found[0].empty)


def _key_of_through(reading: ValueReading) -> ValueReading:
    return reading.model_copy(update={"through": None, "words": None})


def _given(reading: ValueReading, fields: Mapping[str, Sql]) -> list[Sql]:
    """The conditions of `given`."""
    return [Sql("{}::text = any({}::text[])", fields[field], list(words)) for field, words in reading.given.items()]


def _first(values: Sequence[Sql], lacking: Sequence[Sql | None] = ()) -> Sql:
    """The first value that is not null; null if a value that is `lacking` stands before it."""
    if len(values) == 1:
        return values[0]
    if not any(lacking[:-1]):
        return Sql("coalesce({})", join(", ", values))
    rest = _first(values[1:], lacking[1:])
    if lacking[0] is None:
        return Sql("coalesce({}, {})", values[0], rest)
    return Sql("case when {} is not null or {} then {} else {} end", values[0], lacking[0], values[0], rest)


def _as_cell(constant: bool | int | str) -> str:
    return str(constant).lower() if isinstance(constant, bool) else str(constant)


def _kind_of_address(cell: str) -> EmailKind | None:
    return email_kind(cell)
