"""Text without personal data and secrets: what of messages and exceptions may stand in a log.

Log lines have ids, hashes and counts, and no value. This module is the second fence: a message of a driver, a library
or a bug may contain a value.
"""

import re
import traceback
from collections.abc import Iterator

import asyncpg

MASK = "***"

# In this order: the password of a URL has no space, and may look like an e-mail address together with the host.
_SECRETS = (
    (re.compile(r"(?<=://)[^\s/@]+(?::[^\s@]*)?@"), f"{MASK}@"),
    (re.compile(r"\b(?:[A-Za-z]+_)?accord_[0-9A-Za-z]{8,}\w*"), f"accord_{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s,;'\"]+"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api[_-]?key)(\s*[=:]\s*)[^\s,;&]+"), rf"\1\2{MASK}"),
    (re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*"), MASK),
    (re.compile(r"[^\s@<>()\[\]{}\"',;:=]+@[^\s@<>()\[\]{}\"',;:=]+\.[^\W\d_]{2,}"), MASK),
    # The rows that an error of PostgreSQL is about: "DETAIL:  Key (email)=(…) already exists."
    (re.compile(r"\n(?:DETAIL|CONTEXT|HINT):[^\n]*"), ""),
)
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_INPUT_VALUE = re.compile(r"input_value=.*?, input_type")
# In a plan, the values of a condition stand as quoted texts, or as bare numbers.
_SQL_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_NUMBER = re.compile(r"(?<![\w$.])-?\d+(?:\.\d+)?(?![\w.])")


def masked(text: str) -> str:
    """A text without e-mail addresses, keys, tokens, passwords, and details of rows."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def masked_exception(error: BaseException) -> str:
    """The traceback of an exception and of those behind it. What a message has in quotes is masked: it may be a value.

    Shapes: exception -> text of several lines, the first cause first.
    """
    return "\n".join(_traceback_lines(error, set()))


def masked_plan(plan: str) -> str:
    """A plan of PostgreSQL without the values of its conditions."""
    return "\n".join(_masked_plan_line(line) for line in plan.splitlines())


def _masked_plan_line(line: str) -> str:
    line = _SQL_QUOTED.sub(lambda found: "'…'" if found[0].startswith("'") else found[0], line)
    return line if "(cost=" in line else _NUMBER.sub("…", line)


def _traceback_lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None and id(behind) not in seen:
        yield from _traceback_lines(behind, seen)
        yield "This led to:" if error.__cause__ is not None else "While that was handled:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    yield f"{type(error).__qualname__}: {_message(error)}"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            if id(inner) not in seen:
                yield from _traceback_lines(inner, seen)


def _message(error: BaseException) -> str:
    # The other parts of an error of PostgreSQL have the values of rows.
    text = str(error.args[0]) if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return masked(_QUOTED.sub(lambda found: f"{found[0][0]}…{found[0][0]}", _INPUT_VALUE.sub("input_type", text)))
