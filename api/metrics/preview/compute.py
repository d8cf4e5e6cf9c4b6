"""Compute a preview: both sides, then everything that is read from them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.accord.verification import PREVIEW_KEPT
from api.db import ScratchSession
from api.metrics.context import MetricContext
from api.metrics.periods.buckets import bucket_name, pairs
from api.metrics.periods.period_days import interval_of
from api.metrics.preview.changed_money import NO_MONEY, find_money
from api.metrics.preview.compared_versions import ComparedVersions
from api.metrics.preview.coverage import find_coverage
from api.metrics.preview.duty_effects import find_marketing_duties
from api.metrics.preview.figures import (
    ChangedPeople,
    Preview,
    PreviewBucket,
    PreviewMoney,
    PreviewOutcome,
    PreviewStage,
)
from api.metrics.preview.kpi_effects import compute_both, preview_kpi, requests_of
from api.metrics.preview.outcomes import find_outcomes
from api.metrics.preview.people import PeopleCounts, count_entered, count_people, find_people, summed
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.preview_warnings import preview_warnings
from api.metrics.preview.sales_duty_effects import find_sales_duties
from api.metrics.preview.seller_load import find_load
from api.metrics.preview.sides import Sides, derive_sides
from api.metrics.preview.target_effects import MeasuredTarget, measured_targets, preview_targets
from api.progress import Progress
from schema.accord_vocab import PersonChange, StageChange


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What was found out about all stages, by stage."""

    counts: Mapping[str, tuple[PeopleCounts, ...]]
    entered_before: Mapping[str, int]
    entered_after: Mapping[str, int]
    money: Mapping[tuple[str, PersonChange], PreviewMoney]
    outcomes: Mapping[str, tuple[PreviewOutcome, ...]]


async def compute_preview(
    session: ScratchSession,
    preview_id: UUID,
    versions: ComparedVersions,
    frame: PreviewFrame,
    context: MetricContext,
    progress: Progress | None = None,
) -> Preview:
    """Compute what the previewed version would have changed in the period.

    Afterwards the temporary table `preview_change` has the people, and `stage_entry` means the derived entries.

    Shapes: two versions + all facts -> one Preview. Writes temporary tables only.
    Units:  instants UTC; facts later than `frame.as_of` do not count; money as in `PreviewMoney`.
    """
    before, after = versions.before, versions.after
    targets = tuple(measured_targets(after.accord, frame))
    sides = await derive_sides(session, versions, frame.as_of, progress, since=_first_instant(frame, targets))
    await find_people(session, sides, frame)
    counts = await count_people(session, frame)
    currency = after.accord.reporting.currency
    changed = [stage for stage, found in counts.items() if _differs(summed(found))]
    facts = StageFacts(
        counts,
        await count_entered(session, sides.before, frame),
        await count_entered(session, sides.after, frame),
        await find_money(session, context, frame, currency),
        await find_outcomes(session, sides, frame, changed),
    )
    stages = tuple(_stages(preview_id, sides, frame, facts))
    sellers = await find_load(session, sides, context, frame)
    coverage = await find_coverage(session, sides, context)
    warnings = await preview_warnings(session, sides, context, frame, stages)
    duties = (
        *await find_marketing_duties(session, after.accord, context, frame),
        *await find_sales_duties(session, sides, context, frame),
    )
    kpis = requests_of(sides, frame.days)
    figures = await compute_both(session, sides, context, (*kpis, *(target.pair for target in targets)))
    return Preview(
        id=preview_id,
        version=after.number,
        hash=after.content_hash,
        compared_version=before.number,
        compared_hash=before.content_hash,
        period=frame.period,
        grain=frame.grain,
        as_of=frame.as_of,
        data_watermark=context.watermark,
        computed_at=frame.as_of,
        expires_at=frame.as_of + PREVIEW_KEPT,
        currency=currency,
        stages=stages,
        kpis=tuple(preview_kpi(figures[pair]) for pair in kpis),
        targets=tuple(preview_targets(targets, figures, after.accord)),
        duties=duties,
        sellers=sellers,
        coverage=coverage,
        warnings=warnings,
    )


def _first_instant(frame: PreviewFrame, targets: Iterable[MeasuredTarget]) -> datetime | None:
    """The first instant of the period and of those of all targets; None if one has no beginning."""
    periods = (target.pair.request.period for target in targets)
    starts = [None if days is None else interval_of(days, frame.zone).start for days in periods]
    known = [start for start in starts if start is not None]
    return min([frame.start, *known]) if len(known) == len(starts) else None


def _differs(counts: PeopleCounts) -> bool:
    return bool(counts.gained or counts.lost or counts.moved)


def _stages(preview_id: UUID, sides: Sides, frame: PreviewFrame, facts: StageFacts) -> Iterator[PreviewStage]:
    """The stages of both versions; one that was removed stands above the one that it stood above."""
    keys = list(sides.after.keys)
    for rank, key in enumerate(sides.before.keys):
        if key not in keys:
            below = sides.before.keys[rank - 1] if rank else None
            keys.insert(keys.index(below) + 1 if below is not None else 0, key)
    for key in keys:
        in_before, in_after = key in sides.before.keys, key in sides.after.keys
        accord = (sides.after if in_after else sides.before).accord
        stage = accord.stages[accord.rank(key) - 1]
        by_bucket = facts.counts.get(key) or (PeopleCounts(),) * (len(frame.boundaries) - 1)
        total = summed(by_bucket)
        yield PreviewStage(
            key=key,
            title=stage.title,
            owner=stage.owner,
            change=_change(in_before=in_before, in_after=in_after),
            is_evaluated=key in sides.differing,
            count_before=total.before if in_before else None,
            count_after=total.after if in_after else None,
            entered_before=facts.entered_before.get(key, 0) if in_before else None,
            entered_after=facts.entered_after.get(key, 0) if in_after else None,
            gained=total.gained,
            lost=total.lost,
            moved=total.moved,
            gained_money=facts.money.get((key, PersonChange.GAINED), NO_MONEY),
            lost_money=facts.money.get((key, PersonChange.LOST), NO_MONEY),
            buckets=tuple(
                PreviewBucket(
                    period=bucket_name(starts_at, before, frame.grain, frame.zone, frame.reporting),
                    starts_at=starts_at,
                    before=before,
                    count_before=counted.before if in_before else None,
                    count_after=counted.after if in_after else None,
                    gained=counted.gained,
                    lost=counted.lost,
                    moved=counted.moved,
                    people=ChangedPeople(preview_id, key, starts_at, before),
                )
                for (starts_at, before), counted in zip(pairs(frame.boundaries), by_bucket, strict=True)
            ),
            outcomes=facts.outcomes.get(key, ()),
            people=ChangedPeople(preview_id, key),
        )


def _change(*, in_before: bool, in_after: bool) -> StageChange:
    if in_before and in_after:
        return StageChange.KEPT
    return StageChange.ADDED if in_after else StageChange.REMOVED
