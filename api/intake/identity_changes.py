"""Finds known records that an import would turn into others: name and address would change at once.

One person may marry, and another may change the employer; hardly anybody does both between two exports. Many who do so
at once are a sign that the keys of the file are not those of the records, such as line numbers.
"""

from dataclasses import dataclass

from api.db import WriteSession
from api.intake.merge import MergeTable
from api.sql import Sql, join, name

SHOWN = 10
_MOST_CHANGES = 20
_LARGEST_SHARE = 20  # one of so many: 5 %


@dataclass(frozen=True, slots=True)
class _Identity:
    """The columns that say who or what a record is."""

    names: tuple[str, ...]
    address: str


_IDENTITIES = {
    "contact": _Identity(("first_name", "last_name"), "email"),
    "member": _Identity(("name",), "email"),
    "company": _Identity(("name",), "domain"),
}


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """A record, by the key that its source knows it by, whose name and address would change."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class IdentityChanges:
    """How many of the `matched` records of a table would change name and address at once, and some of them."""

    table: str
    changed: int
    matched: int
    examples: tuple[IdentityChange, ...]

    @property
    def are_too_many(self) -> bool:
        """Whether so many change that the keys of the import are in doubt: over 20 records, and over 5 %."""
        return self.changed > _MOST_CHANGES and self.changed * _LARGEST_SHARE > self.matched


async def find_identity_changes(session: WriteSession, merge: MergeTable) -> IdentityChanges | None:
    """Compare the merged records of a table with the database. Its merge table must be filled, and not yet written.

    Shapes: merged records -> counts, and at most 10 examples by key; None for a table without names or addresses among
            its staged values. A value that is empty before or after is no change of it; nor are capitals and blanks.
    """
    identity, filled = _IDENTITIES.get(merge.table), {column.name for column in merge.columns}
    if identity is None or identity.address not in filled or not filled & set(identity.names):
        return None
    known = _known_records(merge, identity, filled)
    differ = Sql(
        "old_name <> '' and new_name <> '' and lower(old_name) <> lower(new_name)"
        " and old_address <> '' and new_address <> '' and lower(old_address) <> lower(new_address)"
    )
    row = await session.row(
        Sql("select count(*) as matched, count(*) filter (where {}) as changed from ({}) known", differ, known)
    )
    if row is None or not row["changed"]:
        return IdentityChanges(merge.table, 0, 0 if row is None else row["matched"], ())
    examples = await session.rows(
        Sql(
            "select (select min(k.external_id) from external_key k where k.record_id = known.id and k.entity = {}"
            " and k.source = {}) as key, old_name, old_address, new_name, new_address from ({}) known where {}"
            " order by key limit {}",
            *(merge.table, merge.source, known, differ, SHOWN),
        )
    )
    shown = tuple(
        IdentityChange(
            example["key"] or "",
            f"{example['old_name']}, {example['old_address']}",
            f"{example['new_name']}, {example['new_address']}",
        )
        for example in examples
    )
    return IdentityChanges(merge.table, row["changed"], row["matched"], shown)


def _known_records(merge: MergeTable, identity: _Identity, filled: set[str]) -> Sql:
    """The records that the database has, with their names and addresses before and after."""

    def text(side: str, columns: tuple[str, ...]) -> Sql:
        # A column that no row fills keeps its value.
        parts = [Sql(f"{side if column in filled else 't'}.{{}}", name(column)) for column in columns]
        return Sql("btrim(concat_ws(' ', {}))", join(", ", parts))

    return Sql(
        "select n.id, {} as old_name, {} as new_name, {} as old_address, {} as new_address"
        " from {} n join {} t on t.id = n.id where not n.is_new",
        *(text("t", identity.names), text("n", identity.names)),
        *(text("t", (identity.address,)), text("n", (identity.address,))),
        *(name(merge.stage), name(merge.table)),
    )
