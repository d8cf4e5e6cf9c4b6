"""An accord as TOML text, which parses to an equal document."""

import json
from collections.abc import Mapping
from decimal import Decimal

from schema.accord import Accord

_WIDTH = 100


def accord_toml(accord: Accord) -> str:
    """Format an accord as a person would write it: a table for each section, a block for each stage."""
    body = accord.model_dump(by_alias=True, exclude_defaults=True)
    lines = [f"title = {_inline(accord.title)}"]
    lines += ["", "[reporting]", *_pairs(accord.reporting.model_dump(exclude_none=True))]
    if accord.contact_policy is not None:
        lines += ["", "[contact_policy]", *_pairs(accord.contact_policy.model_dump(mode="json", exclude_defaults=True))]
    for section in ("stages", "exits", "reject_reasons"):
        for block in body.get(section, ()):
            lines += ["", f"[[{section}]]", *_pairs(block)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: object) -> str:
    """Format a value; if a list of rules would make a long line, each rule gets a line of its own."""
    text = _inline(value)
    key, parts = next(iter(value.items())) if isinstance(value, Mapping) and value else ("", ())
    if len(text) <= _WIDTH or key not in ("all", "any") or not isinstance(parts, tuple):
        return text
    return f"{{ {key} = [\n" + "".join(f"  {_inline(part)},\n" for part in parts) + "] }"


def _inline(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key} = {_inline(part)}" for key, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(part) for part in value)}]"
    # TOML has the same escapes as JSON, except that it also requires one for U+007F.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
