"""The SQL of sums: how a statement reads them beside the rows of journeys, and how it computes those to be stored."""

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

from api.metrics.columns import Aggregates
from api.metrics.day_sums.summed_rows import SumsRead, SumUnit
from api.sql import Sql, join, name

_COUNTS = (
    "n",
    "numerator",
    "implied",
    "undated",
    "assumed",
    "untouched",
    "skipped",
    "left_out",
    "unweighted",
    "unopened",
)
_TYPES = {**dict.fromkeys(_COUNTS, "int"), "amount": "numeric", "updated_at": "timestamptz"}
_TYPES |= dict.fromkeys(("lengths", "waits", "entries", "conversions"), "bigint[]")
SUMMED = tuple(_TYPES)  # the measures that sums have
_OF_MATURE = {"mature": "n", "mature_numerator": "numerator"}  # what they are in days that are over as a whole
_MICROSECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """The microseconds from 1970 to an instant."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * _MICROSECOND + since.microseconds


def read_sums(
    sums: SumsRead,
    evaluation: UUID,
    aggregates: Aggregates,
    boundaries: tuple[datetime, ...],
    *,
    id_keys: tuple[bool, ...],
    is_by_currency: bool,
    splits_at: datetime | None,
) -> Sql:
    """Select stored sums with the columns of the statement that aggregates journeys, so that a union has both.

    `id_keys` says for each key whether it is an id. `splits_at` is the instant from which a row that can still
    convert waits, and before which a row is mature; the sum of its day is not read.

    Shapes: day_sum -> one row per key, bucket and currency; one per month with every length.
    """
    keys = [Sql("s.value::uuid" if is_id else "s.value") for is_id in id_keys]
    columns = [*keys, _bucket(boundaries), *([Sql("s.unconverted_currency")] if is_by_currency else [])]
    labels = [*(f"key_{place}" for place in range(1, len(keys) + 1)), "bucket"]
    labels += ["unconverted_currency"] if is_by_currency else []
    has_lists = sums.unit is SumUnit.MONTH
    measures = [
        Sql("{} as {}", _measure(it, has_lists=has_lists, splits_at=splits_at), name(it))
        for it in (field.name for field in fields(aggregates) if getattr(aggregates, field.name) is not None)
    ]
    selected = join(", ", (Sql("{} as {}", column, name(label)) for column, label in zip(columns, labels, strict=True)))
    within = Sql("s.starts_at = any ({}::timestamptz[])", list(sums.instants))
    if sums.unit is not SumUnit.MONTH_END:
        within = Sql("s.starts_at >= {} and s.starts_at < {}", sums.start, sums.end)
        if sums.without:
            within = Sql("{} and s.starts_at <> all ({}::timestamptz[])", within, list(sums.without))
    return Sql(
        "select {}, {} from day_sum s where s.evaluation_id = {} and s.measure = {} and {}{}",
        *(selected, join(", ", measures), evaluation, sums.measure, within),
        Sql("") if has_lists else Sql(" group by {}", join(", ", (Sql(str(n)) for n in range(1, len(columns) + 1)))),
    )


def computed_sums(aggregates: Aggregates, keys: int, source: Sql, apart: tuple[Sql, ...]) -> Sql:
    """Aggregate journeys to the columns of `day_sum`, by key, bucket and currency.

    Errors: ValueError for a measure that sums do not have: the kind must not have sums.
    """
    given = {field.name for field in fields(aggregates) if getattr(aggregates, field.name) is not None}
    if lost := given - {*SUMMED, "waiting"}:
        raise ValueError(f"sums have no {', '.join(sorted(lost))}")
    key = Sql("c.key_1" if keys else "null")
    currency = apart[0] if apart else Sql("null")
    measures = (Sql("{} as {}", getattr(aggregates, it) or Sql(f"null::{_TYPES[it]}"), name(it)) for it in SUMMED)
    return Sql(
        "select {}::text as value, c.bucket, {}::text as unconverted_currency, {} from {} group by {}",
        *(key, currency, join(", ", measures), source),
        join(", ", [*([key] if keys else []), Sql("c.bucket"), *apart]),
    )


def _bucket(boundaries: tuple[datetime, ...]) -> Sql:
    return Sql("width_bucket(s.starts_at, {}::timestamptz[])", list(boundaries)) if boundaries else Sql("null::int")


def _measure(measure: str, *, has_lists: bool, splits_at: datetime | None) -> Sql:
    """The expression of a measure over the sums `s`."""
    if has_lists:
        return Sql(f"s.{measure}")
    if measure == "waiting":
        if splits_at is None:
            return Sql("0::bigint")
        # The instants are in order, so that those since one are the last ones.
        count = "cardinality(s.waits) - width_bucket({}::bigint - 1, s.waits)"
        return Sql(f"coalesce(sum({count}), 0)::bigint", microseconds(splits_at))
    if measure in _OF_MATURE:
        return Sql(f"coalesce(sum(s.{_OF_MATURE[measure]}) filter (where s.starts_at < {{}}), 0)::bigint", splits_at)
    if measure == "amount":
        return Sql("sum(s.amount)")
    if measure == "updated_at":
        return Sql("max(s.updated_at)")
    return Sql(f"coalesce(sum(s.{measure}), 0)::bigint")
