"""Exits and the segments they cut: temp tables `funnel_exit` and `funnel_segment`, from facts alone.

A segment is `(exit, next exit]`, kept half-open with one microsecond added. Only contacts with an exit have rows.
"""

from dataclasses import dataclass
from datetime import datetime

from api.funnel.ladder import Ladder
from api.sql import Sql, join
from schema.accord import Accord, Exit
from schema.vocab import Disposition

EXIT_TABLE = Sql(
    "create temp table funnel_exit (contact_id uuid not null, at timestamptz not null, place int not null,"
    " kind text not null) on commit drop"
)

SEGMENT_TABLE = Sql(
    "create temp table funnel_segment (cut int not null, contact_id uuid not null, no int not null,"
    " starts_at timestamptz not null, ends_at timestamptz not null, closed_at timestamptz, exit_kind text)"
    " on commit drop"
)

# One open and one lost stretch of a deal, as the contacts with a role in it live them.
_DEAL_STATES = """with state as (
  select v.deal_id, v.outcome, coalesce(v.valid_from, v.recorded_at) as starts_at,
    coalesce(v.valid_to, 'infinity') as ends_at
  from deal_version v join deal d on d.id = v.deal_id and d.deleted_at is null
  where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity')
), role as (
  select distinct coalesce(m.survivor_id, r.contact_id) as contact_id, r.deal_id,
    coalesce(r.since, '-infinity') as since
  from deal_contact r left join funnel_merged m on m.contact_id = r.contact_id
), loss as (
  select deal_id, starts_at as at from (
    select deal_id, outcome, starts_at, lag(outcome) over w as before, lag(ends_at) over w as before_until
    from state window w as (partition by deal_id order by starts_at)
  ) s where outcome = 'LOST' and (before is distinct from 'LOST' or before_until <> starts_at)
)"""


def exit_statements(accord: Accord, as_of: datetime) -> tuple[Sql, ...]:
    """One insert into `funnel_exit` for each exit of the accord."""
    return tuple(
        _rejections(accord, each, place, as_of) if each.on == "HANDOFF_REJECTED" else _losses(place, as_of)
        for place, each in enumerate(accord.exits)
    )


def _rejections(accord: Accord, each: Exit, place: int, as_of: datetime) -> Sql:
    """Insert rejected handoffs whose reason has one of the exit's dispositions; a code that is not listed recycles."""
    closing = [reason.code for reason in accord.reject_reasons if reason.disposition in each.dispositions]
    others = [reason.code for reason in accord.reject_reasons if reason.disposition not in each.dispositions]
    if Disposition.RECYCLE in each.dispositions:
        listed = Sql("coalesce(h.reject_reason <> all({}::text[]), true)", others)
    else:
        listed = Sql("h.reject_reason = any({}::text[])", closing)
    return Sql(
        """insert into funnel_exit
select distinct coalesce(m.survivor_id, h.contact_id), h.decided_at, {}::int, 'HANDOFF_REJECTED'
from handoff h left join funnel_merged m on m.contact_id = h.contact_id
where h.status = 'REJECTED' and h.decided_at <= {} and {}""",
        place,
        as_of,
        listed,
    )


def _losses(place: int, as_of: datetime) -> Sql:
    """Insert the moments at which a deal is lost while the contact has no other open one."""
    return Sql(
        f"""{_DEAL_STATES}
insert into funnel_exit
select distinct role.contact_id, loss.at, {{}}::int, 'DEAL_LOST'
from loss join role on role.deal_id = loss.deal_id and role.since <= loss.at
where loss.at <= {{}} and not exists (
  select from role other join state on state.deal_id = other.deal_id and state.outcome = 'OPEN'
  where other.contact_id = role.contact_id and other.since <= loss.at
    and state.starts_at <= loss.at and loss.at < state.ends_at
)""",
        place,
        as_of,
    )


def segment_statements(ladder: Ladder) -> tuple[Sql, ...]:
    """One insert into `funnel_segment` for each cut: the stretches between its exits, the last one open.

    Where two exits fall on one instant, the one the accord lists first names the kind.
    """
    return tuple(
        Sql(
            """insert into funnel_segment
with cut as (
  select distinct on (contact_id, at) contact_id, at, kind from funnel_exit
  where place = any({}::int[]) order by contact_id, at, place
)
select {}::int, contact_id, row_number() over w - 1,
  coalesce(lag(at) over w + interval '1 microsecond', '-infinity'), at + interval '1 microsecond', at, kind
from cut window w as (partition by contact_id order by at)
union all
select {}::int, contact_id, count(*), max(at) + interval '1 microsecond', 'infinity', null, null
from cut group by contact_id""",
            list(places),
            number,
            number,
        )
        for number, places in enumerate(ladder.cuts)
    )


@dataclass(frozen=True, slots=True)
class SegmentLookup:
    """The segment that holds a moment: a join, and what to read then. A contact without exits has one, number null."""

    join: Sql
    number: str = "null::int"
    starts_at: str = "'-infinity'::timestamptz"
    ends_at: str = "'infinity'::timestamptz"


def segment_of(cut: int | None, contact: str, moment: str) -> SegmentLookup:
    """Find the segment `s` of a contact's moment; without a cut all of time is one."""
    if cut is None:
        return SegmentLookup(Sql(""))
    found = Sql(
        f"left join funnel_segment s on s.cut = {{}}::int and s.contact_id = {contact}"
        f" and {moment} >= s.starts_at and {moment} < s.ends_at",
        cut,
    )
    return SegmentLookup(found, "s.no", "coalesce(s.starts_at, '-infinity')", "coalesce(s.ends_at, 'infinity')")


def union_all(branches: list[Sql]) -> Sql:
    """Several selects as one."""
    return join("\nunion all\n", branches)
