"""Lines of a TOML document by the paths of its mistakes. `places_in_toml.ts` of the page does the same."""

import re
from collections.abc import Iterator, Mapping

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


def line_of(lines: Mapping[str, int], path: str) -> int | None:
    """Return the line of the deepest part of a path that has one; None if no part has.

    Shapes: the lines of `toml_lines` and a path such as `stages[2] (mql).rule.all[0].touches.within` -> a line, from 1.
    """
    plain = re.sub(r"\[(\d+)\]", r".\1", re.sub(r" \([^)]*\)", "", path))
    steps = [step for step in plain.split(".") if step]
    parts = (".".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((lines[part] for part in parts if part in lines), None)


def toml_lines(text: str) -> Mapping[str, int]:
    """Return the lines of tables and keys by their paths, such as `stages.2` and `stages.2.window`.

    Only headers and keys are read, so that a text which is not valid TOML has lines too.
    """
    lines: dict[str, int] = {}
    for path, number in _places(text):
        lines.setdefault(path, number)
    return lines


def _places(text: str) -> Iterator[tuple[str, int]]:
    last_of: dict[str, int] = {}  # the number of the last table of an array
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header is not None:
            names = header[2].split(".")
            if header[1] == "[[":
                last_of[header[2]] = last_of.get(header[2], -1) + 1
                yield ".".join(filter(None, (_path(names[:-1], last_of), names[-1]))), number
            table = _path(names, last_of)
            yield table, number
        elif key is not None:
            yield f"{table}.{key[1]}" if table else key[1], number


def _path(names: list[str], last_of: Mapping[str, int]) -> str:
    """The path of a table: below an array it belongs to the last table of it, as TOML defines."""
    numbers = (last_of.get(".".join(names[:place])) for place in range(1, len(names) + 1))
    return ".".join(name if number is None else f"{name}.{number}" for name, number in zip(names, numbers, strict=True))
