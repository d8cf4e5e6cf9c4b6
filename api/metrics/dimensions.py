"""The SQL of each dimension: its value at the moment that it states, and the joins that the value needs.

`schema/kpis/dimensions.py` declares the moments.

Counted rows are `c`, with `at` and `contact_id` or `deal_id`. Every join finds at most one row for a counted row, so a
breakdown never counts twice: versions do not overlap, and the others join a primary key or are limited to one row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from api.funnel.journeys.company_size import size_of
from api.identity.survivors import MERGED_INTO
from api.metrics.context import MetricContext
from api.sql import Sql, join, name
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject

EMPTY_LABEL = "(empty)"


class DimensionJoin(Enum):
    """A join that a dimension value needs, and the alias it defines."""

    VERSION = auto()  # v: the version of the record at the counted instant
    EMPLOYER = auto()  # w: the version of its company at the counted instant
    COMPANY = auto()  # o: its company
    LATER_OWNER = auto()  # l: where that version has no owner, the next one that has
    OWNER = auto()  # m: its owner, or the later one
    PRESENT = auto()  # p: the record as it is today
    CURRENT_OWNER = auto()  # n: its owner today
    FIRST_TOUCH = auto()  # f: the person's first inbound touch
    CAMPAIGN = auto()  # g: the campaign of the first touch, or the deal's primary campaign
    PIPELINE_STAGE = auto()  # s: the deal's pipeline stage
    PRODUCT = auto()  # r: the deal's product


@dataclass(frozen=True, slots=True)
class DimensionColumn:
    """A dimension in SQL: its value, the joins it needs in order, and the table whose ids the values are."""

    value: Sql
    joins: tuple[DimensionJoin, ...] = ()
    table: str | None = None


_VERSIONS = ((DimensionJoin.VERSION, "v"), (DimensionJoin.EMPLOYER, "w"))
_VERSION, _FIRST_TOUCH = DimensionJoin.VERSION, DimensionJoin.FIRST_TOUCH
_EMPLOYER = (DimensionJoin.VERSION, DimensionJoin.EMPLOYER)
_FIRST_CAMPAIGN = (_FIRST_TOUCH, DimensionJoin.CAMPAIGN)
_PRIMARY_CAMPAIGN = (_VERSION, DimensionJoin.CAMPAIGN)
_RESPONSIBLE = (DimensionJoin.VERSION, DimensionJoin.LATER_OWNER)
_OWNER_ID = "coalesce(v.owner_id, l.owner_id)"
_SHARED: dict[Dimension, DimensionColumn] = {
    Dimension.OWNER: DimensionColumn(Sql(_OWNER_ID), _RESPONSIBLE, "member"),
    Dimension.TEAM: DimensionColumn(Sql("m.team_id"), (*_RESPONSIBLE, DimensionJoin.OWNER), "team"),
    Dimension.MANAGER: DimensionColumn(Sql("m.manager_id"), (*_RESPONSIBLE, DimensionJoin.OWNER), "member"),
    Dimension.CURRENT_OWNER: DimensionColumn(Sql("p.owner_id"), (DimensionJoin.PRESENT,), "member"),
    Dimension.CURRENT_TEAM: DimensionColumn(
        Sql("n.team_id"), (DimensionJoin.PRESENT, DimensionJoin.CURRENT_OWNER), "team"
    ),
    Dimension.COMPANY: DimensionColumn(Sql("o.id"), (_VERSION, DimensionJoin.COMPANY), "company"),
    Dimension.INDUSTRY: DimensionColumn(Sql("w.industry"), _EMPLOYER),
    Dimension.COMPANY_SIZE: DimensionColumn(Sql(size_of("w.employees")), _EMPLOYER),
}
RECORD_OF = {Subject.PERSON: "contact", Subject.DEAL: "deal"}  # the table of the records that are counted


def _declared(subject: Subject) -> dict[Dimension, DimensionColumn]:
    """The columns that tables declare as dimensions, as texts: of the counted record, and of its company."""
    versions = {RECORD_OF[subject]: ("v", (_VERSION,)), "company": ("w", _EMPLOYER)}
    return {
        Dimension[word]: DimensionColumn(Sql("{}.{}::text", name(alias), name(declared.column.name)), joins)
        for word, declared in DECLARED_DIMENSIONS.items()
        if declared.table in versions
        for alias, joins in [versions[declared.table]]
    }


_COLUMNS: dict[Subject, dict[Dimension, DimensionColumn]] = {
    Subject.PERSON: {
        **_SHARED,
        **_declared(Subject.PERSON),
        Dimension.STAGE: DimensionColumn(Sql("c.stage")),
        Dimension.STAGE_GROUP: DimensionColumn(Sql("c.stage")),  # whose group is that of the request's accord
        Dimension.REJECT_REASON: DimensionColumn(Sql("c.reject_reason")),
        Dimension.RESPONDER: DimensionColumn(Sql("c.responder_id"), table="member"),
        Dimension.LEAD_SOURCE: DimensionColumn(Sql("v.lead_source"), (_VERSION,)),
        Dimension.COUNTRY: DimensionColumn(Sql("v.country"), (_VERSION,)),
        Dimension.CHANNEL: DimensionColumn(Sql("f.channel"), (_FIRST_TOUCH,)),
        Dimension.CAMPAIGN: DimensionColumn(Sql("f.campaign_id"), (_FIRST_TOUCH,), "campaign"),
        Dimension.CAMPAIGN_TYPE: DimensionColumn(Sql("g.type"), _FIRST_CAMPAIGN),
        Dimension.PARENT_CAMPAIGN: DimensionColumn(Sql("g.parent_id"), _FIRST_CAMPAIGN, "campaign"),
    },
    Subject.DEAL: {
        **_SHARED,
        **_declared(Subject.DEAL),
        Dimension.COUNTRY: DimensionColumn(Sql("w.country"), _EMPLOYER),
        Dimension.CHANNEL: DimensionColumn(Sql("g.channel"), _PRIMARY_CAMPAIGN),
        Dimension.CAMPAIGN: DimensionColumn(Sql("v.primary_campaign_id"), (_VERSION,), "campaign"),
        Dimension.CAMPAIGN_TYPE: DimensionColumn(Sql("g.type"), _PRIMARY_CAMPAIGN),
        Dimension.PARENT_CAMPAIGN: DimensionColumn(Sql("g.parent_id"), _PRIMARY_CAMPAIGN, "campaign"),
        Dimension.PIPELINE: DimensionColumn(Sql("s.pipeline_id"), (_VERSION, DimensionJoin.PIPELINE_STAGE), "pipeline"),
        Dimension.PIPELINE_STAGE: DimensionColumn(Sql("v.pipeline_stage_id"), (_VERSION,), "pipeline_stage"),
        Dimension.PRODUCT: DimensionColumn(Sql("v.product_id"), (_VERSION,), "product"),
        Dimension.PRODUCT_FAMILY: DimensionColumn(Sql("r.family"), (_VERSION, DimensionJoin.PRODUCT)),
        Dimension.DEAL_TYPE: DimensionColumn(Sql("v.type"), (_VERSION,)),
        Dimension.CURRENCY: DimensionColumn(Sql("v.currency"), (_VERSION,)),
    },
}
# The dimensions whose values are records, with the table of these.
RECORD_DIMENSIONS: dict[Dimension, str] = {
    dimension: column.table for columns in _COLUMNS.values() for dimension, column in columns.items() if column.table
}
_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_IN_FORCE = f"{_BEGINS} <= c.at and ({{0}}.valid_to is null or {{0}}.valid_to > c.at)"
# Joins that neither the principal nor the instant of the request changes.
_PLAIN_JOINS = {
    DimensionJoin.VERSION: f"{{record}}_version v on v.{{record}}_id = c.{{record}}_id and {_IN_FORCE.format('v')}",
    DimensionJoin.OWNER: f"member m on m.id = {_OWNER_ID}",
    DimensionJoin.PRESENT: "{record} p on p.id = c.{record}_id",
    DimensionJoin.CURRENT_OWNER: "member n on n.id = p.owner_id",
    DimensionJoin.CAMPAIGN: "campaign g on g.id = {campaign}",
    DimensionJoin.PIPELINE_STAGE: "pipeline_stage s on s.id = v.pipeline_stage_id",
    DimensionJoin.PRODUCT: "product r on r.id = v.product_id",
}


def dimension_value(subject: Subject, dimension: Dimension) -> Sql:
    """The value of a dimension of the counted row `c`."""
    return _COLUMNS[subject][dimension].value


def dimension_table(subject: Subject, dimension: Dimension) -> str | None:
    """The table whose ids are the values of a dimension; None for a dimension of texts."""
    return _COLUMNS[subject][dimension].table


def dimension_joins(subject: Subject, dimension: Dimension) -> tuple[DimensionJoin, ...]:
    """The joins that the value of a dimension needs."""
    return _COLUMNS[subject][dimension].joins


def is_dated_by_version(subject: Subject, dimensions: Iterable[Dimension]) -> bool:
    """Whether one of the dimensions reads the record's history, which may begin after the counted instant."""
    return any(_VERSION in _COLUMNS[subject][dimension].joins for dimension in dimensions)


