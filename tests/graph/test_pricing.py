"""What a request costs before it runs: in the order of the rows that it reads, and refused over a limit."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.graph.contract import gateway
from api.graph.request import GraphQLRequest
from api.metrics.request import Period, Switches
from api.metrics.summing.store_sums import store_day_sums
from api.plan.cost.price import Price
from api.workflows.make_sample import make_sample
from schema.kpis.switch_words import Exclusion
from tests.bench.cost.documents import DOCUMENTS
from tests.bench.cost.ranks import rank_correlation
from tests.support.graphql import executed
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
    return await gateway().price(database, request, validated, LOCAL_OPERATOR)


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
    works, rows = [], []
    for document in DOCUMENTS.values():
        works.append((await priced(company, document)).work)
        rows.append(await rows_read(company, document))
    for t, w, r in zip(DOCUMENTS, works, rows):
        print(f"{t:45} {w:10.0f} {r:10.0f}")
    print(rank_correlation(works, rows))
    assert rank_correlation(works, rows) >= 0.8
