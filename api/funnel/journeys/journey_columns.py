"""Which columns of the facts journeys read: a change of one of them concerns its contacts, whatever the rules read."""

from collections.abc import Mapping

_READ: Mapping[str, frozenset[str]] = {
    "contact": frozenset(
        {"lead_source", "country", "company_id", "owner_id", "is_test", "is_internal", "deleted_at", "merged_into_id"}
    ),
    "company": frozenset({"industry", "employees"}),
    "touchpoint": frozenset(
        {
            *("contact_id", "occurred_at", "direction", "channel", "campaign_id", "member_id", "is_automated"),
            "voided_at",
        }
    ),
    "handoff": frozenset({"contact_id", "decided_at", "status", "reject_reason", "assigned_to_id"}),
}


def with_journey_columns(read: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    """Return the columns that the rules read, see `read_columns`, and those that journeys read beside them."""
    return {table: read.get(table, frozenset()) | _READ.get(table, frozenset()) for table in read.keys() | _READ}


def of_versions(table: str) -> frozenset[str]:
    """Return the columns of the versions of contacts or companies that journeys read.

    Errors: KeyError for another table.
    """
    today = {"is_test", "is_internal", "deleted_at", "merged_into_id"}
    return {"contact": _READ["contact"] - today, "company": _READ["company"]}[table] | {"id", "is_assumed"}


def of_facts(table: str) -> frozenset[str]:
    """Return the columns of touchpoints or handoffs that journeys read. Errors: KeyError for another table."""
    return {"touchpoint": _READ["touchpoint"], "handoff": _READ["handoff"]}[table] | {"id"}
