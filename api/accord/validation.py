"""The errors of a TOML document as text: which key is wrong, and what it should be."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MOST_SHOWN = 5
_RULE_KEYS = ("rule", "not")
_RULE_LISTS = ("all", "any")


def describe_errors(error: ValidationError, document: object) -> str:
    """List the errors with their paths: `stages[2] (mql).rule.all[0].touches.kind: 'FROM' is not one of …`.

    Shapes: the error of a model and the document that was validated -> one sentence without a full stop.
    """
    descriptions = []
    for details in error.errors(include_url=False):
        path, reason = _path(details["loc"], document), _reason(details)
        # An error between several keys has no path; its text names the keys.
        descriptions.append(f"{path}: {reason}" if path else reason[:1].upper() + reason[1:])
    more = f"; and {len(descriptions) - _MOST_SHOWN} more" if len(descriptions) > _MOST_SHOWN else ""
    return "; ".join(descriptions[:_MOST_SHOWN]) + more


def _path(location: tuple[int | str, ...], document: object) -> str:
    """Format a location as a path in the document: `stages[2] (mql).rule.all[0].touches.kind`."""
    text, node = "", document
    last_two: tuple[int | str | None, int | str | None] = (None, None)
    for step in location:
        if _is_rule(last_two):  # pydantic adds the kind of a rule to the location; the document has no such key
            last_two = (None, None)
            continue
        if isinstance(step, int):
            text += f"[{step}]" if isinstance(node, list) else ""
        else:
            text += f".{step}" if text else step
        node = _child(node, step)
        if last_two[1] == "stages" and isinstance(node, dict) and isinstance(node.get("key"), str):
            text += f" ({node['key']})"
        last_two = (last_two[1], step)
    return text


def _is_rule(last_two: tuple[int | str | None, int | str | None]) -> bool:
    outer, inner = last_two
    return inner in _RULE_KEYS or (isinstance(inner, int) and outer in _RULE_LISTS)


def _child(node: object, step: int | str) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _reason(details: ErrorDetails) -> str:
    """Describe in plain words what is wrong with one value."""
    words = {"given": _shown(details["input"]), **details.get("ctx", {})}
    kind = details["type"]
    if kind == "unknown_rule":  # raised by the model itself, with the keys that a rule can have
        return details["msg"]
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(words)
    if kind in ("enum", "literal_error"):
        # Pydantic writes the expected values as 'A', 'B' or 'C'.
        return f"{words['given']} is not one of {str(words['expected']).replace(' or ', ', ').replace(chr(39), '')}"
    expected = next((text for prefix, text in _EXPECTED.items() if kind.startswith(prefix)), "another value")
    return f"expected {expected}, found {words['given']}"


def _shown(given: object) -> str:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return f"'{given}'"
    return _KINDS.get(type(given), "a value of another kind")


_SENTENCES = {
    "value_error": "{error}",
    "missing": "is missing",
    "extra_forbidden": "there is no such key",
    "string_pattern_mismatch": "{given} must match {pattern}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "greater_than_equal": "{given} must be at least {ge}",
    "less_than_equal": "{given} must be at most {le}",
}
_KINDS = {bool: "true or false", list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}
_EXPECTED = {
    "int": "a whole number",
    "string": "text",
    "tuple": "a list",
    "model": "a table",
    "dict": "a table",
    "bool": "true or false",
}
