"""Whether the stage that a source reports of a person is the one that the accord finds."""

from datetime import datetime

from api.metrics.facts import person_of, who_count
from api.metrics.moments import Moments, moments, part_and_moment, parts_between
from api.metrics.question import Question
from api.sql import Sql


def compared_rows(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """One row a person of whom a stage is reported and part, `contact_id, part, at, agrees`."""
    ends = moments(question, boundaries)
    return Sql(
        "select r.* from (with reported as materialized ({})"
        " select r.contact_id, {}, coalesce(s.stage = r.stage, false) as agrees from reported r"
        " left join {}) r where {}",
        _reported(question, ends),
        part_and_moment(ends, Sql("r.place")),
        _standing(question, ends),
        who_count(question, Sql("r.contact_id")),
    )


def _reported(question: Question, ends: Moments) -> Sql:
    """The last stage reported of each person: of two at one instant the higher; an undated one as of its recording."""
    person, joined = person_of(question, "r")
    stages, at = [stage.key for stage in question.ground.accord.stages], Sql("coalesce(r.entered_at, r.recorded_at)")
    dated = Sql(
        "select {} as contact_id, r.stage, r.id, {} as at, array_position({}::text[], r.stage) as rank"
        " from reported_stage r{} where r.stage is not null and {} < {}",
        person,
        at,
        stages,
        joined,
        at,
        ends[-1],
    )
    followed = Sql(
        "select contact_id, stage, at, lead(at) over (partition by contact_id order by at, rank nulls first, id)"
        " as next_at from ({}) r",
        dated,
    )
    held = parts_between(ends, Sql("r.at"), Sql("coalesce(r.next_at, 'infinity')"))
    return Sql("select r.contact_id, r.stage, place from ({}) r cross join lateral {} place", followed, held)


def _standing(question: Question, ends: Moments) -> Sql:
    """The stage `s` that each person `r` stands in, joined: the highest whose entry is open.

    At one moment each is looked up; at many, one pass over a person's entries sees them all.
    """
    if len(ends) == 1:
        return Sql(
            "lateral (select e.stage from stage_entry e where e.evaluation_id = {} and e.contact_id = r.contact_id"
            " and e.entered_at < {} and (e.exited_at is null or e.exited_at >= {})"
            " order by e.rank desc limit 1) s on true",
            question.ground.evaluation,
            ends[0],
            ends[0],
        )
    held = parts_between(ends, Sql("e.entered_at"), Sql("coalesce(e.exited_at, 'infinity')"))
    return Sql(
        "(select distinct on (e.contact_id, place) e.contact_id, place, e.stage from stage_entry e"
        " cross join lateral {} place where e.evaluation_id = {}"
        " and e.contact_id in (select contact_id from reported) order by e.contact_id, place, e.rank desc) s"
        " on s.contact_id = r.contact_id and s.place = r.place",
        held,
        question.ground.evaluation,
    )
