"""What a reader must know before using a number."""

from datetime import timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.figures import ALL, Table
from api.metrics.people_words import nothing_to_divide_by, still_open
from api.metrics.question import Question
from schema.kpis.kinds import Conversion, Duration, Kind, Snapshot
from schema.vocab import Anchor, WarningCode

LOW_SAMPLE = 20
_UNDIVIDED = (Kind.COUNT, Kind.SUM, Kind.SNAPSHOT)


def cautions(question: Question, table: Table) -> tuple[AnswerWarning, ...]:
    """The warnings of an answer."""
    if is_without_people(question):
        return (no_contacts(),)
    found = [_zero_denominator(question, table), _low_sample(question, table), _open_cohort(question, table)]
    found += still_open(question, table)
    found += [_undated(question, table), _unopened(question, table)]
    found += [_unknown_amount(question, table), _missing_rate(question, table)]
    return tuple(each for each in found if each is not None)


def is_without_people(question: Question) -> bool:
    """Whether it asks about people where none is known."""
    return question.is_about_people and not question.ground.has_people


def no_contacts() -> AnswerWarning:
    """Say that there is nobody to ask about."""
    message = "No contact is known that could be counted, so a question about people has no answer."
    return AnswerWarning(code=WarningCode.NO_CONTACTS, message=message, count=None)


def length_in_words(length: timedelta) -> str:
    """A duration for a reader, to the nearest unit that matters."""
    seconds = length.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= 2 * size or unit == "second":
            count = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{count} {unit}" if count == "1" else f"{count} {unit}s"
    raise AssertionError(length)


def _zero_denominator(question: Question, table: Table) -> AnswerWarning | None:
    if question.kpi.kind in _UNDIVIDED or table.total.n:
        return None
    nothing = nothing_to_divide_by(question) or _nothing(question)
    return AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=nothing, count=0)


def _nothing(question: Question) -> str:
    match question.kpi.kind:
        case Kind.RATIO:
            return "No deal was closed in the period, so there is nothing to divide by."
        case Kind.AVERAGE:
            return "Of no deal closed so in the period is the amount known, so there is nothing to divide by."
        case Kind.DURATION if not question.is_about_people:
            return "Of no deal closed so in the period is the opening known, so there is no time to tell."
        case Kind.DURATION:
            return f"Nobody got from {' to '.join(question.stages)}, so there is no time to tell."
        case _:
            return f"Nobody entered {question.stages[0]} in the period, so there is nothing to divide by."


def _low_sample(question: Question, table: Table) -> AnswerWarning | None:
    if question.kpi.kind in _UNDIVIDED:
        return None
    total = table.total.n
    if 0 < total < LOW_SAMPLE:
        message = f"Only {total} stand behind this number: it may move a lot with one more."
        return AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=total)
    small = sum(0 < table.cells[key, ALL].n < LOW_SAMPLE for key in table.keys)
    if small:
        groups = "1 group has" if small == 1 else f"{small} groups have"
        message = f"{groups} fewer than {LOW_SAMPLE} behind the number: these may move a lot with one more."
        return AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=small)
    return None


def _open_cohort(question: Question, table: Table) -> AnswerWarning | None:
    waiting, slow = table.total.waiting, table.total.slow
    is_pair = isinstance(question.kpi.measure, Conversion | Duration)
    if not is_pair or question.anchor is Anchor.PERIOD or not waiting:
        return None
    if question.window is not None:
        why = f"the window of {length_in_words(question.window)} is still open for them"
    elif slow is not None:
        pace = length_in_words(timedelta(seconds=slow))
        why = f"no window is set, and they are younger than the {pace} within which nine of ten converters converted"
    else:
        why = "no window is set, and nobody converted yet by whom to judge"
    message = f"{waiting:,} can still convert: {why}. The number may still change."
    return AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)


def _undated(question: Question, table: Table) -> AnswerWarning | None:
    if not table.total.undated:
        return None
    count = table.total.undated
    by = " and ".join(question.by)
    message = f"Of {count:,} nothing is known at that time; the breakdown by {by} has them under (empty)."
    return AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def _unopened(question: Question, table: Table) -> AnswerWarning | None:
    count = table.total.unopened
    if not count:
        return None
    deals = "1 deal" if count == 1 else f"{count:,} deals"
    if question.kpi.kind is Kind.SNAPSHOT:
        message = f"Of {deals} nobody knows the opening: they stand in no pipeline before their history begins."
    elif question.kpi.kind is Kind.DURATION:
        message = f"Of {deals} no opening before the closing is known, so they are not in the number."
    else:
        message = f"Of {deals} nobody knows the opening, so they stand in no period."
    return AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def _unknown_amount(question: Question, table: Table) -> AnswerWarning | None:
    count = table.total.left_out
    if not count:
        return None
    is_weighted = isinstance(question.kpi.measure, Snapshot) and question.kpi.measure.is_weighted
    what = "amount or chance of winning" if is_weighted else "amount"
    deals = "1 deal" if count == 1 else f"{count:,} deals"
    message = f"Of {deals} the {what} is unknown, so they are not in the number."
    return AnswerWarning(code=WarningCode.UNKNOWN_AMOUNT, message=message, count=count)


def _missing_rate(question: Question, table: Table) -> AnswerWarning | None:
    apart = table.apart
    if not apart:
        return None
    count = sum(apart.values())
    named = ", ".join(currency or "an unknown currency" for currency in sorted(apart))
    reporting = question.ground.accord.reporting.currency
    why = f"no rate to {reporting} is known on their day" if reporting else "the accord names no reporting currency"
    amounts = "1 amount is" if count == 1 else f"{count:,} amounts are"
    message = f"{amounts} kept apart by currency ({named}), for {why}."
    return AnswerWarning(code=WarningCode.MISSING_RATE, message=message, count=count)
