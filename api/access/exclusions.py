"""The records that no KPI counts, and why: one rule for KPIs and for the field `isCounted` of lists.

- A contact is never counted if it is deleted or merged into another one, or if the accord excludes it: test records,
  people of the firm itself.
- A deal is never counted if it is deleted, or if it has people and the accord excludes all of them. The reasons are
  then those of its people.
- A company is never counted if it has people, the accord excludes all of them, and no deal of the company is counted.
  A deleted company is no reason: its deals still count.

A record with several reasons is counted under the first of DELETED, MERGED, TEST, INTERNAL. Lists leave out the deleted
and merged, so what a list shows and a KPI does not count is TEST and INTERNAL together.

The exclusions are today's: the conditions are about the current row of a record, whatever instant a figure is about.
They read every person, whatever the principal reaches: whether a deal is a test does not depend on who looks at it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from api.sql import Sql, join, name
from schema.clauses.reporting import Reporting
from schema.vocab import NotCountedReason

_DELETED, _MERGED = NotCountedReason.DELETED, NotCountedReason.MERGED
_COLUMNS = {NotCountedReason.TEST: "is_test", NotCountedReason.INTERNAL: "is_internal"}
COUNTED_TABLES = ("contact", "company", "deal")

# PostgreSQL never hashes a subquery with an offset: it looks the people of the one row up, whatever it estimates.
_ONE_BY_ONE = Sql(" offset 0")
Reasons = dict[NotCountedReason, Sql]  # the condition of each reason; a record is never counted if any holds


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The exclusions under one accord: for each reason that it may name, None, or a condition that it does name it."""

    agreed: tuple[tuple[NotCountedReason, Sql | None], ...]

    @classmethod
    def of(cls, reasons: Iterable[str]) -> "Exclusions":
        """Return the exclusions under an accord that names these reasons."""
        return cls(tuple((NotCountedReason[reason], None) for reason in reasons))

    def by_accord(self, contact: str) -> Sql | None:
        """Return the condition that the accord excludes a contact; None if it excludes nobody."""
        conditions = tuple(self._of_person(contact).values())
        return join(" or ", conditions) if conditions else None

    def reasons(self, table: str, row: str, *, is_single: bool = False) -> Reasons:
        """Return the reasons for which KPIs never count a row of the table known as `row`, the first one first.

        With `is_single` the conditions look up the people of the row; otherwise they compare it with the set of all
        excluded records, which takes less time for many rows.

        Errors: KeyError for a table without such reasons.
        """
        match table:
            case "contact":
                merged = Sql("{}.merged_into_id is not null", name(row))
                return {_DELETED: _is_deleted(row), _MERGED: merged, **self._of_person(row)}
            case "deal":
                people = Sql(
                    "deal_contact a join contact x on x.id = a.contact_id where a.deal_id = {}.id"
                    " and a.voided_at is null",
                    name(row),
                )
                one = _ONE_BY_ONE if is_single else Sql("")
                by_accord = self.by_accord("x") or Sql("false")
                others = Sql("not exists (select from {} and not ({}){})", people, by_accord, one)
                return {_DELETED: _is_deleted(row), **self._of_people(others, people, one)}
            case "company":
                excluded = self._in_excluded(table, row, is_single=is_single)
                return self._of_people(excluded, Sql("contact x where x.company_id = {}.id", name(row)), Sql(""))
        raise KeyError(f"{table} has no exclusions")

    def is_never_counted(self, table: str, row: str, *, is_single: bool = False) -> Sql:
        """Return the condition that no KPI counts a row; arguments and errors as those of `reasons`."""
        if table == "contact":
            conditions = [*self.reasons(table, row).values()]
        elif table in COUNTED_TABLES:
            # Which of its people are the reason does not matter.
            excluded = self._in_excluded(table, row, is_single=is_single)
            conditions = [_is_deleted(row)] if table == "deal" else []
            conditions += [] if excluded is None else [excluded]
        else:
            raise KeyError(f"{table} has no exclusions")
        return join(" or ", (Sql("({})", condition) for condition in conditions)) if conditions else Sql("false")

    def never_counted(self, table: str) -> Sql:
        """Return a query of the contacts or deals that no KPI counts: `id, reason`, the first reason of each.

        Contacts that are merged into others are left out: their facts are those of the survivors.
        Errors: KeyError for another table.
        """
        match table:
            case "contact":
                reasons = self.reasons("contact", "x")
                is_own = Sql("not {} and ({})", reasons.pop(_MERGED), join(" or ", reasons.values()))
                return _with_reason("contact", "x", reasons, is_own)
            case "deal":
                # Two queries, each of which reads the few records concerned from an index.
                deleted = _with_reason("deal", "d", {_DELETED: _is_deleted("d")}, _is_deleted("d"))
                excluded = self.excluded_deals()
                if excluded is None:
                    return deleted
                marks = {reason: Sql("bool_or({})", mark) for reason, mark in self._of_person("p").items()}
                return Sql(
                    "{} union all select r.deal_id, {} from ({}) e join deal d on d.id = e.deal_id and not {}"
                    " join deal_contact r on r.deal_id = e.deal_id and r.voided_at is null"
                    " join contact p on p.id = r.contact_id group by r.deal_id",
                    deleted,
                    _first_of(marks),
                    excluded,
                    _is_deleted("d"),
                )
        raise KeyError(f"{table} has no such query")

    def excluded_deals(self, deal: Sql | None = None) -> Sql | None:
        """Return a query of the ids of the deals that have people, all of whom the accord excludes.

        Shapes: an id, to look at one deal only -> a query of one column; None if the accord excludes nobody.
        """
        excluded, one = self.by_accord("x"), Sql("") if deal is None else Sql(" and a.deal_id = {}", deal)
        if excluded is None:
            return None
        return Sql(
            "select a.deal_id from contact x join deal_contact a on a.contact_id = x.id and a.voided_at is null"
            " where ({}){} and not exists (select from deal_contact b join contact x on x.id = b.contact_id"
            " where b.deal_id = a.deal_id and b.voided_at is null and not ({}))",
            excluded,
            one,
            excluded,
        )

    def _excluded_companies(self, company: Sql | None = None) -> Sql | None:
        """Return a query of the ids of the companies with excluded people only, and without a counted deal."""
        excluded, one = self.by_accord("x"), Sql("") if company is None else Sql(" and x.company_id = {}", company)
        excluded_deals = self.excluded_deals()
        if excluded is None or excluded_deals is None:
            return None
        return Sql(
            "select x.company_id from contact x where ({}){} and x.company_id is not null and not exists ("
            "select from contact y where y.company_id = x.company_id and not ({})) and not exists ("
            "select from deal d where d.company_id = x.company_id and d.deleted_at is null and d.id not in ({}))",
            excluded,
            one,
            self.by_accord("y"),
            excluded_deals,
        )

    def _of_person(self, contact: str) -> Reasons:
        reasons: Reasons = {}
        for reason, agreed in self.agreed:
            mark = Sql("{}.{}", name(contact), name(_COLUMNS[reason]))
            reasons[reason] = mark if agreed is None else Sql("{} and {}", mark, agreed)
        return reasons

    def _of_people(self, excluded: Sql | None, people: Sql, one: Sql) -> Reasons:
        """Return the reasons of a row all of whose people are excluded: one of them has the mark."""
        if excluded is None:
            return {}
        marks = self._of_person("x").items()
        return {
            reason: Sql("{} and exists (select from {} and {}{})", excluded, people, mark, one)
            for reason, mark in marks
        }

    def _in_excluded(self, table: str, row: str, *, is_single: bool) -> Sql | None:
        """Return the condition that all people of a deal or company are excluded; None if nobody is."""
        own = Sql("{}.id", name(row))
        query = self.excluded_deals if table == "deal" else self._excluded_companies
        excluded = query(own if is_single else None)
        # `in`, not `exists`: it is looked up in a hash. For a nested `not exists` the planner expects one row, and
        # would compare every row with all excluded ones.
        return None if excluded is None else Sql("{} in ({})", own, excluded)


