"""The touches of the people on a deal: of every contact with a role on it, and of those merged into one of them."""

from collections.abc import Sequence

from api.identity.survivors import MERGED_INTO, SURVIVORS
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of


def role_holders(request: ResolvedKpiRequest, deal: str) -> Sql:
    """A source `p` of the people with a role on a deal by `asOf`: `contact_id, ids, is_primary, since`.

    `contact_id` is the person, and `ids` are all contacts that are this person. It may name a person twice.
    """
    until = request.frame.until
    on_deal = "r.voided_at is null and (r.since is null or r.since < {})"
    if not request.context.has_merged_contacts:
        return Sql(
            f"(select r.contact_id, array[r.contact_id] as ids, r.is_primary, r.since, r.deal_id from deal_contact r"
            f" where {on_deal}) p on p.deal_id = {deal}",
            until,
        )
    return Sql(
        "(select coalesce(up.survivor_id, r.contact_id) as contact_id,"
        " coalesce(up.survivor_id, r.contact_id) || coalesce(mg.ids, '{{}}'::uuid[]) as ids, r.is_primary, r.since,"
        " r.deal_id from deal_contact r left join ({}) up on up.contact_id = r.contact_id"
        " left join ({}) mg on mg.survivor_id = coalesce(up.survivor_id, r.contact_id)"
        f" where {on_deal}) p on p.deal_id = {deal}",
        SURVIVORS,
        MERGED_INTO,
        until,
    )


def touches_of_deals(request: ResolvedKpiRequest, deals: Sql, columns: Sql, conditions: Sequence[Sql]) -> Sql:
    """Aggregate the touches `t` of the people on the deals `o` that meet conditions: `deal_id` and the columns.

    They are those within the principal's reach.
    """
    return Sql(
        "select o.deal_id, {} from {} o join {} join touchpoint t on t.contact_id = any (p.ids) where {}"
        " group by o.deal_id",
        columns,
        deals,
        role_holders(request, "o.deal_id"),
        all_of([Sql("t.voided_at is null"), *conditions, *request.context.reach("touchpoint", "t")]),
    )
