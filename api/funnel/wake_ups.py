"""When a contact has to be evaluated again although no fact changes: table `wake_up`.

Time alone changes entries in two ways. A fact with an instant in the future begins to count at that instant. A leaf
turns true: silence a certain time after the last touch, and under `not` what has a window or a half-life, when its last
interval runs out.
"""

from api.funnel.exits import union_all
from api.funnel.ladder import Ladder
from api.funnel.leaves.fact_intervals import fact_intervals, runs_out, turns_true_by_time
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FieldConditions, normal_form
from api.funnel.own_moments import in_spans
from api.funnel.read_columns import read_columns
from api.sql import Sql


def wake_up_rows(ladder: Ladder, facts: VisibleFacts) -> Sql:
    """Select the next instant after `as_of` at which time alone may change the entries of a contact.

    Reads the tables of the derivation.

    Shapes: one row per contact that has such an instant: contact_id, at.
    """
    return Sql(
        "select contact_id, min(at) as at from (\n{}\n) w where at > {} group by contact_id",
        union_all([*_future_facts(ladder, facts), *_timed_leaves(ladder, facts)]),
        facts.as_of,
    )


def wake_up_tables(rows: Sql, among: Sql) -> tuple[tuple[str, Sql], ...]:
    """Return the common tables that replace the rows of `wake_up` of some contacts; `among` is a condition on `w`."""
    return (
        ("due", rows),
        (
            "cleared",
            Sql(
                "delete from wake_up w where {} and not exists (select from due where due.contact_id = w.contact_id)"
                " returning 1",
                among,
            ),
        ),
        (
            "scheduled",
            Sql(
                "insert into wake_up (contact_id, due_at) select contact_id, at from due"
                " on conflict (contact_id) do update set due_at = excluded.due_at"
                " where wake_up.due_at <> excluded.due_at returning 1"
            ),
        ),
    )


def _future_facts(ladder: Ladder, facts: VisibleFacts) -> list[Sql]:
    """Select the instants after `as_of` of the facts that the versions of the accord read."""
    read = read_columns(*ladder.accords)
    began, ended = "coalesce(v.valid_from, v.recorded_at)", "v.valid_to"
    sources: list[tuple[str, str, tuple[str, ...], Sql]] = [
        ("contact_version v", "v", (began, ended), facts.among("v.contact_id"))
    ]
    if "touchpoint" in read:
        sources.append(
            ("touchpoint p", "p", ("p.occurred_at",), Sql("p.voided_at is null and {}", facts.among("p.contact_id")))
        )
    if "reported_stage" in read:
        sources.append(
            ("reported_stage r", "r", ("coalesce(r.entered_at, r.recorded_at)",), facts.among("r.contact_id"))
        )
    if "handoff" in read:
        sources.append(("handoff h", "h", ("h.handed_at", "h.decided_at"), facts.among("h.contact_id")))
    if "deal" in read:
        versions = "deal_contact r join deal_version v on v.deal_id = r.deal_id"
        among = Sql("r.voided_at is null and {} and {}", facts.among("r.contact_id"), facts.among_deals("v.deal_id"))
        sources.append((versions, "r", ("r.since", began, ended), among))
    if "company" in read:
        versions = "contact_version c join company_version v on v.company_id = c.company_id"
        among = Sql("{} and {}", facts.among("c.contact_id"), facts.among_companies("v.company_id"))
        sources.append((versions, "c", (began, ended), among))
    # PostgreSQL inlines `values` of one row, and then finds touchpoints of the future by their index.
    return [
        Sql(
            f"""select {facts.contact(alias)} as contact_id, x.at
from {source} {facts.merged_join(alias)} cross join lateral (values {"(" + "), (".join(columns) + ")"}) x (at)
where x.at > {{}} and {{}}""",
            facts.as_of,
            among,
        )
        for source, alias, columns, among in sources
    ]


def _timed_leaves(ladder: Ladder, facts: VisibleFacts) -> list[Sql]:
    """Select when leaves turn true by time alone: where a silence begins, or the last interval under `not` ends."""
    found = []
    for ranked in ladder.stages:
        for leaf in normal_form(ranked.stage.rule).leaves:
            if isinstance(leaf.test, FieldConditions) or not turns_true_by_time(leaf.test, is_negated=leaf.is_negated):
                continue
            intervals = fact_intervals(leaf.test, ladder, ranked, facts, is_negated=leaf.is_negated, only_holding=True)
            if leaf.is_negated:
                turning = Sql(
                    "select contact_id, max(until) as at from ({}) x where holds and until < 'infinity' and {}"
                    " group by contact_id",
                    intervals,
                    runs_out(leaf.test, is_negated=True),
                )
            else:
                turning = Sql("select contact_id, starts_at as at from ({}) x where holds", intervals)
            if not ranked.has_all_time:
                turning = Sql("select * from ({}) w where {}", turning, in_spans("at", ranked.spans))
            found.append(turning)
    return found