def _is_deleted(row: str) -> Sql:
    return Sql("{}.deleted_at is not null", name(row))


def _with_reason(table: str, row: str, reasons: Reasons, condition: Sql) -> Sql:
    source = Sql("{} {}", name(table), name(row))
    return Sql("select {}.id, {} as reason from {} where {}", name(row), _first_of(reasons), source, condition)


def _first_of(reasons: Reasons) -> Sql:
    return Sql("case{} end", join("", (Sql(f" when {{}} then '{reason}'", holds) for reason, holds in reasons.items())))


def _names_reason(reason: NotCountedReason) -> Sql:
    """Return the condition that the accord in force names a reason. Without an accord, the default applies."""
    # An uncorrelated scalar subquery: PostgreSQL runs it once per statement, not once per row.
    named = (
        "(select (agreed.body #> '{{reporting,exclude}}') @> '\"" + reason.value + "\"'"
        " from accord_version agreed where agreed.status = 'ACTIVE')"
    )
    return Sql(f"coalesce({named}, {str(reason in Reporting.model_fields['exclude'].default).lower()})")


# The exclusions under the accord in force, which the statement itself reads: it may be prepared for later accords.
IN_FORCE = Exclusions(tuple((reason, _names_reason(reason)) for reason in _COLUMNS))
