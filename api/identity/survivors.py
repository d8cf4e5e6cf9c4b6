"""The surviving contact of a merge: facts of a merged contact count for its survivor.

Merges form chains (A into B, B into C). The survivor is the end of the chain. A chain that is a cycle has no survivor:
its contacts keep their own facts, and no KPI counts them.
"""

from api.sql import Sql


def survivors(among: Sql) -> Sql:
    """Select the merged contacts that fulfil a condition, each with its survivor: contact_id, survivor_id.

    `among` is a condition on the columns of `contact`. `union` instead of `union all` ends the recursion on a cycle.
    Cost: one pass over the merged contacts for each link of the longest chain.
    """
    return Sql(
        """with recursive chain (contact_id, survivor_id) as (
  select id, merged_into_id from contact where merged_into_id is not null and {}
  union
  select chain.contact_id, next.merged_into_id
  from chain join contact next on next.id = chain.survivor_id
  where next.merged_into_id is not null
)
select chain.contact_id, chain.survivor_id
from chain join contact survivor on survivor.id = chain.survivor_id
where survivor.merged_into_id is null""",
        among,
    )


SURVIVORS = survivors(Sql("true"))

# One row per survivor: survivor_id and `ids`, the array of all contacts merged into it, directly or through others.
MERGED_INTO = Sql(
    "select survivor_id, array_agg(contact_id) as ids from ({}) survivors group by survivor_id", SURVIVORS
)
