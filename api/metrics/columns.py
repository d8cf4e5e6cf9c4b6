"""The columns of a KPI statement, typed: how each measure is aggregated, and one returned row."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Self

import asyncpg

from api.sql import Sql, name

COUNT_ALL = Sql("count(*)")


def count_where(condition: Sql) -> Sql:
    """The aggregate that counts the rows that meet a condition."""
    return Sql("count(*) filter (where {})", condition)


def percentiles_of(value: Sql) -> Sql:
    """The aggregate of the median, the 75th and the 90th percentile, interpolated between neighbours."""
    return Sql("percentile_cont(array[0.5, 0.75, 0.9]) within group (order by {})", value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregates:
    """The measures of a statement as aggregates over its counted rows `c`; None for a measure it does not return.

    The fields are those of `Measured`, where they are described.
    """

    n: Sql = COUNT_ALL
    numerator: Sql | None = None
    implied: Sql | None = None
    undated: Sql | None = None
    assumed: Sql | None = None
    waiting: Sql | None = None
    mature: Sql | None = None
    mature_numerator: Sql | None = None
    slow: Sql | None = None
    untouched: Sql | None = None
    skipped: Sql | None = None
    amount: Sql | None = None
    portions: Sql | None = None
    left_out: Sql | None = None
    unweighted: Sql | None = None
    unopened: Sql | None = None
    unscheduled: Sql | None = None
    cut: Sql | None = None
    doubled: Sql | None = None
    percentiles: Sql | None = None
    mean: Sql | None = None
    most: Sql | None = None
    survived: Sql | None = None
    updated_at: Sql | None = None
    lengths: Sql | None = None
    waits: Sql | None = None
    entries: Sql | None = None
    conversions: Sql | None = None

    def columns(self) -> Iterator[Sql]:
        """The select list, one `aggregate as measure` each."""
        for measure in fields(self):
            aggregate: Sql | None = getattr(self, measure.name)
            if aggregate is not None:
                yield Sql("{} as {}", aggregate, name(measure.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measures of one returned row. A measure that the statement does not return has its default.

    Units: counts of counted rows; `amount` in the currency of the row; times in seconds.
    """

    n: int = 0
    numerator: int = 0
    implied: int = 0  # of n: entered only because a higher stage was entered
    undated: int = 0  # without a version of the record at the counted instant
    assumed: int = 0  # of n: with values from an assumed version, for an instant before it was recorded
    waiting: int = 0  # not converted, decided or ended yet, and still able to
    mature: int = 0  # of n: the time in which they can convert is over
    mature_numerator: int = 0  # of numerator: of the mature
    slow: float | None = None  # the time within which 90 % of the converted converted
    untouched: int = 0  # without a first touch by hand
    skipped: int = 0  # without a duration, because a stage was skipped
    amount: Decimal | None = None
    portions: list[Decimal] | None = None  # sums of amounts beside `amount`; the kind knows which
    left_out: int = 0  # without a known amount, or without a known probability
    unweighted: int = 0  # of left_out: with a known amount
    unopened: int = 0  # without the date that the KPI needs: an opening, or an expected close
    unscheduled: int = 0  # without an expected closing
    cut: int = 0  # of n: costs of more days than those of the period
    doubled: int = 0  # campaigns with costs of different sources for the same days
    percentiles: list[float] | None = None  # the median, p75 and p90
    mean: float | None = None
    most: int | None = None
    survived: float | None = None  # the time after which half have ended, by the estimate of Kaplan and Meier
    updated_at: datetime | None = None  # when the newest counted deal was updated
    lengths: list[int] | None = None  # of a sum: the durations in order, in microseconds
    waits: list[int] | None = None  # of a sum: the instants of the rows that can still convert, in order
    entries: list[int] | None = None  # of a sum: the instants of all rows, in order
    conversions: list[int] | None = None  # of a sum: the instants of the rows that converted, in order


_MEASURES = tuple(measure.name for measure in fields(Measured))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One returned row: the dimension values and bucket it belongs to, and its measures.

    Rows of a statement with grouping sets have `is_all_keys` and `is_all_buckets`; they are None where the statement
    only returns parts, and totals are their sums.
    """

    keys: tuple[object, ...]
    labels: tuple[object, ...]  # the names of keys that are ids; None elsewhere
    bucket: int | None
    is_all_keys: bool | None
    is_all_buckets: bool | None
    unconverted_currency: str | None
    measured: Measured
    part: int | None = None  # of a formula: the number of the part that the row belongs to

    @classmethod
    def read(cls, record: asyncpg.Record, dimensions: int) -> Self:
        """Read a row as the driver returns it; `dimensions` is how many keys the statement has."""
        values = dict(record.items())
        places = range(1, dimensions + 1)
        measures = {measure: values[measure] for measure in _MEASURES if values.get(measure) is not None}
        return cls(
            keys=tuple(values[f"key_{place}"] for place in places),
            labels=tuple(values.get(f"label_{place}") for place in places),
            bucket=values["bucket"],
            is_all_keys=values.get("is_all_keys"),
            is_all_buckets=values.get("is_all_buckets"),
            unconverted_currency=values.get("unconverted_currency"),
            measured=Measured(**measures),
            part=values.get("part_number"),
        )
