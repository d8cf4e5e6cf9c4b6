"""A definite question to its one statement.

    counted rows  ->  with the keys of the asked dimensions and the bucket  ->  aggregated  ->  the keys' names

Rows are aggregated before a name is looked up. What adds up (counts, amounts) is grouped once by keys and bucket, and
the totals are their sums; percentiles do not add up, so durations have grouping sets. Every statement returns `key_1`,
`key_2` (as many as asked), `bucket` and measures by name, with `label_1`, `label_2` where a key is an id.
"""

from datetime import datetime

from api.metrics.counted import counted, placed_rows
from api.metrics.dimensions import AXES, is_dated_by_version, key_name
from api.metrics.entries import converts, interval
from api.metrics.people import is_of_parts
from api.metrics.question import Question
from api.metrics.shape import Counted
from api.sql import Sql, join, name
from schema.kpis.kinds import (
    Agreement,
    Conversion,
    Count,
    Decisions,
    Duration,
    Entries,
    Openings,
    OverPolicy,
    Ratio,
    Response,
    Snapshot,
    Stay,
    Sum,
    Trailing,
)
from schema.vocab import Anchor


def statement(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """The statement that answers a question; `boundaries` are those of its buckets, or none."""
    if _is_followed(question):
        return _cohort_statement(question, boundaries)
    found = counted(question, boundaries)
    if is_of_parts(question.kpi):
        return with_names(question, _by_part(question, found))
    placed = placed_rows(question, found.rows, boundaries)
    if found.spread is not None:
        return with_names(question, _spread(question, found, placed, boundaries))
    return with_names(question, _aggregate(question, found, placed))


def outset(question: Question) -> Sql:
    """No later than the first counted instant, by a look at the indexes: where the buckets of all history begin."""
    match question.kpi.measure:
        case Count(of=Entries()) | Conversion() | Duration() | Stay() | Response():
            return Sql(
                "select min(first.at) from unnest({}::text[]) s (stage),"
                " lateral (select e.entered_at as at from stage_entry e"
                " where e.evaluation_id = {} and e.stage = s.stage order by e.entered_at limit 1) first",
                list(question.stages),
                question.ground.evaluation,
            )
        case Ratio(whole=Decisions()):
            # Nothing is decided before it was handed over.
            return Sql("select min(handed_at) from handoff")
        case Trailing() | OverPolicy():
            return Sql("select min(occurred_at) from touchpoint where direction = 'OUTBOUND'")
        case Agreement():
            return Sql("select min(coalesce(entered_at, recorded_at)) from reported_stage where stage is not null")
        case Count(of=Openings()) | Sum(of=Openings()):
            return Sql("select min(opened_at) from deal")
        case Snapshot():
            return Sql("select min(coalesce(valid_from, recorded_at)) from deal_version")
        case _:
            past = Sql(", (select min(closed_at) from deal_version)") if question.frame.is_past else Sql("")
            return Sql("select least((select min(closed_at) from deal){})", past)


def _is_followed(question: Question) -> bool:
    is_of_time = isinstance(question.kpi.measure, Conversion | Duration | Stay | Response)
    return is_of_time and question.anchor is Anchor.COHORT


def _cohort_statement(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """Everybody who entered the base, followed: who converted, who still can, and how long it took."""
    converted = converts(question.window)
    took = Sql("case when {} then extract(epoch from c.target_at - c.at)::double precision end", converted)
    more = Sql(", {} as took, c.may_convert and not {} as is_waiting", took, converted)
    placed = placed_rows(question, counted(question).rows, boundaries, more)
    # Past `asOf`, and past now whatever `asOf` says, nothing is known: what falls due there is open.
    horizon = min(question.frame.as_of, question.ground.now)
    if question.window is not None:
        due = Sql("c.at + {} >= {}", interval(question.window), horizon)
        return with_names(question, _followed(question, Sql("({}) c", placed), due, boundaries))
    if isinstance(question.kpi.measure, Stay):
        # An open entry is no conversion that fails to come: all of them are told.
        return with_names(question, _followed(question, Sql("({}) c", placed), Sql("true"), boundaries))
    due = Sql("(pace.slow is null or c.at + make_interval(secs => pace.slow) >= {})", horizon)
    more = Sql(", max(pace.slow) as slow")
    if isinstance(question.kpi.measure, Response):
        more += Sql(", count(*) filter (where c.is_waiting) as untouched")
    return Sql(
        "with cohort as materialized ({}),"
        " pace as (select percentile_cont(0.9) within group (order by took) as slow from cohort) {}",
        placed,
        with_names(
            question,
            _followed(question, Sql("cohort c cross join pace"), due, boundaries, more),
        ),
    )


def _followed(
    question: Question, source: Sql, due: Sql, boundaries: tuple[datetime, ...], more: Sql | None = None
) -> Sql:
    """Aggregate a cohort: a share by keys and bucket, or distributions, which have grouping sets."""
    waiting = Sql("count(*) filter (where c.is_waiting and {}) as waiting{}", due, more or Sql(""))
    keys = key_columns(question)
    if isinstance(question.kpi.measure, Conversion):
        return Sql(
            "select {}c.bucket, count(*) as n, count(c.took) as numerator,"
            " count(*) filter (where c.is_implied) as implied,"
            " count(*) filter (where c.is_undated) as undated, {} from {} group by {}c.bucket",
            keys,
            waiting,
            source,
            keys,
        )
    return Sql(
        "select {}, count(c.took) as n, count(*) filter (where c.is_implied and c.took is not null) as implied,"
        " count(*) filter (where c.is_undated) as undated, {},"
        " percentile_cont(array[0.5, 0.75, 0.9]) within group (order by c.took) as percentiles, avg(c.took) as mean"
        " from {} group by grouping sets ({})",
        _set_columns(question, boundaries),
        waiting,
        source,
        grouping_sets(question, boundaries),
    )


def grouping_sets(question: Question, boundaries: tuple[datetime, ...], apart: tuple[str, ...] = ()) -> Sql:
    """The whole, each combination of keys, each bucket, and both: for what does not add up; each by what is apart."""
    keys = [Sql("c.{}", key_name(place)) for place in range(1, len(question.by) + 1)]
    every = [Sql("c.{}", name(each)) for each in apart]
    sets = [every] if not keys else [every, [*every, *keys]]
    if boundaries:
        sets += [[*each, Sql("c.bucket")] for each in sets]
    return join(", ", (Sql("({})", join(", ", each)) for each in sets))


def key_columns(question: Question, row: str = "c") -> Sql:
    """The key columns of a counted row, with a comma behind each; nothing where no dimension is asked."""
    places = range(1, len(question.by) + 1)
    return join("", (Sql("{}.{}, ", name(row), key_name(place)) for place in places))


def _set_columns(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """Which of the grouping sets a row is of."""
    return Sql(
        "{}{}, {}",
        key_columns(question),
        Sql("grouping(c.key_1) = 1 as is_all_keys" if question.by else "true as is_all_keys"),
        Sql(
            "c.bucket, grouping(c.bucket) = 1 as is_all_buckets"
            if boundaries
            else "null::int as bucket, true as is_all_buckets"
        ),
    )


def _spread(question: Question, found: Counted, placed: Sql, boundaries: tuple[datetime, ...]) -> Sql:
    """One row for each grouping set, with percentiles."""
    return Sql(
        "select {}{}, percentile_cont(array[0.5, 0.75, 0.9]) within group (order by {}) as percentiles"
        " from ({}) c group by grouping sets ({})",
        _set_columns(question, boundaries),
        _measured(question, found),
        found.spread,
        placed,
        grouping_sets(question, boundaries, found.apart),
    )


def _by_part(question: Question, found: Counted) -> Sql:
    """One row for each part, and each combination of keys in it: the rows say which part they are of."""
    keys = [Sql("c.{}", key_name(place)) for place in range(1, len(question.by) + 1)]
    spread = Sql("")
    if found.spread is not None:
        spread = Sql(", percentile_cont(array[0.5, 0.75, 0.9]) within group (order by {}) as percentiles", found.spread)
    return Sql(
        "select {}{} as is_all_keys, c.part as bucket, c.part is null as is_all_buckets{}{} from ({}) c"
        " group by grouping sets ((c.part){})",
        key_columns(question),
        Sql("grouping({}) = 1", keys[0]) if keys else Sql("true"),
        _measured(question, found),
        spread,
        placed_rows(question, found.rows, ()),
        Sql(", (c.part, {})", join(", ", keys)) if keys else Sql(""),
    )


def _aggregate(question: Question, found: Counted, placed: Sql) -> Sql:
    """One row for each combination of keys and bucket; without boundaries the bucket is null."""
    keys = key_columns(question) + join("", (Sql("c.{}, ", name(each)) for each in found.apart))
    return Sql(
        "select {}c.bucket{} from ({}) c group by {}c.bucket",
        key_columns(question),
        _measured(question, found),
        placed,
        keys,
    )


def _measured(question: Question, found: Counted) -> Sql:
    """What is apart, the measures, and how many rows the asked dimensions know nothing of; a comma before each."""
    columns = [Sql(", c.{}", name(each)) for each in found.apart]
    columns += [Sql(", {} as {}", value, name(called)) for called, value in found.measures.items()]
    if is_dated_by_version(question.kpi.subject, question.by):
        columns.append(Sql(", count(*) filter (where c.is_undated) as undated"))
    return join("", columns)


def with_names(question: Question, aggregate: Sql) -> Sql:
    """Put the names beside the keys that are ids."""
    labels, sources = [], []
    for place, dimension in enumerate(question.by, start=1):
        table = AXES[question.kpi.subject][dimension].table
        if table is not None:
            row = name(f"k{place}")
            labels.append(Sql(", {}.name as {}", row, name(f"label_{place}")))
            sources.append(Sql(" left join {} {} on {}.id = a.{}", name(table), row, row, key_name(place)))
    if not labels:
        return aggregate
    return Sql("select a.*{} from ({}) a{}", join("", labels), aggregate, join("", sources))
