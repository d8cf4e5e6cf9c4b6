"""Ids of answers: a KPI's answer can be cached by its id and fetched again."""

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.graph.contract import build_schema
from api.graph.kpis.answer_ids import MAX_ARGUMENTS, answer_id, parse_answer_id
from api.graph.kpis.kpi_inputs import DIMENSION_FIELDS
from api.metrics.dimensions import RECORD_DIMENSIONS
from api.metrics.periods.period_names import named_period
from api.metrics.request import (
    ALL_HISTORY,
    FunnelRequest,
    KpiRequest,
    Period,
    StagePair,
    Switches,
    Where,
)
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, Exclusion, FilterScope
from schema.vocab import Anchor, Grain, Reentry, Skip
from tests.metrics.test_period_names import PERIOD_NAMES
from tests.support.graphql import answered, put, refused, uid

SCHEMA = build_schema()._schema
ANSWER = "id key value n numerator series { period value } breakdown { keys { value } n } isCanonical overrides"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        start = datetime(2026, 3, 1, tzinfo=UTC)
        for number in (1, 2, 3):
            await put(session, "contact", {"id": uid(number), "country": "DE", "effective_at": start})
            touch = {"id": uid(10 + number), "contact_id": uid(number), "kind": "FORM", "direction": "INBOUND"}
            await put(session, "touchpoint", touch | {"occurred_at": start, "recorded_at": start})
            deal = {"id": uid(20 + number), "outcome": "LOST" if number == 1 else "WON", "opened_at": start}
            closed = start + timedelta(days=number)
            await put(session, "deal", deal | {"closed_at": closed, "effective_at": closed})
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    return module_database


def values_of(dimension: Dimension) -> st.SearchStrategy[tuple[str | None, ...]]:
    table = RECORD_DIMENSIONS.get(dimension)
    if table is None:
        known = st.text("aä'\"%", max_size=3)
    else:
        known = st.integers(1, 5).map(lambda number: f"{table}_{uid(number)}")
    return st.lists(known, max_size=3).map(tuple) | st.just((None,))


