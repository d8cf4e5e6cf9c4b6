"""An accord as TOML text: what `parse` of it gives is the same document."""

import json
from collections.abc import Mapping
from decimal import Decimal

from schema.accord import Accord

_WIDTH = 100


def accord_toml(accord: Accord) -> str:
    """Write an accord as a person would: one table a section, one block a stage."""
    body = accord.model_dump(by_alias=True, exclude_defaults=True)
    lines = [f"title = {_inline(accord.title)}"]
    lines += ["", "[reporting]", *_pairs(accord.reporting.model_dump(exclude_none=True))]
    if accord.contact_policy is not None:
        lines += ["", "[contact_policy]", *_pairs(accord.contact_policy.model_dump(mode="json", exclude_defaults=True))]
    for section in ("stages", "exits", "reject_reasons"):
        for each in body.get(section, ()):
            lines += ["", f"[[{section}]]", *_pairs(each)]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: object) -> str:
    """Write a value; a list of rules that would make a long line gets a line for each."""
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
    # JSON's escapes are TOML's too, but for one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
