"""The SQL of each dimension of counted rows that are journeys: the same values as in `api.metrics.dimensions`.

The counted rows are `c`, with the columns of `carried_columns`. Only tables of a few rows are joined: members,
campaigns, pipeline stages and products, of which dimensions have today's values.
"""

from collections.abc import Iterable
from datetime import datetime

from api.metrics.dimensions import DimensionJoin, dimension_joins
from api.sql import Sql, join
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject

_OWNER_COLUMNS = ("owner_id", "owned_at")
_SHARED: dict[Dimension, tuple[str, ...]] = {
    Dimension.OWNER: _OWNER_COLUMNS,
    Dimension.TEAM: _OWNER_COLUMNS,
    Dimension.MANAGER: _OWNER_COLUMNS,
    Dimension.CURRENT_OWNER: ("current_owner_id",),
    Dimension.CURRENT_TEAM: ("current_owner_id",),
    Dimension.COMPANY: ("company_id",),
    Dimension.INDUSTRY: ("industry",),
    Dimension.COMPANY_SIZE: ("company_size",),
    Dimension.COUNTRY: ("country",),
    Dimension.CAMPAIGN: ("campaign_id",),
    Dimension.CAMPAIGN_TYPE: ("campaign_id",),
    Dimension.PARENT_CAMPAIGN: ("campaign_id",),
}
_COLUMNS: dict[Subject, dict[Dimension, tuple[str, ...]]] = {
    Subject.PERSON: {**_SHARED, Dimension.LEAD_SOURCE: ("lead_source",), Dimension.CHANNEL: ("channel",)},
    Subject.DEAL: {
        **_SHARED,
        Dimension.CHANNEL: ("campaign_id",),
        Dimension.PIPELINE: ("pipeline_stage_id",),
        Dimension.PIPELINE_STAGE: ("pipeline_stage_id",),
        Dimension.PRODUCT: ("product_id",),
        Dimension.PRODUCT_FAMILY: ("product_id",),
        Dimension.DEAL_TYPE: ("deal_type",),
        Dimension.CURRENCY: ("deal_currency",),
    },
}
# Columns that the counted rows have in any case, if their KPI has the dimension.
_OWN = {
    Dimension.STAGE: "stage",
    Dimension.STAGE_GROUP: "stage",
    Dimension.REJECT_REASON: "reject_reason",
    Dimension.RESPONDER: "responder_id",
}
# Values that today's rows of small tables have, by the alias of the table.
_OF_BOTH = {
    Dimension.TEAM: "m.team_id",
    Dimension.MANAGER: "m.manager_id",
    Dimension.CURRENT_TEAM: "n.team_id",
    Dimension.CAMPAIGN_TYPE: "g.type",
    Dimension.PARENT_CAMPAIGN: "g.parent_id",
}
_LOOKED_UP: dict[Subject, dict[Dimension, str]] = {
    Subject.PERSON: _OF_BOTH,
    Subject.DEAL: {
        **_OF_BOTH,
        Dimension.CHANNEL: "g.channel",
        Dimension.PIPELINE: "s.pipeline_id",
        Dimension.PRODUCT_FAMILY: "r.family",
    },
}


def have_journeys(subject: Subject, dimensions: Iterable[Dimension]) -> bool:
    """Whether journeys have the values of all the dimensions. Others are read from facts."""
    return all(dimension in _COLUMNS[subject] or dimension in _OWN for dimension in dimensions)


def carried_columns(subject: Subject, dimensions: Iterable[Dimension], row: str) -> Sql:
    """The columns of a journey that the dimensions of a request read, each after a comma."""
    return Sql("".join(f", {row}.{column}" for column in carried_names(subject, dimensions)))


def carried_names(subject: Subject, dimensions: Iterable[Dimension]) -> tuple[str, ...]:
    """The names of these columns."""
    chosen: dict[str, None] = {}
    for dimension in dimensions:
        chosen |= dict.fromkeys(_COLUMNS[subject].get(dimension, ()))
        if _reads(subject, dimension, DimensionJoin.VERSION):
            chosen |= dict.fromkeys(("has_no_version", "is_version_assumed"))
        if _reads(subject, dimension, DimensionJoin.EMPLOYER):
            chosen["is_company_assumed"] = None
    return tuple(chosen)


def journey_value(subject: Subject, dimension: Dimension, until: datetime) -> Sql:
    """The value of a dimension of the counted row `c`. Owners since `until` or later do not count."""
    looked_up = _LOOKED_UP[subject].get(dimension)
    if looked_up is not None:
        return Sql(looked_up)
    if dimension is Dimension.OWNER:
        return _owner(until)
    if dimension in _OWN:
        return Sql(f"c.{_OWN[dimension]}")
    (column,) = _COLUMNS[subject][dimension]
    return Sql(f"c.{column}")


def journey_joins(subject: Subject, dimensions: Iterable[Dimension], until: datetime) -> Sql:
    """The joins that the dimensions need, each of them once, of tables with few rows."""
    tables = {_LOOKED_UP[subject][dimension][0] for dimension in dimensions if dimension in _LOOKED_UP[subject]}
    known = {
        "m": Sql(" left join member m on m.id = {}", _owner(until)),
        "n": Sql(" left join member n on n.id = c.current_owner_id"),
        "g": Sql(" left join campaign g on g.id = c.campaign_id"),
        "s": Sql(" left join pipeline_stage s on s.id = c.pipeline_stage_id"),
        "r": Sql(" left join product r on r.id = c.product_id"),
    }
    return join("", (known[alias] for alias in known if alias in tables))


def is_undated_journey(subject: Subject, dimensions: Iterable[Dimension], until: datetime) -> Sql:
    """The condition of `is_undated`: a dimension has no value because the person's history begins later."""
    dated = [dimension for dimension in dimensions if _reads(subject, dimension, DimensionJoin.VERSION)]
    if not dated:
        return Sql("false")
    if all(_reads(subject, dimension, DimensionJoin.LATER_OWNER) for dimension in dated):
        return Sql("c.has_no_version and {} is null", _owner(until))
    return Sql("c.has_no_version")


def is_assumed_journey(subject: Subject, dimensions: Iterable[Dimension]) -> Sql:
    """The condition of `assumed_version`: a version that the dimensions read is assumed."""
    read = [*dimensions]
    tests = []
    if any(_reads(subject, dimension, DimensionJoin.VERSION) for dimension in read):
        tests.append(Sql("c.is_version_assumed"))
    if any(_reads(subject, dimension, DimensionJoin.EMPLOYER) for dimension in read):
        tests.append(Sql("c.is_company_assumed"))
    return Sql("({})", join(" or ", tests)) if tests else Sql("false")


def _owner(until: datetime) -> Sql:
    return Sql("case when c.owned_at is null or c.owned_at < {} then c.owner_id end", until)


def _reads(subject: Subject, dimension: Dimension, needed: DimensionJoin) -> bool:
    return needed in dimension_joins(subject, dimension)
