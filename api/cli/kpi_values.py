"""Parsing the values of the KPI options. A value that cannot be parsed raises an AccordError."""

from datetime import date, datetime, timedelta
from typing import TypeVar

from api.errors import AccordError, ErrorCode
from api.graph.contract import read_filter
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.request import ALL_HISTORY, ComparedTo, Period, Where
from schema.durations import LONGEST, parse_duration
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Exclusion
from schema.vocab import Vocabulary

Word = TypeVar("Word", bound=Vocabulary)

_WHERE_EXAMPLE = "Write one like --where channel=EMAIL,DIRECT."


def parse_period(text: str | None) -> Period:
    """The period of a name such as `2026-Q1`, or of `FROM..BEFORE` with either end open; None is all history."""
    if text is None:
        return ALL_HISTORY
    start, dots, before = text.partition("..")
    return period(_parse_day(start), _parse_day(before)) if dots else named_period(text)


def parse_dimensions(text: str | None) -> tuple[Dimension, ...]:
    """The dimensions of a list such as `channel,country`; None is none."""
    return tuple(parse_word(Dimension, "--by", word) for word in text.split(",")) if text is not None else ()


def parse_paths(text: str) -> tuple[str, ...]:
    """The field paths of a list such as `email,owner.name`."""
    paths = tuple(path.strip() for path in text.split(","))
    if not all(paths):
        raise bad_input(f"--fields: '{text}' has an empty field.", "Write fields like --fields email,owner.name.")
    return paths


def parse_where(filters: list[str]) -> Where:
    """A filter that requires all of `dimension=value,value` and `dimension!=value`; no value is the empty value.

    A text that begins with `{` is JSON in the form of the argument `where`.
    """
    parts = []
    for text in filters:
        if text.lstrip().startswith("{"):
            parts.append(read_filter(text))
            continue
        dimension, equals_sign, values = text.partition("=")
        if not equals_sign:
            raise bad_input(f"--where: '{text}' is not a filter.", _WHERE_EXAMPLE)
        word = parse_word(Dimension, "--where", dimension.removesuffix("!"))
        test = Where(tests=((word, tuple(value.strip() or None for value in values.split(","))),))
        parts.append(Where(none_of=(test,)) if dimension.endswith("!") else test)
    return Where(all_of=tuple(parts))


def parse_exclusions(text: str | None) -> frozenset[Exclusion] | None:
    """The exclusions of a list such as `test,internal`; `none` is nobody, None is whom the accord excludes."""
    if text is None:
        return None
    if text.strip().lower() == "none":
        return frozenset()
    return frozenset(parse_word(Exclusion, "--exclusions", word) for word in text.split(","))


def parse_word(vocabulary: type[Word], option: str, text: str) -> Word:
    """A word of a closed vocabulary, in any case and with `-` or `_`."""
    wanted = text.strip().upper().replace("-", "_")
    for word in vocabulary:
        if word.value == wanted:
            return word
    known = ", ".join(word.value.lower().replace("_", "-") for word in vocabulary)
    raise bad_input(f"{option} does not accept '{text}'.", f"Use one of: {known}.")


def parse_compared_to(text: str) -> ComparedTo:
    """What to compare with, such as `previous-period`, `previous-period:whole`, `target` or `accord-version:3`."""
    what, colon, detail = text.partition(":")
    comparand = parse_word(Comparand, "--compare-to", what)
    if comparand is Comparand.ACCORD_VERSION:
        if not detail.strip().isdecimal():
            raise bad_input(
                f"--compare-to: '{text}' names no version.", "Write its number, like --compare-to accord-version:3."
            )
        return ComparedTo(comparand, accord_version=int(detail))
    if not colon:
        return ComparedTo(comparand)
    if comparand is Comparand.TARGET:
        raise bad_input(f"--compare-to: target takes no '{detail}'.", "Write --compare-to target.")
    return ComparedTo(comparand, parse_word(ComparedSpan, "--compare-to", detail))


def require_number(option: str, number: int, least: int, most: int | None = None) -> int:
    """The number of an option that has bounds."""
    if number < least or (most is not None and number > most):
        span = f"from {least} to {most}" if most is not None else f"of at least {least}"
        raise bad_input(f"{option} does not accept {number}.", f"Write a whole number {span}.")
    return number


def parse_duration_option(option: str, text: str) -> timedelta:
    """A duration such as `30 days`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        remedy = f"Write a duration like '30 days' or '72 hours', up to {LONGEST.days} days, or none."
        raise bad_input(f"{option} does not accept '{text}'.", remedy) from error


def parse_instant(option: str, text: str | None) -> datetime | None:
    """An ISO 8601 instant; None stays None."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        remedy = "Write an instant with its zone, like 2026-04-01T00:00:00Z."
        raise bad_input(f"{option}: '{text}' is not an instant.", remedy) from error


def bad_input(message: str, remedy: str) -> AccordError:
    """The error for a malformed option."""
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)


def _parse_day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = f"'{text}' is not a date."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Write a range like 2026-01-01..2026-04-01.") from error
