"""Every example question is answered without an error by the data that it was chosen for."""

from datetime import date

import httpx

from api.access.principal import EVERYONE
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.graph.contract import gateway
from api.sql import Sql
from api.web.examples_route import examples_route
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from api.workflows.make_sample import make_sample
from schema.accord import Accord
from schema.base import new_id, now


async def answers(database: Database) -> dict[str, dict[str, object]]:
    """Fetch the examples as GraphiQL does, and ask each of them."""
    site = build_site(gateway(), lambda _request: (database, EVERYONE), routes=[examples_route(lambda: database)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        examples = (await client.get("/graphql/examples")).json()
        return {
            example["title"]: (
                await client.post("/graphql", json={"query": example["query"], "variables": example["variables"]})
            ).json()
            for example in examples
        }


async def test_over_the_sample_company(database: Database) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=150, seed=1, until=date(2026, 6, 30))
    answered = await answers(database)
    assert {title for title, answer in answered.items() if "errors" in answer} == set()
    assert len(answered) == 8


async def test_over_an_olist_import(database: Database) -> None:
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
    answered = await answers(database)
    assert {title for title, answer in answered.items() if "errors" in answer} == set()
    assert "Which lead sources turn into customers?" in answered


async def test_over_an_accord_with_stages_of_its_own(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, own_accord())
        await evaluate(session)
    answered = await answers(database)
    assert {title for title, answer in answered.items() if "errors" in answer} == set()
    assert "What share of the people get from the first stage to the last?" in answered


async def test_over_an_empty_database(database: Database) -> None:
    assert [answer.keys() for answer in (await answers(database)).values()] == [{"data"}]


def own_accord() -> Accord:
    """Olist's accord under other names."""
    return Accord.model_validate_json(
        read_accord("olist").canonical().replace('"mql"', '"lead"').replace('"customer"', '"client"')
    )
