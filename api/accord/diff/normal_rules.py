"""Rules in a normal form, in which two rules that differ only in writing are equal.

`not` stands only before leaves. Nested `all` in `all` and `any` in `any` are flat, their parts are in one order and
distinct. A rule and its normal form hold at the same instants and read the same facts, so they have the same entries:
a fact under two `not` counts like one under none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from schema.clauses.rule_values import rule_column
from schema.clauses.rules import AllOf, AnyOf, FieldIs, Not, Rule, RuleLeaf


@dataclass(frozen=True, slots=True)
class Literal:
    """A leaf, or its negation."""

    leaf: RuleLeaf
    is_negated: bool


@dataclass(frozen=True, slots=True)
class RuleConjunction:
    """True when all parts are. Without parts it is true."""

    parts: tuple["NormalRule", ...]


@dataclass(frozen=True, slots=True)
class RuleDisjunction:
    """True when at least one part is. Without parts it is false."""

    parts: tuple["NormalRule", ...]


NormalRule = Literal | RuleConjunction | RuleDisjunction


def normal_rule(rule: Rule, *, is_negated: bool = False) -> NormalRule:
    """Return the normal form of a rule, or of its negation."""
    match rule:
        case AllOf(all=parts) | AnyOf(any=parts):
            kind = RuleConjunction if isinstance(rule, AllOf) is not is_negated else RuleDisjunction
            return _joined(kind, (normal_rule(part, is_negated=is_negated) for part in parts))
        case Not(negated=part):
            return normal_rule(part, is_negated=not is_negated)
        case _:
            return Literal(_normal_leaf(rule), is_negated)


def literals(rule: NormalRule) -> Iterator[Literal]:
    """Yield the leaves of a normal form and their negations."""
    if isinstance(rule, Literal):
        yield rule
    else:
        for part in rule.parts:
            yield from literals(part)


def _joined(kind: type[RuleConjunction | RuleDisjunction], parts: Iterator[NormalRule]) -> NormalRule:
    flat: set[NormalRule] = set()
    for part in parts:
        flat.update(part.parts if isinstance(part, kind) else (part,))
    return next(iter(flat)) if len(flat) == 1 else kind(tuple(sorted(flat, key=repr)))


def _normal_leaf(leaf: RuleLeaf) -> RuleLeaf:
    if not isinstance(leaf, FieldIs):
        return _with_sorted_lists(leaf)
    if isinstance(leaf.value, tuple):
        values = tuple(sorted(set(leaf.value), key=repr))
        is_one = len(values) == 1
        return leaf.model_copy(update={"op": "eq", "value": values[0]} if is_one else {"value": values})
    if rule_column(leaf.field).python is int and isinstance(leaf.value, int) and leaf.op in ("lt", "gt"):
        step = -1 if leaf.op == "lt" else 1
        return leaf.model_copy(update={"op": f"{leaf.op}e", "value": leaf.value + step})
    return leaf


def _with_sorted_lists(part: RuleLeaf) -> RuleLeaf:
    """Return a leaf whose lists of values are in one order and distinct. No leaf but a field depends on their order."""
    changed = _sorted_lists(part)
    return part.model_copy(update=changed) if changed else part


def _sorted_lists(part: BaseModel) -> dict[str, object]:
    changed: dict[str, object] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, tuple) and value:
            items = [_sorted_model(item) for item in value]
            # Two equal terms of a score add their points twice.
            distinct = items if isinstance(value[0], BaseModel) else set(items)
            changed[name] = tuple(sorted(distinct, key=repr))
        elif isinstance(value, BaseModel):
            changed[name] = _sorted_model(value)
    return changed


def _sorted_model(item: object) -> object:
    return item.model_copy(update=_sorted_lists(item)) if isinstance(item, BaseModel) else item
