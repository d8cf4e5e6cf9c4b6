"""Pairs of records that share evidence: the pairs of one reason, and the reasons of one pair."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.duplicates.evidence import EVIDENCE, Conditions, Evidence
from api.sql import Parameter, Sql, all_of, join, name

COLUMNS = ("value", "place", "one", "other")
"""The columns of pairs, which are also their order. `one` was created before `other`."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A position among the pairs of one reason: only those after it, or only those at it or before it."""

    value: str
    place: str | UUID
    one: UUID
    other: UUID
    is_end: bool = False

    def as_end(self) -> "Bound":
        """Return the bound of the pairs at the position or before it."""
        return replace(self, is_end=True)

    def on_value(self, value: Sql) -> Sql:
        """Return the condition on a record's value that keeps all records of the pairs within the bound."""
        return Sql("{} <= {}" if self.is_end else "{} >= {}", value, self.value)

    def on_pair(self, pair: str, evidence: Evidence) -> Sql:
        """Return the condition on a pair with an alias."""
        value, place, one, other = (qualified(pair, column) for column in COLUMNS)
        sign = "<=" if self.is_end else ">"
        bound = Sql(f"({{}}, {{}}::{evidence.place_type}, {{}}, {{}})", self.value, self.place, self.one, self.other)
        return Sql(f"({{}}, {{}}, {{}}, {{}}) {sign} {{}}", value, place, one, other, bound)


def pairs(
    tables: ScopedTables,
    evidence: Evidence,
    stronger: Sequence[Evidence] = (),
    record: UUID | Parameter | None = None,
    bound: Bound | None = None,
) -> Sql:
    """Return a select of the pairs of one reason within reach, without those that share `stronger` evidence.

    With `record`, of the pairs that it belongs to. A pair whose merge somebody undid is no pair. The records with one
    value follow one another in the index, so with a limit only as many are read as the page needs.

    Shapes: -> `COLUMNS`, without an order. Cost: without a limit, a pass over the index of the value.
    """
    shared, later = tables.new_alias(), tables.new_alias()
    one, other = qualified(shared, "id"), qualified(later, "id")
    value, place = qualified(shared, "value"), qualified(shared, "place")
    grouped = _grouped(tables, evidence, evidence.rows(tables, _conditions(tables, evidence, record, bound)))
    where: list[Sql] = []
    if record is not None:
        where.append(Sql("{} in ({}, {})", record, one, other))
    if evidence.of_value is not None:
        where.append(evidence.of_value(tables, value, place))
    if stronger or evidence.of_pair is not None or len(evidence.of_places) > 1:
        where.append(_of_records(tables, evidence, stronger, (one, other), place))
    where.append(Sql("not {}", _was_unmerged(tables, one, other)))
    return Sql(
        "select {} as value, {} as place, {} as one, {} as other from ({}) {}"
        " cross join lateral unnest({}) {} (id) where {}",
        *(value, place, one, other, grouped, name(shared), qualified(shared, "later"), name(later), all_of(where)),
    )


def reasons(tables: ScopedTables, table: str, one: Sql, other: Sql) -> Sql:
    """Return the reasons of a pair as an array of texts, the strongest first, given the ids of the records."""
    first, second = tables.new_alias(), tables.new_alias()
    words = (
        Sql(f"case when {{}} then text '{evidence.reason}' end", evidence.is_shared(tables, first, second))
        for evidence in EVIDENCE[table]
    )
    rows = _from_both(tables, table, (first, second), (one, other))
    return Sql("(select array_remove(array[{}], null){})", join(", ", words), rows)


def _grouped(tables: ScopedTables, evidence: Evidence, rows: Sql) -> Sql:
    """The records that share a value with others, but not with too many: value, place, id, and the `later` records.

    The size of every group is counted first: most have one record, and need no list of others.
    """
    row, rare = tables.new_alias(), tables.new_alias()
    value, place, id_ = (qualified(row, column) for column in ("value", "place", "id"))
    counted = Sql(
        "select {}, {}, {}, count(*) over (partition by {}, {}) as sharing from ({}) {}",
        *(value, place, id_, value, place, rows, name(row)),
    )
    value, place, id_ = (qualified(rare, column) for column in ("value", "place", "id"))
    return Sql(
        f"select {{}}, {{}}, {{}}, array_agg({{}}) over (partition by {{}}, {{}} order by {{}} rows between 1 following"
        f" and {evidence.most - 1} following) as later from ({{}}) {{}} where {{}} between 2 and {evidence.most}",
        *(value, place, id_, id_, value, place, id_, counted, name(rare), qualified(rare, "sharing")),
    )


def _conditions(
    tables: ScopedTables, evidence: Evidence, record: UUID | Parameter | None, bound: Bound | None
) -> Conditions:
    """The conditions on the records of which pairs are made. They keep or leave out all records with one value."""

    def conditions(alias: str) -> tuple[Sql, ...]:
        value = qualified(alias, evidence.value)
        found = [] if bound is None else [bound.on_value(value)]
        if record is not None:
            own = tables.new_alias()
            row = tables.from_clause(evidence.table, own, Sql("{} = {}", qualified(own, "id"), record))
            found.append(Sql("{} = (select {}{})", value, qualified(own, evidence.value), row))
        return tuple(found)

    return conditions


def _of_records(
    tables: ScopedTables, evidence: Evidence, stronger: Sequence[Evidence], ids: tuple[Sql, Sql], place: Sql
) -> Sql:
    """The conditions on both records of a pair that share a place."""
    first, second = tables.new_alias(), tables.new_alias()
    where = [] if evidence.of_pair is None else [evidence.of_pair(first, second)]
    where += (Sql("({}) is not true", other_evidence.is_shared(tables, first, second)) for other_evidence in stronger)
    if len(evidence.of_places) > 1:
        # Two records may share several places. Their pair stands at the first of them alone.
        where.append(Sql("({}) is not true", evidence.is_shared(tables, first, second, below=place)))
    return Sql("exists (select{})", _from_both(tables, evidence.table, (first, second), ids, *where))


def _from_both(
    tables: ScopedTables, table: str, aliases: tuple[str, str], ids: tuple[Sql, Sql], *conditions: Sql
) -> Sql:
    """The `from` clause of the records of a pair. Both are within reach: pairs are made of no others."""
    (first, second), (one, other) = aliases, ids
    joined = Sql(" join {} {} on {} = {}", name(table), name(second), qualified(second, "id"), other)
    return tables.from_clause(table, first, Sql("{} = {}", qualified(first, "id"), one), *conditions, joins=joined)


def _was_unmerged(tables: ScopedTables, one: Sql, other: Sql) -> Sql:
    """The condition that somebody merged two records and undid it: they are known to be two."""
    merge = tables.new_alias()
    survivor, merged = qualified(merge, "survivor_id"), qualified(merge, "record_id")
    is_undone = Sql("{} is not null", qualified(merge, "undone_at"))
    both = (Sql("{} in ({}, {})", id_, one, other) for id_ in (survivor, merged))
    return Sql("exists (select{})", tables.from_clause("record_merge", merge, is_undone, *both))
