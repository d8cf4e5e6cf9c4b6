"""Words that sentences share."""

from decimal import Decimal

from schema.clauses.newer_words import NewerWord
from schema.vocab import TeamKind, Vocabulary


def team_name(kind: TeamKind | NewerWord) -> str:
    """The name of a team inside a sentence."""
    return "revenue operations" if kind is TeamKind.REVOPS else kind.lower().replace("_", " ")


def plain(word: Vocabulary | NewerWord) -> str:
    """A word of a vocabulary inside a sentence."""
    return word.lower().replace("_", " ").replace("email", "e-mail")


def either(words: list[str]) -> str:
    """Join words as `a`, `a or b` or `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def listed(words: list[str]) -> str:
    """Join words as `a`, `a and b` or `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def percent(share: Decimal) -> str:
    """A share as a percentage, such as `22.5 %`."""
    return f"{(share * 100).normalize():f} %"
