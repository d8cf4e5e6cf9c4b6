"""An accord as TOML text, which parses to an equal document."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from schema.accord import Accord

_WIDTH = 100
_FIRST = ("reporting", "contact_policy")  # of the sections; the others follow in the order of the model
_OWN_TABLES = ("holidays", "years", "marketing", "sales", "models")  # within sections, with a header of their own


def accord_toml(accord: Accord) -> str:
    """Format an accord as a person would write it: a table for each section, a block for each stage."""
    body = accord.model_dump(by_alias=True, exclude_defaults=True)
    body["reporting"] = accord.reporting.model_dump(by_alias=True, exclude_none=True)
    lines = [f"title = {_inline(body.pop('title'))}"]
    for section in sorted(body, key=lambda name: name not in _FIRST):
        lines += _section(section, body[section])
    return "\n".join(lines) + "\n"


def _section(path: str, value: object) -> Iterator[str]:
    """Yield the lines of a table, or of the list of tables, at a path such as `calendars.holidays.years`."""
    is_list = isinstance(value, tuple)
    for table in value if isinstance(value, tuple) else (value,):
        if is_list or not table or table.keys() - {*_OWN_TABLES}:
            yield ""
            yield f"[[{path}]]" if is_list else f"[{path}]"
        yield from (f"{key} = {_value(item)}" for key, item in table.items() if key not in _OWN_TABLES)
        for key in _OWN_TABLES:
            if key in table:
                yield from _section(f"{path}.{key}", table[key])


def _value(value: object) -> str:
    """Format a value; if a list of tables would make a long line, each of them gets a line of its own."""
    text = _inline(value)
    if len(text) <= _WIDTH:
        return text
    if isinstance(value, tuple) and all(isinstance(part, Mapping) for part in value):
        return _lines(value)
    key, parts = next(iter(value.items())) if isinstance(value, Mapping) and value else ("", ())
    return f"{{ {key} = {_lines(parts)} }}" if key in ("all", "any") and isinstance(parts, tuple) else text


def _lines(parts: tuple[object, ...]) -> str:
    return "[\n" + "".join(f"  {_inline(part)},\n" for part in parts) + "]"


def _inline(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | date):
        return str(value)
    if isinstance(value, Mapping):
        if [*value] == ["time"]:  # a limit of elapsed time, which is written as a duration alone
            return _inline(value["time"])
        pairs = ", ".join(f"{key} = {_inline(part)}" for key, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(part) for part in value)}]"
    # TOML has the same escapes as JSON, except that it also requires one for U+007F.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
