"""What a version would have made of the KPIs: those that read stages, computed from the entries of both sides.

A KPI is computed by the statement that answers every request for it. The statement reads `stage_entry`; for derived
entries, a temporary table of that name stands before the permanent one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from api.db import ReadSession, ScratchSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.context import MetricContext
from api.metrics.kind_of import kind_of
from api.metrics.preview.figures import PreviewFigure, PreviewKpi
from api.metrics.preview.sides import DERIVED, MIXED, STORED, Side, Sides
from api.metrics.query import compute_kpi
from api.metrics.request import KpiRequest, Period, StagePair
from schema.accord import Accord
from schema.kpis import CATALOGUE
from schema.kpis.kpi import Kpi
from schema.vocab import Skip


@dataclass(frozen=True, slots=True)
class KpiPair:
    """A request for a KPI, to be computed for both sides."""

    kpi: Kpi
    request: KpiRequest


@dataclass(frozen=True, slots=True)
class KpiFigures:
    """What the two sides answer to a request: an answer, or why there is none."""

    pair: KpiPair
    before: KpiAnswer | AccordError
    after: KpiAnswer | AccordError


def reads_stages(kpi: Kpi) -> bool:
    """Whether the accord's versions decide what a KPI counts: it declares so by its switch `reading`."""
    return kpi.switches.reads_stages


def requests_of(sides: Sides, period: Period) -> tuple[KpiPair, ...]:
    """One request for each KPI that reads stages; for those between two stages, one for each step of the ladder
    that the change touches.
    """
    return tuple(
        KpiPair(kpi, KpiRequest(kpi.key, period=period, stages=pair))
        for kpi in CATALOGUE.values()
        if reads_stages(kpi)
        for pair in (_steps(sides) if _needs_stages(kpi) else (None,))
    )


def _needs_stages(kpi: Kpi) -> bool:
    return kind_of(kpi.measure).stages(()) is None


def _steps(sides: Sides) -> Iterator[StagePair]:
    """The steps from or to a stage that can differ, and those whose window differs."""
    before, after = sides.before.accord, sides.after.accord
    keys = [key for key in sides.after.keys if key in sides.before.keys]
    for base, target in pairwise(keys):
        is_touched = not sides.differing.isdisjoint((base, target))
        if is_touched or before.window(base, target) != after.window(base, target):
            yield StagePair(base, target)


async def compute_both(
    session: ScratchSession, sides: Sides, context: MetricContext, pairs: Sequence[KpiPair]
) -> Mapping[KpiPair, KpiFigures]:
    """Compute every request for both sides. Afterwards `stage_entry` means the derived entries in this transaction.

    Shapes: n requests -> {request: KpiFigures}; equal requests are computed once.
    """
    reading = ReadSession(session.connection)
    before = {} if sides.before.table == DERIVED else await _compute(reading, sides.before, context, pairs)
    # A statement that the connection has prepared would go on to read the permanent table, so its plan is discarded.
    if sides.is_mixed:
        await session.script(f"alter view {MIXED} rename to {STORED}; discard plans")
    elif sides.after.table == DERIVED:
        await session.script(f"alter table {DERIVED} rename to {STORED}; discard plans")
    differing = [pair for pair in pairs if pair not in before or not is_untouched(pair, sides)]
    after = before | await _compute(reading, sides.after, context, differing)
    before = before or await _compute(reading, sides.before, context, pairs)
    return {pair: KpiFigures(pair, before[pair], after[pair]) for pair in before}


def is_untouched(pair: KpiPair, sides: Sides) -> bool:
    """Whether both versions must give the same figure, because the KPI reads no entries that can differ.

    Implied entries, and the ends of entries, also follow from the rules of higher stages.
    """
    if not sides.is_mixed or _read_beside_entries(sides.before.accord) != _read_beside_entries(sides.after.accord):
        return False
    keys = sides.after.keys
    request = pair.request.stages
    stages = kind_of(pair.kpi.measure).stages(keys) if request is None else (request.base, request.target)
    windows = [[stage.window for stage in side.accord.stages] for side in (sides.before, sides.after)]
    if not stages or windows[0] != windows[1]:
        return False
    touched = set(sides.differing)
    if pair.kpi.switches.skip is not Skip.EXCLUDE:
        highest = max((keys.index(key) for key in touched), default=-1)
        touched = {*keys[: highest + 1]}
    return not touched.intersection(stages)


def _read_beside_entries(accord: Accord) -> tuple[object, ...]:
    """What KPIs of stages read of a document beside its ladder: who counts, what recycles, duties and working time."""
    return accord.reporting, accord.reject_reasons, accord.handoff, accord.calendars


async def _compute(
    session: ReadSession, side: Side, context: MetricContext, pairs: Sequence[KpiPair]
) -> dict[KpiPair, KpiAnswer | AccordError]:
    own = replace(context, in_force=side.version, evaluation_id=side.evaluation_id, journeys_of=None)
    found: dict[KpiPair, KpiAnswer | AccordError] = {}
    for pair in dict.fromkeys(pairs):
        try:
            found[pair] = await compute_kpi(session, pair.kpi, pair.request, own, counts_excluded=False)
        except AccordError as error:
            found[pair] = error
    return found


def preview_kpi(figures: KpiFigures) -> PreviewKpi:
    """The two answers as a preview shows them."""
    kpi, stages = figures.pair.kpi, figures.pair.request.stages
    before, after = preview_figure(figures.before), preview_figure(figures.after)
    answers = [answer for answer in (figures.after, figures.before) if isinstance(answer, KpiAnswer)]
    return PreviewKpi(
        key=kpi.key,
        title=kpi.title,
        unit=kpi.unit,
        currency=next((answer.currency for answer in answers if answer.currency is not None), None),
        base_stage=None if stages is None else stages.base,
        target_stage=None if stages is None else stages.target,
        figure_before=before,
        figure_after=after,
        is_changed=before != after,
    )


def preview_figure(answer: KpiAnswer | AccordError) -> PreviewFigure:
    """The figure of an answer, with the reason if it has no value."""
    if isinstance(answer, AccordError):
        return PreviewFigure(value=None, numerator=None, denominator=None, n=0, note=answer.message)
    note = None
    if answer.value is None:
        note = next((warning.message for warning in answer.warnings), "Nothing was counted.")
    return PreviewFigure(
        value=answer.value, numerator=answer.numerator, denominator=answer.denominator, n=answer.n, note=note
    )
