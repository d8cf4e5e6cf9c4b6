"""A definite question to its one statement.

    counted rows  ->  with the key of the asked dimension and the bucket  ->  aggregated  ->  the keys' names

Rows are aggregated before a name is looked up. What adds up (counts, amounts) is grouped once by key and bucket, and
the totals are their sums; percentiles do not add up, so durations have grouping sets. Every statement returns `key`,
`bucket` and measures by name, with `label` where a key is an id.
"""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.closings import closing_rows
from api.metrics.dimensions import AXES, is_dated_by_version, joins
from api.metrics.entries import converts, counted_entries, interval, pair_rows
from api.metrics.filters import condition
from api.metrics.question import Question, dimensions_of
from api.sql import Sql, all_of, join, name
from schema.kpis.kinds import Closings, Conversion, Count, Duration, Entries, Ratio, Sum
from schema.vocab import Anchor


@dataclass(frozen=True, slots=True)
class Shape:
    """What the aggregate of a kind adds to key and bucket: measures by their name."""

    rows: Sql
    measures: dict[str, Sql]


def statement(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """The statement that answers a question; `boundaries` are those of its buckets, or none."""
    if _is_followed(question):
        return _cohort_statement(question, boundaries)
    shape = _shape(question)
    return with_names(question, _aggregate(question, placed_rows(question, shape.rows, boundaries), shape.measures))


def outset(question: Question) -> Sql:
    """No later than the first counted instant, by a look at the indexes: where the buckets of all history begin."""
    match question.kpi.measure:
        case Count(of=Entries()) | Conversion() | Duration():
            return Sql(
                "select min(first.at) from unnest({}::text[]) s (stage),"
                " lateral (select e.entered_at as at from stage_entry e"
                " where e.evaluation_id = {} and e.stage = s.stage order by e.entered_at limit 1) first",
                list(question.stages),
                question.ground.evaluation,
            )
        case _:
            past = Sql(", (select min(closed_at) from deal_version)") if question.frame.is_past else Sql("")
            return Sql("select least((select min(closed_at) from deal){})", past)


def _is_followed(question: Question) -> bool:
    return isinstance(question.kpi.measure, Conversion | Duration) and question.anchor is Anchor.COHORT


def _shape(question: Question) -> Shape:
    """The rows and measures of every kind but cohorts. Errors: none, what cannot be asked was refused before."""
    told = Sql("max(c.updated_at)")
    match question.kpi.measure:
        case Count(of=facts):
            if isinstance(facts, Closings):
                return Shape(closing_rows(question, facts), {"n": Sql("count(*)"), "told_at": told})
            implied = Sql("count(*) filter (where c.is_implied)")
            return Shape(counted_entries(question, question.stages), {"n": Sql("count(*)"), "implied": implied})
        case Sum(of=closings, column=column):
            return Shape(closing_rows(question, closings), {**_sum(question, column), "told_at": told})
        case Ratio(part=part, whole=whole):
            won = Sql("count(*) filter (where c.outcome = any ({}::text[]))", [each.value for each in part.outcomes])
            return Shape(closing_rows(question, whole), {"n": Sql("count(*)"), "numerator": won, "told_at": told})
        case Conversion() | Duration():
            measures = {
                "n": Sql("count(*) filter (where c.is_base)"),
                "numerator": Sql("count(*) filter (where not c.is_base)"),
                "implied": Sql("count(*) filter (where c.is_base and c.is_implied)"),
            }
            return Shape(pair_rows(question), measures)


def _sum(question: Question, column: str) -> dict[str, Sql]:
    """The amounts in the reporting currency, or, where the accord names none, in the only one there is."""
    amount, reporting = Sql("c.{}", name(column)), question.ground.accord.reporting.currency
    added = Sql("{} is not null", amount)
    if reporting is not None:
        added = all_of([added, Sql("c.currency = {}", reporting.value)])
    return {
        "n": Sql("count(*) filter (where {})", added),
        "amount": Sql("sum({}) filter (where {})", amount, added),
        "left_out": Sql("count(*) filter (where ({}) is not true)", added),
        "low_currency": Sql("min(c.currency) filter (where {})", added),
        "high_currency": Sql("max(c.currency) filter (where {})", added),
    }


def _cohort_statement(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """Everybody who entered the base, followed: who converted, who still can, and how long it took."""
    converted = converts(question.window)
    took = Sql("case when {} then extract(epoch from c.target_at - c.at)::double precision end", converted)
    more = Sql(", {} as took, c.may_convert and not {} as is_waiting", took, converted)
    placed = placed_rows(question, pair_rows(question), boundaries, more)
    # Past `asOf`, and past now whatever `asOf` says, nothing is known: what falls due there is open.
    horizon = min(question.frame.as_of, question.ground.now)
    if question.window is not None:
        due = Sql("c.at + {} >= {}", interval(question.window), horizon)
        return with_names(question, _followed(question, Sql("({}) c", placed), due, boundaries))
    due = Sql("(pace.slow is null or c.at + make_interval(secs => pace.slow) >= {})", horizon)
    return Sql(
        "with cohort as materialized ({}),"
        " pace as (select percentile_cont(0.9) within group (order by took) as slow from cohort) {}",
        placed,
        with_names(
            question,
            _followed(question, Sql("cohort c cross join pace"), due, boundaries, Sql(", max(pace.slow) as slow")),
        ),
    )


def _followed(
    question: Question, source: Sql, due: Sql, boundaries: tuple[datetime, ...], more: Sql | None = None
) -> Sql:
    """Aggregate a cohort: a share by key and bucket, or distributions of the whole, each key, each bucket, and both."""
    waiting = Sql("count(*) filter (where c.is_waiting and {}) as waiting{}", due, more or Sql(""))
    if isinstance(question.kpi.measure, Conversion):
        return Sql(
            "select c.key, c.bucket, count(*) as n, count(c.took) as numerator,"
            " count(*) filter (where c.is_implied) as implied,"
            " count(*) filter (where c.is_undated) as undated, {} from {} group by c.key, c.bucket",
            waiting,
            source,
        )
    sets = [Sql("()")]
    if question.by is not None:
        sets.append(Sql("(c.key)"))
    if boundaries:
        sets += [Sql("(c.bucket)"), *([Sql("(c.key, c.bucket)")] if question.by is not None else [])]
    return Sql(
        "select {}, {}, count(c.took) as n, count(*) filter (where c.is_implied and c.took is not null) as implied,"
        " count(*) filter (where c.is_undated) as undated, {},"
        " percentile_cont(array[0.5, 0.75, 0.9]) within group (order by c.took) as percentiles, avg(c.took) as mean"
        " from {} group by grouping sets ({})",
        Sql("c.key, grouping(c.key) = 1 as is_all_keys" if question.by else "null as key, true as is_all_keys"),
        Sql(
            "c.bucket, grouping(c.bucket) = 1 as is_all_buckets"
            if boundaries
            else "null::int as bucket, true as is_all_buckets"
        ),
        waiting,
        source,
        join(", ", sets),
    )


def placed_rows(question: Question, rows: Sql, boundaries: tuple[datetime, ...], more: Sql | None = None) -> Sql:
    """The counted rows `c`, filtered, each with its key and its bucket (from 1)."""
    subject = question.kpi.subject
    filtering = condition(question.where, subject, question.ground.accord)
    dimensions = [*dimensions_of(question.where), *([question.by] if question.by else [])]
    key = AXES[subject][question.by].value if question.by else Sql("null::text")
    bucket = Sql("width_bucket(c.at, {}::timestamptz[])", list(boundaries)) if boundaries else Sql("null::int")
    undated = Sql("v.id is null") if is_dated_by_version(subject, question.by) else Sql("false")
    return Sql(
        "select c.*, {} as key, {} as bucket, {} as is_undated{} from ({}) c{}{}",
        key,
        bucket,
        undated,
        more or Sql(""),
        rows,
        joins(subject, dimensions, question.ground),
        Sql(" where {}", filtering) if filtering is not None else Sql(""),
    )


def _aggregate(question: Question, placed: Sql, measures: dict[str, Sql]) -> Sql:
    """One row a key and bucket."""
    columns = join("", (Sql(", {} as {}", value, name(called)) for called, value in measures.items()))
    undated = (
        Sql(", count(*) filter (where c.is_undated) as undated")
        if is_dated_by_version(question.kpi.subject, question.by)
        else Sql("")
    )
    return Sql("select c.key, c.bucket{}{} from ({}) c group by c.key, c.bucket", columns, undated, placed)


def with_names(question: Question, aggregate: Sql) -> Sql:
    """Put the names beside the keys that are ids."""
    table = AXES[question.kpi.subject][question.by].table if question.by else None
    if table is None:
        return aggregate
    return Sql("select a.*, k.name as label from ({}) a left join {} k on k.id = a.key", aggregate, name(table))
