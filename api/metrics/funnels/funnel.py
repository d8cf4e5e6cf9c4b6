"""The funnel: how far the people got who entered the first stage in the period, and how many entered every stage in it.

A person who entered a stage has also entered every lower one (skipped stages are entered by implication). So every bar
is part of the one before, and none can be larger.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import asyncpg

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning, BreakdownKey
from api.metrics.answer_warnings import LOW_SAMPLE, assumed_history, clocks_of, filter_warnings, low_sample, no_contacts
from api.metrics.breakdowns.dimension_warnings import mostly_empty
from api.metrics.breakdowns.group_limit import require_few_groups
from api.metrics.breakdowns.top_groups import kept_first
from api.metrics.compile import key_columns, with_names
from api.metrics.context import MetricContext, contacts_exist
from api.metrics.counted_rows import CountedRows, keyed_rows
from api.metrics.drill_down import FigureDrillDown, StepDrillDown
from api.metrics.figure_table import Keys, share
from api.metrics.figures import breakdown_key, other_key
from api.metrics.filtering.filter_values import with_known_values
from api.metrics.funnels.funnel_answer import FunnelAnswer, FunnelGroup, FunnelStep
from api.metrics.funnels.largest_groups import largest_groups
from api.metrics.funnels.stage_tally import FunnelRow, StageTally
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import first_fact
from api.metrics.kinds.stage_entries import counted_entries
from api.metrics.period_warnings import answered_period, as_of_ahead, missing_period, unfinished_period
from api.metrics.population import NOTHING_EXCLUDED, excluded_only, read_excluded, with_excluded
from api.metrics.readable_sql import readable
from api.metrics.readings.reading_warnings import reading_warnings
from api.metrics.request import FunnelRequest
from api.metrics.resolve import resolve_funnel
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES, gap_warnings
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode

_WAY = ("top_rank", "standing_rank", "skipped", "settled_at")  # of a journey: how far the person got
MOST_STAGES = 62  # the stages that a person skipped are the bits of a bigint


async def compute_funnel(session: ReadSession, request: FunnelRequest, context: MetricContext) -> FunnelAnswer:
    """Compute one funnel request.

    Shapes: one FunnelRequest -> one FunnelAnswer. Reads one statement; before it the largest groups, with `top`; after
            it the first fact of all, if nobody entered in a period that has an end.
    Errors: NOT_EVALUATED; BAD_INPUT; BAD_PERIOD; TOO_MANY_GROUPS; TOO_LARGE for an accord with more stages than a
            funnel can have.
    """
    resolved = await with_known_values(session, resolve_funnel(request, context))
    resolved = replace(resolved, reads_journeys=are_journeys_readable(resolved) and resolved.has_one_ladder)
    stages = context.accord.stages
    if len(stages) > MOST_STAGES:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The accord has {len(stages)} stages, and a funnel has at most {MOST_STAGES}.",
            "Use stage_conversion for the pairs of stages that matter.",
        )
    has_contacts = context.has_contacts
    statement = contacts_exist(context.accord, context.principal)
    records: list[asyncpg.Record] = []
    excluded = NOTHING_EXCLUDED
    if has_contacts:
        if request.top is not None:
            resolved = replace(resolved, kept=await largest_groups(session, resolved, request.top))
        statement = funnel_statement(resolved)
        records = await session.rows(statement)
        excluded = read_excluded(records[0]["excluded"])
    total, groups, labels = _tallies(resolved, records)
    require_few_groups(resolved.by, len(groups))
    whole = FigureDrillDown(resolved)
    missing = None
    if has_contacts and not total.reached and not total.entered:
        missing = await missing_period(session, resolved, first_fact(resolved))
    has_steps = has_contacts and missing is None
    steps = _steps(resolved, total, whole) if has_steps else _empty_steps(resolved, whole)
    return FunnelAnswer(
        stages=steps,
        breakdown=_breakdown(resolved, groups, labels),
        warnings=_warnings(
            resolved, steps, total.assumed, {keys: tally.reached[1] for keys, tally in groups.items()}, missing
        ),
        dimensions=resolved.dimensions,
        excluded=excluded,
        is_canonical=not resolved.overrides,
        overrides=resolved.overrides,
        accords=context.accords_in(resolved.frame.interval.start, resolved.frame.until),
        period=answered_period(resolved.frame),
        as_of=resolved.frame.as_of,
        known_at=context.known_at,
        evaluated_at=context.evaluated_at,
        answered_from=resolved.answered_from,
        data_watermark=context.watermark,
        sql=readable(context.with_facts(statement)),
        request=request,
    )


def funnel_statement(request: ResolvedKpiRequest) -> Sql:
    """The statement of a request, which counts the excluded people, too."""
    left_out = CountedRows(rows=counted_entries(excluded_only(request), request.stages[:1]))
    return with_excluded(request, left_out, _statement(request))


def _tallies(
    request: ResolvedKpiRequest, records: Sequence[asyncpg.Record]
) -> tuple[StageTally, dict[Keys, StageTally], dict[object, str]]:
    """The people of the whole funnel and of each group, and the names of the keys that are ids."""
    total, groups = StageTally(), defaultdict[Keys, StageTally](StageTally)
    places = range(1, request.key_count + 1)
    labels: dict[object, str] = {}
    for record in (record for record in records if record["is_row"]):
        row = FunnelRow(**{column.name: record[column.name] for column in fields(FunnelRow)})
        total.add(row)
        if request.by:
            keys = tuple(record[f"key_{place}"] for place in places)
            groups[keys].add(row)
            named = ((key, record.get(f"label_{place}")) for key, place in zip(keys, places, strict=True))
            labels.update({key: label for key, label in named if label is not None})
    return total, groups, labels


def _statement(request: ResolvedKpiRequest) -> Sql:
    """The people of the cohort by how far they got, and the entries of the period by stage.

    Shapes: one row per key and distinct way up the stages, and one per key and stage.
    One pass over a person's entries returns the highest rank reached, the highest rank still open, and the stages first
    entered by skipping. Few combinations of these occur, so the server aggregates almost everything.
    """
    keys, kept = key_columns(request), key_columns(request, "p")
    cohort = keyed_rows(request, counted_entries(request, request.stages[:1], more=_WAY), ())
    entered = keyed_rows(request, counted_entries(request, request.stages), ())
    people = _settled_people(request, cohort) if request.reads_journeys else _people(request, cohort)
    # A person is open in the highest stage reached, or in none: an open entry into a lower stage has been passed.
    ways = Sql(
        "select {}false as is_entered, p.rank, coalesce(p.standing = p.rank, false) as is_standing, p.skipped,"
        " count(*) as people, 0 as implied, count(*) filter (where p.is_assumed) as assumed from ({}) p"
        " group by {}p.rank, is_standing, p.skipped",
        kept,
        people,
        kept,
    )
    in_period = Sql(
        "select {}true, c.rank, false, 0, count(*), count(*) filter (where c.is_implied), 0 from ({}) c"
        " group by {}c.rank",
        keys,
        entered,
        keys,
    )
    return with_names(request, Sql("{} union all {}", ways, in_period))


def _people(request: ResolvedKpiRequest, cohort: Sql) -> Sql:
    """One row per person of the cohort: keys, `rank, standing, skipped, is_assumed`, from all of their entries."""
    until, rank, keys = request.frame.until, request.rank("e"), key_columns(request)
    # The cohort is within the principal's reach, and so are all entries of its people.
    return Sql(
        "select {}max({}) as rank, max({}) filter (where e.exited_at is null or e.exited_at >= {}) as standing,"
        " {} as skipped,"
        " bool_or(c.is_assumed) as is_assumed"
        " from ({}) c join stage_entry e on e.contact_id = c.contact_id"
        " where e.evaluation_id = {} and e.entered_at < {} group by {}c.contact_id",
        *(keys, rank, rank, until, _skipped(request, rank)),
        *(cohort, request.context.evaluation, until, keys),
    )


def _settled_people(request: ResolvedKpiRequest, cohort: Sql) -> Sql:
    """The same from journeys, which say how far a person has got by today.

    The entries are read of those alone whose entries changed after `asOf`.
    """
    until = request.frame.until
    settled = Sql(
        "select {}c.top_rank, c.standing_rank, c.skipped, c.is_assumed from ({}) c where c.settled_at < {}",
        *(key_columns(request), cohort, until),
    )
    changed = Sql("select c.* from ({}) c where c.settled_at >= {}", cohort, until)
    return Sql("{} union all {}", _people(request, changed), settled)


def _skipped(request: ResolvedKpiRequest, rank: Sql) -> Sql:
    """The stages that a person entered only by implication, as bits."""
    if request.has_one_ladder:
        first = "case when e.is_implied and e.occurrence = 1 then 1::bigint << ({} - 1) else 0 end"
        return Sql(f"bit_or({first})", rank)
    # A version without a stage of the ladder has no entries into it, not even implied ones: whoever got beyond it
    # skipped every stage that they did not enter by facts of their own.
    own = "case when not e.is_implied and e.occurrence = 1 then 1::bigint << ({} - 1) else 0 end"
    return Sql(f"(((1::bigint << max({{}})) - 1) & ~coalesce(bit_or({own}), 0))", rank, rank)


def _breakdown(
    request: ResolvedKpiRequest, groups: Mapping[Keys, StageTally], labels: Mapping[object, str]
) -> tuple[FunnelGroup, ...]:
    """The funnel of every combination of values of the requested dimensions, from the largest down.

    Combinations with the same first values stay together; with `top`, the others come last.
    """
    starts = defaultdict[Keys, StageTally](StageTally)
    for keys, tally in groups.items():
        for length in range(1, len(keys) + 1):
            starts[keys[:length]].reached.update(tally.reached)
            starts[keys[:length]].entered.update(tally.entered)

    def place(keys: Keys) -> list[tuple[int, int, str, str]]:
        tallies = (starts[keys[:length]] for length in range(1, len(keys) + 1))
        return [
            (-tally.reached[1], -tally.entered[1], key.label, key.id or "")
            for key, tally in zip(_keys(request, keys, labels), tallies, strict=True)
        ]

    return tuple(
        FunnelGroup(
            keys=_keys(request, keys, labels),
            stages=_steps(request, groups[keys], FigureDrillDown(request, keys)),
        )
        for keys in (kept_first(request, groups) if request.has_other else sorted(groups, key=place))
    )


def _keys(request: ResolvedKpiRequest, keys: Keys, labels: Mapping[object, str]) -> tuple[BreakdownKey, ...]:
    """The values of the requested dimensions with their labels."""
    if request.is_other(keys):
        return tuple(map(other_key, request.by))
    named = zip(request.by, keys, strict=not request.has_other)
    return tuple(breakdown_key(request, dimension, key, labels) for dimension, key in named)


def _steps(request: ResolvedKpiRequest, tally: StageTally, whole: FigureDrillDown) -> tuple[FunnelStep, ...]:
    stages, first = request.context.accord.stages, tally.reached[1]
    return tuple(
        FunnelStep(
            key=stage.key,
            title=stage.title,
            group=stage.group,
            reached=tally.reached[rank],
            implied=tally.implied[rank],
            # There is no stage after the last one, so nobody can still reach it.
            open=tally.standing[rank] if rank < len(stages) else 0,
            step=share(tally.reached[rank], tally.reached[rank - 1]) if rank > 1 else None,
            overall=share(tally.reached[rank], first),
            entered=tally.entered[rank],
            entered_implied=tally.entered_implied[rank],
            drill_down=StepDrillDown(whole, rank),
        )
        for rank, stage in enumerate(stages, start=1)
    )


def _empty_steps(request: ResolvedKpiRequest, whole: FigureDrillDown) -> tuple[FunnelStep, ...]:
    """The stages without contacts or data of the period: their figures are null, because 0 would be a figure."""
    return tuple(
        FunnelStep(
            key=stage.key,
            title=stage.title,
            group=stage.group,
            reached=None,
            implied=None,
            open=None,
            step=None,
            overall=None,
            entered=None,
            entered_implied=None,
            drill_down=StepDrillDown(whole, rank),
        )
        for rank, stage in enumerate(request.context.accord.stages, start=1)
    )


def _warnings(
    request: ResolvedKpiRequest,
    steps: tuple[FunnelStep, ...],
    assumed: int,
    cohorts: Mapping[Keys, int],
    missing: AnswerWarning | None,
) -> tuple[AnswerWarning, ...]:
    """The warnings of a funnel; `cohorts` are the numbers of people of its groups."""
    gaps = (
        *as_of_ahead(request.frame),
        *clocks_of(request, (STAGE_ENTRIES,)),
        *gap_warnings(request.context.gaps, (STAGE_ENTRIES,), request.context.accord),
        *reading_warnings(request.context, reads_stages=True),
    )
    if not request.context.has_contacts:
        return (no_contacts(), *gaps)
    if missing is not None:
        return (missing, *filter_warnings(request), *gaps)
    found = [*filter_warnings(request), *gaps]
    unfinished = unfinished_period(request.frame)
    cohort, waiting = steps[0].reached or 0, sum(step.open or 0 for step in steps)
    if not cohort:
        message = f"Nobody entered {steps[0].key} in the period, so there is nothing to divide by."
        nothing = AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=message, count=0)
        return (*found, nothing, *unfinished)
    if cohort < LOW_SAMPLE:
        found.append(low_sample(cohort))
    found += unfinished
    if waiting:
        message = f"{waiting:,} are in a stage and can still reach the next one, so the stages after it may still grow."
        found.append(AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting))
    found += assumed_history(assumed, cohort, "people")
    shown = {keys[: len(request.by)]: people for keys, people in cohorts.items() if not request.is_other(keys)}
    return (*found, *mostly_empty(request.by, shown, cohort))
