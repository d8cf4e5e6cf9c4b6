"""Deriving journeys: first entries and decided handoffs, with the values of all dimensions at their instants.

The statements of KPIs over facts stay the definition (`api.metrics.dimensions`, `api.metrics.kinds`); property tests
hold the answers from journeys equal to theirs.
"""

from api.access.exclusions import Exclusions
from api.funnel.journeys.company_size import size_of
from api.funnel.ladder import Ladder
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, join
from schema.kpis import CATALOGUE
from schema.kpis.measures.stages import Response
from schema.vocab import NotCountedReason

_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_IN_FORCE = f"{_BEGINS} <= e.at and ({{0}}.valid_to is null or {{0}}.valid_to > e.at)"
_IS_ASSUMED = "coalesce({0}.is_assumed and {0}.recorded_at > e.at, false)"
_NEXT_OWNER = "[width_bucket(e.at, o.owned_at) + 1]"
_IS_INBOUND = "t.direction = 'INBOUND' and t.voided_at is null"
_IS_RESPONSE = "t.direction = 'OUTBOUND' and not t.is_automated and t.voided_at is null"
_ENTRY = "e.stage, e.rank, e.is_entry, e.is_own, e.own_at, e.accord_version_id"
_HANDOFF = "e.handoff_id, e.status, e.reject_reason"
# The stages in which people wait for our first touch, by any KPI.
_WAITING = sorted({kpi.measure.base for kpi in CATALOGUE.values() if isinstance(kpi.measure, Response)})


def entry_rows(ladder: Ladder, entries: Sql, facts: VisibleFacts) -> Sql:
    """Select the journeys of the first entries of everybody: the columns of `ENTRIES`.

    `entries` has the columns of `derived_entries`; it is read twice.

    Shapes: entries -> one row per person, stage and instant at which a first entry counts.
    Source: api/README.md, "The evaluator".
    """
    more, joins = _of_entries(ladder, entries, facts, is_everybody=True)
    return _with_dimensions(ladder, facts, None, _counted_instants(entries), own=_ENTRY, more=more, joins=joins)


def handoff_rows(ladder: Ladder, facts: VisibleFacts) -> Sql:
    """Select the journeys of the decided handoffs of everybody: the columns of `HANDOFFS`."""
    more = Sql("e.decided_by_id as responder_id")
    return _with_dimensions(ladder, facts, None, _decisions(facts), own=_HANDOFF, more=more, joins=Sql(""))


def contact_rows(ladder: Ladder, entries: Sql, facts: VisibleFacts, among: Sql) -> Sql:
    """Select the journeys of both kinds of some contacts, in one pass: `handoff_id` distinguishes them.

    `facts` may be those of `fact_tables`; `among` is the condition that a contact `x` is one of those with entries.
    """
    instants = Sql(
        """select i.*, null::uuid as handoff_id, null as status, null as reject_reason, null::uuid as decided_by_id
from ({}) i
union all
select h.contact_id, null, null, h.at, false, false, null, null, h.handoff_id, h.status, h.reject_reason,
  h.decided_by_id
from ({}) h""",
        _counted_instants(entries),
        _decisions(facts),
    )
    more, joins = _of_entries(ladder, entries, facts, is_everybody=False)
    return _with_dimensions(ladder, facts, among, instants, own=f"{_ENTRY}, {_HANDOFF}", more=more, joins=joins)


def _of_entries(ladder: Ladder, entries: Sql, facts: VisibleFacts, *, is_everybody: bool) -> tuple[Sql, Sql]:
    """Return the columns that entries alone have, and their joins."""
    way = Sql(
        "\nleft join ({}) y on y.contact_id = e.contact_id and e.stage = {}",
        _ways(entries),
        ladder.accords[-1].stages[0].key,
    )
    responded, responder, responses = _responses(facts, is_everybody=is_everybody)
    # Of a handoff, the member is the one who decided.
    responder = responder if is_everybody else f"coalesce(e.decided_by_id, {responder})"
    ways = "y.top_rank, y.standing_rank, y.skipped, y.settled_at"
    return Sql(f"{responded} as responded_at, {responder} as responder_id, {ways}"), responses + way


