"""The person that a fact belongs to: touches, handoffs and reported stages of a merged contact are its survivor's."""

from datetime import datetime

from api.identity.survivors import MERGED_INTO, SURVIVORS
from api.metrics.context import MetricContext
from api.metrics.population import is_person_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, name


def person_of(context: MetricContext, row: str) -> tuple[Sql, Sql]:
    """The id of the person that the row of facts belongs to, and the join that finds it.

    The join costs the order of the index on the facts, so it is left out if no contact is merged.
    """
    own = Sql("{}.contact_id", name(row))
    if not context.has_merged_contacts:
        return own, Sql("")
    return (
        Sql("coalesce(mg.survivor_id, {})", own),
        Sql(" left join ({}) mg on mg.contact_id = {}", SURVIVORS, own),
    )


def belongs_to(context: MetricContext, fact: str, row: str) -> tuple[Sql, Sql]:
    """The condition that a fact belongs to the person of `row` or to a contact merged into them, and its join."""
    fact_of, own = Sql("{}.contact_id", name(fact)), Sql("{}.contact_id", name(row))
    if not context.has_merged_contacts:
        return Sql("{} = {}", fact_of, own), Sql("")
    # One array per survivor, so that the index on the facts' contact serves all of its ids.
    merged = Sql(" left join ({}) mg on mg.survivor_id = {}", MERGED_INTO, own)
    return Sql("{} = any ({} || coalesce(mg.ids, '{{}}'::uuid[]))", fact_of, own), merged


def counts(request: ResolvedKpiRequest, person: Sql) -> Sql:
    """The condition that a person belongs to the population of the request, and that the principal reaches them."""
    return all_of([is_person_of(request, person), *request.context.reach_by_id("contact", person)])


def in_parts(rows: Sql, boundaries: tuple[datetime, ...], at: Sql) -> Sql:
    """The rows `r`, once for the total (`part` is null) and, with boundaries, once more for their bucket."""
    if not boundaries:
        return Sql("select r.*, null::int as part from ({}) r", rows)
    return Sql(
        "select r.*, p.part from ({}) r cross join lateral"
        " (values (null::int), (width_bucket({}, {}::timestamptz[]))) p (part)",
        rows,
        at,
        list(boundaries),
    )
