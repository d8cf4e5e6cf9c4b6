"""Two stages of the accord: the share that got from the lower to the higher one, and how long that took."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from api.metrics.answer import AnswerWarning, Variant
from api.metrics.answer_warnings import length_in_words
from api.metrics.columns import Aggregates, count_where
from api.metrics.compile import statement
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows
from api.metrics.figure_table import FigureCell, FigureTable, share
from api.metrics.kinds.cohorts import DURATION, SHARE, TOOK, cohort_statement, converts, summed_cohort
from api.metrics.kinds.kind import FigureValues, KpiKind, duration_figure, share_figure
from api.metrics.kinds.stage_entries import EVER, between, carried, first_entry, picked_entries, skipped_stage
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.switches.censored_cohorts import (
    IS_JUDGED,
    censored_cohort,
    censored_durations,
    censored_statement,
    is_censored,
    whole_request,
)
from api.metrics.switches.filter_scopes import is_tested_at_conversion, with_tested_conversions, with_tested_end
from api.sql import Sql, all_of
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.switch_words import Censoring, FilterScope
from schema.kpis.variants import VariantRule
from schema.vocab import Anchor, Reentry, Skip


@dataclass(frozen=True, slots=True)
class _StagePair(KpiKind):
    """What conversion and duration share; with None the request names the two stages."""

    base: str | None
    target: str | None

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...] | None:
        """The base and the target."""
        return None if self.base is None or self.target is None else (self.base, self.target)

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have first entries."""
        # At a conversion, journeys of the base entry do not say what dimensions are.
        return request.reentry is Reentry.FIRST and not is_tested_at_conversion(request)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into one of the two stages."""
        return first_entry(request)

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many can still convert, and why."""
        waiting, slow = table.total.waiting, table.total.slow
        if request.anchor is Anchor.PERIOD or not waiting:
            return
        if request.windows:
            why = "their window, by the version of the accord that they entered by, has not ended"
        elif request.window is not None:
            why = f"their window of {length_in_words(request.window)} has not ended"
        elif slow is not None:
            pace = length_in_words(timedelta(seconds=slow))
            why = f"there is no window, and they entered less than {pace} ago, in which 90 % of the others converted"
        else:
            why = "there is no window, and nobody has converted yet, so how long it takes is unknown"
        message = f"{waiting:,} can still convert: {why}. The value may still change."
        if is_censored(request):
            left_out = "can still convert" if request.censoring is Censoring.DECIDED_ONLY else "entered too late"
            message = f"{waiting:,} {left_out} and are not in the value: {why}."
        yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)


@dataclass(frozen=True, slots=True)
class StageConversion(_StagePair):
    """The share of the people in the base stage who entered the target.

    Shapes: COHORT: one row per base entry. PERIOD: one row per entry into either stage.
    Source: the stage entries of the current evaluation; the accord's windows.
    """

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The days, or months, of the base entries."""
        return summed_cohort(request, SHARE) if _counts_everybody(request) else None

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The base entries with their conversion, or the entries into both stages."""
        if request.anchor is not Anchor.PERIOD and is_censored(request):
            is_converted = Sql("c.is_judged and {}", converts(request))
            return CountedRows(rows=_judged(request), is_base=IS_JUDGED, is_converted=is_converted)
        if request.anchor is not Anchor.PERIOD:
            return CountedRows(rows=_cohort(request), is_converted=converts(request))
        return CountedRows(
            rows=_both_stages(request),
            aggregates=Aggregates(
                n=count_where(Sql("c.is_base")),
                numerator=count_where(Sql("not c.is_base")),
                implied=count_where(Sql("c.is_base and c.is_implied")),
            ),
            is_base=Sql("c.is_base"),
            is_converted=Sql("not c.is_base"),
        )

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement of the cohort, or of the two counts."""
        if request.anchor is Anchor.PERIOD:
            return statement(request, self.counted(request), boundaries)
        if is_censored(request):
            return censored_statement(request, _judged(request), boundaries)
        return cohort_statement(request, _cohort(request), boundaries, SHARE, counts_mature=True)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """Where everybody counts, name this rule: the share of the mature is its variant."""
        if not _counts_everybody(request):
            return table
        cells = {address: replace(cell, canonical=VariantRule.ALL_OPEN) for address, cell in table.cells.items()}
        return replace(table, cells=cells, empty=FigureCell(canonical=VariantRule.ALL_OPEN))

    def figure(self, cell: FigureCell) -> FigureValues:
        """The converted divided by the base; where everybody counts, beside the share of the mature."""
        values = share_figure(cell)
        if cell.canonical is None:
            return values
        nobody = "Nobody entered in this time, so there is nothing to divide by."
        everybody = _variant(VariantRule.ALL_OPEN, cell.numerator, cell.n, nobody, is_canonical=True)
        too_young = "Everybody entered too lately: the time to convert is not over for anybody." if cell.n else nobody
        mature = _variant(VariantRule.MATURE_ONLY, cell.mature_numerator, cell.mature, too_young)
        return FigureValues(**{**values, "variants": (everybody, mature)})

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody entered the base."""
        return f"Nobody entered {request.stages[0]} in the period, so there is nothing to divide by."


