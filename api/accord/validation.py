"""The errors of a document as text: which key is wrong, and what it should be."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schema.clauses.document_parts import Location, models_in
from schema.clauses.rules import is_rule, rule_kind, rule_model
from schema.nearest_words import MOST_LISTED, did_you_mean, nearest_words

_RULE_KEYS = ("rule", "not")
_RULE_LISTS = ("all", "any")
# The items of these lists are shown with what names them, beside their place: `stages[2] (mql)`.
_NAMED_BY = {
    "stages": "key",
    "calendars": "key",
    "models": "key",
    "reject_reasons": "code",
    "targets": "kpi",
    "sales_costs": "from",
}


@dataclass(frozen=True, slots=True)
class DocumentMistake:
    """What is wrong in a document: the path of the key, empty for the whole document, and the reason in lower case."""

    path: str
    reason: str

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        reason = f"it {self.reason}" if self.reason.startswith(("is ", "must ")) else self.reason
        return reason[:1].upper() + reason[1:] + ("" if reason.endswith(("?", ".")) else ".")

    @property
    def line(self) -> str:
        """Path and reason without a full stop, such as `stages[2] (mql).window: 'soon' is not a duration`."""
        return f"{self.path}: {self.reason.rstrip('.')}" if self.path else self.message.rstrip(".")


def mistakes_of(error: ValidationError, document: object, model: type[BaseModel]) -> tuple[DocumentMistake, ...]:
    """List all errors: `stages[2] (mql).rule.all[0].touches.kind`, `'FROM' is not one of …`.

    Shapes: the error, the document that was validated and its model -> mistakes, in the document's order of sections.
    """
    return tuple(
        DocumentMistake(_path(details["loc"], document), _reason(details, model))
        for details in error.errors(include_url=False)
        if not _has_invalid_items(details)
    )


def describe_errors(error: ValidationError, document: object, model: type[BaseModel]) -> str:
    """List all errors with their paths in one sentence without a full stop."""
    return "; ".join(mistake.line for mistake in mistakes_of(error, document, model))


def _has_invalid_items(details: ErrorDetails) -> bool:
    """Whether a list is too short only because Pydantic does not count the items that have errors of their own."""
    given = details["input"]
    return details["type"] == "too_short" and isinstance(given, list | tuple) and len(given) > 0


def _path(location: Location, document: object) -> str:
    """Format a location as a path in the document: `stages[2] (mql).rule.all[0].touches.kind`."""
    text, node = "", document
    last_two: tuple[int | str | None, int | str | None] = (None, None)
    for step in location:
        if _is_rule(last_two):  # pydantic adds the kind of a rule to the location; the document has no such key
            last_two = (None, None)
            continue
        if isinstance(step, int):
            text += f"[{step}]" if isinstance(node, list | tuple) else ""
        else:
            text += f".{step}" if text else step
        node = _child(node, step)
        name = _child(node, _NAMED_BY.get(str(last_two[1]), "")) if isinstance(step, int) else None
        text += f" ({name})" if isinstance(name, str) else ""
        last_two = (last_two[1], step)
    return text


def _is_rule(last_two: tuple[int | str | None, int | str | None]) -> bool:
    outer, inner = last_two
    return inner in _RULE_KEYS or (isinstance(inner, int) and outer in _RULE_LISTS)


def _child(node: object, step: int | str) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list | tuple) and isinstance(step, int) and step < len(node):
        return node[step]
    return getattr(node, step, None) if isinstance(node, BaseModel) and isinstance(step, str) else None


def _reason(details: ErrorDetails, model: type[BaseModel]) -> str:
    """Describe in plain words what is wrong with one value."""
    words = {"given": _shown(details["input"]), "number": str(details["input"]), **details.get("ctx", {})}
    kind = details["type"]
    if kind in ("unknown_rule", "inconsistent"):  # raised by the model itself, in plain words
        return details["msg"]
    if kind == "extra_forbidden":
        return _unknown_key(details["loc"], model)
    if kind == "value_error" and details["input"] is None:
        return "expected a value, found nothing"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(words)
    if kind in ("enum", "literal_error"):
        # Pydantic writes the expected values as 'A', 'B' or 'C'.
        known = str(words["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"{words['given']} is not one of {_not_one_of(details['input'], known)}"
    expected = next((text for prefix, text in _EXPECTED.items() if kind.startswith(prefix)), "another value")
    return f"expected {expected}, found {words['given']}"


def _not_one_of(given: object, known: list[str]) -> str:
    """The words that a value can be, the first of them if they are many, and the nearest to the value."""
    more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
    near = nearest_words(given, known) if isinstance(given, str) else ()
    return ", ".join(known[:MOST_LISTED]) + more + (f". {did_you_mean(near)}" if near else "")


def _unknown_key(location: Location, model: type[BaseModel]) -> str:
    """That there is no such key, with the nearest of those that the table can have, or else all of them; of a second
    rule in the table of a rule, how to join both.
    """
    table, key = _model_at(location[:-1], model), str(location[-1])
    if is_rule(table) and rule_kind({key: None}) is not None:
        return "a rule has one key; join several with all"
    known = [field.alias or name for name, field in table.model_fields.items()]
    near = nearest_words(key, known)
    return "there is no such key. " + (did_you_mean(near) if near else f"The keys are {', '.join(known)}")


def _model_at(location: Location, model: type[BaseModel]) -> type[BaseModel]:
    """The model of the table at a location within a document of a model."""
    found = model
    options: tuple[type[BaseModel], ...] = (model,)
    for step in location:
        if isinstance(step, int):
            continue
        if len(options) > 1:
            found = rule_model(step)
            options = (found,)
            continue
        field = next(field for name, field in found.model_fields.items() if step in (field.alias, name))
        options = models_in(field.annotation)
        found = options[0] if options else found
    return found


def _shown(given: object) -> str:
    if isinstance(given, str | int | float | Decimal) and not isinstance(given, bool):
        return f"'{given}'"
    return _KINDS.get(type(given), "a value of another kind")


_SENTENCES: Mapping[str, str] = {
    "value_error": "{error}",
    "missing": "is missing",
    "string_pattern_mismatch": "{given} must match {pattern}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "greater_than": "must be more than {gt}, not {number}",
    "greater_than_equal": "must be at least {ge}, not {number}",
    "less_than_equal": "must be at most {le}, not {number}",
    "recursion_depth_exceeded": "is nested too deep; simplify it",
}
_KINDS = {bool: "true or false", list: "a list", tuple: "a list", dict: "a table", type(None): "nothing"}
_EXPECTED = {
    "int": "a whole number",
    "string": "text",
    "tuple": "a list",
    "model": "a table",
    "dict": "a table",
    "bool": "true or false",
    "date": "a date such as 2026-12-24",
    "decimal": "a number",
}