def _decisions(facts: VisibleFacts) -> Sql:
    """Select the decided handoffs: contact_id, handoff_id, at, status, reject_reason, decided_by_id."""
    return Sql(
        f"""select {facts.contact("h")} as contact_id, h.id as handoff_id, h.decided_at as at, h.status,
  h.reject_reason, h.assigned_to_id as decided_by_id
from handoff h {facts.merged_join("h")} where h.decided_at is not null and {{}}""",
        facts.among("h.contact_id"),
    )


def _with_dimensions(
    ladder: Ladder, facts: VisibleFacts, among: Sql | None, instants: Sql, *, own: str, more: Sql, joins: Sql
) -> Sql:
    """Select instants `e` of contacts with the values of all dimensions, and with `more` columns from further joins."""
    merged_count, merged_join = _merged(facts)
    return Sql(
        f"""select e.contact_id, e.at as counted_at, {own}, {{}} as not_counted, {{}} as merged_count,
  case when x.touched_at <= e.at then x.channel end as channel,
  case when x.touched_at <= e.at then x.campaign_id end as campaign_id,
  v.lead_source, v.country, v.company_id, w.industry, {size_of("w.employees")} as company_size,
  coalesce(v.owner_id, o.owner_id{_NEXT_OWNER}) as owner_id,
  case when v.owner_id is null then o.owned_at{_NEXT_OWNER} end as owned_at, x.owner_id as current_owner_id,
  v.id is null as has_no_version, {_IS_ASSUMED.format("v")} as is_version_assumed,
  {_IS_ASSUMED.format("w")} as is_company_assumed, {{}}
from ({{}}) e
join ({{}}) x on x.id = e.contact_id
left join contact_version v on v.contact_id = e.contact_id and {_IN_FORCE.format("v")}
left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format("w")}
left join ({{}}) o on o.contact_id = e.contact_id{{}}{{}}""",
        *(_not_counted(ladder), merged_count, more, instants, _contacts(facts, among), _owners(), merged_join, joins),
    )


def _counted_instants(entries: Sql) -> Sql:
    """Select the instants at which first entries count: contact_id, stage, rank, at, is_entry, is_own, own_at."""
    # Occurrences are in the order of time, so that the earliest own instant is that of the first one with own facts.
    return Sql(
        """select e.contact_id, e.stage, e.rank, i.at, i.is_entry, i.at is not distinct from e.first_own_at as is_own,
  case when i.is_entry then e.own_at end as own_at, e.accord_version_id
from (select e.*, min(e.own_at) over (partition by e.contact_id, e.stage) as first_own_at from ({}) e) e
cross join lateral (values (e.entered_at, true), (e.own_at, false)) i (at, is_entry)
where case when i.is_entry then e.occurrence = 1
  else e.own_at = e.first_own_at and (e.occurrence > 1 or e.own_at > e.entered_at) end""",
        entries,
    )


def _ways(entries: Sql) -> Sql:
    """Select how far each person got, and when that last changed."""
    return Sql(
        """select contact_id, max(rank) as top_rank, max(rank) filter (where exited_at is null) as standing_rank,
  coalesce(bit_or(1::bigint << (rank - 1)) filter (where is_implied and occurrence = 1), 0) as skipped,
  greatest(max(entered_at), max(exited_at)) as settled_at
from ({}) e group by contact_id""",
        entries,
    )


def _not_counted(ladder: Ladder) -> Sql:
    """Why KPIs do not count the contact `x`, under the latest version of the accord."""
    reasons = Exclusions.of(ladder.accords[-1].reporting.exclude).reasons("contact", "x")
    merged = NotCountedReason.MERGED
    # Merged contacts with journeys of their own are those of a cycle: answers do not have their number.
    ordered = {merged: reasons.pop(merged), **reasons}
    cases = (Sql(f" when {{}} then '{reason}'", condition) for reason, condition in ordered.items())
    return Sql("case{} end", join("", cases))