@dataclass(frozen=True, slots=True)
class TimeBetweenStages(_StagePair):
    """The time from the base stage to the target, of those who reached it by facts of their own in both.

    Shapes: one row per base entry; n counts the converted ones.
    Units:  seconds.
    Source: the stage entries of the current evaluation; the accord's windows.
    """

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The months of the base entries."""
        return summed_cohort(request, DURATION)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The base entries with their conversion."""
        if is_censored(request):
            return CountedRows(rows=_judged(request), is_base=Sql("c.is_judged and {}", converts(request)), value=TOOK)
        return CountedRows(rows=_cohort(request), is_base=converts(request), value=TOOK)

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement of the cohort."""
        if is_censored(request):
            judged = censored_cohort(request, _with_skipped(request), _cohort(whole_request(request)))
            return censored_durations(request, judged, boundaries)
        return cohort_statement(request, _with_skipped(request), boundaries, DURATION)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution."""
        return duration_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody converted, or nobody without skipping a stage."""
        own = "" if request.skip is Skip.IMPLIED else " by facts of their own"
        return f"Nobody got from {' to '.join(request.stages)}{own}, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT as of the share. SKIPPED_STAGE: how many conversions skipped one of the two stages."""
        yield from _StagePair.warnings(self, request, table)
        skipped = f"skipped {' or '.join(request.stages)}"
        yield from skipped_stage(table, one=f"person who converted {skipped}", many=f"people who converted {skipped}")


def _counts_everybody(request: ResolvedKpiRequest) -> bool:
    """Whether the value is the share of a cohort of which nobody is left out."""
    return request.anchor is not Anchor.PERIOD and not is_censored(request)


def _variant(rule: VariantRule, part: int, whole: int, reason: str, *, is_canonical: bool = False) -> Variant:
    value = share(part, whole)
    return Variant(
        rule=rule,
        value=value,
        numerator=Decimal(part),
        denominator=Decimal(whole),
        is_canonical=is_canonical,
        reason=reason if value is None else None,
    )


def _with_skipped(request: ResolvedKpiRequest) -> Sql:
    """The cohort, and, unless skipped stages count, with `is_skipped` the conversions that skipped one of the stages.

    A conversion skipped a stage if the person's own facts do not say when they entered both, the base first.
    """
    counted = Sql(
        "select contact_id, at, is_implied, target_at, may_convert, false as is_skipped{} from ({}) c",
        carried(request, "c"),
        _cohort(request),
    )
    if request.skip is Skip.IMPLIED:
        return counted
    everybody = replace(request, skip=Skip.IMPLIED)
    reached_at = Sql("c.target_own_at" if request.skip is Skip.EXCLUDE else "c.target_at")
    return Sql(
        "{} union all select c.contact_id, c.at, c.is_implied, null, false, true{} from ({}) c"
        " where {} and (c.own_at <= {} and {} < {}) is not true",
        counted,
        carried(request, "c"),
        _cohort(everybody),
        converts(request),
        reached_at,
        reached_at,
        request.frame.until,
    )


