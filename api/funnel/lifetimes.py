"""Which facts an evaluation reads, whose they are, and when a contact's lifetime begins.

Facts of a merged contact count for its survivor. A lifetime begins with the person's first version row, on whichever of
the merged records; a version row without `valid_from` begins when it was recorded.
"""

from dataclasses import dataclass

from api.sql import Sql


def bound_instant(at: object) -> Sql:
    """Bind an instant, or a parameter for one, once for all the places of a statement that read it."""
    return Sql("{}::timestamptz", at)


@dataclass(frozen=True, slots=True)
class VisibleFacts:
    """Which facts an evaluation reads: those up to an instant, of all contacts or of some, under the survivor.

    `concerned` selects the ids of the contacts to evaluate, with every contact that was merged into one of them; None
    for all contacts. Every statement reads its facts through it.

    In a database without merged contacts no statement joins `funnel_merged`. The join costs more than its lookups:
    facts would no longer arrive in the order of their index, and would have to be sorted.
    """

    as_of: Sql
    has_merged: bool
    concerned: Sql | None = None

    def among(self, column: str) -> Sql:
        """The condition that a column has the id of a contact to evaluate, or of one that was merged into it."""
        return Sql("true") if self.concerned is None else Sql(f"{column} = any({{}})", self.concerned)

    def among_companies(self, column: str) -> Sql:
        """The condition that a column has the id of a company that one of the contacts has or had."""
        if self.concerned is None:
            return Sql("true")
        # An array, not `in`: the index of the column then finds the rows without a nested loop.
        linked = Sql("select company_id from contact_version where {}", self.among("contact_id"))
        return Sql(f"{column} = any(array({{}}))", linked)

    def among_deals(self, column: str) -> Sql:
        """The condition that a column has the id of a deal in which one of the contacts has a role."""
        if self.concerned is None:
            return Sql("true")
        linked = Sql("select deal_id from deal_contact where {}", self.among("contact_id"))
        return Sql(f"{column} = any(array({{}}))", linked)

    def contact(self, alias: str) -> str:
        """The contact that the facts of a row count for."""
        return f"coalesce(m.survivor_id, {alias}.contact_id)" if self.has_merged else f"{alias}.contact_id"

    def merged_join(self, alias: str) -> str:
        """The join that `contact` reads from."""
        return f"left join funnel_merged m on m.contact_id = {alias}.contact_id" if self.has_merged else ""


def lifetime_rows(facts: VisibleFacts) -> Sql:
    """Select `funnel_lifetime (contact_id, starts_at)`, one row per person."""
    # A version row that never held (it ends before it starts) begins no lifetime.
    return Sql(
        f"""select {facts.contact("v")} as contact_id, min(coalesce(v.valid_from, v.recorded_at)) as starts_at
from contact_version v {facts.merged_join("v")}
where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity') and {{}}
group by 1""",
        facts.among("v.contact_id"),
    )
