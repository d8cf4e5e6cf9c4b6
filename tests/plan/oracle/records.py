"""The records that one principal sees, and what links them."""

import functools
from typing import Any
from uuid import UUID

from api.access.principal import Principal, Reach
from schema.base import ColumnShape
from tests.plan.oracle.shapes import LINKS, LISTS, VISIBLE, Row, Rows

OWNED = ("contact", "company", "deal")
ABOUT = {
    "touchpoint": {"contact_id": "contact"},
    "handoff": {"contact_id": "contact"},
    "reported_stage": {"contact_id": "contact"},
    "stage_entry": {"contact_id": "contact"},
    "deal_contact": {"contact_id": "contact", "deal_id": "deal"},
}


class Records:
    """The rows that one principal sees."""

    def __init__(self, rows: Rows, who: Principal) -> None:
        self.rows: dict[str, list[Row]] = {}
        self._by_id: dict[str, dict[UUID, Row]] = {}
        self._who = who
        self._all = rows
        self._current = {row["id"] for row in rows["evaluation"] if row["is_current"]}
        for table in (*OWNED, *(each for each in VISIBLE if each not in OWNED)):
            self.rows[table] = [row for row in rows[table] if self._is_seen(table, row)]
            self._by_id[table] = {row["id"]: row for row in self.rows[table] if "id" in row}

    def by_id(self, table: str, key: UUID | None) -> Row | None:
        """The record, if it may be seen."""
        return None if key is None else self._by_id[table].get(key)

    def linked(self, table: str, row: Row, link: str) -> Row | None:
        """The record that a link leads to, if it may be seen."""
        column, target = LINKS[table][link]
        return self.by_id(target, row[column])

    def listed(self, table: str, row: Row, back: str) -> list[Row]:
        """The rows that name this one."""
        other, column = LISTS[table][back]
        return [each for each in self.rows[other] if each[column] == row["id"]]

    def value(self, row: Row, column: ColumnShape) -> Any:  # noqa: ANN401 - a column's value
        """A value as filters, figures and groups see it: the id of a record that may not be seen is none."""
        if column.link is not None and self.by_id(column.link.target, row[column.name]) is None:
            return None
        return row[column.name]

    def values(self, table: str, row: Row) -> Row:
        """A row of such values."""
        return row | {
            column: None for column, target in LINKS[table].values() if self.by_id(target, row[column]) is None
        }

    def title(self, entry: Row) -> str | None:
        """The title of an entry's stage, in the version of the accord that judged it."""
        version = next(each for each in self._all["accord_version"] if each["id"] == entry["accord_version_id"])
        stages = version["body"]["stages"]
        return next((each["title"] for each in stages if each["key"] == entry["stage"]), None)

    # ---------------------------------------------------------------------------------------------------- scope

    def _is_seen(self, table: str, row: Row) -> bool:
        if row.get("deleted_at") is not None:
            return False
        if table == "stage_entry" and row["evaluation_id"] not in self._current:
            return False
        if self._who.reach is Reach.ALL:
            return True
        if table in OWNED:
            return row["owner_id"] is not None and row["owner_id"] in self._owners
        return all(self.by_id(target, row[column]) for column, target in ABOUT.get(table, {}).items())

    @functools.cached_property
    def _owners(self) -> set[UUID]:
        """Whose records are reached."""
        me = next(row for row in self._all["member"] if row["id"] == self._who.member_id)
        if self._who.reach is Reach.OWN or me["team_id"] is None:
            return {me["id"]}
        return {row["id"] for row in self._all["member"] if row["team_id"] == me["team_id"]}
