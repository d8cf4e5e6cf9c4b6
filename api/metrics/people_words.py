"""What a reader must know of the kinds about people's time, handoffs, touches and reported stages."""

from collections.abc import Iterator

from api.metrics.answer import AnswerWarning
from api.metrics.figures import Table
from api.metrics.question import Question
from schema.kpis.kinds import Agreement, Decisions, OverPolicy, Ratio, Response, Stay, Trailing
from schema.vocab import Anchor, WarningCode


def nothing_to_divide_by(question: Question) -> str | None:
    """Why there is no number; None for a kind of another's."""
    match question.kpi.measure:
        case Ratio(whole=Decisions()):
            happened = "handed over" if question.anchor is Anchor.COHORT else "decided"
            return f"No handoff was {happened} in the period, so there is nothing to divide by."
        case Stay():
            return "No entry of the period has ended, so there is no time to tell."
        case Response(base=stage):
            return f"Nobody who entered {stage} in the period was touched by hand since, so there is no time to tell."
        case Trailing():
            return "Nobody was touched in that stretch of time, so there is nothing to divide by."
        case OverPolicy():
            return "Nobody was touched in the period, so there is nothing to divide by."
        case Agreement():
            return "Of nobody is a stage reported at that time, so there is nothing to divide by."
        case _:
            return None


def still_open(question: Question, table: Table) -> Iterator[AnswerWarning]:
    """Who is not in the number yet."""
    waiting, untouched = table.total.waiting, table.total.untouched
    match question.kpi.measure:
        case Ratio(whole=Decisions()) if waiting:
            message = f"{waiting:,} of the handoffs are not decided yet. The number may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        case Stay() if waiting:
            message = f"{waiting:,} of the entries are still open: their time is not over, and not in the number."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        case Response() if untouched:
            if waiting:
                message = f"{waiting:,} came in so lately that they may still be touched as soon as the others were."
                message += " The number may still change."
                yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
            people = "1 was" if untouched == 1 else f"{untouched:,} were"
            message = f"{people} not touched by hand since, and cannot be in the number."
            yield AnswerWarning(code=WarningCode.NEVER_TOUCHED, message=message, count=untouched)
