"""The journeys of deals follow the changes of records, in the transaction that makes the changes."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from api.db import WriteSession
from api.funnel.following.compiled_accord import CurrentEvaluation
from api.funnel.journeys.deal_rows import deal_rows
from api.funnel.journeys.deal_spans import deal_spans
from api.funnel.journeys.journey_tables import DEALS, SPANS
from api.funnel.journeys.stored_journeys import journey_tables, one_of
from api.funnel.stored_entries import with_tables
from api.outbox.record_changes import RecordChange
from api.sql import Sql, bound_values
from schema.writes.changes import ChangeType

# The deals of other records, and the columns of these that journeys of deals follow from.
DEALS_OF: Mapping[str, str] = MappingProxyType(
    {
        "deal": "select id from deal where id = any({})",
        "company": "select deal_id from deal_version where company_id = any({})",
        # A merge also changes the survivor of whoever was merged into the contact before.
        "contact": "with recursive merged (id) as (select m from unnest({}) m union select c.id from merged"
        " join contact c on c.merged_into_id = merged.id) select deal_id from deal_contact join merged"
        " on merged.id = contact_id",
    }
)
_READ: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "company": frozenset({"industry", "country", "employees"}),
        "contact": frozenset({"is_test", "is_internal", "company_id", "merged_into_id"}),
    }
)


async def concerned_deals(session: WriteSession, changes: Sequence[RecordChange]) -> frozenset[UUID]:
    """Find the deals whose journeys may follow from other facts after changes.

    Shapes: changes -> ids of deals; a statement for changes of companies, and one for changes of contacts.
    """
    deals: set[UUID] = set()
    others: dict[str, set[UUID]] = {}
    for change in changes:
        if change.record_type in ("deal", "deal_contact"):
            deals.add(change.record_id)  # a role is known by its deal
        elif change.record_type in _READ and _is_read(change):
            others.setdefault(change.record_type, set()).add(change.record_id)
    for table, ids in others.items():
        deals |= await deals_of(session, table, Sql("{}::uuid[]", list(ids)))
    return frozenset(deals)


async def deals_of(session: WriteSession, table: str, ids: Sql) -> frozenset[UUID]:
    """Find the deals that belong to records of a table of `DEALS_OF`; `ids` is an array or a select."""
    rows = await session.rows(Sql("select distinct * from ({}) d (id)", Sql(DEALS_OF[table], ids)))
    return frozenset(row["id"] for row in rows)


async def store_deals(session: WriteSession, current: CurrentEvaluation, deals: Collection[UUID]) -> None:
    """Derive the journeys of some deals again, and store those that differ.

    The caller has locked the deals, or keeps all writers from storing. Writes deal_journey and deal_span.
    """
    if not deals:
        return
    ids = Sql("{}::uuid[]", list(deals))
    evaluation, ladder = Sql("{}::uuid", current.id), current.compiled.ladder
    tables = (
        ("derived_deal", deal_rows(ladder, ids)),
        *journey_tables(DEALS, evaluation, Sql("select * from derived_deal"), one_of(ids)),
        ("changed_customers", _of_customers(evaluation, ids)),
        ("derived_span", deal_spans(ladder, ids)),
        *journey_tables(SPANS, evaluation, Sql("select * from derived_span"), one_of(ids)),
    )
    # The re-evaluation of contacts joins without nested loops; here the indexes find the few rows.
    await session.script("set local plan_cache_mode = force_generic_plan; set local enable_nestloop = on")
    text, values = Sql("{}\nselect", with_tables(tables)).render()
    await session.connection.fetch(text, *bound_values(values, {}))


def _of_customers(evaluation: Sql, ids: Sql) -> Sql:
    """Insert the times of the other closings of the customers of deals that differ: the first one is another then."""
    return Sql(
        """insert into journey_change (evaluation_id, source, part, starts_at, ends_at)
select {}, 'deal_journey', o.event, o.counted_at, o.counted_at from deal_journey o
where o.evaluation_id = {} and o.customer in (
  select customer from derived_deal
  union select customer from deal_journey where evaluation_id = {} and deal_id = any({})
) and o.deal_id <> all({}) and exists (select from differing_deal_journey)
returning 1""",
        *(evaluation, evaluation, evaluation, ids, ids),
    )


def _is_read(change: RecordChange) -> bool:
    return change.change_type is not ChangeType.CHANGED or not _READ[change.record_type].isdisjoint(
        {*change.before, *change.after}
    )
