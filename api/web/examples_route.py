"""The example queries that fit the available data, and the route that GraphiQL loads them from."""

from collections.abc import Iterator
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.metrics.available_data import AvailableData, available_data
from api.traffic.traffic import Traffic
from api.web import example_queries
from api.web.database_provider import DatabaseProvider
from api.web.example_queries import ExampleQuery
from api.web.identification import Identify
from api.web.screen_examples import screen_examples

QUARTERS = 4


def examples_for(data: AvailableData) -> tuple[ExampleQuery, ...]:
    """The example queries that fit. Each of them runs on this data without an error."""
    return tuple(_chosen(data))


def examples_route(database_of: DatabaseProvider, identify: Identify, traffic: Traffic) -> Route:
    """The route `/graphql/examples`, from which GraphiQL builds its tabs and its list of examples.

    They name stages, dates, the preset of the data and records within reach, so that only an identified caller
    receives them. They are a light request.
    """

    async def examples(request: Request) -> Response:
        who = await identify(request.scope)
        with traffic.running(request.receive):
            async with traffic.lanes.light, database_of().read() as session:
                queries = examples_for(await available_data(session, who))
        return JSONResponse([asdict(query) for query in queries], headers={"Cache-Control": "no-store"})

    return Route("/graphql/examples", examples)


def _chosen(data: AvailableData) -> Iterator[ExampleQuery]:
    if not data.stages:
        yield example_queries.kpi_catalogue()
        return
    quarters = example_queries.quarters_up_to(data.until, QUARTERS) if data.until else ()
    yield example_queries.funnel(quarters)
    if {"mql", "customer"} <= set(data.stages):
        # Olist's data set is usually analysed by its lead source (`origin`).
        yield (
            example_queries.conversion_by_source()
            if data.preset == "olist"
            else example_queries.conversion_by_channel(quarters)
        )
    elif len(data.stages) > 1:
        yield example_queries.first_to_last_stage(data.stages)
    yield example_queries.won_by_month()
    if data.preset != "olist" and "mql" in data.stages:
        yield example_queries.several_kpis(quarters)
    if data.preset != "olist" and {"mql", "customer"} <= set(data.stages):
        yield example_queries.counted_records(quarters)
    yield example_queries.contacts()
    yield example_queries.accord()
    yield example_queries.kpi_catalogue()
    yield from screen_examples(data)
