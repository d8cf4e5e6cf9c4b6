"""The changes between two documents of the accord, as values."""

from dataclasses import dataclass

from schema.accord_vocab import AccordChangeKind, AccordChangeMark
from schema.described import described

Marks = tuple[AccordChangeMark, ...]


@dataclass(frozen=True, kw_only=True)
class ClauseChange:
    """A clause of the accord that differs between two versions."""

    __graphql_name__ = "AccordChange"

    clause: str = described(
        "The path of the clause in the document, such as stages.mql.rule. Comments name the same paths."
    )
    section: str = described("The section of the document, such as stages or contact_policy.")
    title: str = described("The clause for readers, such as Marketing qualified lead: entry rule.")
    kind: AccordChangeKind = described("Whether the clause was added, removed or changed.")
    marks: tuple[AccordChangeMark, ...] = described("What the change does by itself, without the other changes.")
    before: str | None = described("The clause in the first version, as the sentences that both teams sign.")
    after: str | None = described("The clause in the second version, as the sentences that both teams sign.")


def all_marks(changes: tuple[ClauseChange, ...]) -> Marks:
    """Return the marks of some changes, each mark once."""
    found = {mark for change in changes for mark in change.marks}
    return tuple(mark for mark in AccordChangeMark if mark in found)
