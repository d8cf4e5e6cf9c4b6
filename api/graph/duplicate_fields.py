"""Root fields that list pairs of records that are likely the same."""

from collections.abc import Iterator

from api.graph.context import Info
from api.graph.declared import Input, Output, TypeRef
from api.graph.derived.duplicate_types import DUPLICATE_KINDS, DuplicateKind
from api.graph.derived.record_types import MAX_PAGE_SIZE, PAGE_SIZE
from api.graph.sources import FromDuplicates

_PERSONAL = " Needs the right PERSONAL_DATA, because the pairs reveal names, addresses and telephone numbers."


def duplicate_fields() -> Iterator[Output]:
    """Yield the root fields of likely duplicates."""
    for kind in DUPLICATE_KINDS.values():
        plural, verbs = kind.shape.plural, kind.shape.plural.capitalize()
        doc = (
            f"Pairs of {plural} that are likely the same, each once, with the reasons. Pairs with the strongest reason"
            " come first; those with the same reason are sorted by the value that they share. Only records within reach"
            f" are compared. `merge{verbs}` merges a pair, which then leaves the list; a pair whose merge was undone"
            " does not come back."
        )
        is_personal = any(column.note.personal for column in kind.shape.columns)
        yield Output(
            kind.root,
            doc + (_PERSONAL if is_personal else ""),
            TypeRef(kind.connection).required,
            _read,
            _arguments(kind),
            FromDuplicates(kind.table),
        )


def _arguments(kind: DuplicateKind) -> tuple[Input, ...]:
    words = TypeRef(kind.reasons.graphql_name()).listed
    return (
        Input(
            kind.table, f"Only the likely duplicates of the {kind.table} with this id.", TypeRef("ID"), is_bound=True
        ),
        Input("reasons", "Only pairs with one of these reasons. If left out or null: all.", words),
        Input("first", f"The number of pairs: {PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most.", TypeRef("Int")),
        Input("after", "Only pairs after this cursor, of a list with the same `reasons`.", TypeRef("String")),
    )


async def _read(_source: object, info: Info, **_: object) -> object:
    return await info.context.records.read(str(info.path.key))
