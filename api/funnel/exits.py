"""Exits, and the segments that they cut a contact's time into: tables `funnel_exit` and `funnel_segment`.

Both follow from facts alone; no rule is evaluated for them. A segment is `(exit, next exit]`. It is stored half-open,
`[starts_at, ends_at)`, by adding one microsecond, which is the resolution of a timestamp. Only contacts with an exit
have rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.funnel.ladder import ClosingExit, CountedExit, Ladder, Span
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, join


def exit_rows(ladder: Ladder, facts: VisibleFacts) -> tuple[Sql, ...]:
    """One select of rows of `funnel_exit` for each exit. In which spans it counts is decided by `segment_rows`."""
    return tuple(
        _rejections(counted, position, facts) if counted.leaving.on == "HANDOFF_REJECTED" else _losses(position, facts)
        for position, counted in enumerate(ladder.exits)
    )


def _rejections(counted: CountedExit, position: int, facts: VisibleFacts) -> Sql:
    """Select the rejected handoffs whose reason has one of the exit's dispositions."""
    is_complement, codes = counted.closing_reasons
    # A comparison with a missing reason gives null.
    text = (
        "coalesce(h.reject_reason <> all({}::text[]), true)" if is_complement else "h.reject_reason = any({}::text[])"
    )
    is_closing = Sql(text, list(codes))
    return Sql(
        f"""select distinct {facts.contact("h")} as contact_id, h.decided_at as at, {{}}::int as position,
  'HANDOFF_REJECTED' as kind
from handoff h {facts.merged_join("h")}
where h.status = 'REJECTED' and h.decided_at <= {{}} and {{}} and {{}}""",
        position,
        facts.as_of,
        facts.among("h.contact_id"),
        is_closing,
    )


def _losses(position: int, facts: VisibleFacts) -> Sql:
    """Select the instants at which a deal is lost while the contact has no other open deal.

    A deal with a negative amount is no loss, and no open deal. If its amount turns out not to be negative after it was
    lost, it is lost at that instant.
    """
    # The lost deal needs no exclusion from `other`: at the instant of its loss it is not open any more. `distinct`,
    # because two deals may be lost at the same instant, which is one exit.
    return Sql(
        """{}
select distinct role.contact_id, loss.at, {}::int as position, 'DEAL_LOST' as kind
from loss join role on role.deal_id = loss.deal_id and role.since <= loss.at
where loss.at <= {} and not exists (
  select from role other join state on state.deal_id = other.deal_id and state.outcome = 'OPEN'
  where other.contact_id = role.contact_id and other.since <= loss.at
    and state.starts_at <= loss.at and loss.at < state.ends_at
)""",
        _deal_history(facts),
        position,
        facts.as_of,
    )


def _deal_history(facts: VisibleFacts) -> Sql:
    """Return the common tables that losses are found in.

    `state`: the history of every deal, whose outcome is null while its amount is negative: then the deal is neither
    open nor lost. `role`: who has a role in it, since when. `loss`: when it turned lost; a change of another column of
    a lost deal writes a new version row, which is no second loss.
    """
    return Sql(
        f"""with state as (
  select v.deal_id, case when v.amount < 0 then null else v.outcome end as outcome,
    coalesce(v.valid_from, v.recorded_at) as starts_at, coalesce(v.valid_to, 'infinity') as ends_at
  from deal_version v join deal d on d.id = v.deal_id and d.deleted_at is null
  where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity') and {{}} and {{}}
), role as (
  select distinct {facts.contact("r")} as contact_id, r.deal_id, coalesce(r.since, '-infinity') as since
  from deal_contact r {facts.merged_join("r")} where r.voided_at is null and {{}}
), loss as (
  select deal_id, starts_at as at from (
    select deal_id, outcome, starts_at, lag(outcome) over w as before, lag(ends_at) over w as before_until
    from state window w as (partition by deal_id order by starts_at)
  ) s where outcome = 'LOST' and (before is distinct from 'LOST' or before_until <> starts_at)
)""",
        facts.among_deals("v.deal_id"),
        facts.among_deals("d.id"),
        facts.among("r.contact_id"),
    )


def segment_rows(ladder: Ladder) -> tuple[Sql, ...]:
    """One select of rows of `funnel_segment` for each exit group: a segment up to each exit, and the open one behind.

    Where two exits fall on the same instant, the one that the accord lists first gives the segment its exit kind.
    """
    # The first branch has the segments that an exit closes, numbered from 0; the second the open one behind them, whose
    # number is therefore the count of exits.
    return tuple(
        Sql(
            """with boundary as (
  {}
)
select {}::int as exit_group, contact_id, (row_number() over w - 1)::int as segment_no,
  coalesce(lag(at) over w + interval '1 microsecond', '-infinity') as starts_at,
  at + interval '1 microsecond' as ends_at, at as closed_at, kind as exit_kind
from boundary window w as (partition by contact_id order by at)
union all
select {}::int, contact_id, count(*)::int, max(at) + interval '1 microsecond', 'infinity', null, null
from boundary group by contact_id""",
            _boundaries(closing),
            number,
            number,
        )
        for number, closing in enumerate(ladder.exit_groups)
    )


def _boundaries(closing: Sequence[ClosingExit]) -> Sql:
    """Select the instants at which the exits of a group close, once each, with the kind of the exit."""
    if all(exit_.spans == (Span(),) for exit_ in closing):
        return Sql(
            """select distinct on (contact_id, at) contact_id, at, kind from funnel_exit
  where position = any({}::int[]) order by contact_id, at, position""",
            [exit_.position for exit_ in closing],
        )
    # An exit is judged by the version in force at its instant, so one version gives all exits of an instant.
    spans = [(exit_, span) for exit_ in closing for span in exit_.spans]
    return Sql(
        """select distinct on (e.contact_id, e.at) e.contact_id, e.at, e.kind
  from funnel_exit e
  join unnest({}::int[], {}::int[], {}::timestamptz[], {}::timestamptz[]) c (position, priority, starts_at, ends_at)
    on c.position = e.position and e.at >= coalesce(c.starts_at, '-infinity')
    and e.at < coalesce(c.ends_at, 'infinity')
  order by e.contact_id, e.at, c.priority""",
        [exit_.position for exit_, _ in spans],
        [exit_.priority for exit_, _ in spans],
        [span.starts_at for _, span in spans],
        [span.ends_at for _, span in spans],
    )


@dataclass(frozen=True, slots=True)
class SegmentLookup:
    """How a statement finds the segment that contains a moment: a join, and the expressions to read from it.

    A contact without exits has one segment, which covers all of time and has no number.
    """

    join: Sql
    number: str = "null::int"
    starts_at: str = "'-infinity'::timestamptz"
    ends_at: str = "'infinity'::timestamptz"


def segment_of(exit_group: int | None, contact: str, moment: str) -> SegmentLookup:
    """Look up the segment, as `s`, that contains a contact's moment; without an exit group there is nothing to join."""
    if exit_group is None:
        return SegmentLookup(Sql(""))
    # A left join, because most contacts have no exit, hence no rows.
    found = Sql(
        f"left join funnel_segment s on s.exit_group = {{}}::int and s.contact_id = {contact}"
        f" and {moment} >= s.starts_at and {moment} < s.ends_at",
        exit_group,
    )
    return SegmentLookup(found, "s.segment_no", "coalesce(s.starts_at, '-infinity')", "coalesce(s.ends_at, 'infinity')")


def union_all(branches: list[Sql]) -> Sql:
    """Combine selects by `union all`."""
    return join("\nunion all\n", branches)
