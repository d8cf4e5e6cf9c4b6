"""The handoff leaf: a handoff of the contact has a status."""

from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.stage_leaf import later_than_entry
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql
from schema.clauses.rules import HandoffIs
from schema.vocab import HandoffStatus


def handoff_intervals(
    leaf: HandoffIs, exit_group: int | None, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts
) -> Sql:
    """Select intervals of handoffs: PROPOSED from the handover to the decision, the others from the decision on."""
    if leaf.handoff is HandoffStatus.PROPOSED:
        at, ends_at, has_status = "h.handed_at", "coalesce(h.decided_at, 'infinity')", Sql("true")
    else:
        at, ends_at = "h.decided_at", "'infinity'::timestamptz"
        has_status = Sql("h.status = {}::text", leaf.handoff.value)
    after = later_than_entry(leaf.after, exit_group, "h.contact_id", "h.starts_at", ladder, ranked)
    until = f"least(h.ends_at, {after.segment.ends_at})"
    # With `after` a handoff is read in its own segment only. A handoff that was decided at the instant of its handover
    # was never open: its interval is empty and does not hold.
    end = (
        f"case when h.ends_at < {after.segment.ends_at} then h.ends_at else 'infinity' end"
        if leaf.after
        else "h.ends_at"
    )
    return Sql(
        f"""select h.contact_id, {after.segment.number} as segment_no, h.starts_at, {until} as until,
  {until} > h.starts_at as holds, {end} as ends_at
from (
  select {facts.contact("h")} as contact_id, {at} as starts_at, {ends_at} as ends_at
  from handoff h {facts.merged_join("h")}
  where {at} <= {{}} and {{}} and {{}}
) h {{}}""",
        facts.as_of,
        facts.among("h.contact_id"),
        has_status,
        after.join,
    )
