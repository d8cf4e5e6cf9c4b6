"""What a request costs before it runs: in the order of the rows that it reads, and refused over a limit."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.kpis.kpi_inputs import MAX_KPI_REQUESTS
from api.graph.pricing import kept_statistics
from api.graph.pricing.kept_statistics import CostStatistics, KeptStatistics
from api.graph.request import GraphQLRequest
from api.metrics.available_data import available_data
from api.metrics.pricing.kpi_work import KpiWork
from api.metrics.request import ComparedTo, KpiRequest, Period, Switches
from api.metrics.summing.store_sums import store_day_sums
from api.plan.cost.price import MAX_COST, ROWS_PER_UNIT, Price
from api.web.example_queries import ExampleQuery
from api.web.examples_route import examples_for
from api.workflows.make_sample import make_sample
from schema.kpis.comparisons import Comparand
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Exclusion
from tests.bench.cost.documents import DOCUMENTS
from tests.bench.cost.ranks import rank_correlation
from tests.support.graphql import executed, planned, refused
from tests.support.statement_log import LoggingDatabase

PEOPLE, UNTIL = 4_000, date(2026, 11, 1)
YEAR = Period(date(2025, 11, 1), UNTIL)
FROM_FACTS = Switches(exclusions=frozenset({Exclusion.TEST}))


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=PEOPLE, seed=5, until=UNTIL)
    async with module_database.snapshot() as session:
        await store_day_sums(session, datetime.now(UTC))
    async with module_database.write() as session:
        await session.connection.execute("analyze")
    return module_database


async def priced(database: Database, document: str, **variables: object) -> Price:
    request = GraphQLRequest(document, variables)
    validated = gateway().validated(request)
    assert not validated.errors, validated.errors
    return (await gateway().plan(database, request, validated, LOCAL_OPERATOR)).price


async def rows_read(database: Database, document: str) -> float:
    """Return how many rows PostgreSQL handles for a document, by the plans of its statements as they ran."""
    watched = LoggingDatabase(database)
    outcome = await executed(watched, document)
    assert outcome.errors is None, outcome.errors
    statements = [*watched.texts, *(statement.render() for statement in watched.statements)]
    total = 3_000.0 * len(statements)
    async with database.read() as session:
        for text, values in statements:
            plan = await session.connection.fetchval(
                f"explain (analyze, timing off, costs off, format json) {text}", *values
            )
            total += sum(map(_handled, _nodes(plan[0]["Plan"])))
    return total


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _handled(node: Mapping[str, Any]) -> float:
    removed = sum(value for key, value in node.items() if key.startswith("Rows Removed"))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


async def test_costs_have_the_order_of_the_rows_that_documents_read(company: Database) -> None:
    works = [(await priced(company, document)).work for document in DOCUMENTS.values()]
    rows = [await rows_read(company, document) for document in DOCUMENTS.values()]
    assert len(works) >= 50
    assert rank_correlation(works, rows) >= 0.8


@pytest.mark.parametrize(
    ("lighter", "heavier", "times"),
    [
        ("a page", "three levels", 3),
        ("a page", "a page by an unindexed order", 3),
        ("a count of people", "a filter by a list", 10),
        ("groups of touchpoints", "fifteen groups of touchpoints", 12),
        ("a count of touchpoints", "a filter through five links", 5),
        ("a KPI by channel", "a KPI from facts", 3),
        ("a KPI of a month from facts", "all history from facts", 2),
        ("a board", "a board from facts", 10),
        ("a funnel", "a funnel from facts", 4),
    ],
)
async def test_what_reads_more_costs_more(lighter: str, heavier: str, times: float, company: Database) -> None:
    light, heavy = [await priced(company, DOCUMENTS[title]) for title in (lighter, heavier)]
    assert heavy.work > times * light.work


def test_a_unit_is_a_number_of_rows_and_nothing_costs_less_than_one() -> None:
    assert [Price(work).cost for work in (0, ROWS_PER_UNIT, ROWS_PER_UNIT + 1)] == [1, 1, 2]


# ------------------------------------------------------------------------------------------------------------ limits


async def test_a_request_over_the_limit_is_refused_before_it_runs(company: Database) -> None:
    groups = "touchpoints(first: 0) { groupBy(keys: [{channel: EACH}]) { count } }"
    document = "{ " + " ".join(f"a{number}: {groups}" for number in range(15)) + " }"
    async with company.write() as session:
        await session.connection.execute(
            "update pg_class set reltuples = 500000 * relpages where oid = 'touchpoint'::regclass"
        )
    try:
        # Another object for the same database, whose statistics are read anew.
        grown = LoggingDatabase(company)
        request = GraphQLRequest(document)
        price = (await planned(grown, request)).price
        assert price.cost > MAX_COST
        assert not grown.texts
        for asked in (document, document.replace("{ a0", "{ kpiCatalogue { key } a0")):
            error = await refused(grown, asked)
            assert isinstance(error, AccordError)
            assert error.code is ErrorCode.TOO_LARGE
            assert "The request costs " in error.message
            assert f"{MAX_COST:,}" in error.message
        assert not grown.texts
        assert (await executed(grown, "{ contacts(first: 2) { nodes { id } } }")).errors is None
    finally:
        async with company.write() as session:
            await session.connection.execute("analyze touchpoint")


async def test_examples_and_screens_are_affordable_for_a_million_people(company: Database) -> None:
    async with company.read() as session:
        examples = examples_for(await available_data(session, LOCAL_OPERATOR))
    async with company.write() as session:
        await session.connection.execute(
            f"update pg_class set reltuples = reltuples * {1_000_000 // PEOPLE}"
            " where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
    try:
        grown = LoggingDatabase(company)
        costs = {example.title: (await _price_of(grown, example)).cost for example in examples}
    finally:
        async with company.write() as session:
            await session.connection.execute("analyze")
    assert len(costs) > 15
    assert max(costs.values()) > 100  # the sizes are those of many people
    assert {title: cost for title, cost in costs.items() if cost > MAX_COST / 2} == {}


async def _price_of(database: Database, example: ExampleQuery) -> Price:
    return await priced(database, example.query, **example.variables)


async def test_a_request_has_at_most_so_many_kpi_requests(company: Database) -> None:
    document = "query ($requests: [KpiRequest!]!) { a: kpis(requests: $requests) { n } kpi(key: MQLS) { n } }"
    most = [{"key": "MQLS"}] * (MAX_KPI_REQUESTS - 1)
    assert (await executed(company, document, requests=most)).errors is None
    error = await refused(company, document, requests=[*most, {"key": "SQLS"}])
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    assert f"more than {MAX_KPI_REQUESTS} KPI requests" in error.message


async def test_a_response_states_the_cost_of_what_was_read(company: Database) -> None:
    assert "cost" not in (await executed(company, "{ viewer { name } kpiCatalogue { key } }")).extensions
    for document in ("{ contacts(first: 3) { nodes { id } } }", "{ kpi(key: MQLS) { value } }"):
        cost = (await executed(company, document)).extensions["cost"]
        price = await priced(company, document)
        assert (cost["requested"], cost["limit"]) == (price.cost, MAX_COST)
        assert cost["records"]["requested"] == price.records


async def test_an_invalid_request_costs_the_least(company: Database) -> None:
    assert (await priced(company, "query ($id: ID!) { contact(id: $id) { id } }", id=None)).cost == 1
    assert (await priced(company, "{ kpi(key: WIN_RATE, by: [LEAD_SOURCE, LEAD_SOURCE]) { value } }")).cost <= 3


async def test_a_mutation_costs_as_much_as_its_rows(company: Database) -> None:
    document = (
        "mutation ($rows: [UpsertCompanyRow!]!) { upsertCompanies(input: {rows: $rows}) { userErrors { code } } }"
    )
    one, many = [await priced(company, document, rows=[_row(n) for n in range(count)]) for count in (1, 101)]
    assert many.work == one.work + 100 * 5_000


async def test_rows_cost_the_same_however_they_are_given(company: Database) -> None:
    rows = [_row(number) for number in range(101)]
    literal = ", ".join(
        f'{{externalKey: {{source: "crm", externalId: "{number}"}}, name: $name}}' for number in range(101)
    )
    selected = "{ userErrors { code } }"
    costs = [
        await priced(
            company,
            f"mutation ($input: UpsertCompaniesInput!) {{ upsertCompanies(input: $input) {selected} }}",
            input={"rows": rows},
        ),
        await priced(
            company,
            f"mutation ($name: String) {{ upsertCompanies(input: {{rows: [{literal}]}}) {selected} }}",
            name="A company",
        ),
        await priced(
            company,
            f"mutation ($row: UpsertCompanyRow!) {{ ...All }} fragment All on Mutation {{"
            f" upsertCompanies(input: {{rows: [{'$row ' * 101}]}}) {selected} }}",
            row=rows[0],
        ),
    ]
    assert {price.work for price in costs} == {50_000 + 101 * 5_000}


def _row(number: int) -> dict[str, object]:
    return {"externalKey": {"source": "crm", "externalId": str(number)}, "name": "A company"}


# -------------------------------------------------------------------------------------------------------------- KPIs


@pytest.fixture(scope="module")
async def work(company: Database) -> KpiWork:
    statistics = await KeptStatistics().of(company)
    return KpiWork(statistics.sizes, statistics.context)


def test_a_kpi_costs_more_from_journeys_than_from_day_sums_and_more_from_facts(work: KpiWork) -> None:
    sums = KpiRequest("mqls", YEAR, by=(Dimension.CHANNEL,))
    at = replace(sums, switches=Switches(as_of=datetime(2026, 10, 31, 12, tzinfo=UTC)))
    facts = replace(sums, switches=FROM_FACTS)
    large = replace(work, sizes=replace(work.sizes, row_counts={t: 50 * n for t, n in work.sizes.row_counts.items()}))
    costs = [large.of_kpi(request) for request in (sums, at, facts)]
    assert costs[0] * 2 < costs[1]
    assert costs[1] * 2 < costs[2]
    # Day sums are as many whatever the number of people.
    assert costs[0] == work.of_kpi(sums)


def test_a_comparison_is_two_answers_and_a_short_period_reads_less(work: KpiWork) -> None:
    year = KpiRequest("mql_to_customer", YEAR, switches=FROM_FACTS)
    compared = replace(year, compare_to=ComparedTo(Comparand.PREVIOUS_PERIOD))
    week = replace(year, period=Period(date(2026, 10, 1), date(2026, 10, 8)))
    assert work.of_kpi(compared) > 1.8 * work.of_kpi(year)
    assert work.of_kpi(week) < work.of_kpi(year)


def test_an_unknown_kpi_and_a_database_without_an_accord_cost_little(work: KpiWork) -> None:
    assert work.of_kpi(KpiRequest("none")) < ROWS_PER_UNIT
    assert KpiWork(work.sizes, None).of_kpi(KpiRequest("mqls")) < ROWS_PER_UNIT


# -------------------------------------------------------------------------------------------------------- statistics


class CountingDatabase(LoggingDatabase):
    """A database that counts how often its statistics are read."""

    reads = 0

    @asynccontextmanager
    async def read(self, *, timeout_ms: int | None = None) -> AsyncIterator[ReadSession]:
        self.reads += 1
        async with super().read(timeout_ms=timeout_ms) as session:
            yield session


async def test_statistics_are_read_once_and_again_after_a_while(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, kept = CountingDatabase(company), KeptStatistics()
    first = await kept.of(database)
    assert [await kept.of(database) for _ in range(3)] == [first] * 3
    assert database.reads == 1
    monkeypatch.setattr(kept_statistics, "REFRESH_SECONDS", 0.0)
    later = KeptStatistics()
    old = await later.of(database)
    again = await later.of(database)
    assert database.reads == 3
    # The same sizes: plans that were priced by the former statistics stay.
    assert again.generation == old.generation


class HangingDatabase(CountingDatabase):
    """A database that never returns its statistics while it `hangs`."""

    hangs = True

    @asynccontextmanager
    async def read(self, *, timeout_ms: int | None = None) -> AsyncIterator[ReadSession]:
        async with super().read(timeout_ms=timeout_ms) as session:
            if self.hangs:
                await asyncio.sleep(60)
            yield session


async def test_requests_run_without_statistics_that_cannot_be_read(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_statistics, "LONGEST_SECONDS", 0.05)
    database, kept = HangingDatabase(company), KeptStatistics()
    for _ in range(2):
        assert (await kept.of(database)).generation == 0
    assert database.reads == 1
    # Nor does a client that leaves meanwhile keep others from reading them.
    monkeypatch.setattr(kept_statistics, "RETRY_SECONDS", 0.0)
    other = KeptStatistics()
    left = asyncio.create_task(other.of(database))
    await asyncio.sleep(0.01)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    database.hangs = False
    monkeypatch.setattr(kept_statistics, "LONGEST_SECONDS", 5.0)
    assert (await other.of(database)).generation > 0


async def test_a_request_costs_no_statement_for_its_price(company: Database) -> None:
    database = CountingDatabase(company)
    for _ in range(3):
        assert (await executed(database, "{ contacts(first: 2) { nodes { id } } }")).is_json
    assert len(database.texts) == 3
    assert database.reads == 1


def test_statistics_that_moved_are_others(work: KpiWork) -> None:
    context = work.context
    assert context is not None
    now = CostStatistics(work.sizes, context, 1)
    more = {table: rows * 1.05 for table, rows in work.sizes.row_counts.items()}
    much = {**work.sizes.row_counts, "touchpoint": work.sizes.rows("touchpoint") * 2}
    assert now.is_like(CostStatistics(replace(work.sizes, row_counts=more), context, 2))
    assert not now.is_like(CostStatistics(replace(work.sizes, row_counts=much), context, 2))
    assert not now.is_like(CostStatistics(work.sizes, replace(context, journeys_of=None), 2))
    assert now.is_like(CostStatistics(work.sizes, replace(context, now=context.now + timedelta(hours=1)), 2))


async def test_sizes_are_known_before_a_table_is_analyzed(company: Database) -> None:
    async with company.write() as session:
        await session.connection.execute("update pg_class set reltuples = -1, relpages = 0 where relname = 'contact'")
    try:
        found = (await KeptStatistics().of(company)).sizes
    finally:
        async with company.write() as session:
            await session.connection.execute("analyze contact")
    assert PEOPLE / 3 < found.rows("contact") < PEOPLE * 5
