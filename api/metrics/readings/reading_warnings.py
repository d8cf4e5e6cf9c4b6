"""The warnings of an answer under another reading, or from the facts known at an instant."""

from collections.abc import Iterator
from datetime import UTC, datetime

from api.metrics.answer import AnswerWarning
from api.metrics.context import MetricContext
from schema.kpis.answer_vocab import WarningCode

_AS_OF_TODAY = (
    "As of today are: who is excluded, deleted or erased; and campaigns, members, teams, products and pipelines. A fact"
    " without the instant of its storing counts as known always. What an import or an edit stored counts from the start"
    " of its transaction on. Of a record's history that an import replaced, what was known before is not kept."
)


def reading_warnings(context: MetricContext, *, reads_stages: bool) -> Iterator[AnswerWarning]:
    """READING_OUTDATED: facts have changed since the entries were evaluated. KNOWN_AT_LIMITS: what is as of today."""
    if reads_stages and context.is_outdated and context.evaluated_at is not None:
        yield outdated_warning(context.evaluated_at)
    if context.known_at is not None:
        yield known_at_warning(context.known_at)


def outdated_warning(evaluated_at: datetime) -> AnswerWarning:
    """The warning that facts have changed since the entries of a reading were evaluated."""
    message = (
        f"The stage entries of this reading were evaluated at {_text(evaluated_at)}, and records have changed since."
        " They are evaluated again in the background: send the request again later."
    )
    return AnswerWarning(code=WarningCode.READING_OUTDATED, message=message, count=None)


def known_at_warning(known_at: datetime) -> AnswerWarning:
    """The warning that names what `knownAt` does not cover."""
    message = f"Only facts recorded by {_text(known_at)} count. {_AS_OF_TODAY}"
    return AnswerWarning(code=WarningCode.KNOWN_AT_LIMITS, message=message, count=None)


def _text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
