"""Turns the readings of one record into SQL expressions over the columns of its file's temporary table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.importers.cell_parsers import (
    join_key,
    join_salesforce_ids,
    key_list_parser,
    key_parser,
    or_none,
    value_parser,
)
from api.importers.file_binding import FileBinding, ValueKind, row_condition
from api.importers.mapping import RecordMap, is_needed
from api.importers.row_values import RowCondition
from api.importers.value_reading import ValueReading
from api.intake.column_sql import INSTANT, sql_type
from api.intake.staged import RequiredKey
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, new_id
from schema.mail_address import email_kind
from schema.vocab import EmailKind


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
        return self._take(reading, kind, links_to=table)

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
        """An instant: the first that the readings give."""
        if self.record.may_be_undated:
            kind = ValueKind(INSTANT, lambda forms: or_none(self.file.dates.instants(forms)), use="readable ")
        else:
            kind = ValueKind(INSTANT, self.file.dates.instants, is_required=is_required and len(readings) == 1)
        return _first(self._take(reading, kind) for reading in readings)

    def written(self, readings: Sequence[ValueReading]) -> Sql:
        """The cells of readings as they are written."""
        return _first(
            self.file.plain_key(column, self._condition(reading), is_required=False)
            for reading in readings
            for column in reading.sources
        )

    def value(self, column: ColumnShape, readings: Sequence[ValueReading], fields: Mapping[str, Sql]) -> Sql:
        """The value of a column: the first that the readings give. For a link it is the source's key.

        `fields` are the values of the fields that stand above this one.
        """
        is_required = is_needed(column) and len(readings) == 1
        return _first(
            self._depending(self._read(column, reading, is_required=is_required), reading, fields)
            for reading in readings
        )

    def required_keys(
        self, column: ColumnShape, readings: Sequence[ValueReading], fields: Mapping[str, Sql]
    ) -> Iterator[RequiredKey]:
        """The keys of records that a column is read `through`; required only where no earlier reading has a value."""
        for place, reading in enumerate(readings):
            if reading.through is None:
                continue
            key = self.key(_key_of_through(reading), is_required=reading.is_required)
            earlier = [
                self._depending(self._read(column, before, is_required=False), before, fields)
                for before in readings[:place]
            ]
            if earlier:
                key = Sql("case when {} is null then {} end", _first(earlier), key)
            yield RequiredKey(key, reading.through.partition(".")[0], reading.label)

    def email_kind(self, readings: Sequence[ValueReading]) -> Sql:
        """The kind of the mailbox that an e-mail address names."""
        kind = ValueKind("TEXT", lambda _forms: _kind_of_address, use="mailbox ")
        return _first(self._take(reading, kind) for reading in readings)

    def reported(self, reading: ValueReading) -> Sql:
        """The cell to report where a looked-up value is missing: the one that is in this file."""
        if reading.lookup is None:
            return Sql("null::text")
        return self.file.plain_key(reading.lookup.by, self._condition(reading), is_required=False)

    def _read(self, column: ColumnShape, reading: ValueReading, *, is_required: bool) -> Sql:
        if column.link is not None:
            return self.key(reading, is_required=is_required, table=column.link.target)
        if reading.through is not None:
            return self._through(reading)
        kind = sql_type(self.record.table, column.name)
        return self._take(
            reading,
            ValueKind(
                kind,
                lambda forms: value_parser(column, reading, forms, self.file.dates),
                # Instants are read alike for every column, so they share a staged column.
                use="" if kind == INSTANT else f"{self.record.table}.{column.name} ",
                is_required=is_required or reading.is_required,
            ),
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
        conditions = [
            Sql("{}::text = any({}::text[])", fields[field], list(words)) for field, words in reading.given.items()
        ]
        return Sql("case when {} then {} end", all_of(conditions), value)

    def _take(self, reading: ValueReading, kind: ValueKind, *, links_to: str | None = None) -> Sql:
        """The value of a reading: a constant, of this file, or of another file. `links_to` is the table of a key."""
        if reading.constant is not None:
            value = Sql(f"{{}}::{kind.sql_type}", kind.parser(())(_as_cell(reading.constant)))
            test = self.file.test(reading.when, reading.unless)
            return value if test is None else Sql("case when {} then {} end", test, value)
        condition = self._condition(reading)
        if reading.lookup is None:
            return self.file.value(reading, kind, condition)
        other = self.files.get(reading.lookup.file)
        if other is None:
            self.file.plain_key(reading.lookup.by, condition, is_required=kind.is_required)
            return Sql(f"null::{kind.sql_type}")
        is_address = other.has_addresses(reading.lookup.match)
        column = self.file.address if is_address else self.file.plain_key
        by = column(reading.lookup.by, condition, is_required=kind.is_required)
        return other.looked_up_value(reading, by, kind, is_address=is_address, links_to=links_to)

    def _condition(self, reading: ValueReading) -> RowCondition | None:
        """When a cell is read: if its row means the record, and the reading's own conditions hold.

        Otherwise the cell may hold anything: a cell that is not needed must not cost its row.
        """
        unless = {**self.record.unless}
        if self.record.is_optional and self.record.key is not None and self.record.key.lookup is None:
            unless |= {column: (*unless.get(column, ()), "") for column in self.record.key.sources}
        both = [row_condition(self.record.when, unless), row_condition(reading.when, reading.unless)]
        found = [condition for condition in both if condition is not None]
        if len(found) < 2:
            return found[0] if found else None
        return RowCondition(found[0].when + found[1].when, found[0].unless + found[1].unless)


def _key_of_through(reading: ValueReading) -> ValueReading:
    return reading.model_copy(update={"through": None, "words": None})


def _first(values: Iterable[Sql]) -> Sql:
    found = list(values)
    return found[0] if len(found) == 1 else Sql("coalesce({})", join(", ", found))


def _as_cell(constant: bool | int | str) -> str:
    return str(constant).lower() if isinstance(constant, bool) else str(constant)


def _kind_of_address(cell: str) -> EmailKind | None:
    return email_kind(cell)
