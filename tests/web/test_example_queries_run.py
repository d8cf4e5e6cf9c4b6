"""Every example query runs without an error on the data that it was chosen for."""

from datetime import date

import httpx

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.graph.contract import gateway
from api.metrics.available_data import available_data
from api.settings import LaneSizes
from api.sql import Sql
from api.traffic.lanes import Lanes
from api.traffic.traffic import Traffic
from api.web.examples_route import examples_for, examples_route
from api.web.identification import identify_local_operator
from api.web.screen_examples import SCREENS, STANDARD_SCREENS
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from api.workflows.make_sample import make_sample
from schema.access.rights import Reach
from schema.accord import Accord
from schema.base import new_id, now
from tests.support.graphql import executed


async def responses(database: Database) -> dict[str, dict[str, object]]:
    """Fetch the examples as GraphiQL does, and run all of them; the responses by title."""
    site = build_site(
        gateway(),
        lambda: database,
        identify_local_operator,
        routes=[examples_route(lambda: database, identify_local_operator, Traffic())],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        examples = (await client.get("/graphql/examples")).json()
        return {
            example["title"]: (
                await client.post("/graphql", json={"query": example["query"], "variables": example["variables"]})
            ).json()
            for example in examples
        }


async def test_the_examples_wait_in_the_light_lane(database: Database) -> None:
    traffic = Traffic(lanes=Lanes(LaneSizes(light=1, queue=0, wait_seconds=3)))
    site = build_site(
        gateway(),
        lambda: database,
        identify_local_operator,
        routes=[examples_route(lambda: database, identify_local_operator, traffic)],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        async with traffic.lanes.light:
            refused = await client.get("/graphql/examples")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
        assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
        assert (await client.get("/graphql/examples")).status_code == 200
    assert traffic.lanes.light.running == 0


async def test_the_examples_run_on_the_sample_company(database: Database) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=150, seed=1, until=date(2026, 6, 30))
    found = await responses(database)
    assert {title for title, response in found.items() if "errors" in response} == set()
    assert len(found) == 8 + len(SCREENS) + len(STANDARD_SCREENS)


async def test_the_examples_run_on_an_olist_import(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("olist"))
        await session.run(
            Sql(
                "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
                " values ({}, 'olist', 'here', {}, {}, {})",
                *(new_id(), now(), now(), {}),
            )
        )
        await evaluate(session)
    found = await responses(database)
    assert {title for title, response in found.items() if "errors" in response} == set()
    assert "Which lead sources turn into customers?" in found


async def test_the_examples_run_on_an_accord_with_other_stages(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, own_accord())
        await evaluate(session)
    found = await responses(database)
    assert {title for title, response in found.items() if "errors" in response} == set()
    assert "What share of the people get from the first stage to the last?" in found


async def test_the_examples_run_on_an_empty_database(database: Database) -> None:
    assert [response.keys() for response in (await responses(database)).values()] == [{"data"}]


def own_accord() -> Accord:
    """Olist's accord with other stage keys."""
    return Accord.model_validate_json(
        read_accord("olist").canonical().replace('"mql"', '"lead"').replace('"customer"', '"client"')
    )


async def test_the_examples_fit_who_reaches_and_reads_less(database: Database) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=150, seed=1, until=date(2026, 6, 30))
        newest = Sql("select owner_id from contact where owner_id is not null order by id limit 1")
        viewer = Principal(Reach.OWN, await session.value(newest))
    async with database.read() as session:
        data = await available_data(session, viewer)
        whole = await available_data(session, LOCAL_OPERATOR)
    assert data.records["contact"] != whole.records["contact"]
    assert data.word is None  # contacts are searched by their names and addresses
    for example in examples_for(data):
        found = await executed(database, example.query, viewer, **example.variables)
        assert found.errors is None, (example.title, found.errors)
    found = await executed(database, "query ($id: ID!) { node(id: $id) { id } }", viewer, id=data.records["contact"])
    assert found.data == {"node": {"id": data.records["contact"]}}
    async with database.read() as session:
        nobody = await available_data(session, Principal(Reach.OWN))
    assert nobody.records.keys() == {"campaign"}
