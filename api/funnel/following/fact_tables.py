"""The facts of some contacts, as common table expressions under the names of their tables.

The selects of the derivation read the same facts at many places: versions of deals at four, for exits, rules and
wake-ups. In a statement for some contacts, all would look every contact up in an index again. Under these names they
read what one look-up found: of a thousand contacts, half the CPU time.
"""

from collections.abc import Sequence

from api.funnel.journeys.journey_columns import of_facts, of_versions, with_journey_columns
from api.funnel.lifetimes import VisibleFacts
from api.funnel.read_columns import read_columns
from api.sql import Sql, join, name
from schema.accord import Accord
from schema.history import version_name
from schema.tables import METADATA

_PERIOD = frozenset({"valid_from", "valid_to", "recorded_at"})
_HANDOFF = frozenset({"contact_id", "handed_at", "decided_at"})
_REPORT = frozenset({"contact_id", "entered_at", "recorded_at"})
_ROLE = frozenset({"contact_id", "deal_id", "since", "voided_at"})
_TOUCHPOINT = frozenset({"contact_id", "occurred_at", "voided_at"})


def fact_tables(accords: Sequence[Accord], facts: VisibleFacts) -> list[tuple[str, Sql]]:
    """Select the facts of the contacts of `facts` that accords read: the columns that they name, and those of time.

    Shapes: accords -> (name of a table, its rows), in an order in which they can be read.
    """
    read = with_journey_columns(read_columns(*accords))
    contact, deal, company = (read.get(table, frozenset()) for table in ("contact", "deal", "company"))
    tables = [
        (
            "contact_version",
            _PERIOD | {"contact_id"} | _dated("contact", contact) | of_versions("contact"),
            facts.among("contact_id"),
        ),
        ("touchpoint", _TOUCHPOINT | read["touchpoint"] | of_facts("touchpoint"), facts.among("contact_id")),
        (
            "company_version",
            _PERIOD | {"company_id"} | _dated("company", company) | of_versions("company"),
            facts.among_companies("company_id"),
        ),
        ("handoff", _HANDOFF | read["handoff"] | of_facts("handoff"), facts.among("contact_id")),
    ]
    if "reported_stage" in read:
        tables.append(("reported_stage", _REPORT | read["reported_stage"], facts.among("contact_id")))
    if "deal" in read:
        tables += [
            ("deal_contact", _ROLE, facts.among("contact_id")),
            ("deal_version", _PERIOD | {"deal_id"} | _dated("deal", deal), facts.among_deals("deal_id")),
            ("deal", frozenset({"id", "deleted_at"}), facts.among_deals("id")),
        ]
    return [
        (table, Sql("select {} from {} where {}", join(", ", map(name, sorted(columns))), name(table), among))
        for table, columns, among in tables
    ]


def _dated(table: str, columns: frozenset[str]) -> frozenset[str]:
    """Return the columns that the versions of a table have."""
    return columns & set(METADATA.tables[version_name(table)].columns.keys())
