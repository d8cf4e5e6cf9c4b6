"""Who is counted: the conditions that keep excluded records out of a number, and how many it leaves out, and why.

The same query of counted rows serves both: for the population EXCLUDED it has the rows of the few records that no KPI
counts, and each of them is counted under the reason that excludes it. A contact that is merged into another one has no
rows of its own: it is counted where a row of its survivor is.
"""

from collections.abc import Mapping
from dataclasses import replace

from api.identity.survivors import SURVIVORS
from api.metrics.answer import Excluded, ExcludedCount
from api.metrics.context import exclusions, is_excluded
from api.metrics.counted_rows import CountedRows, keyed_rows
from api.metrics.dimensions import RECORD_OF
from api.metrics.resolved_request import Population, ResolvedKpiRequest
from api.sql import Sql, name
from schema.kpis.kinds import Subject
from schema.vocab import NotCountedReason

_NEVER = name("never_counted")  # of the statement in which the population EXCLUDED is read
NOTHING_EXCLUDED = Excluded(count=0, reasons=())


def excluded_only(request: ResolvedKpiRequest) -> ResolvedKpiRequest:
    """The same request for the records that it leaves out, without a breakdown."""
    return replace(request, population=Population.EXCLUDED, by=())


def beside_excluded(request: ResolvedKpiRequest) -> ResolvedKpiRequest:
    """The same request for a statement that `with_excluded` completes: the query of excluded records serves both."""
    return replace(request, has_never_counted=True)


def is_person_of(request: ResolvedKpiRequest, person: Sql) -> Sql:
    """The condition that the person with an id belongs to the population of the request."""
    if request.population is Population.EXCLUDED:
        return Sql("{} in (select n.id from {} n)", person, _NEVER)
    # An anti-join on the primary key of contact: one hash over the few excluded contacts.
    excluded = is_excluded(request.context.accord)
    return Sql("not exists (select from contact x where x.id = {} and ({}))", person, excluded)


def excluded_person(request: ResolvedKpiRequest, person: Sql) -> list[Sql]:
    """For the population EXCLUDED, the condition that a fact is of its few people: so that no others are read.

    The rows are checked by `is_person_of` all the same, which takes less time once they are aggregated.
    """
    return [is_person_of(request, person)] if request.population is Population.EXCLUDED else []


def is_deal_of(request: ResolvedKpiRequest, deal: str, *, others: Sql | None = None) -> Sql:
    """The condition that the row `deal` belongs to the population of the request.

    `others` is a query of the ids of further deals that may be excluded.
    """
    if request.population is Population.EXCLUDED:
        never = Sql("select n.id from {} n", _NEVER)
        if others is not None:
            never = Sql("{} union all {}", never, others)
        return Sql("{}.id in ({})", name(deal), never)
    if request.has_never_counted:
        return Sql("{}.id not in (select n.id from {} n)", name(deal), _NEVER)
    return Sql("not ({})", exclusions(request.context.accord).is_never_counted("deal", deal))


def with_excluded(request: ResolvedKpiRequest, excluded: CountedRows, statement: Sql) -> Sql:
    """A statement whose every row also has `excluded`: the number of excluded records by reason, as a JSON object.

    `excluded` are the counted rows of `excluded_only(request)`; `statement` may be that of `beside_excluded(request)`.
    Besides the rows of the statement, for which `is_row` is true, there is one row if the statement has none.
    """
    if request.reads_journeys:
        return _with_excluded_journeys(request, excluded, statement)
    reason = Sql("x.reason")
    if excluded.is_negative is not None:
        reason = Sql(f"coalesce(x.reason, case when {{}} then '{NotCountedReason.NEGATIVE}' end)", excluded.is_negative)
    counts = Sql(
        "select {} as reason, count(*) as n from ({}) c left join {} x on x.id = c.{} where {} group by 1",
        reason,
        keyed_rows(excluded_only(request), excluded.rows, ()),
        _NEVER,
        name(f"{RECORD_OF[request.kpi.subject]}_id"),
        excluded.is_base,
    )
    return Sql(
        # Read by the counts and by the statement: it is evaluated once.
        "with {} as materialized ({}) select x.excluded, m.* from ("
        "select jsonb_object_agg(reason, n) filter (where reason is not null) as excluded from ({}) r) x"
        " left join (select true as is_row, s.* from ({}) s) m on true",
        _NEVER,
        _never_counted(request),
        counts,
        statement,
    )


def _with_excluded_journeys(request: ResolvedKpiRequest, excluded: CountedRows, statement: Sql) -> Sql:
    """The same for journeys, which have the reason; those of people also the number of contacts merged into them."""
    merged = NotCountedReason.MERGED
    reasons = Sql(f"(c.not_counted, 1), ('{merged}', c.merged_count)")
    if not request.is_about_contacts:
        negative = f"case when c.is_negative then '{NotCountedReason.NEGATIVE}' end"
        reasons = Sql(f"(coalesce(c.not_counted, {negative}), 1)")
    return Sql(
        "select x.excluded, m.* from (select jsonb_object_agg(r.reason, r.n) filter (where r.n > 0) as excluded from ("
        "select r.reason, sum(r.n)::bigint as n from ({}) c cross join lateral (values {}) r (reason, n)"
        f" where {{}} and r.reason is not null and (r.reason = '{merged}' and c.not_counted = '{merged}') is not true"
        " group by 1) r) x left join (select true as is_row, s.* from ({}) s) m on true",
        *(keyed_rows(excluded_only(request), excluded.rows, ()), reasons, excluded.is_base, statement),
    )


def read_excluded(found: Mapping[str, int] | None) -> Excluded:
    """What `with_excluded` returned."""
    counts = [ExcludedCount(reason=reason, count=n) for reason in NotCountedReason if (n := (found or {}).get(reason))]
    return Excluded(count=sum(excluded.count for excluded in counts), reasons=tuple(counts))


def _never_counted(request: ResolvedKpiRequest) -> Sql:
    """A query of the records that are never counted: `id, reason`, where `id` is the record that has their rows."""
    table = RECORD_OF[request.kpi.subject]
    never = exclusions(request.context.accord).never_counted(table)
    if request.kpi.subject is Subject.PERSON and request.context.has_merged_contacts:
        merged = Sql(f"select s.survivor_id, '{NotCountedReason.MERGED}' from ({{}}) s", SURVIVORS)
        return Sql("{} union all {}", never, merged)
    return never
