"""The switch `filterScope`: the filter applied to one end of a conversion, at the instant of that end."""

from dataclasses import replace

from api.metrics.counted_rows import keyed_rows
from api.metrics.kinds.stage_entries import carried
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.switch_words import FilterScope
from schema.vocab import Anchor


def is_tested_at_conversion(request: ResolvedKpiRequest) -> bool:
    """Whether a cohort's conversions have to pass the filter, each at its own instant."""
    is_of_conversion = request.filter_scope in (FilterScope.CONVERSION, FilterScope.BOTH)
    return request.anchor is Anchor.COHORT and is_of_conversion


def with_tested_conversions(request: ResolvedKpiRequest, cohort: Sql) -> Sql:
    """The rows of a cohort, in which a conversion that does not pass the filter is none."""
    if not is_tested_at_conversion(request):
        return cohort
    conversions = Sql(
        "select b.contact_id, b.target_at as at, b.at as base_at from ({}) b where b.target_at is not null", cohort
    )
    # A person who converted cannot convert any more, whether or not the conversion counts.
    return Sql(
        "select b.contact_id, b.at, b.is_implied, b.own_at,"
        " case when k.contact_id is not null then b.target_at end as target_at, b.target_own_at,"
        " b.may_convert and b.target_at is null as may_convert{} from ({}) b"
        " left join ({}) k on k.contact_id = b.contact_id and k.base_at = b.at",
        carried(request, "b"),
        cohort,
        _passing(request, conversions),
    )


def with_tested_end(request: ResolvedKpiRequest, rows: Sql, end: FilterScope) -> Sql:
    """The entries at one end of two counts of the period; if the filter is for this end alone, those that pass it."""
    is_for_it_alone = request.anchor is Anchor.PERIOD and request.filter_scope is end
    return _passing(request, rows) if is_for_it_alone else rows


def _passing(request: ResolvedKpiRequest, rows: Sql) -> Sql:
    return keyed_rows(replace(request, by=(), filter_scope=None), rows, ())
