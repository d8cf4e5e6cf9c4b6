"""Known words that are spelled like a word that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_LISTED = 20


def nearest_words(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known words that are spelled most like the text, nearest first; at most three, case does not matter."""
    by_folded: dict[str, list[str]] = {}
    for word in known:
        by_folded.setdefault(word.casefold(), []).append(word)
    near = get_close_matches(text.casefold(), by_folded, n=3)
    return tuple(word for folded in near for word in by_folded[folded])[:3]


def suggestion(text: str, known: Iterable[str], plural: str) -> str:
    """What to write instead of a word that is not known: the nearest words, and all of them if they are few.

    Such as `Did you mean EMAIL? The channels are CHAT, EMAIL, PHONE.`
    """
    words = tuple(known)
    near = nearest_words(text, words)
    sentences = [did_you_mean(near)] if near else []
    if not words:
        sentences.append(f"There are no {plural}.")
    elif len(words) <= MOST_LISTED or not near:
        more = f" and {len(words) - MOST_LISTED:,} more" if len(words) > MOST_LISTED else ""
        sentences.append(f"The {plural} are {', '.join(words[:MOST_LISTED])}{more}.")
    return " ".join(sentences)


def did_you_mean(near: tuple[str, ...]) -> str:
    """The question for the nearest words, such as `Did you mean EMAIL or CHAT?`; empty without any."""
    alternatives = (", ".join(near[:-1]), near[-1]) if len(near) > 1 else near
    return f"Did you mean {' or '.join(alternatives)}?" if near else ""
