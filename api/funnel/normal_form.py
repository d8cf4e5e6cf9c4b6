"""The normal form of a rule: `not` pushed down to the leaves, sibling conditions on the fields of one record merged.

What remains is a tree of conjunctions and disjunctions over numbered leaves. Each leaf keeps whether it stood under
`not`, because that decides which facts count: under `not` those of all time, otherwise those inside the segment only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from schema.clauses.rules import AllOf, AnyOf, FactLeaf, FieldIs, Not, Rule


@dataclass(frozen=True, slots=True)
class FieldTest:
    """One condition on a field. A negated test also holds for null."""

    field: FieldIs
    is_negated: bool


@dataclass(frozen=True, slots=True)
class FieldConjunction:
    """Holds when every part does."""

    parts: "tuple[FieldTree, ...]"


@dataclass(frozen=True, slots=True)
class FieldDisjunction:
    """Holds when at least one part does."""

    parts: "tuple[FieldTree, ...]"


FieldTree = FieldTest | FieldConjunction | FieldDisjunction


@dataclass(frozen=True, slots=True)
class FieldConditions:
    """Conditions on the fields of one record, merged so that each version row is tested once."""

    table: Literal["contact", "company"]
    tree: FieldTree

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the conditions read, sorted."""
        return tuple(sorted({test.field.column for test in _tests(self.tree)}))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the normal form.

    A negated leaf holds where its facts do not. `FieldConditions` are never negated: their tests are.
    """

    test: FieldConditions | FactLeaf
    is_negated: bool


@dataclass(frozen=True, slots=True)
class LeafHolds:
    """Holds when the leaf with that number does."""

    leaf: int


@dataclass(frozen=True, slots=True)
class LeafConjunction:
    """Holds when every part does; without parts it always holds."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class LeafDisjunction:
    """Holds when at least one part does; without parts it never holds."""

    parts: "tuple[Node, ...]"


Node = LeafHolds | LeafConjunction | LeafDisjunction


@dataclass(frozen=True, slots=True)
class NormalForm:
    """A rule ready to be compiled: the tree over its numbered leaves."""

    tree: Node
    leaves: tuple[Leaf, ...]

    @property
    def holds_without_facts(self) -> bool:
        """Whether a contact without any fact fulfils the rule; it does so from the beginning of its lifetime."""
        return self._holds_without_facts(self.tree)

    def is_required(self, leaf: int) -> bool:
        """Whether the rule cannot hold while the leaf with that number does not."""
        return self._is_required(self.tree, leaf)

    def _holds_without_facts(self, node: Node) -> bool:
        match node:
            case LeafHolds(leaf=number):
                return self.leaves[number].is_negated
            case LeafConjunction(parts=parts):
                return all(self._holds_without_facts(part) for part in parts)
            case LeafDisjunction(parts=parts):
                return any(self._holds_without_facts(part) for part in parts)

    def _is_required(self, node: Node, leaf: int) -> bool:
        match node:
            case LeafHolds(leaf=number):
                return number == leaf
            case LeafConjunction(parts=parts):
                return any(self._is_required(part, leaf) for part in parts)
            case LeafDisjunction(parts=parts):
                return all(self._is_required(part, leaf) for part in parts)


def normal_form(rule: Rule) -> NormalForm:
    """Bring a rule into normal form.

    Shapes: one rule tree -> one tree without `not` over numbered leaves; equal leaves share a number.
    """
    numbering = _Numbering()
    tree = numbering.number(_without_not(rule, is_negated=False))
    return NormalForm(tree, tuple(numbering.leaves))


@dataclass(frozen=True, slots=True)
class _And:
    parts: "tuple[_Unnumbered, ...]"


@dataclass(frozen=True, slots=True)
class _Or:
    parts: "tuple[_Unnumbered, ...]"


_Unnumbered = Leaf | _And | _Or


def _without_not(rule: Rule, *, is_negated: bool) -> _Unnumbered:
    """Push `not` down to the leaves: under it, `all` and `any` change places (De Morgan)."""
    match rule:
        case Not(negated=part):
            return _without_not(part, is_negated=not is_negated)
        case AllOf(all=parts):
            pushed = [_without_not(part, is_negated=is_negated) for part in parts]
            return _merged(pushed, is_conjunction=not is_negated)
        case AnyOf(any=parts):
            pushed = [_without_not(part, is_negated=is_negated) for part in parts]
            return _merged(pushed, is_conjunction=is_negated)
        case FieldIs():
            return Leaf(FieldConditions(rule.table, FieldTest(rule, is_negated)), is_negated=False)
        case _:
            return Leaf(rule, is_negated)


def _merged(parts: Sequence[_Unnumbered], *, is_conjunction: bool) -> _Unnumbered:
    """Combine parts, with the field leaves of each record merged into one.

    They read the same version rows, and a version row that satisfies both satisfies the merged leaf. Apart, they would
    be two sets of intervals to intersect.
    """
    kept: list[_Unnumbered] = []
    for table in ("contact", "company"):
        trees = tuple(
            part.test.tree
            for part in parts
            if isinstance(part, Leaf) and isinstance(part.test, FieldConditions) and part.test.table == table
        )
        if trees:
            combined = FieldConjunction(trees) if is_conjunction else FieldDisjunction(trees)
            kept.append(Leaf(FieldConditions(table, trees[0] if len(trees) == 1 else combined), is_negated=False))
    kept += [part for part in parts if not (isinstance(part, Leaf) and isinstance(part.test, FieldConditions))]
    if len(kept) == 1:
        return kept[0]
    return _And(tuple(kept)) if is_conjunction else _Or(tuple(kept))


@dataclass(slots=True)
class _Numbering:
    """Numbers the leaves in the order of their first appearance; equal leaves share a number."""

    leaves: list[Leaf] = field(default_factory=list)

    def number(self, node: _Unnumbered) -> Node:
        match node:
            case _And(parts=parts):
                return LeafConjunction(tuple(self.number(part) for part in parts))
            case _Or(parts=parts):
                return LeafDisjunction(tuple(self.number(part) for part in parts))
            case Leaf():
                if node not in self.leaves:
                    self.leaves.append(node)
                return LeafHolds(self.leaves.index(node))


def _tests(tree: FieldTree) -> tuple[FieldTest, ...]:
    match tree:
        case FieldTest():
            return (tree,)
        case FieldConjunction(parts=parts) | FieldDisjunction(parts=parts):
            return tuple(test for part in parts for test in _tests(part))
