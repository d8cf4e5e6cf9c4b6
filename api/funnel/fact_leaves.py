"""The leaves over facts: touches, handoff, deal, stage. Each becomes rows of one stream.

A row `(contact_id, moment, leaf, d, fresh, runs_out)` adds `d` to how many intervals of the leaf hold from that moment
on. `fresh` marks a change of a fact that the leaf reads, `runs_out` an end by time alone. A leaf that did not stand
under `not` counts facts from inside the segment only: its intervals end with the segment they began in.
"""

from datetime import datetime, timedelta

from api.funnel.exits import segment_join
from api.funnel.ladder import Ladder, Rung
from api.sql import Sql, all_of
from schema.accord import DealFilter, StageReached, TouchFilter
from schema.vocab import HandoffStatus, Vocabulary


def touch_rows(
    number: int, what: TouchFilter, cut: int | None, as_of: datetime, *, is_negated: bool, is_needed: bool
) -> Sql:
    """Return rows for `touches`: from the n-th touch on, until the first of these n is too old."""
    until = Sql("nth + {}", _interval(what.within)) if what.within else Sql("'infinity'::timestamptz")
    nth = (
        Sql("at")
        if what.at_least == 1
        else Sql("lag(at, {}::int) over (partition by contact_id, no order by at)", what.at_least - 1)
    )
    return Sql(
        """select x.contact_id, e.moment, {}::int as leaf, e.d, e.fresh, e.runs_out
from (
  select contact_id, at, nth is not null and least({}, segment_end) > at as holds, least({}, segment_end) as until
  from (
    select contact_id, at, segment_end, {} as nth
    from (
      select t.contact_id, t.at, s.no, coalesce(s.ends_at, 'infinity') as segment_end
      from ({}) t {}
    ) placed
  ) counted
) x cross join lateral (
  values (at, holds::int, true, false), (until, -holds::int, false, {}::boolean)
) e (moment, d, fresh, runs_out)
where e.moment <= {} and {}""",
        number,
        until,
        until,
        nth,
        _touches(what, as_of),
        segment_join(None if is_negated else cut, "t.contact_id", "t.at"),
        is_negated and what.within is not None,
        as_of,
        Sql("x.holds") if is_needed and not is_negated else Sql("(x.holds or e.fresh)"),
    )


def _touches(what: TouchFilter, as_of: datetime) -> Sql:
    """Return the matching touchpoints, under the surviving contact."""
    tests = [Sql("p.occurred_at <= {}", as_of)]
    tests += [
        Sql(f"p.{column} = any({{}}::text[])", _words(words))
        for column, words in (("channel", what.channel), ("kind", what.kind), ("outcome", what.outcome))
        if words
    ]
    tests += [
        Sql(f"p.{column} = {{}}::text", word.value)
        for column, word in (("direction", what.direction), ("team_kind", what.team))
        if word is not None
    ]
    if what.campaign:
        tests.append(
            Sql("p.campaign_id in (select id from campaign where name = any({}::text[]))", list(what.campaign))
        )
    return Sql(
        "select coalesce(m.survivor_id, p.contact_id) as contact_id, p.occurred_at as at"
        " from touchpoint p left join funnel_merged m on m.contact_id = p.contact_id where {}",
        all_of(tests),
    )


def handoff_rows(number: int, status: HandoffStatus, cut: int | None, as_of: datetime, *, is_negated: bool) -> Sql:
    """Return rows for `handoff`: PROPOSED from handing over until the decision, the others from the decision on."""
    if status is HandoffStatus.PROPOSED:
        at, ends_at, wanted = "h.handed_at", "coalesce(h.decided_at, 'infinity')", Sql("true")
    else:
        at, ends_at, wanted = "h.decided_at", "'infinity'::timestamptz", Sql("h.status = {}", status.value)
    return Sql(
        f"""select x.contact_id, e.moment, {{}}::int as leaf, e.d, e.fresh, false as runs_out
from (
  select h.contact_id, h.at, h.ends_at, least(h.ends_at, coalesce(s.ends_at, 'infinity')) as until
  from (
    select coalesce(m.survivor_id, h.contact_id) as contact_id, {at} as at, {ends_at} as ends_at
    from handoff h left join funnel_merged m on m.contact_id = h.contact_id
    where {at} <= {{}} and {{}}
  ) h {{}}
) x cross join lateral (
  values (at, (until > at)::int, true), (until, -(until > at)::int, false), (ends_at, 0, true)
) e (moment, d, fresh)
where e.moment <= {{}}""",
        number,
        as_of,
        wanted,
        segment_join(None if is_negated else cut, "h.contact_id", "h.at"),
        as_of,
    )