def is_undated(subject: Subject, dimensions: Iterable[Dimension]) -> Sql:
    """The condition that a row has no value of one of the dimensions because the record's history begins later."""
    dated = [dimension for dimension in dimensions if is_dated_by_version(subject, (dimension,))]
    if not dated:
        return Sql("false")
    has_later = all(DimensionJoin.LATER_OWNER in _COLUMNS[subject][dimension].joins for dimension in dated)
    return Sql("v.id is null and l.owner_id is null" if has_later else "v.id is null")


def assumed_version(subject: Subject, dimensions: Iterable[Dimension]) -> Sql:
    """The condition that a version which the dimensions read is assumed, see `stands_on_assumption`; else false."""
    needed = {needed for dimension in dimensions for needed in _COLUMNS[subject][dimension].joins}
    tests = [stands_on_assumption(alias, Sql("c.at")) for read, alias in _VERSIONS if read in needed]
    return Sql("({})", join(" or ", tests)) if tests else Sql("false")


def stands_on_assumption(version: str, at: Sql) -> Sql:
    """The condition that values of a version hold at an instant by assumption: it is assumed, and recorded later.

    From the instant on at which it was recorded, the source has confirmed its values.
    """
    row = name(version)
    return Sql("coalesce({}.is_assumed and {}.recorded_at > {}, false)", row, row, at)