TESTS = st.sampled_from(list(DIMENSION_FIELDS.values())).flatmap(lambda one: st.tuples(st.just(one), values_of(one)))
WHERES = st.recursive(
    st.builds(Where, tests=st.tuples(TESTS)),
    lambda parts: st.builds(
        Where,
        all_of=st.lists(parts, max_size=2).map(tuple),
        any_of=st.lists(parts, max_size=2).map(tuple),
        none_of=st.lists(parts, max_size=2).map(tuple),
    ),
    max_leaves=6,
)
DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))
PERIODS = (
    st.just(ALL_HISTORY)
    | DAYS.map(lambda day: Period(day, day + timedelta(days=40)))
    | st.sampled_from(PERIOD_NAMES).map(named_period)
)
SWITCHES = st.builds(
    Switches,
    anchor=st.none() | st.sampled_from(Anchor),
    reentry=st.none() | st.sampled_from(Reentry),
    skip=st.none() | st.sampled_from(Skip),
    window=st.none() | st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    as_of=st.none() | st.datetimes(datetime(1990, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - of the zone beside it
    timezone=st.none() | st.just("Europe/Berlin"),
    censoring=st.none() | st.sampled_from(Censoring),
    exclusions=st.none() | st.frozensets(st.sampled_from(Exclusion)),
    currency_rule=st.none() | st.sampled_from(CurrencyRule),
    filter_scope=st.none() | st.sampled_from(FilterScope),
    cycle_start=st.none() | st.sampled_from(CycleStart),
) | st.just(Switches(has_no_window=True))
BY = st.lists(st.sampled_from(Dimension), max_size=2, unique=True).map(tuple)
REQUESTS = st.builds(
    KpiRequest,
    key=st.sampled_from(sorted(CATALOGUE)),
    period=PERIODS,
    grain=st.none() | st.sampled_from(Grain),
    by=BY,
    stages=st.none() | st.just(StagePair("mql", "customer")),
    where=WHERES,
    switches=SWITCHES,
) | st.builds(FunnelRequest, period=PERIODS, by=BY, where=WHERES, switches=SWITCHES)


@given(REQUESTS)
def test_an_id_names_its_request(request_: KpiRequest | FunnelRequest) -> None:
    id_ = answer_id(request_)
    read = parse_answer_id(id_, SCHEMA)
    assert answer_id(read) == id_
    assert type(read) is type(request_)
    assert (read.period, read.by, read.switches) == (request_.period, request_.by, request_.switches)
    if isinstance(read, KpiRequest) and isinstance(request_, KpiRequest):
        assert (read.key, read.grain, read.stages) == (request_.key, request_.grain, request_.stages)


def holds(where: Where, row: dict[Dimension, str | None]) -> bool:
    """Whether a row, by dimension, passes a filter, by the definition of its parts."""
    return (
        all(row[dimension] in values for dimension, values in where.tests)
        and all(holds(part, row) for part in where.all_of)
        and (not where.any_of or any(holds(part, row) for part in where.any_of))
        and not any(holds(part, row) for part in where.none_of)
    )


@given(WHERES, st.data())
def test_the_filter_of_an_id_keeps_the_same_rows(where: Where, data: st.DataObject) -> None:
    read = parse_answer_id(answer_id(FunnelRequest(where=where)), SCHEMA).where
    row = {
        dimension: data.draw(values_of(dimension).map(lambda values: values[0] if values else None))
        for dimension in DIMENSION_FIELDS.values()
    }
    assert holds(read, row) == holds(where, row)


async def ids_of(world: Database, *requests: str) -> list[str]:
    fields = " ".join(f"k{number}: kpi({request}) {{ id }}" for number, request in enumerate(requests))
    found: dict[str, Any] = await answered(world, f"{{ {fields} }}")
    return [one["id"] for one in found.values()]


async def test_requests_that_mean_the_same_have_the_same_id(world: Database) -> None:
    same = await ids_of(
        world,
        'key: WIN_RATE, period: {named: "2026-Q1"}, where: {country: {in: ["DE", "SE"]}, industry: {eq: "toys"}}',
        'key: WIN_RATE, period: {range: {from: "2026-01-01", before: "2026-04-01"}}, grain: null,'
        ' where: {and: [{industry: {in: ["toys", "toys"]}}, {country: {in: ["SE", "DE"]}}]}, switches: {}',
    )
    assert len(set(same)) == 1
    other = await ids_of(world, "key: WIN_RATE", "key: DEALS_WON", "key: WIN_RATE, grain: MONTH")
    assert len({*other, same[0]}) == 4


@pytest.mark.parametrize(
    "request_",
    [
        'kpi(key: DEALS_WON, grain: QUARTER, by: [OWNER], where: {not: {country: {eq: "DE"}}})',
        'kpi(key: STAGE_CONVERSION, stages: {from: "mql", to: "customer"}, switches: {window: {none: true}})',
        'kpi(key: WIN_RATE, switches: {asOf: "2026-06-01T00:00:00+02:00", timezone: "Europe/Berlin"})',
    ],
)
async def test_node_computes_the_answer_of_an_id_again(request_: str, world: Database) -> None:
    first = (await answered(world, f"{{ kpi: {request_} {{ {ANSWER} }} }}"))["kpi"]
    document = f"query ($id: ID!) {{ node(id: $id) {{ __typename id ... on KpiAnswer {{ {ANSWER} }} }} }}"
    again = (await answered(world, document, id=first["id"]))["node"]
    assert again == {"__typename": "KpiAnswer", **first}


async def test_node_computes_a_funnel_and_the_records_behind_it(world: Database) -> None:
    fields = "id stages { key reached records { totalCount nodes { id } } } breakdown { keys { label } }"
    first = (await answered(world, f"{{ funnel(by: [COUNTRY], top: 1) {{ {fields} }} }}"))["funnel"]
    document = f"query ($id: ID!) {{ node(id: $id) {{ ... on FunnelAnswer {{ {fields} }} }} }}"
    assert (await answered(world, document, id=first["id"]))["node"] == first


def forged(arguments: object, prefix: str = "kpi_answer_") -> str:
    return prefix + base64.urlsafe_b64encode(orjson.dumps(arguments)).decode().rstrip("=")


@pytest.mark.parametrize(
    "id_",
    [
        "kpi_answer_",
        "kpi_answer_!!!",
        "kpi_answer_é",
        f"kpi_answer_{uid(1)}",
        forged([]),
        forged({}),
        forged({"key": "NOPE"}),
        forged({"key": "WIN_RATE", "other": 1}),
        forged({"key": "WIN_RATE", "grain": None}),
        forged({"key": "WIN_RATE", "period": {"range": {"from": "2026-02-30", "before": "2026-03-01"}}}),
        forged({"key": "WIN_RATE", "where": {"campaign": {"in": ["nope"]}}}),
        forged({"key": "WIN_RATE", "where": {"country": {"eq": "DE"}}}),
        forged({"key": "WIN_RATE"}, "funnel_answer_"),
        forged({"key": "WIN_RATE"}) + "A" * 20_000,
    ],
)
async def test_a_forged_id_is_refused(id_: str, world: Database) -> None:
    error = await refused(world, "query ($id: ID!) { node(id: $id) { id } }", id=id_)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


async def test_a_filter_that_is_nested_too_deeply_is_refused(world: Database) -> None:
    where: dict[str, Any] = {}
    for _ in range(200):
        where = {"not": where}
    id_ = forged({"key": "WIN_RATE", "where": where})
    error = await refused(world, "query ($id: ID!) { node(id: $id) { id } }", id=id_)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE


async def test_the_id_of_a_long_request_is_a_digest_that_node_explains(world: Database) -> None:
    names = [f"country {number}" for number in range(MAX_ARGUMENTS // 10)]
    document = "query ($names: [String!]) { kpi(key: WIN_RATE, where: {industry: {in: $names}}) { id } }"
    first = (await answered(world, document, names=names))["kpi"]["id"]
    assert len(first) < 100
    assert first != (await answered(world, document, names=names[1:]))["kpi"]["id"]
    error = await refused(world, "query ($id: ID!) { node(id: $id) { id } }", id=first)
    assert isinstance(error, AccordError)
    assert "too long" in error.message
