"""What is wrong with a document, in its own words: which key, and what it should be."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MOST = 5
_RULE_PLACES = ("rule", "not")
_RULE_LISTS = ("all", "any")


def describe_errors(error: ValidationError, document: object) -> str:
    """Say every mistake with its place: `stages[2] (mql).rule.all[0].touches.kind: 'FROM' is none of …`."""
    mistakes = []
    for each in error.errors(include_url=False):
        place, reason = _place(each["loc"], document), _reason(each)
        # What is wrong between the parts names them itself.
        mistakes.append(f"{place}: {reason}" if place else reason[:1].upper() + reason[1:])
    more = f"; and {len(mistakes) - _MOST} more" if len(mistakes) > _MOST else ""
    return "; ".join(mistakes[:_MOST]) + more


def _place(location: tuple[int | str, ...], document: object) -> str:
    """Write a place as the document spells it: `stages[2] (mql).rule.all[0].touches.kind`."""
    text, node = "", document
    before: tuple[int | str | None, int | str | None] = (None, None)
    for step in location:
        if _is_rule(before):  # the parser names the kind of a rule here, which the document does not
            before = (None, None)
            continue
        if isinstance(step, int):
            text += f"[{step}]" if isinstance(node, list) else ""
        else:
            text += f".{step}" if text else step
        node = _inside(node, step)
        if before[1] == "stages" and isinstance(node, dict) and isinstance(node.get("key"), str):
            text += f" ({node['key']})"
        before = (before[1], step)
    return text


def _is_rule(before: tuple[int | str | None, int | str | None]) -> bool:
    outer, inner = before
    return inner in _RULE_PLACES or (isinstance(inner, int) and outer in _RULE_LISTS)


def _inside(node: object, step: int | str) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None


def _reason(mistake: ErrorDetails) -> str:
    """Say in plain words what is wrong with one value."""
    said = {"given": _shown(mistake["input"]), **mistake.get("ctx", {})}
    kind = mistake["type"]
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(said)
    if kind in ("enum", "literal_error"):
        return f"{said['given']} is none of {str(said['expected']).replace(' or ', ', ').replace(chr(39), '')}"
    wanted = next((words for prefix, words in _WANTED.items() if kind.startswith(prefix)), "something else")
    return f"{said['given']} stands where {wanted} is needed"


def _shown(given: object) -> str:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return f"'{given}'"
    return _KINDS.get(type(given), "a value of that kind")


_SENTENCES = {
    "value_error": "{error}",
    "missing": "is missing",
    "extra_forbidden": "there is no such key",
    "string_pattern_mismatch": "{given} must match {pattern}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "unknown_rule": "a rule is a table with one of the keys all, any, not, field, touches, handoff, deal, stage",
    "greater_than_equal": "{given} must be at least {ge}",
    "less_than_equal": "{given} must be at most {le}",
}
_KINDS = {bool: "true or false", list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}
_WANTED = {
    "int": "a whole number",
    "string": "a text",
    "tuple": "a list",
    "model": "a table",
    "dict": "a table",
    "bool": "true or false",
}
