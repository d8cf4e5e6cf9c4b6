"""The root field `accordDiff`: what differs between two versions of the accord, in sentences."""

from dataclasses import dataclass

from api.accord.diff.changes import ClauseChange, all_marks
from api.accord.diff.document_diff import document_changes
from api.accord.stored_versions import stored_versions
from api.accord.unknown_version import unknown_version
from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.model_types import Derivation, model_types
from schema.accord_vocab import AccordChangeMark
from schema.described import described

DIFF = "AccordDiff"


@dataclass(frozen=True, kw_only=True)
class VersionDiff:
    """What differs between two versions of the accord, clause by clause."""

    __graphql_name__ = DIFF

    a: int = described("The number of the first version: `before` is what it says.")
    b: int = described("The number of the second version: `after` is what it says.")
    is_equal: bool = described("Whether both versions have the same content. Their hashes are then the same.")
    marks: tuple[AccordChangeMark, ...] = described("What all changes do: the marks of `changes`, each mark once.")
    changes: tuple[ClauseChange, ...] = described(
        "The clauses that differ: changed keys of stages first, then all others in the order of the document."
    )


def diff_fields() -> tuple[Output, ...]:
    """Return the root field."""
    number = TypeRef("Int").required
    doc = (
        "What differs between two versions of the accord, of any status: every clause that was added, removed or"
        " changed, as the sentences that both teams sign, and marked by what the change does. The marks are proven by"
        " the structure of the clauses, not counted: `accordPreview` counts. An error (UNKNOWN_VALUE) if there is no"
        " version of a number."
    )
    arguments = (
        Input("a", "The number of the first version, such as the one in force.", number),
        Input("b", "The number of the second version, such as a draft.", number),
    )
    return (Output("accordDiff", doc, TypeRef(DIFF).required, _diff, arguments),)


async def _diff(_source: object, info: Info, *, a: int, b: int) -> VersionDiff:
    async with info.context.snapshot() as session:
        found = await stored_versions(session, {a, b})
        for number in (a, b):
            if number not in found:
                raise await unknown_version(session, number)
    before, after = found[a], found[b]
    changes = document_changes(before.document.accord, after.document.accord)
    return VersionDiff(a=a, b=b, is_equal=not changes, marks=all_marks(changes), changes=changes)


DIFF_TYPES = tuple(model_types((VersionDiff,), Derivation()))