def key_name(place: int) -> Sql:
    """The column of a counted row that has its value of the requested dimension in that place, from 1."""
    return name(f"key_{place}")


def joins(subject: Subject, dimensions: Iterable[Dimension], context: MetricContext, until: datetime) -> Sql:
    """The joins that the dimensions need, each of them once. Facts before `until` count."""
    needed = dict.fromkeys(needed for dimension in dimensions for needed in _COLUMNS[subject][dimension].joins)
    return join("", (_join(subject, join_needed, context, until) for join_needed in needed))


def _join(subject: Subject, needed: DimensionJoin, context: MetricContext, until: datetime) -> Sql:
    record = RECORD_OF[subject]
    match needed:
        case DimensionJoin.LATER_OWNER:
            return _later_owner(record, until)
        case DimensionJoin.EMPLOYER:
            return _employer(context)
        case DimensionJoin.COMPANY:
            return _company(context)
        case DimensionJoin.FIRST_TOUCH:
            return _first_touch(context)
        case _:
            campaign = "f.campaign_id" if subject is Subject.PERSON else "v.primary_campaign_id"
            return Sql(f" left join {_PLAIN_JOINS[needed].format(record=record, campaign=campaign)}")


def _later_owner(record: str, until: datetime) -> Sql:
    """The first owner after the counted instant, if nobody was responsible at it."""
    # `v.owner_id is null` is checked once, so versions are only searched for rows without an owner. Versions that end
    # as they begin never held.
    begins = _BEGINS.format("h")
    return Sql(
        f""" left join lateral (select h.owner_id from {record}_version h
    where v.owner_id is null and h.{record}_id = c.{record}_id and h.owner_id is not null
      and {begins} > c.at and {begins} < {{}} and (h.valid_to is null or h.valid_to > {begins})
    order by {begins}, h.id limit 1) l on true""",
        until,
    )


def _employer(context: MetricContext) -> Sql:
    """The company's version. Of a company out of reach none is found, so its values are empty."""
    reached = context.reach_by_id("company", Sql("w.company_id"))
    return Sql(
        f" left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format('w')}{{}}",
        join("", (Sql(" and {}", condition) for condition in reached)),
    )


def _company(context: MetricContext) -> Sql:
    """The company itself. One out of reach is not found, so that neither its id nor its name is revealed."""
    reached = join("", (Sql(" and {}", condition) for condition in context.reach("company", "o")))
    return Sql(" left join company o on o.id = v.company_id{}", reached)


def _first_touch(context: MetricContext) -> Sql:
    """The first inbound touch of a person ever, if it was not after the counted instant."""
    merged, own = Sql(""), Sql("t.contact_id = c.contact_id")
    if context.has_merged_contacts:
        # This join costs an aggregate over all merged contacts, so it is left out where there are none.
        merged = Sql(" left join ({}) mg on mg.survivor_id = c.contact_id", MERGED_INTO)
        own = Sql("t.contact_id = any (c.contact_id || coalesce(mg.ids, '{{}}'::uuid[]))")
    return Sql(
        """{} left join lateral (select t.channel, t.campaign_id from touchpoint t
    where {} and t.direction = 'INBOUND' and t.occurred_at <= c.at{} order by t.occurred_at, t.id limit 1) f on true""",
        merged,
        own,
        join("", (Sql(" and {}", condition) for condition in context.reach("touchpoint", "t"))),
    )
