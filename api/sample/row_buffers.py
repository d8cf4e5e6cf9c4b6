"""Rows of declared tables, as COPY takes them: columns are the declared ones; another or a missing one is an error.

A value is what stories reckon with: an `Id` for a uuid, whole seconds since 1970 for an instant.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import sqlalchemy as sa

from api.sample.binary_copy import HEADER, NULL, TRAILER, encoder, row_head
from api.sample.random_source import Id
from schema.tables import METADATA

# What a column holds when nobody says; any other default (such as the present instant) has to be said.
_DEFAULTS: Mapping[str, object] = {"false": False, "1": 1, "'OPEN'": "OPEN"}


Sent = Mapping[str, bytes]
"""Values by column, each as it is sent."""


class Rows:
    """The rows of one table, each in PostgreSQL's binary COPY format."""

    __slots__ = ("_blank", "_encoders", "_head", "_required", "columns", "records", "table")

    def __init__(self, table: str) -> None:
        built = [each for each in METADATA.tables[table].columns if each.identity is None]
        self.table = table
        self.columns = tuple(each.name for each in built)
        self.records: list[bytes] = []
        self._encoders = {each.name: encoder(each) for each in built}
        self._blank = {each.name: NULL for each in built} | self.encode(_defaults(built))
        self._head = row_head(len(built))
        self._required = frozenset(each.name for each in built if not each.nullable and self._blank[each.name] is NULL)

    def encode(self, values: Mapping[str, object]) -> dict[str, bytes]:
        """Turn values of some columns into what is sent. TypeError on an unknown column."""
        encoders = self._encoders
        try:
            return {name: NULL if value is None else encoders[name](value) for name, value in values.items()}
        except KeyError:
            unknown = ", ".join(sorted(values.keys() - encoders.keys()))
            raise TypeError(f"{self.table} has no column {unknown}") from None

    def add(self, **values: object) -> None:
        """Add a row: what is not said is null or the column's default. TypeError on an unknown or missing column."""
        self.add_sent(self.encode(values))

    def add_sent(self, sent: Sent) -> None:
        """Add a row of encoded values. TypeError on a missing column."""
        if not self._required <= sent.keys():
            raise TypeError(f"{self.table} needs {', '.join(sorted(self._required - sent.keys()))}")
        self.records.append(self._head + b"".join({**self._blank, **sent}.values()))

    def sent(self) -> bytes:
        """All of them, as one COPY takes them."""
        return b"".join((HEADER, *self.records, TRAILER))


def _defaults(columns: "Sequence[sa.Column[object]]") -> dict[str, object]:
    """What columns hold when nobody says."""
    said = {each.name: each.server_default for each in columns}
    texts = {name: str(default.arg) for name, default in said.items() if isinstance(default, sa.DefaultClause)}
    return {name: _DEFAULTS[text] for name, text in texts.items() if text in _DEFAULTS}


class Batch:
    """Rows of several tables, in the order in which they can be stored."""

    __slots__ = ("_rows",)

    def __init__(self, tables: Sequence[str]) -> None:
        self._rows = {table: Rows(table) for table in tables}

    def __getitem__(self, table: str) -> Rows:
        return self._rows[table]

    def filled(self) -> list[Rows]:
        """The tables that have rows."""
        return [each for each in self._rows.values() if each.records]

    def __len__(self) -> int:
        return sum(len(each.records) for each in self._rows.values())


# What became true of a record, and when (seconds since 1970). The first change is its beginning.
Changes = list[tuple[int, Mapping[str, object]]]


def add_with_history(batch: Batch, table: str, record: Id, changes: Changes, *, is_assumed: bool = False) -> None:
    """Add a record as it is after the last change, and a version for each stretch of time between them.

    Where history is assumed there is one version: the present state, from the beginning on.
    """
    present, versions = batch[table], batch[f"{table}_version"]
    states = _states((at, versions.encode(fields)) for at, fields in sorted(changes, key=itemgetter(0)))
    if is_assumed:
        states = [(states[0][0], states[-1][1])]
    about = versions.encode({f"{table}_id": record, "is_assumed": is_assumed})
    for place, (since, state) in enumerate(states, start=1):
        ends = states[place][0] if place < len(states) else None
        dates = versions.encode({"valid_from": since, "valid_to": ends, "recorded_at": since})
        versions.add_sent({**about, **dates, **state})
    began, changed = states[0][0], states[-1][0]
    marks = {"created_at": began, "updated_at": changed, "effective_at": changed, "row_version": len(states)}
    present.add_sent({**present.encode({"id": record, "is_assumed": is_assumed, **marks}), **states[-1][1]})


def _states(changes: Iterable[tuple[int, Sent]]) -> list[tuple[int, Sent]]:
    """The whole state after each change that changed something; of several at one instant, after the last."""
    states: list[tuple[int, Sent]] = []
    for at, fields in changes:
        state = {**states[-1][1], **fields} if states else fields
        if states and state == states[-1][1]:
            continue
        if states and states[-1][0] == at:
            states.pop()
        states.append((at, state))
    return states
