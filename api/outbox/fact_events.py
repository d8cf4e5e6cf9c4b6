"""The events of facts from which stage entries follow: the newest of them dates the data, and is never pruned."""

from api.sql import Sql

_IS_FACT = (
    "o.change_type not in ('ENTERED', 'LEFT')"
    " and o.record_type in ('contact', 'company', 'deal', 'touchpoint', 'handoff')"
)
# Events are numbered in the order of their commits, which differs from that of their instants by fewer than so many.
_LATEST = (
    f"select o.id, o.recorded_at from outbox_event o where o.position is not null and {_IS_FACT}"
    " order by o.position desc limit 100"
)
# The newest event that has a position, by its id.
NEWEST_FACT_EVENT = Sql(f"(select n.id from ({_LATEST}) n order by n.recorded_at desc, n.id limit 1)")
# When the newest fact was recorded, null without events. Both subqueries read the end of an index: events have a
# position, or have none yet.
NEWEST_FACT_RECORDED = Sql(
    f"greatest((select max(n.recorded_at) from ({_LATEST}) n), (select o.recorded_at from outbox_event o"
    f" where o.position is null and {_IS_FACT} order by o.recorded_at desc limit 1))"
)
