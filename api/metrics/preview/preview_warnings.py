"""What to know before signing on the figures of a preview."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from api.db import ScratchSession
from api.metrics.answer import AnswerWarning
from api.metrics.context import MetricContext
from api.metrics.preview.figures import PreviewStage
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.sides import Sides
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode

_SMALL = 20
_EVERYBODY = Fraction(19, 20)


async def preview_warnings(
    session: ScratchSession,
    sides: Sides,
    context: MetricContext,
    frame: PreviewFrame,
    stages: tuple[PreviewStage, ...],
) -> tuple[AnswerWarning, ...]:
    """Find everything to warn of, the most serious first.

    Reads: the people whom each version has in its highest stage; the first entry of all.
    """
    return (
        *await _before_data(session, sides, context, frame),
        *await _everybody(session, sides),
        *_open_period(frame),
        *_small_samples(sides, stages),
    )


async def _before_data(
    session: ScratchSession, sides: Sides, context: MetricContext, frame: PreviewFrame
) -> list[AnswerWarning]:
    if not context.has_contacts:
        message = "No contact can be counted, so there is nothing to compare."
        return [AnswerWarning(code=WarningCode.NO_CONTACTS, message=message, count=None)]
    entries = Sql("from {} where {}", sides.before.entries("e"), sides.before.of_side("e"))
    # The first entry is only looked for if none is before the end, which the first rows that are read mostly answer.
    if await session.value(Sql("select exists (select {} and e.entered_at < {})", entries, frame.end)):
        return []
    first = await session.value(Sql("select min(e.entered_at) {}", entries))
    if first is None or frame.days.before is None:
        return []
    day = first.astimezone(frame.zone).date()
    message = (
        f"The period ends on {frame.days.before - timedelta(days=1)}, before the data begin, on {day}: there is nothing"
        " to compare."
    )
    return [AnswerWarning(code=WarningCode.PERIOD_BEFORE_DATA, message=message, count=None)]


async def _everybody(session: ScratchSession, sides: Sides) -> list[AnswerWarning]:
    """Whether almost everybody reaches the highest stage, so that the stages below it distinguish nobody."""
    side = sides.after
    lowest, top = side.accord.stages[0], side.accord.stages[-1]
    if lowest is top:
        return []
    entered = Sql("from {} where {} and e.occurrence = 1 and e.stage = ", side.entries("e"), side.of_side("e"))
    reached = await session.value(Sql("select count(*) {}{}", entered, top.key))
    # Whoever is in any stage entered the lowest one, at least by implication. With one person more than this many, the
    # share is too small, so the others need not be counted.
    most = int(reached / _EVERYBODY)
    people = await session.value(
        Sql("select count(*) from (select {}{} limit {}) people", entered, lowest.key, most + 1)
    )
    if not reached or people > most:
        return []
    message = (
        f"By version {side.version.number}, {reached:,} of {people:,} people reach {top.title}, the highest stage, so"
        " that the stages below it distinguish nobody."
    )
    return [AnswerWarning(code=WarningCode.EVERYBODY_REACHES_TOP, message=message, count=reached)]


def _open_period(frame: PreviewFrame) -> Iterator[AnswerWarning]:
    if not frame.period.is_over:
        message = "The period is not over, so the figures may still change."
        yield AnswerWarning(code=WarningCode.PERIOD_OPEN, message=message, count=None)


def _small_samples(sides: Sides, stages: tuple[PreviewStage, ...]) -> Iterator[AnswerWarning]:
    for stage in stages:
        counted = max(stage.count_before or 0, stage.count_after or 0)
        if stage.key in sides.differing and 0 < counted < _SMALL:
            message = f"{stage.title}: the versions count {counted} people at most, fewer than {_SMALL}."
            yield AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=counted)