def deal_rows(number: int, what: DealFilter, cut: int | None, as_of: datetime, *, is_negated: bool) -> Sql:
    """Return rows for `deal`: the stretches of a role in which what the rule reads of the deal stands still."""
    read = [
        "outcome",
        *(["pipeline"] if what.pipeline else []),
        *(["amount"] if what.amount_at_least is not None else []),
    ]
    changed = " or ".join(f"lag({each}) over w is distinct from {each}" for each in read)
    tests = [Sql("outcome = {}::text", what.state.value)]
    if what.pipeline:
        tests.append(Sql("pipeline = {}::text", what.pipeline))
    if what.amount_at_least is not None:
        tests.append(Sql("amount >= {}::numeric", what.amount_at_least))
    return Sql(
        f"""select x.contact_id, e.moment, {{}}::int as leaf, e.d, e.fresh, false as runs_out
from (
  select t.contact_id, t.starts_at, t.ends_at, least(t.ends_at, coalesce(s.ends_at, 'infinity')) as until, t.holds
  from (
    select contact_id, min(starts_at) as starts_at, max(ends_at) as ends_at, bool_and(holds)::int as holds
    from (
      select contact_id, role_id, deal_id, starts_at, ends_at, holds,
        count(*) filter (where is_new) over (partition by role_id, deal_id order by starts_at) as stretch
      from (
        select contact_id, role_id, deal_id, starts_at, ends_at, ({{}}) is true as holds,
          lag(ends_at) over w is distinct from starts_at or {changed} as is_new
        from ({{}}) p
        window w as (partition by role_id, deal_id order by starts_at)
      ) marked
    ) counted
    group by contact_id, role_id, deal_id, stretch
  ) t {{}}
) x cross join lateral (
  values (starts_at, holds, true), (until, -holds, false), (ends_at, 0, true)
) e (moment, d, fresh)
where (e.d <> 0 or e.fresh) and e.moment <= {{}}""",
        number,
        all_of(tests),
        _deal_pieces(as_of),
        segment_join(None if is_negated else cut, "t.contact_id", "t.starts_at"),
        as_of,
    )


def _deal_pieces(as_of: datetime) -> Sql:
    """Return the version rows of deals as the contacts with a role in them live them."""
    return Sql(
        """select * from (
  select coalesce(m.survivor_id, r.contact_id) as contact_id, r.contact_id as role_id, r.deal_id,
    greatest(coalesce(v.valid_from, v.recorded_at), r.since) as starts_at, coalesce(v.valid_to, 'infinity') as ends_at,
    v.outcome, v.amount, pipeline.name as pipeline
  from deal_contact r
  join deal d on d.id = r.deal_id and d.deleted_at is null
  join deal_version v on v.deal_id = r.deal_id
  left join funnel_merged m on m.contact_id = r.contact_id
  left join pipeline_stage on pipeline_stage.id = v.pipeline_stage_id
  left join pipeline on pipeline.id = pipeline_stage.pipeline_id
) v where starts_at < ends_at and starts_at <= {}""",
        as_of,
    )


def stage_rows(
    number: int, what: StageReached, ladder: Ladder, rung: Rung, as_of: datetime, *, is_negated: bool
) -> Sql:
    """Return rows for `stage`: from each entry of a lower stage on, own or implied by another one below this one."""
    lower = ladder.rung(what.stage)
    until = Sql("at + {}", _interval(what.within)) if what.within else Sql("'infinity'::timestamptz")
    return Sql(
        """select x.contact_id, e.moment, {}::int as leaf, e.d, e.fresh, e.runs_out
from (
  select t.contact_id, t.at, least({}, coalesce(s.ends_at, 'infinity')) as until
  from (
    select o.contact_id, min(o.moment) as at
    from funnel_own o {}
    where o.rank between {}::int and {}::int
    group by o.contact_id, s.no
  ) t {}
) x cross join lateral (values (at, 1, true, false), (until, -1, false, {}::boolean)) e (moment, d, fresh, runs_out)
where e.moment <= {}""",
        number,
        until,
        segment_join(lower.cut, "o.contact_id", "o.moment"),
        lower.rank,
        rung.rank - 1,
        segment_join(None if is_negated else rung.cut, "t.contact_id", "t.at"),
        is_negated and what.within is not None,
        as_of,
    )


def _interval(length: timedelta) -> Sql:
    """Elapsed time, independent of any zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def _words(words: tuple[Vocabulary, ...]) -> list[str]:
    return [word.value for word in words]
