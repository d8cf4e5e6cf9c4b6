"""What each dimension reads, as of the counted instant, and how its values are shown.

The counted rows are `c`, with `at` and the `contact_id` or `deal_id`. Each join finds at most one row for a counted
one, so that a breakdown never counts twice: versions do not overlap, and the rest are primary keys or limited to one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from api.identity.survivors import MERGED_INTO
from api.metrics.ground import Ground
from api.sql import Sql, join, name
from schema.kpis.kinds import Subject
from schema.vocab import Dimension

EMPTY_LABEL = "(empty)"


@dataclass(frozen=True, slots=True)
class Axis:
    """A dimension in SQL: its value, the joins it needs in order, and the table whose ids the values are."""

    value: Sql
    joins: tuple[str, ...] = ()
    table: str | None = None


_IN_FORCE = "coalesce({0}.valid_from, {0}.recorded_at) <= c.at and ({0}.valid_to is null or {0}.valid_to > c.at)"
_EMPLOYER = Sql(f" left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format('w')}")
_OWNER = Sql(" left join member m on m.id = v.owner_id")
# A person's origin is the very first inbound touch, if it was not later than the counted instant.
_TOUCH = """ left join lateral (select t.channel, t.campaign_id from touchpoint t
    where {} and t.direction = 'INBOUND' and t.occurred_at <= c.at order by t.occurred_at, t.id limit 1) f on true"""
_OWN_TOUCH = Sql("t.contact_id = c.contact_id")
_MERGED = Sql(" left join ({}) mg on mg.survivor_id = c.contact_id", MERGED_INTO)
_MERGED_TOUCH = Sql("t.contact_id = any (c.contact_id || coalesce(mg.ids, '{{}}'::uuid[]))")

_VERSION = "version"
_SHARED: dict[Dimension, Axis] = {
    Dimension.OWNER: Axis(Sql("v.owner_id"), (_VERSION,), "member"),
    Dimension.TEAM: Axis(Sql("m.team_id"), (_VERSION, "owner"), "team"),
    Dimension.INDUSTRY: Axis(Sql("w.industry"), (_VERSION, "employer")),
}
AXES: dict[Subject, dict[Dimension, Axis]] = {
    Subject.PERSON: {
        **_SHARED,
        Dimension.STAGE: Axis(Sql("c.stage")),
        Dimension.REJECT_REASON: Axis(Sql("c.reject_reason")),
        Dimension.LEAD_SOURCE: Axis(Sql("v.lead_source"), (_VERSION,)),
        Dimension.COUNTRY: Axis(Sql("v.country"), (_VERSION,)),
        Dimension.CHANNEL: Axis(Sql("f.channel"), ("touch",)),
        Dimension.CAMPAIGN: Axis(Sql("f.campaign_id"), ("touch",), "campaign"),
    },
    Subject.DEAL: {
        **_SHARED,
        Dimension.COUNTRY: Axis(Sql("w.country"), (_VERSION, "employer")),
        Dimension.CHANNEL: Axis(Sql("g.channel"), (_VERSION, "campaign")),
        Dimension.CAMPAIGN: Axis(Sql("v.primary_campaign_id"), (_VERSION,), "campaign"),
        Dimension.PIPELINE: Axis(Sql("s.pipeline_id"), (_VERSION, "step"), "pipeline"),
        Dimension.PRODUCT: Axis(Sql("v.product_id"), (_VERSION,), "product"),
    },
}


def is_dated_by_version(subject: Subject, dimensions: Iterable[Dimension]) -> bool:
    """Whether one of them reads the record's own history, which may begin later than the counted instant."""
    return any(_VERSION in AXES[subject][dimension].joins for dimension in dimensions)


def key_name(place: int) -> Sql:
    """What a counted row calls its value of the asked dimension in that place, from 1."""
    return name(f"key_{place}")


def joins(subject: Subject, dimensions: Iterable[Dimension], ground: Ground) -> Sql:
    """The joins that the dimensions need, each once."""
    needed = dict.fromkeys(each for dimension in dimensions for each in AXES[subject][dimension].joins)
    return join("", (_join(subject, each, ground) for each in needed))


def _join(subject: Subject, needed: str, ground: Ground) -> Sql:
    match needed:
        case "version":
            record = "contact" if subject is Subject.PERSON else "deal"
            return Sql(f" left join {record}_version v on v.{record}_id = c.{record}_id and {_IN_FORCE.format('v')}")
        case "employer":
            return _EMPLOYER
        case "owner":
            return _OWNER
        case "touch":
            # Looking for merged people costs a join, so it is done only where there are any.
            return _MERGED + Sql(_TOUCH, _MERGED_TOUCH) if ground.has_merged_people else Sql(_TOUCH, _OWN_TOUCH)
        case "campaign":
            return Sql(" left join campaign g on g.id = v.primary_campaign_id")
        case "step":
            return Sql(" left join pipeline_stage s on s.id = v.pipeline_stage_id")
        case _:
            raise AssertionError(needed)
