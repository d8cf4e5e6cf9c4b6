"""What each kind counts: one row for each counted record, before anything is added up.

The figures of an answer and the records behind them are made of the same rows, so that a drill always finds exactly
what was counted. The package's docstring says what a new kind has to give.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from api.metrics.closings import closing_rows
from api.metrics.dimensions import AXES, is_dated_by_version, joins, key_name
from api.metrics.entries import converts, counted_entries, pair_rows
from api.metrics.filters import condition
from api.metrics.question import Question, dimensions_of
from api.sql import Sql, all_of, join, name
from schema.kpis.kinds import Closings, Conversion, Count, Duration, Ratio, Subject, Sum
from schema.vocab import Anchor

RECORD_OF = {Subject.PERSON: "contact", Subject.DEAL: "deal"}  # the table of the records that a subject's rows name
_EVERY = Sql("true")
_NO_TIE = Sql("''")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The rows `c` of a kind, and which of them make its figures.

    `rows` have `contact_id`, `deal_id` … (after the subject's table), `at`, and what the rest reads. `measures` are
    aggregates over them by name. `is_base` tells whether a row is one of n, `is_converted` whether it is one of the
    numerator; None: nothing is divided. `tie` is a text that tells apart rows of one record at one instant.
    """

    rows: Sql
    measures: Mapping[str, Sql] = field(default_factory=dict)
    is_base: Sql = _EVERY
    is_converted: Sql | None = None
    tie: Sql = _NO_TIE


def counted(question: Question) -> Counted:
    """The rows of a question. Errors: none, what cannot be asked was refused before."""
    match question.kpi.measure:
        case Count(of=Closings() as closings):
            return Counted(rows=closing_rows(question, closings), measures={"n": Sql("count(*)"), **_told()})
        case Count():
            return _entered(question)
        case Sum(of=closings, column=column):
            return _summed(question, closings, column)
        case Ratio(part=part, whole=whole):
            is_part = Sql("c.outcome = any ({}::text[])", [each.value for each in part.outcomes])
            won = Sql("count(*) filter (where {})", is_part)
            measures = {"n": Sql("count(*)"), "numerator": won, **_told()}
            return Counted(rows=closing_rows(question, whole), measures=measures, is_converted=is_part)
        case Conversion() | Duration():
            return _paired(question)


def _told() -> dict[str, Sql]:
    """When the newest of the deals was told; people have the watermark of their evaluation."""
    return {"told_at": Sql("max(c.updated_at)")}


def _entered(question: Question) -> Counted:
    implied = Sql("count(*) filter (where c.is_implied)")
    # Who skips stages enters several at one instant.
    return Counted(
        rows=counted_entries(question, question.stages),
        measures={"n": Sql("count(*)"), "implied": implied},
        tie=Sql("to_char(c.rank, 'FM000000')"),
    )


def _summed(question: Question, closings: Closings, column: str) -> Counted:
    """The amounts in the reporting currency, or, where the accord names none, in the only one there is."""
    amount, reporting = Sql("c.{}", name(column)), question.ground.accord.reporting.currency
    added = Sql("{} is not null", amount)
    if reporting is not None:
        added = all_of([added, Sql("c.currency = {}", reporting.value)])
    measures = {
        "n": Sql("count(*) filter (where {})", added),
        "amount": Sql("sum({}) filter (where {})", amount, added),
        "left_out": Sql("count(*) filter (where ({}) is not true)", added),
        "low_currency": Sql("min(c.currency) filter (where {})", added),
        "high_currency": Sql("max(c.currency) filter (where {})", added),
        **_told(),
    }
    return Counted(rows=closing_rows(question, closings), measures=measures, is_base=added)


def _paired(question: Question) -> Counted:
    """Both stages' entries, or a cohort, whose measures its own statement has."""
    if question.anchor is Anchor.PERIOD:
        measures = {
            "n": Sql("count(*) filter (where c.is_base)"),
            "numerator": Sql("count(*) filter (where not c.is_base)"),
            "implied": Sql("count(*) filter (where c.is_base and c.is_implied)"),
        }
        return Counted(
            rows=pair_rows(question), measures=measures, is_base=Sql("c.is_base"), is_converted=Sql("not c.is_base")
        )
    converted = converts(question.window)
    if isinstance(question.kpi.measure, Duration):
        return Counted(rows=pair_rows(question), is_base=converted)
    return Counted(rows=pair_rows(question), is_converted=converted)


def placed_rows(question: Question, rows: Sql, boundaries: tuple[datetime, ...], more: Sql | None = None) -> Sql:
    """The counted rows `c`, filtered, each with its keys (`key_1`, `key_2`, as many as asked) and bucket (from 1)."""
    subject = question.kpi.subject
    filtering = condition(question.where, subject, question.ground.accord)
    dimensions = [*dimensions_of(question.where), *question.by]
    keys = (
        Sql(", {} as {}", AXES[subject][each].value, key_name(place)) for place, each in enumerate(question.by, start=1)
    )
    bucket = Sql("width_bucket(c.at, {}::timestamptz[])", list(boundaries)) if boundaries else Sql("null::int")
    undated = Sql("v.id is null") if is_dated_by_version(subject, question.by) else Sql("false")
    return Sql(
        "select c.*{}, {} as bucket, {} as is_undated{} from ({}) c{}{}",
        join("", keys),
        bucket,
        undated,
        more or Sql(""),
        rows,
        joins(subject, dimensions, question.ground),
        Sql(" where {}", filtering) if filtering is not None else Sql(""),
    )
