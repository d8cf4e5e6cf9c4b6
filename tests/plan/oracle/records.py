"""The records that are visible to one principal, and the links between them."""

import functools
from datetime import datetime
from typing import Any
from uuid import UUID

from api.access.principal import Principal
from schema.access.rights import Reach
from schema.base import ColumnShape
from tests.plan.oracle.conversion import Conversion
from tests.plan.oracle.shapes import LINKS, LISTS, MERGED, VISIBLE, Row, Rows

FACTS = ("touchpoint", "handoff", "reported_stage", "deal_contact")  # of which lists have those of merged people
WITH_OWNER = ("contact", "company", "deal")
SUBJECTS = {
    "touchpoint": {"contact_id": "contact"},
    "handoff": {"contact_id": "contact"},
    "reported_stage": {"contact_id": "contact"},
    "stage_entry": {"contact_id": "contact"},
    "deal_contact": {"contact_id": "contact", "deal_id": "deal"},
    "import_file": {"import_job_id": "import_job"},
    "import_count": {"import_job_id": "import_job"},
    "import_reason": {"import_file_id": "import_file"},
}
ABOUT_ALL = (
    "import_job",
    "audit_event",
    "api_key",
)  # only a principal that reaches every record reads what is about all of them


class Records:
    """The rows that are visible to one principal."""

    def __init__(
        self, rows: Rows, principal: Principal, as_of: datetime | None = None, today: Rows | None = None
    ) -> None:
        self.rows: dict[str, list[Row]] = {}
        self._by_id: dict[str, dict[UUID, Row]] = {}
        self._principal = principal
        self._all = rows
        self._today = today or rows  # what KPIs leave out is decided by the current rows, also as of an instant
        self.conversion = Conversion.of(rows["exchange_rate"], rows["accord_version"], as_of)
        self._merged = {
            row["id"] for table in MERGED for row in self._today[table] if row["merged_into_id"] is not None
        }
        self._current = {row["id"] for row in rows["evaluation"] if row["is_current"]}
        for table in (*WITH_OWNER, *(name for name in VISIBLE if name not in WITH_OWNER)):
            self.rows[table] = [row for row in rows[table] if self._is_visible(table, row)]
            self._by_id[table] = {row["id"]: row for row in self.rows[table] if "id" in row}

    def by_id(self, table: str, key: UUID | None) -> Row | None:
        """Return a record by its id; None if it is not visible."""
        return None if key is None else self._by_id[table].get(key)

    def linked(self, table: str, row: Row, link: str) -> Row | None:
        """Return the record that a link leads to; None if it is not visible."""
        column, target = LINKS[table][link]
        return self.by_id(target, row[column])

    def listed(self, table: str, row: Row, back: str) -> list[Row]:
        """Return the rows of a list of a record: those that name it. Only the list of merged ones has merged rows."""
        other, column = LISTS[table][back]
        rows = self.rows[other] if column == "merged_into_id" else self.unmerged(other)
        return [listed for listed in rows if listed[column] in self._named_by(other, row)]

    def listed_with_merged(self, table: str, row: Row, back: str) -> list[Row]:
        """Return the rows that name a record, merged ones included."""
        other, column = LISTS[table][back]
        return [listed for listed in self.rows[other] if listed[column] in self._named_by(other, row)]

    def _named_by(self, other: str, row: Row) -> set[UUID]:
        """Return the ids by which rows belong to a record: facts of merged contacts belong to the survivor, too."""
        found = {row["id"]}
        if other not in FACTS or row["id"] in self._merged:
            return found
        while True:
            more = {merged["id"] for merged in self._today["contact"] if merged["merged_into_id"] in found} - found
            if not more:
                return found
            found |= more

    def unmerged(self, table: str) -> list[Row]:
        """Return the visible rows of a table without those that are merged into another one today."""
        return [row for row in self.rows[table] if row.get("id") not in self._merged]

    def value(self, row: Row, column: ColumnShape) -> Any:  # noqa: ANN401 - a column's value
        """Return a value as filters, aggregates and groups use it: the id of a record that is not visible is null."""
        if column.link is not None and self.by_id(column.link.target, row[column.name]) is None:
            return None
        return row[column.name]

    def values(self, table: str, row: Row) -> Row:
        """Return a row of such values, with its converted amounts."""
        return self.conversion.with_converted(table, row) | {
            column: None for column, target in LINKS[table].values() if self.by_id(target, row[column]) is None
        }

    def ranks(self, table: str) -> dict[str, dict[Any, Any]]:
        """Return the ranks of values that have one, by key of the table's groups."""
        found: dict[str, dict[Any, Any]] = {}
        if "pipelineStage" in LINKS[table]:
            stages = self._all["pipeline_stage"]
            found["pipelineStage"] = {stage["id"]: (stage["pipeline_id"], stage["rank"]) for stage in stages}
        if table in ("stage_entry", "reported_stage"):
            active = next(version for version in self._all["accord_version"] if version["status"] == "ACTIVE")
            found["stage"] = {stage["key"]: rank for rank, stage in enumerate(active["body"]["stages"])}
        return found

    # ------------------------------------------------------------------------------------------- present stage

    def present_stage(self, contact: Row | None) -> Row:
        """Return the parts of the present stage of a contact, the highest open entry; none if it is in no stage."""
        entries = [] if contact is None else self.listed("contact", contact, "stageEntries")
        highest = max((row for row in entries if not row["exited_at"]), key=lambda row: row["rank"], default=None)
        if highest is None:
            return {}
        return {
            "key": highest["stage"],
            "title": self._declared(highest, "title"),
            "since": highest["entered_at"],
            "rank": highest["rank"],
            "group": self._declared(highest, "group"),
            "occurrence": highest["occurrence"],
        }

    def version_number(self, row: Row) -> int | None:
        """Return the number of the version of the accord that a row belongs to, if it belongs to one."""
        version = self._version(row)
        return None if version is None else version["number"]

    def _version(self, row: Row) -> Row | None:
        versions = self._all["accord_version"]
        return next((version for version in versions if version["id"] == row["accord_version_id"]), None)

    def _declared(self, entry: Row, key: str) -> str | None:
        """Return a value of an entry's stage, from the version of the accord that the entry was judged by."""
        version = self._version(entry)
        assert version is not None
        return next((stage.get(key) for stage in version["body"]["stages"] if stage["key"] == entry["stage"]), None)

    # ------------------------------------------------------------------------------------------------ exclusions

    def not_counted_because(self, table: str, row: Row) -> list[str]:
        """Return the reasons why KPIs never count a record; the accord of the generated rows excludes both kinds."""
        row = next(current for current in self._today[table] if current["id"] == row["id"])
        match table:
            case "contact":
                found = {
                    "DELETED": row["deleted_at"] is not None,
                    "MERGED": row["merged_into_id"] is not None,
                    "TEST": row["is_test"],
                    "INTERNAL": row["is_internal"],
                }
            case "deal":
                found = {"DELETED": row["deleted_at"] is not None}
                if self._has_only_excluded(row):
                    found |= _marks(self._people_of(row))
            case _:
                people = [contact for contact in self._today["contact"] if contact["company_id"] == row["id"]]
                deals = [deal for deal in self._today["deal"] if deal["company_id"] == row["id"]]
                is_counted = any(deal["deleted_at"] is None and not self._has_only_excluded(deal) for deal in deals)
                found = _marks(people) if people and all(map(_is_excluded, people)) and not is_counted else {}
        return [reason for reason, holds in found.items() if holds]

    def _has_only_excluded(self, deal: Row) -> bool:
        people = self._people_of(deal)
        return bool(people) and all(map(_is_excluded, people))

    def _people_of(self, deal: Row) -> list[Row]:
        roles = [row for row in self._today["deal_contact"] if row["voided_at"] is None]
        people = {row["contact_id"] for row in roles if row["deal_id"] == deal["id"]}
        return [row for row in self._today["contact"] if row["id"] in people]

    # ---------------------------------------------------------------------------------------------------- scope

    def _is_visible(self, table: str, row: Row) -> bool:
        if row.get("deleted_at") is not None or row.get("voided_at") is not None:
            return False
        if table == "stage_entry" and row["evaluation_id"] not in self._current:
            return False
        if self._principal.reach is Reach.ALL:
            return True
        if table in ABOUT_ALL:
            return False
        if table in WITH_OWNER and row["owner_id"] is None:
            return self._principal.reach is Reach.TEAM
        if table in WITH_OWNER:
            return row["owner_id"] in self._reached_owners
        return all(self.by_id(target, row[column]) for column, target in SUBJECTS.get(table, {}).items())

    @functools.cached_property
    def _reached_owners(self) -> set[UUID]:
        """Return the members whose records are reached."""
        member = next(row for row in self._all["member"] if row["id"] == self._principal.member_id)
        if self._principal.reach is Reach.OWN or member["team_id"] is None:
            return {member["id"]}
        return {row["id"] for row in self._all["member"] if row["team_id"] == member["team_id"]}


def _marks(people: list[Row]) -> dict[str, bool]:
    return {"TEST": any(row["is_test"] for row in people), "INTERNAL": any(row["is_internal"] for row in people)}


def _is_excluded(contact: Row) -> bool:
    return bool(contact["is_test"] or contact["is_internal"])
