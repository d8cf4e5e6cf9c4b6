"""Whose facts count for whom, and when a contact's lifetime begins: temp tables `funnel_merged`, `funnel_lifetime`.

Facts of a merged contact count for its survivor. A lifetime begins with the person's first version row, on whichever of
the merged records; a version row without `valid_from` begins when it was recorded.
"""

from dataclasses import dataclass
from datetime import datetime

from api.identity.survivors import SURVIVORS
from api.sql import Sql

# A table, not a subquery: the recursion over chains of merges runs once, and its result gets statistics.
MERGED_TABLE = Sql("create temp table funnel_merged on commit drop as {}", SURVIVORS)
HAS_MERGED = Sql("select exists (select from funnel_merged)")


@dataclass(frozen=True, slots=True)
class VisibleFacts:
    """Which facts an evaluation reads: those up to an instant, under the surviving contact.

    In a database without merged contacts no statement joins `funnel_merged`. The join costs more than its lookups:
    facts would no longer arrive in the order of their index, and would have to be sorted.
    """

    as_of: datetime
    has_merged: bool

    def contact(self, alias: str) -> str:
        """The contact that the facts of a row count for."""
        return f"coalesce(m.survivor_id, {alias}.contact_id)" if self.has_merged else f"{alias}.contact_id"

    def merged_join(self, alias: str) -> str:
        """The join that `contact` reads from."""
        return f"left join funnel_merged m on m.contact_id = {alias}.contact_id" if self.has_merged else ""


def lifetime_statement(facts: VisibleFacts) -> Sql:
    """Create `funnel_lifetime (contact_id, starts_at)`, one row per person."""
    # A version row that never held (it ends before it starts) begins no lifetime.
    return Sql(f"""create temp table funnel_lifetime on commit drop as
select {facts.contact("v")} as contact_id, min(coalesce(v.valid_from, v.recorded_at)) as starts_at
from contact_version v {facts.merged_join("v")}
where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity')
group by 1""")
