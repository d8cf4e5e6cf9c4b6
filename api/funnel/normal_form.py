"""The normal form of a rule: negation pushed to the leaves, sibling conditions on one record's fields merged.

The tree that remains is plain `Conjunction` and `Disjunction` over numbered leaves, and each leaf knows whether it stood under
`not`: what did counts over all history, what did not counts from inside the segment only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from schema.accord import AllOf, AnyOf, DealIs, FieldIs, HandoffIs, Not, Rule, StageReached, Touches


@dataclass(frozen=True, slots=True)
class FieldTest:
    """One condition on a field; the negated one also holds for null."""

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
    """Conditions on the fields of one record: one boolean per version row."""

    table: Literal["contact", "company"]
    tree: FieldTree

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, sorted."""
        return tuple(sorted({test.field.column for test in _tests(self.tree)}))


FactLeaf = Touches | HandoffIs | DealIs | StageReached


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of the normal form. A negated one holds where its facts do not; `FieldConditions` keep negation inside."""

    what: FieldConditions | FactLeaf
    is_negated: bool


@dataclass(frozen=True, slots=True)
class LeafHolds:
    """The leaf of that number holds."""

    leaf: int


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Holds when every part does; of nothing, always."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Disjunction:
    """Holds when at least one part does; of nothing, never."""

    parts: "tuple[Node, ...]"


Node = LeafHolds | Conjunction | Disjunction


@dataclass(frozen=True, slots=True)
class NormalForm:
    """A rule ready to be compiled: the tree over its numbered leaves."""

    tree: Node
    leaves: tuple[Leaf, ...]

    @property
    def holds_without_facts(self) -> bool:
        """Whether a contact with no fact at all fulfils the rule: then life itself is the first moment."""
        return self._holds_bare(self.tree)

    def is_needed(self, leaf: int) -> bool:
        """Whether the rule cannot hold while this leaf does not."""
        return self._is_needed(self.tree, leaf)

    def _holds_bare(self, node: Node) -> bool:
        match node:
            case LeafHolds(leaf=number):
                return self.leaves[number].is_negated
            case Conjunction(parts=parts):
                return all(self._holds_bare(part) for part in parts)
            case Disjunction(parts=parts):
                return any(self._holds_bare(part) for part in parts)

    def _is_needed(self, node: Node, leaf: int) -> bool:
        match node:
            case LeafHolds(leaf=number):
                return number == leaf
            case Conjunction(parts=parts):
                return any(self._is_needed(part, leaf) for part in parts)
            case Disjunction(parts=parts):
                return all(self._is_needed(part, leaf) for part in parts)


def normal_form(rule: Rule) -> NormalForm:
    """Bring a rule into normal form."""
    numbering = _Numbering()
    tree = numbering.number(_push(rule, is_negated=False))
    return NormalForm(tree, tuple(numbering.leaves))


@dataclass(frozen=True, slots=True)
class _And:
    parts: "tuple[_Raw, ...]"


@dataclass(frozen=True, slots=True)
class _Or:
    parts: "tuple[_Raw, ...]"


_Raw = Leaf | _And | _Or


def _push(rule: Rule, *, is_negated: bool) -> _Raw:
    """Push `not` down to the leaves: under it, all and any change places."""
    match rule:
        case Not(negated=part):
            return _push(part, is_negated=not is_negated)
        case AllOf(all=parts):
            pushed = [_push(part, is_negated=is_negated) for part in parts]
            return _merged(pushed, is_every=not is_negated)
        case AnyOf(any=parts):
            pushed = [_push(part, is_negated=is_negated) for part in parts]
            return _merged(pushed, is_every=is_negated)
        case FieldIs():
            return Leaf(FieldConditions(rule.table, FieldTest(rule, is_negated)), is_negated=False)
        case _:
            return Leaf(rule, is_negated)


def _merged(parts: Sequence[_Raw], *, is_every: bool) -> _Raw:
    """Join parts, the field leaves of each record as one."""
    kept: list[_Raw] = []
    for table in ("contact", "company"):
        trees = tuple(
            part.what.tree
            for part in parts
            if isinstance(part, Leaf) and isinstance(part.what, FieldConditions) and part.what.table == table
        )
        if trees:
            whole = trees[0] if len(trees) == 1 else (FieldConjunction(trees) if is_every else FieldDisjunction(trees))
            kept.append(Leaf(FieldConditions(table, whole), is_negated=False))
    kept += [part for part in parts if not (isinstance(part, Leaf) and isinstance(part.what, FieldConditions))]
    if len(kept) == 1:
        return kept[0]
    return _And(tuple(kept)) if is_every else _Or(tuple(kept))


@dataclass(slots=True)
class _Numbering:
    """Numbers the leaves; equal ones share a number."""

    leaves: list[Leaf] = field(default_factory=list)

    def number(self, raw: _Raw) -> Node:
        match raw:
            case _And(parts=parts):
                return Conjunction(tuple(self.number(part) for part in parts))
            case _Or(parts=parts):
                return Disjunction(tuple(self.number(part) for part in parts))
            case Leaf():
                if raw not in self.leaves:
                    self.leaves.append(raw)
                return LeafHolds(self.leaves.index(raw))


def _tests(tree: FieldTree) -> tuple[FieldTest, ...]:
    match tree:
        case FieldTest():
            return (tree,)
        case FieldConjunction(parts=parts) | FieldDisjunction(parts=parts):
            return tuple(test for part in parts for test in _tests(part))