def _merged(facts: VisibleFacts) -> tuple[Sql, Sql]:
    """Return the number of contacts that are merged into the person, and the join that counts them."""
    if not facts.has_merged:
        return Sql("0"), Sql("")
    return Sql("coalesce(n.merged_count, 0)"), Sql(
        "\nleft join (select survivor_id, count(*)::int as merged_count from funnel_merged group by survivor_id) n"
        " on n.survivor_id = e.contact_id"
    )


def _contacts(facts: VisibleFacts, among: Sql | None) -> Sql:
    """Select the contacts `x` with the first inbound touch of the person: touched_at, channel, campaign_id."""
    columns = "x.id, x.owner_id, x.is_test, x.is_internal, x.deleted_at, x.merged_into_id"
    if among is None and not facts.has_merged:
        # The index on inbound touches gives the first one of a person without sorting.
        return Sql(
            f"""select {columns}, f.touched_at, f.channel, f.campaign_id from contact x
left join lateral (
  select t.occurred_at as touched_at, t.channel, t.campaign_id from touchpoint t
  where t.contact_id = x.id and {_IS_INBOUND} order by t.occurred_at, t.id limit 1
) f on true"""
        )
    return Sql(
        f"""select {columns}, f.touched_at, f.channel, f.campaign_id from contact x
left join (
  select distinct on (1) {facts.contact("t")} as contact_id, t.occurred_at as touched_at, t.channel, t.campaign_id
  from touchpoint t {facts.merged_join("t")} where {_IS_INBOUND} and {{}}
  order by 1, t.occurred_at, t.id
) f on f.contact_id = x.id where {{}}""",
        facts.among("t.contact_id"),
        Sql("true") if among is None else among,
    )


def _owners() -> Sql:
    """Select the owners of each contact by its history, in the order of time: contact_id, owned_at, owner_id."""
    begins = _BEGINS.format("h")
    return Sql(
        f"""select h.contact_id, array_agg({begins} order by {begins}, h.id) as owned_at,
  array_agg(h.owner_id order by {begins}, h.id) as owner_id
from contact_version h where h.owner_id is not null and (h.valid_to is null or h.valid_to > {begins})
group by h.contact_id"""
    )


def _responses(facts: VisibleFacts, *, is_everybody: bool) -> tuple[str, str, Sql]:
    """Return our first touch since the instant `e`, which is not automated: its time, its member, and the join."""
    if is_everybody and not facts.has_merged:
        return (
            "r.occurred_at",
            "r.member_id",
            Sql(
                f"""
left join lateral (
  select t.occurred_at, t.member_id from touchpoint t
  where e.stage = any({{}}::text[]) and t.contact_id = e.contact_id and {_IS_RESPONSE} and t.occurred_at >= e.at
  order by t.occurred_at, t.id limit 1
) r on true""",
                _WAITING,
            ),
        )
    # All touches of a person in the order of time: the first one at the instant or after it has the place after those
    # before the instant. The join is a hash join, whatever the number of contacts.
    place = "[width_bucket(e.at - interval '1 microsecond', r.touched_at) + 1]"
    return (
        f"r.touched_at{place}",
        f"r.member_id{place}",
        Sql(
            f"""
left join (
  select {facts.contact("t")} as contact_id, array_agg(t.occurred_at order by t.occurred_at, t.id) as touched_at,
    array_agg(t.member_id order by t.occurred_at, t.id) as member_id
  from touchpoint t {facts.merged_join("t")} where {_IS_RESPONSE} and {{}} group by 1
) r on r.contact_id = e.contact_id and e.stage = any({{}}::text[])""",
            facts.among("t.contact_id"),
            _WAITING,
        ),
    )
