"""Buffers of encoded rows. They accept the columns that `schema` declares; an unknown or missing column is an error.

Values have the types that the simulation uses: `UuidBytes` for a uuid, whole seconds since 1970 for an instant.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import sqlalchemy as sa

from api.sample.binary_copy import HEADER, NULL, TRAILER, encoder, row_header
from api.sample.random_source import UuidBytes
from schema.tables import METADATA

# Column defaults by their SQL text. A column with any other default, such as the current time, is required.
_DEFAULTS: Mapping[str, object] = {"false": False, "true": True, "1": 1, "'OPEN'": "OPEN"}


EncodedValues = Mapping[str, bytes]
"""Encoded values by column."""


class RowBuffer:
    """Rows of one table in PostgreSQL's binary COPY format."""

    __slots__ = ("_blank", "_encoders", "_header", "_required", "columns", "rows", "table")

    def __init__(self, table: str) -> None:
        columns = [
            column for column in METADATA.tables[table].columns if column.identity is None and column.computed is None
        ]
        self.table = table
        self.columns = tuple(column.name for column in columns)
        self.rows: list[bytes] = []
        self._encoders = {column.name: encoder(column) for column in columns}
        self._blank = {column.name: NULL for column in columns} | self.encode(_defaults(columns))
        self._header = row_header(len(columns))
        self._required = frozenset(
            column.name for column in columns if not column.nullable and self._blank[column.name] is NULL
        )

    def encode(self, values: Mapping[str, object]) -> dict[str, bytes]:
        """Encode the values of some columns. TypeError on an unknown column."""
        encoders = self._encoders
        try:
            return {name: NULL if value is None else encoders[name](value) for name, value in values.items()}
        except KeyError:
            unknown = ", ".join(sorted(values.keys() - encoders.keys()))
            raise TypeError(f"{self.table} has no column {unknown}") from None

    def add(self, **values: object) -> None:
        """Add a row. Omitted columns are null or have their default. TypeError on an unknown or missing column."""
        self.add_encoded(self.encode(values))

    def add_encoded(self, values: EncodedValues) -> None:
        """Add a row of encoded values. TypeError on a missing column."""
        if not self._required <= values.keys():
            raise TypeError(f"{self.table} needs {', '.join(sorted(self._required - values.keys()))}")
        self.rows.append(self._header + b"".join({**self._blank, **values}.values()))

    def copy_data(self) -> bytes:
        """Return all rows as the data of one binary COPY."""
        return b"".join((HEADER, *self.rows, TRAILER))


def _defaults(columns: "Sequence[sa.Column[object]]") -> dict[str, object]:
    """Return the values that omitted columns have."""
    declared = {column.name: column.server_default for column in columns}
    texts = {name: str(default.arg) for name, default in declared.items() if isinstance(default, sa.DefaultClause)}
    return {name: _DEFAULTS[text] for name, text in texts.items() if text in _DEFAULTS}


class TableBuffers:
    """Row buffers of several tables, in the order in which they can be stored."""

    __slots__ = ("_buffers",)

    def __init__(self, tables: Sequence[str]) -> None:
        self._buffers = {table: RowBuffer(table) for table in tables}

    def __getitem__(self, table: str) -> RowBuffer:
        return self._buffers[table]

    def filled(self) -> list[RowBuffer]:
        """Return the buffers that have rows."""
        return [buffer for buffer in self._buffers.values() if buffer.rows]


# Columns of a record that change, with the instant (seconds since 1970). The first change creates the record.
Changes = list[tuple[int, Mapping[str, object]]]


def add_with_history(
    buffers: TableBuffers, table: str, record: UuidBytes, changes: Changes, *, is_assumed: bool = False
) -> None:
    """Add a record in its state after the last change, and one version for each state that it had.

    With an assumed history there is one version: the present state, valid from the beginning and recorded at the last
    change. Only contacts can have one: deals have values that came with their closing.
    """
    present, versions = buffers[table], buffers[f"{table}_version"]
    states = _states((at, versions.encode(fields)) for at, fields in sorted(changes, key=itemgetter(0)))
    recorded = states[-1][0] if is_assumed else None
    if is_assumed:
        states = [(states[0][0], states[-1][1])]
    shared = versions.encode({f"{table}_id": record, "is_assumed": is_assumed})
    for following, (since, state) in enumerate(states, start=1):
        ends = states[following][0] if following < len(states) else None
        validity = versions.encode({"valid_from": since, "valid_to": ends, "recorded_at": recorded or since})
        versions.add_encoded({**shared, **validity, **state})
    created, changed = states[0][0], states[-1][0]
    marks = {"created_at": created, "updated_at": changed, "effective_at": changed, "row_version": len(states)}
    present.add_encoded({**present.encode({"id": record, "is_assumed": is_assumed, **marks}), **states[-1][1]})


def _states(changes: Iterable[tuple[int, EncodedValues]]) -> list[tuple[int, EncodedValues]]:
    """Return the full state after each change that had an effect; several changes at one instant make one state."""
    states: list[tuple[int, EncodedValues]] = []
    for at, fields in changes:
        state = {**states[-1][1], **fields} if states else fields
        if states and state == states[-1][1]:
            continue
        if states and states[-1][0] == at:
            states.pop()
        states.append((at, state))
    return states
