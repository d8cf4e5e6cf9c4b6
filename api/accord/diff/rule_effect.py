"""What a change of an entry rule does: whether it widens or narrows a stage, proven by the structure of both rules.

A rule is wider than another one if it is true whenever that one is, by the laws of `all`, `any` and `not` and by what
its leaves say. Then, in whatever history:

- Suppose a person enters the stage by the narrow rule at t, for the first time ever. The wide rule is true at t, too.
- Go back from t to where the wide rule began to be true. It began with a fact that it reads, with time alone running
  out for one of its leaves, or with the person's first instant: each of these is an instant of entry.
- The beginning may lie before the exit that opened the segment of t. Right after an exit, facts inside the segment
  make no leaf true, so that the rule is true by fields and the like alone, which stand the same just before the exit.
  So the person entered the stage in an earlier segment.

Hence the first entry by the wide rule is no later than that by the narrow one. The argument fails for `not` before a
leaf with `after`, which is true right after an exit and was not just before it. It says nothing about later entries.
"""

from api.accord.diff.leaf_implication import literal_implies
from api.accord.diff.normal_rules import Literal, NormalRule, RuleConjunction, RuleDisjunction, literals, normal_rule
from schema.accord_vocab import AccordChangeMark
from schema.clauses.rules import Rule, StageReached, stage_read

MOST_PAIRS = 20_000


def rule_effect(before: Rule, after: Rule) -> tuple[AccordChangeMark, ...]:
    """Return the marks of a change of an entry rule: RENAMES, WIDENS, NARROWS or UNKNOWN."""
    old, new = normal_rule(before), normal_rule(after)
    if old == new:
        return (AccordChangeMark.RENAMES,)
    widens, narrows = is_wider(new, old), is_wider(old, new)
    if widens is narrows:  # neither is proven; or both: the first entries are the same, later ones may differ
        return (AccordChangeMark.UNKNOWN,)
    return (AccordChangeMark.WIDENS if widens else AccordChangeMark.NARROWS,)


def is_wider(wide: NormalRule, narrow: NormalRule) -> bool:
    """Return whether whoever enters by the narrow rule enters by the wide one, for the first time no later.

    False if that is not proven.
    """
    return not any(_depends_on_segments(literal) for literal in literals(wide)) and _Proofs().implies(narrow, wide)


def _depends_on_segments(literal: Literal) -> bool:
    """Return whether a literal is `not` before a leaf with `after`."""
    is_after = not isinstance(literal.leaf, StageReached) and stage_read(literal.leaf) is not None
    return literal.is_negated and is_after


class _Proofs:
    """Whether parts of one rule imply parts of another one.

    Each pair of parts is looked at once, and no more than `MOST_PAIRS` of them: nothing more is proven then.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bool] = {}  # by the identity of the parts, which both rules keep

    def implies(self, narrow: NormalRule, wide: NormalRule) -> bool:
        """Return whether the wide rule is true whenever the narrow one is. False if that is not proven."""
        pair = id(narrow), id(wide)
        if pair not in self._known:
            if len(self._known) >= MOST_PAIRS:
                return False
            self._known[pair] = False  # counts from here on
            self._known[pair] = self._proven(narrow, wide)
        return self._known[pair]

    def _proven(self, narrow: NormalRule, wide: NormalRule) -> bool:
        if narrow == wide:
            return True
        if isinstance(wide, RuleConjunction):
            return all(self.implies(narrow, part) for part in wide.parts)
        if isinstance(narrow, RuleDisjunction):
            return all(self.implies(part, wide) for part in narrow.parts)
        if isinstance(narrow, RuleConjunction) and any(self.implies(part, wide) for part in narrow.parts):
            return True
        if isinstance(wide, RuleDisjunction):
            return any(self.implies(narrow, part) for part in wide.parts)
        if isinstance(narrow, Literal) and isinstance(wide, Literal):
            return literal_implies(narrow, wide)
        return False
