"""Types of likely duplicates: for contacts and for companies, a connection of pairs with their reasons."""

from collections.abc import Iterator
from dataclasses import dataclass

from api.graph.declared import Declared, ObjectType, Output, TypeRef
from api.graph.derived.record_types import PAGE_INFO
from schema.base import TableShape
from schema.duplicates.reasons import CompanyDuplicateReason, DuplicateReason
from schema.tables import SHAPES
from schema.vocab import Vocabulary

DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class DuplicateKind:
    """The likely duplicates of a table: their root field, the name of a pair's type, and the reasons."""

    table: str
    root: str
    type_name: str
    reasons: type[Vocabulary]

    @property
    def shape(self) -> TableShape:
        """The table."""
        return SHAPES[self.table]

    @property
    def connection(self) -> str:
        """The name of the type of a page of pairs."""
        return f"{self.type_name}Connection"

    @property
    def edge(self) -> str:
        """The name of the type of a pair with its cursor."""
        return f"{self.type_name}Edge"


DUPLICATE_KINDS = {
    kind.table: kind
    for kind in (
        DuplicateKind("contact", "likelyDuplicates", "LikelyDuplicate", DuplicateReason),
        DuplicateKind("company", "likelyDuplicateCompanies", "LikelyDuplicateCompany", CompanyDuplicateReason),
    )
}
"""The kinds by table."""


def duplicate_types() -> Iterator[Declared]:
    """Yield the types of likely duplicates. The enums of reasons are derived as those of all vocabularies are."""
    for kind in DUPLICATE_KINDS.values():
        yield from _types(kind)


def _types(kind: DuplicateKind) -> Iterator[ObjectType]:
    pair, record = TypeRef(kind.type_name).required, TypeRef(kind.shape.type_name).required
    plural = kind.shape.plural
    yield ObjectType(
        kind.type_name,
        f"Two {plural} that are likely the same.",
        (
            Output(
                kind.table, f"The {kind.table} that the list was requested for, else the one created first.", record
            ),
            Output(DUPLICATE, f"The other {kind.table}.", record),
            Output(
                "reasons",
                f"Why the {plural} are likely the same, the strongest reason first.",
                TypeRef(kind.reasons.graphql_name()).required.listed.required,
            ),
        ),
    )
    yield ObjectType(
        kind.connection,
        f"One page of pairs of {plural} that are likely the same.",
        (
            Output("nodes", "The pairs on the page.", pair.listed.required),
            Output("edges", "The pairs on the page, with their cursors.", TypeRef(kind.edge).required.listed.required),
            Output("pageInfo", "The position of the page in the list.", TypeRef(PAGE_INFO).required),
            Output(
                "totalCount",
                "The number of pairs, over all pages. It takes longer than a page, which reads only what it shows.",
                TypeRef("Int").required,
            ),
        ),
    )
    yield ObjectType(
        kind.edge,
        f"A pair of {plural} that are likely the same, with its cursor.",
        (
            Output("cursor", "The position in the list, for `after`.", TypeRef("String").required),
            Output("node", "The pair.", pair),
        ),
    )
