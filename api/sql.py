"""SQL as a value: text, spliced fragments and bound parameters, numbered once at the end.

    Sql("select id from deal where outcome = {} and {}", "WON", Sql("closed_at < {}", as_of))

A `{}` takes the next argument: a `Sql` is spliced in, anything else becomes a bound parameter. Nothing else gets into
the text, so a value can never be read as SQL. A literal brace is doubled.

A value may be a `Slot`: a statement that is written once and run often says in its place what each run brings.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

Read = TypeVar("Read")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_MARK = re.compile(r"\{\{|\}\}|\{\}")


@dataclass(frozen=True, slots=True, init=False)
class Sql:
    """A fragment of SQL with the values it binds."""

    parts: tuple["str | Bound", ...]

    def __init__(self, text: str, *arguments: object) -> None:
        object.__setattr__(self, "parts", tuple(_parts(text, arguments)))

    @classmethod
    def of(cls, parts: Iterable["str | Bound"]) -> Self:
        """Make a fragment of ready parts."""
        made = cls("")
        object.__setattr__(made, "parts", tuple(parts))
        return made

    def __add__(self, other: "Sql") -> "Sql":
        """Put one fragment behind another."""
        return Sql.of((*self.parts, *other.parts))

    def render(self) -> tuple[str, tuple[object, ...]]:
        """Return the text with `$1`, `$2` …, and the values in that order; a fragment spliced in twice binds once.

        ValueError on a digit right behind a mark: `{}0` would name another parameter.
        """
        text: list[str] = []
        values: list[object] = []
        places: dict[int, int] = {}
        is_behind_mark = False
        for part in self.parts:
            if isinstance(part, str):
                if part[:1].isdecimal() and is_behind_mark:
                    raise ValueError(f"a digit right behind a mark: {part}")
                is_behind_mark = is_behind_mark and not part
                text.append(part)
                continue
            if id(part) not in places:
                values.append(part.value)
                places[id(part)] = len(values)
            text.append(f"${places[id(part)]}")
            is_behind_mark = True
        return "".join(text), tuple(values)

    def __str__(self) -> str:
        return self.render()[0]


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A value that goes to the database beside the text; one object is one parameter."""

    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A value that each run of a statement brings along, by `name`, and how it is read before it is bound."""

    name: str
    reads: tuple[Callable[[Any], object], ...] = ()

    def value(self, given: Mapping[str, object]) -> object:
        """The value of this run; raises what a reading of it raises."""
        found = given[self.name]
        for read in self.reads:
            found = read(found)
        return found


def filled(values: Iterable[object], given: Mapping[str, object]) -> list[object]:
    """The values of one run of a statement: each slot filled from `given`."""
    return [value.value(given) if isinstance(value, Slot) else value for value in values]


def through(value: object, read: Callable[[Any], Read]) -> "Read | Slot":
    """What `read` makes of a value: now, or of each run's own."""
    return Slot(value.name, (*value.reads, read)) if isinstance(value, Slot) else read(value)


def _parts(text: str, arguments: tuple[object, ...]) -> Iterator[str | Bound]:
    """Split the text at its marks; ValueError when marks and arguments do not match."""
    waiting, start = list(reversed(arguments)), 0
    for mark in _MARK.finditer(text):
        if mark.start() > start:
            yield text[start : mark.start()]
        start = mark.end()
        if mark[0] != "{}":
            yield mark[0][0]
            continue
        if not waiting:
            raise ValueError(f"more marks than arguments in: {text}")
        argument = waiting.pop()
        if isinstance(argument, Sql):
            yield from argument.parts
        else:
            yield Bound(argument)
    if waiting:
        raise ValueError(f"more arguments than marks in: {text}")
    if start < len(text):
        yield text[start:]


def join(separator: str, fragments: Iterable[Sql]) -> Sql:
    """Fragments with a separator between each two; empty for none."""
    parts: list[str | Bound] = []
    for place, fragment in enumerate(fragments):
        if place:
            parts.append(separator)
        parts.extend(fragment.parts)
    return Sql.of(parts)


def all_of(conditions: Iterable[Sql]) -> Sql:
    """Conditions joined by `and`; `true` for none."""
    found = tuple(conditions)
    return join(" and ", (Sql("({})", each) for each in found)) if found else Sql("true")


def name(identifier: str) -> Sql:
    """A table, column or alias name; ValueError on one that needs quoting or is over 63 bytes (PostgreSQL cuts it)."""
    if not _NAME.fullmatch(identifier) or len(identifier) > 63:
        raise ValueError(f"'{identifier}' is no plain SQL name")
    return Sql.of((identifier,))
