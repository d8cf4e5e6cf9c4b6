"""The example questions: what one would ask first of the data at hand, ready to run in GraphiQL."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.in_force import active_version
from api.db import ReadSession
from api.sql import Sql
from api.web import example_queries
from api.web.database_provider import DatabaseOf
from api.web.example_queries import Example

QUARTERS = 4


@dataclass(frozen=True, slots=True)
class DataAtHand:
    """What the choice of questions depends on: the last import, the accord's ladder, when people last came in."""

    preset: str | None = None
    stages: tuple[str, ...] = ()
    until: date | None = None


async def data_at_hand(session: ReadSession) -> DataAtHand:
    """Look at what is there. An empty database is data too: it has no preset, no stages and no end."""
    preset = await session.value(Sql("select preset from import_job order by finished_at desc, id desc limit 1"))
    version = await active_version(session)
    stages = tuple(stage.key for stage in version.accord.stages) if version else ()
    until = None
    if stages:
        until = await session.value(
            # Read from the index's end, whatever the size of the table.
            Sql(
                "select max(e.entered_at)::date from stage_entry e where e.evaluation_id = {} and e.stage = {}",
                CURRENT_EVALUATION,
                stages[0],
            )
        )
    return DataAtHand(preset, stages, until)


def examples_for(data: DataAtHand) -> tuple[Example, ...]:
    """The questions that fit: each of them runs against this data without an error."""
    return tuple(_chosen(data))


def examples_route(database_of: DatabaseOf) -> Route:
    """The route that GraphiQL makes its tabs from."""

    async def examples(_request: Request) -> Response:
        async with database_of().read() as session:
            found = examples_for(await data_at_hand(session))
        return JSONResponse([asdict(example) for example in found], headers={"Cache-Control": "no-store"})

    return Route("/graphql/examples", examples)


def _chosen(data: DataAtHand) -> Iterator[Example]:
    if not data.stages:
        yield example_queries.catalogue()
        return
    quarters = example_queries.quarters_up_to(data.until, QUARTERS) if data.until else ()
    yield example_queries.funnel(quarters)
    if {"mql", "customer"} <= set(data.stages):
        yield example_queries.by_source() if data.preset == "olist" else example_queries.by_channel(quarters)
    elif len(data.stages) > 1:
        yield example_queries.first_to_last(data.stages)
    yield example_queries.won_by_month()
    if data.preset != "olist" and "mql" in data.stages:
        yield example_queries.side_by_side(quarters)
    if data.preset != "olist" and {"mql", "customer"} <= set(data.stages):
        yield example_queries.behind(quarters)
    yield example_queries.people()
    yield example_queries.agreed()
    yield example_queries.catalogue()
