"""Changes of the accord as text for the terminal."""

from collections.abc import Iterable, Iterator

from api.accord.diff.changes import ClauseChange
from schema.accord_vocab import AccordChangeMark
from schema.sentences.words import plain

_EFFECTS = {
    AccordChangeMark.RENAMES: "only words change",
    AccordChangeMark.WIDENS: "widens",
    AccordChangeMark.NARROWS: "narrows",
    AccordChangeMark.MOVES: "moves in time",
    AccordChangeMark.REPORTING_ONLY: "reporting only",
    AccordChangeMark.UNKNOWN: "effect not proven",
}


def diff_text(changes: Iterable[ClauseChange]) -> str:
    """Return the changes as lines: the clause with its effect, and its sentences before (`-`) and after (`+`).

    Shapes: changes -> text that ends with a line break, such as

        Marketing qualified lead: entry rule · changed, widens (stages.mql.rule)
          - A contact enters Marketing qualified lead when: at least 2 inbound touches.
          + A contact enters Marketing qualified lead when: at least 1 inbound touch.
    """
    blocks = ["\n".join(_lines(change)) for change in changes]
    return "\n\n".join(blocks) + "\n" if blocks else "Both versions say the same.\n"


def _lines(change: ClauseChange) -> Iterator[str]:
    effects = " and ".join(_EFFECTS[mark] for mark in change.marks)
    yield f"{change.title} · {plain(change.kind)}, {effects} ({change.clause})"
    if change.before is not None:
        yield f"  - {change.before}"
    if change.after is not None:
        yield f"  + {change.after}"