def _judged(request: ResolvedKpiRequest) -> Sql:
    """The cohort under the switch `censoring`."""
    return censored_cohort(request, _cohort(request), _cohort(whole_request(request)))


def _cohort(request: ResolvedKpiRequest) -> Sql:
    """The base entries in the period: `contact_id, at, is_implied, own_at, target_at, target_own_at, may_convert`.

    `target_at` is when the person converted, whatever the window; `may_convert` is whether a later entry still could.
    """
    return with_tested_conversions(request, _followed_entries(request))


def _followed_entries(request: ResolvedKpiRequest) -> Sql:
    base_own, target_own = request.skip is not Skip.IMPLIED, request.skip is Skip.EXCLUDE
    base, target = request.stages
    if request.reentry is Reentry.EACH:
        return _each_entry(
            request,
            picked_entries(request, (base,), own=base_own, within=EVER),
            picked_entries(request, (target,), own=target_own, within=EVER),
        )
    # Both sides have at most one row per person, so the join needs no aggregate.
    # A person whose first entry into the target is before the base, or after the window, cannot convert any more.
    may_convert = Sql("t.at is null") if request.reentry is Reentry.FIRST else Sql("true")
    return Sql(
        "select b.contact_id, b.at, b.is_implied, b.own_at, case when t.at >= b.at then t.at end as target_at,"
        " t.own_at as target_own_at, {} as may_convert{} from ({}) b left join ({}) t on t.contact_id = b.contact_id",
        may_convert,
        carried(request, "b"),
        picked_entries(request, (base,), own=base_own, within=request.frame.interval),
        picked_entries(request, (target,), own=target_own, within=EVER, is_joined=True),
    )


def _each_entry(request: ResolvedKpiRequest, base: Sql, target: Sql) -> Sql:
    """The base entries of which a person may have several, each with its own conversion.

    An entry into the target belongs to the last base entry at or before it, so that no conversion counts twice. The
    next row in the person's order of time decides that, and one pass over both stages finds it.
    """
    # At the same instant the base entry sorts first (false < true), so a target at that instant is its conversion.
    # The period is applied outside: base entries after it still take conversions away from those in it.
    return Sql(
        "select contact_id, at, is_implied, own_at, case when is_followed then next_at end as target_at,"
        " next_own_at as target_own_at, is_followed is null as may_convert{}"
        " from (select contact_id, at, is_implied, own_at, is_target{},"
        " lead(is_target) over way as is_followed, lead(at) over way as next_at, lead(own_at) over way as next_own_at"
        " from (select contact_id, at, is_implied, own_at, false as is_target{} from ({}) b"
        " union all select contact_id, at, is_implied, own_at, true{} from ({}) t) e"
        " window way as (partition by contact_id order by at, is_target)) e"
        " where {}",
        *(carried(request, "e"), carried(request, "e")),
        *(carried(request, "b"), base, carried(request, "t"), target),
        all_of([Sql("not is_target"), *between(Sql("at"), request.frame.interval)]),
    )


def _both_stages(request: ResolvedKpiRequest) -> Sql:
    """The entries into either stage in the period: `contact_id, at, is_implied, is_base`."""
    base, target = request.stages
    within = request.frame.interval
    return Sql(
        "select contact_id, at, is_implied, true as is_base{} from ({}) b"
        " union all select contact_id, at, is_implied, false{} from ({}) t",
        carried(request, "b"),
        with_tested_end(
            request,
            picked_entries(request, (base,), own=request.skip is not Skip.IMPLIED, within=within),
            FilterScope.BASE,
        ),
        carried(request, "t"),
        with_tested_end(
            request,
            picked_entries(request, (target,), own=request.skip is Skip.EXCLUDE, within=within),
            FilterScope.CONVERSION,
        ),
    )
