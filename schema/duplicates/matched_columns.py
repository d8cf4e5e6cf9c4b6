"""Columns that compare records: PostgreSQL computes them from the visible ones, whatever writes a row.

They belong to no shape: nothing reads or writes them but the search for duplicates. They live in the tables and not in
expressions of indexes, because an index-only scan does not return an expression that it has stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from schema.declarations import NOTE, ColumnNote
from schema.duplicates.spellings import company_name, domain, end_of_number, mailbox, person_name

# Everybody who was erased has the same address, name and number: placeholders.
_IS_SOMEBODY = "erased_at is null"
_IS_LISTED = "deleted_at is null and merged_into_id is null"


@dataclass(frozen=True, slots=True)
class MatchedColumn:
    """A generated column: its name, meaning and expression.

    Its index sorts equal values by the columns `then`, and also holds those `beside`; `is_indexed`: it has one.
    """

    name: str
    doc: str
    expression: str
    then: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    is_indexed: bool = True


MATCHED: Mapping[str, tuple[MatchedColumn, ...]] = {
    "contact": (
        MatchedColumn(
            "matched_email",
            "The mailbox of the e-mail address, in one spelling; null for a mailbox of a role.",
            # The kind is computed from the address: null if it is none.
            f"case when {_IS_SOMEBODY} and email_kind <> 'ROLE' then {mailbox('email')} end",
        ),
        MatchedColumn(
            "matched_domain",
            "The domain of the e-mail address; null if it is not that of a business.",
            f"case when {_IS_SOMEBODY} and email_kind = 'BUSINESS' then {domain('email')} end",
            is_indexed=False,
        ),
        MatchedColumn(
            "matched_name",
            "The letters of first and last name together, without case and accents.",
            f"case when {_IS_SOMEBODY} then {person_name('first_name', 'last_name')} end",
            then=("company_id",),
            beside=("matched_domain",),
        ),
        MatchedColumn(
            "matched_phone",
            "The last eight digits of the telephone number, and its extension.",
            f"case when {_IS_SOMEBODY} then {end_of_number('phone')} end",
        ),
    ),
    "company": (
        MatchedColumn(
            "matched_name",
            "The letters of the name without its legal form, without case and accents.",
            company_name("name"),
        ),
    ),
}
"""The columns by table."""


def add_matched_columns(built: sa.Table) -> None:
    """Declare the generated columns of a table, each with an index of the rows that lists show.

    The index also has what reach decides by, so that finding equal values reads no row.
    Shapes: table -> a column for each of its entries in `MATCHED`, and an index if it has one.
    """
    entries = MATCHED.get(str(built.name), ())
    for matched in entries:
        computed = sa.Computed(matched.expression, persisted=True)
        note = ColumnNote(matched.doc, hidden=True)
        built.append_column(
            sa.Column(matched.name, sa.Text(collation="C"), computed, comment=matched.doc, info={NOTE: note})
        )
    for matched in (matched for matched in entries if matched.is_indexed):
        sa.Index(
            f"ix_{built.name}_{matched.name}",
            *(built.c[column] for column in (matched.name, *matched.then, "id")),
            postgresql_include=["owner_id", *matched.beside],
            postgresql_where=sa.text(f"{_IS_LISTED} and {matched.name} is not null"),
        )
