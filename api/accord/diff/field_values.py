"""The values of a column for which a condition of a rule is true, as sets that can be compared."""

from dataclasses import dataclass
from decimal import Decimal

from schema.clauses.rule_values import Value, rule_column
from schema.clauses.rules import FieldIs

_Number = int | Decimal


@dataclass(frozen=True, slots=True)
class _Listed:
    """These values; with `is_excluded`, all values but these."""

    values: frozenset[Value]
    is_excluded: bool = False

    def holds(self, value: Value) -> bool:
        return (value in self.values) is not self.is_excluded


@dataclass(frozen=True, slots=True)
class _Bounded:
    """The numbers up to a bound, or from it on."""

    bound: _Number
    is_upper: bool
    is_inclusive: bool

    def holds(self, value: Value) -> bool:
        if isinstance(value, str):
            raise TypeError(f"'{value}' is not a number")
        if value == self.bound:
            return self.is_inclusive
        return (value < self.bound) is self.is_upper


@dataclass(frozen=True, slots=True)
class FieldValues:
    """The values for which a condition on a column is true, or is not true if it is negated; null may be one."""

    has_null: bool
    known: _Listed | _Bounded

    @classmethod
    def of(cls, leaf: FieldIs, *, is_negated: bool) -> "FieldValues":
        """Return the values of a condition. Null satisfies nothing but `is_null`."""
        has_null = leaf.op == "is_null" and leaf.value is True
        known = _known(leaf)
        return cls(not has_null, _others(leaf, known)) if is_negated else cls(has_null, known)

    def is_within(self, other: "FieldValues") -> bool:
        """Return whether every value is one of the other's. False if that is not certain."""
        return (other.has_null or not self.has_null) and _is_within(self.known, other.known)


def _known(leaf: FieldIs) -> _Listed | _Bounded:
    """Return the values but null."""
    value = leaf.value
    if isinstance(value, tuple):
        return _Listed(frozenset(value))
    if leaf.op == "is_null":
        return _Listed(frozenset(), is_excluded=not value)
    if leaf.op in ("eq", "ne"):
        return _in_domain(leaf, _Listed(frozenset({value}), is_excluded=leaf.op == "ne"))
    if isinstance(value, str):
        raise TypeError(f"{leaf.field} has no order")
    return _Bounded(value, is_upper=leaf.op in ("lt", "lte"), is_inclusive=leaf.op in ("lte", "gte"))


def _others(leaf: FieldIs, known: _Listed | _Bounded) -> _Listed | _Bounded:
    """Return all values but these and null."""
    if isinstance(known, _Bounded):
        return _Bounded(known.bound, not known.is_upper, not known.is_inclusive)
    return _in_domain(leaf, _Listed(known.values, not known.is_excluded))


def _in_domain(leaf: FieldIs, known: _Listed) -> _Listed:
    """Return the values of a column that has two of them as a list without exclusions."""
    if rule_column(leaf.field).python is not bool or not known.is_excluded:
        return known
    return _Listed(frozenset({True, False} - known.values))


def _is_within(inner: _Listed | _Bounded, outer: _Listed | _Bounded) -> bool:
    if isinstance(inner, _Listed) and not inner.is_excluded:
        return all(outer.holds(value) for value in inner.values)
    if isinstance(outer, _Listed):
        # Infinitely many values are within a list only if they are within all but a few.
        excluded = outer.values if outer.is_excluded else None
        return excluded is not None and not any(inner.holds(value) for value in excluded)
    if isinstance(inner, _Listed) or inner.is_upper is not outer.is_upper:
        return False
    if inner.bound == outer.bound:
        return outer.is_inclusive or not inner.is_inclusive
    return outer.holds(inner.bound)
