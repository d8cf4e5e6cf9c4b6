"""SQL as a value: text, nested fragments and bound parameters, which are numbered once, when the value is rendered.

    Sql("select id from deal where outcome = {} and {}", "WON", Sql("closed_at < {}", as_of))

The placeholder `{}` takes the next argument. A `Sql` argument is inserted as a fragment; any other argument becomes a
bound parameter. No argument is ever formatted into the text, so PostgreSQL cannot parse a value as SQL. Double a
literal brace.

A `Parameter` argument is bound by name, with a value supplied for each execution. It allows a statement to be written
once and executed many times.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, TypeVar

Converted = TypeVar("Converted")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{\}")
_LONGEST_KEPT = 1_000  # characters of a text whose pieces are kept


@dataclass(frozen=True, slots=True, init=False)
class Sql:
    """A fragment of SQL with the values that it binds."""

    parts: tuple["str | BoundValue", ...]

    def __init__(self, text: str, *arguments: object) -> None:
        object.__setattr__(self, "parts", tuple(_parts(text, arguments)))

    @classmethod
    def from_parts(cls, parts: Iterable["str | BoundValue"]) -> Self:
        """Build a fragment from parts that are already split."""
        fragment = object.__new__(cls)
        object.__setattr__(fragment, "parts", tuple(parts))
        return fragment

    def __add__(self, other: "Sql") -> "Sql":
        """Append another fragment."""
        return Sql.from_parts((*self.parts, *other.parts))

    def render(self) -> tuple[str, tuple[object, ...]]:
        """Return the text with `$1`, `$2` … and the values in that order.

        A fragment that is inserted twice binds its values once.
        Errors: ValueError if a digit follows a placeholder directly: `{}0` would address another parameter.
        """
        text: list[str] = []
        values: list[object] = []
        numbers: dict[int, int] = {}
        follows_placeholder = False
        for part in self.parts:
            if isinstance(part, str):
                if part[:1].isdecimal() and follows_placeholder:
                    raise ValueError(f"a digit directly after a placeholder: {part}")
                # An empty part keeps the flag: the digit may stand in the part after it.
                follows_placeholder = follows_placeholder and not part
                text.append(part)
                continue
            # By identity, not equality: two equal values that were bound separately stay two parameters, because
            # PostgreSQL may infer a different type for each.
            if id(part) not in numbers:
                values.append(part.value)
                numbers[id(part)] = len(values)
            text.append(f"${numbers[id(part)]}")
            follows_placeholder = True
        return "".join(text), tuple(values)

    def bound(self, parameters: Mapping[str, object]) -> "Sql":
        """Return the fragment with the values of one execution in place of every `Parameter`.

        Errors: KeyError for a missing parameter; those of the parameters' converters.
        """
        return Sql.from_parts(
            BoundValue(part.value.value(parameters))
            if isinstance(part, BoundValue) and isinstance(part.value, Parameter)
            else part
            for part in self.parts
        )

    def __str__(self) -> str:
        return self.render()[0]


@dataclass(frozen=True, slots=True, eq=False)
class BoundValue:
    """A value that is sent to the database separately from the text. One object is one parameter."""

    value: object


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A named value that is supplied for each execution of a statement, and the conversions applied before binding."""

    name: str
    converters: tuple[Callable[[Any], object], ...] = ()

    def value(self, parameters: Mapping[str, object]) -> object:
        """Return the converted value for one execution. Errors: those of the converters."""
        found = parameters[self.name]
        for convert in self.converters:
            found = convert(found)
        return found


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that is rendered once and executed many times: its text, and its values, some of them parameters."""

    text: str
    values: tuple[object, ...]

    @classmethod
    def of(cls, fragment: Sql) -> Self:
        """Render a fragment."""
        return cls(*fragment.render())

    def render(self) -> tuple[str, tuple[object, ...]]:
        """Return the text and the values, as a fragment does."""
        return self.text, self.values


def bound_values(values: Iterable[object], parameters: Mapping[str, object]) -> list[object]:
    """Return the values for one execution of a statement: every `Parameter` is replaced by its value from `parameters`.

    Errors: KeyError for a missing parameter; those of the parameters' converters.
    """
    return [value.value(parameters) if isinstance(value, Parameter) else value for value in values]


def converted(value: object, convert: Callable[[Any], Converted]) -> "Converted | Parameter":
    """Apply a conversion to a value: immediately to a constant, at each execution to a `Parameter`."""
    if isinstance(value, Parameter):
        return Parameter(value.name, (*value.converters, convert))
    return convert(value)


def _parts(text: str, arguments: tuple[object, ...]) -> Iterator[str | BoundValue]:
    """Fill the placeholders of a text; ValueError if placeholders and arguments differ in number."""
    split = _split(text) if len(text) <= _LONGEST_KEPT else tuple(_pieces(text))
    wanted = split.count(None)
    if wanted != len(arguments):
        more, less = ("placeholders", "arguments") if wanted > len(arguments) else ("arguments", "placeholders")
        raise ValueError(f"more {more} than {less} in: {text}")
    remaining = iter(arguments)
    for piece in split:
        if piece is not None:
            yield piece
            continue
        argument = next(remaining)
        if isinstance(argument, Sql):
            yield from argument.parts
        else:
            yield BoundValue(argument)


def _pieces(text: str) -> Iterator[str | None]:
    """Yield the pieces of a text, with None for a placeholder."""
    start = 0
    for placeholder in _PLACEHOLDER.finditer(text):
        if placeholder.start() > start:
            yield text[start : placeholder.start()]
        start = placeholder.end()
        yield None if placeholder[0] == "{}" else placeholder[0][0]
    if start < len(text):
        yield text[start:]


@lru_cache(maxsize=4_096)
def _split(text: str) -> tuple[str | None, ...]:
    """Return the pieces of a text, which most statements have in common: splitting takes longer than filling."""
    return tuple(_pieces(text))


def join(separator: str, fragments: Iterable[Sql]) -> Sql:
    """Return the fragments with the separator between them; an empty fragment if there are none."""
    parts: list[str | BoundValue] = []
    for number, fragment in enumerate(fragments):
        if number:
            parts.append(separator)
        parts.extend(fragment.parts)
    return Sql.from_parts(parts)


def all_of(conditions: Iterable[Sql]) -> Sql:
    """Return the conditions joined by `and`; `true` if there are none."""
    found = tuple(conditions)
    return join(" and ", (Sql("({})", condition) for condition in found)) if found else Sql("true")


@lru_cache(maxsize=4_096)
def name(identifier: str) -> Sql:
    """Return a table, column or alias name as a fragment.

    Errors: ValueError for a name that PostgreSQL would need quoted, or would truncate because it exceeds 63 bytes.
    """
    if not _NAME.fullmatch(identifier) or len(identifier) > 63:
        raise ValueError(f"'{identifier}' is not a plain SQL name")
    return Sql.from_parts((identifier,))
