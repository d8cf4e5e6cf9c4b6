"""The values of a filter over dimensions: those of closed sets have to be known, free texts are looked up.

The filter is rewritten with the values as they are stored: `email` becomes EMAIL, and Germany also finds DE.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from api.access.field_rights import field_name
from api.db import ReadSession
from api.metrics.context import MetricContext
from api.metrics.dimensions import dimension_table
from api.metrics.filtering.declared_values import declared_value
from api.metrics.filtering.filter_conditions import record_id_of
from api.metrics.filtering.record_filters import unknown_record_texts
from api.metrics.request import Where
from api.metrics.resolved_request import ResolvedKpiRequest
from api.plan.value_checks.known_values import (
    CHANNELS,
    RECORD_SETS,
    REJECT_REASONS,
    STAGE_GROUPS,
    STAGES,
    ClosedSet,
    UnknownText,
    country_values,
    require_column_values,
    require_record_ids,
    require_record_names,
    unknown_text,
    with_near_texts,
)
from api.plan.value_checks.storable_text import require_comparable
from api.sql import Sql, all_of, name
from schema.accord import Accord
from schema.kpis.company_sizes import COMPANY_SIZES, company_size
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject
from schema.tables import SHAPES
from schema.vocab import Channel, Currency, DealType

# For each value of a dimension, the stored values that it stands for.
_Stored = Mapping[Dimension, Mapping[str, tuple[str, ...]]]
_FREE_TEXTS = {
    Dimension.LEAD_SOURCE: ("contact", "lead_source"),
    Dimension.INDUSTRY: ("company", "industry"),
    Dimension.CAMPAIGN_TYPE: ("campaign", "type"),
    Dimension.PRODUCT_FAMILY: ("product", "family"),
    **{
        Dimension[word]: (declared.table, declared.column.name)
        for word, declared in DECLARED_DIMENSIONS.items()
        if declared.is_text
    },
}


_DEAL_TYPES = ClosedSet("type of deals", "types")
_CURRENCIES = ClosedSet("currency", "currencies")
_SIZES = ClosedSet("size of companies", "sizes")


async def with_known_values(session: ReadSession, request: ResolvedKpiRequest) -> ResolvedKpiRequest:
    """Return the request with the values of its filter as they are stored, and the free texts that no record ever had.

    Shapes: one ResolvedKpiRequest -> the same with another `where`. Reads a statement or two for each tested dimension.
    Errors: UNKNOWN_VALUE for a value that its closed set does not have, with the nearest; BAD_INPUT for an id of
            another table, and for a text that cannot be stored; those of `unknown_record_texts`.
    """
    stored: dict[Dimension, dict[str, tuple[str, ...]]] = {}
    unknown: list[UnknownText] = []
    for dimension, values in _values_of(request.where).items():
        for value in values:
            require_comparable(value, f"for `{field_name(dimension.value.lower())}`")
        if dimension in _FREE_TEXTS:
            table, column = _FREE_TEXTS[dimension]
            visible = _visible(request.context, table)
            found = [await unknown_text(session.value, table, column, value, visible) for value in values]
            unknown += [text for text in found if text is not None]
            continue
        if dimension is Dimension.COMPANY:
            unknown += await _unknown_companies(session, values, request.context)
            continue
        stored[dimension] = await _stored_values(session, request.kpi.subject, dimension, values, request.context)
    unknown += await unknown_record_texts(session, request)
    return replace(request, where=_rewritten(request.where, stored), unknown_values=tuple(unknown))


def _visible(context: MetricContext, table: str) -> list[Sql]:
    """The conditions that a row `x` of a table, or of its history where it has one, may be read."""
    if not SHAPES[table].has_history:
        return context.reach(table, "x")
    return context.reach_by_id(table, Sql("x.{}", name(f"{table}_id")))


async def _unknown_companies(session: ReadSession, values: Sequence[str], context: MetricContext) -> list[UnknownText]:
    """The names that no company within reach has. Ids are not looked up: hidden or not there is the same."""
    names = [value for value in values if record_id_of(Dimension.COMPANY, value, "company") is None]
    if not names:
        return []
    reach = context.reach("company", "x")
    visible = all_of((Sql("x.name = any ({}::text[])", names), *reach))
    found = await session.value(Sql("select array(select x.name from company x where {})", visible))
    known = frozenset(cast("list[str]", found))
    unknown = [UnknownText("company", "name", text) for text in names if text not in known]
    return [await with_near_texts(session.value, text, "company", reach) for text in unknown]


async def _stored_values(
    session: ReadSession, subject: Subject, dimension: Dimension, values: Sequence[str], context: MetricContext
) -> dict[str, tuple[str, ...]]:
    """What the values of a dimension are stored as. Errors: UNKNOWN_VALUE, BAD_INPUT."""
    same: dict[str, tuple[str, ...]] = {value: (value,) for value in values}
    if (table := dimension_table(subject, dimension)) is not None:
        await _require_records(session, dimension, table, values)
        return same
    if (declared := DECLARED_DIMENSIONS.get(dimension.value)) is not None:
        return {value: (declared_value(declared, value),) for value in values}
    accord = context.accord
    if (closed := _closed(dimension, accord)) is not None:
        return {value: (_word(*closed, value),) for value in values}
    match dimension:
        case Dimension.COMPANY_SIZE:
            return {value: (_size(value),) for value in values}
        case Dimension.REJECT_REASON:
            codes = [reason.code for reason in accord.reject_reasons]
            words = {value: REJECT_REASONS.word(value, codes) for value in values}
            unlisted = [value for value, word in words.items() if word is None]
            await require_column_values(
                session.value, "handoff", "reject_reason", unlisted, context.reach("handoff", "x")
            )
            return {value: (word or value,) for value, word in words.items()}
        case Dimension.COUNTRY:
            table = "contact" if subject is Subject.PERSON else "company"
            await require_column_values(session.value, table, "country", values, _visible(context, table))
            return {value: country_values(value) for value in values}
        case _:
            return same


async def _require_records(session: ReadSession, dimension: Dimension, table: str, values: Sequence[str]) -> None:
    if table not in RECORD_SETS:
        return
    ids = {value: record_id_of(dimension, value, table) for value in values}
    await require_record_ids(session.value, table, [record_id for record_id in ids.values() if record_id is not None])
    await require_record_names(session.value, table, [value for value, record_id in ids.items() if record_id is None])


def _closed(dimension: Dimension, accord: Accord) -> tuple[ClosedSet, Sequence[str]] | None:
    """The words that a dimension may have; None for one of other values."""
    match dimension:
        case Dimension.CHANNEL:
            return CHANNELS, tuple(Channel)
        case Dimension.DEAL_TYPE:
            return _DEAL_TYPES, tuple(DealType)
        case Dimension.CURRENCY:
            return _CURRENCIES, tuple(Currency)
        case Dimension.STAGE:
            return STAGES, [stage.key for stage in accord.stages]
        case Dimension.STAGE_GROUP:
            return STAGE_GROUPS, [stage.group for stage in accord.stages]
        case _:
            return None


def _size(text: str) -> str:
    size = company_size(text)
    if size is None:
        raise _SIZES.unknown(text, [size.value for size in COMPANY_SIZES])
    return size.value


def _word(closed: ClosedSet, known: Sequence[str], text: str) -> str:
    word = closed.word(text, known)
    if word is None:
        raise closed.unknown(text, known)
    return word


def _values_of(where: Where) -> dict[Dimension, list[str]]:
    """The values that a filter names, by dimension, each once."""
    found: dict[Dimension, dict[str, None]] = {}
    for dimension, value in _tested(where):
        found.setdefault(dimension, {})[value] = None
    return {dimension: list(values) for dimension, values in found.items()}


def _tested(where: Where) -> Iterator[tuple[Dimension, str]]:
    for dimension, values in where.tests:
        yield from ((dimension, value) for value in values if value is not None)
    for part in (*where.all_of, *where.any_of, *where.none_of):
        yield from _tested(part)


def _rewritten(where: Where, stored: _Stored) -> Where:
    """The filter with stored values; None stays the empty value."""
    tests = tuple(
        (dimension, _rewritten_values(values, stored.get(dimension, {}))) for dimension, values in where.tests
    )
    parts = (tuple(_rewritten(part, stored) for part in parts) for parts in (where.all_of, where.any_of, where.none_of))
    all_of, any_of, none_of = parts
    return Where(tests, all_of, any_of, none_of, where.records)


def _rewritten_values(values: tuple[str | None, ...], stored: Mapping[str, tuple[str, ...]]) -> tuple[str | None, ...]:
    found: dict[str | None, None] = {}
    for value in values:
        found.update(dict.fromkeys((None,) if value is None else stored.get(value, (value,))))
    return tuple(found)
