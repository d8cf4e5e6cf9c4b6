"""The example queries fit the available data."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from graphql import build_schema, parse, validate

from api.accord.documents import read_accord
from api.db import Database
from api.graph.contract import sdl
from api.metrics.available_data import AvailableData, available_data
from api.sql import Sql
from api.web.examples_route import examples_for
from api.web.screen_examples import GROUP
from api.workflows.adopt_accord import adopt_accord
from tests.web.test_screens import operation_name

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STANDARD = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")
SAMPLE = AvailableData("sample", STANDARD, date(2026, 2, 14))
OLIST = AvailableData("olist", ("mql", "customer"), date(2018, 5, 31))
OWN = AvailableData("hubspot", ("lead", "client"), None)
ALL = [SAMPLE, OLIST, OWN, AvailableData("own", ("only",), date(2020, 1, 1)), AvailableData()]


@pytest.mark.parametrize("data", ALL, ids=lambda data: str(data.preset))
def test_every_example_has_an_operation_name_and_a_title_of_its_own(data: AvailableData) -> None:
    examples = examples_for(data)
    names = [parse(example.query).definitions[0].to_dict()["name"]["value"] for example in examples]
    assert len(examples) >= 1
    assert len(set(names)) == len(names) == len({example.title for example in examples})


@pytest.mark.parametrize("data", ALL, ids=lambda data: str(data.preset))
def test_every_example_is_valid_against_the_schema(data: AvailableData) -> None:
    schema = build_schema(sdl())
    for example in examples_for(data):
        assert validate(schema, parse(example.query)) == [], example.title


def test_the_quarters_are_the_last_four_of_the_data() -> None:
    funnel = examples_for(SAMPLE)[0].query
    assert [line.strip() for line in funnel.splitlines() if "named" in line] == [
        'q2: funnel(period: {named: "2025-Q2"}) {',
        'q3: funnel(period: {named: "2025-Q3"}) {',
        'q4: funnel(period: {named: "2025-Q4"}) {',
        'q1: funnel(period: {named: "2026-Q1"}) {',
    ]
    assert 'range: {from: "2025-04-01", before: "2026-04-01"}' in examples_for(SAMPLE)[1].query


def test_the_lines_of_an_example_fit_the_editor() -> None:
    lines = {line for data in ALL for example in examples_for(data) for line in example.query.splitlines()}
    assert {line for line in lines if len(line) > 60} == set()


def test_olist_gets_a_query_by_lead_source_and_another_accord_one_with_its_own_stages() -> None:
    assert "by: [LEAD_SOURCE]" in examples_for(OLIST)[1].query
    assert 'stages: {from: "lead", to: "client"}' in examples_for(OWN)[1].query


def test_a_screen_without_a_required_value_is_left_out() -> None:
    def screens(data: AvailableData) -> set[str]:
        return {operation_name(example.query) for example in examples_for(data) if example.group == GROUP}

    record = AvailableData("sample", STANDARD, date(2026, 2, 14), {"contact": "contact_1"})
    assert screens(record) - screens(SAMPLE) == {"ContactPage"}
    assert screens(SAMPLE) - screens(OLIST) == {"KpiTiles", "TwoPeriods", "OverContacted"}
    assert "FunnelByChannel" in screens(OLIST) & screens(OWN)


async def test_an_empty_database_gets_the_catalogue_query_only(database: Database) -> None:
    async with database.read() as session:
        data = await available_data(session)
    assert data == AvailableData()
    assert ["kpiCatalogue" in example.query for example in examples_for(data)] == [True]


async def test_available_data_has_the_last_import_and_the_accord_in_force(
    database: Database,
) -> None:
    hour = timedelta(hours=1)
    async with database.write() as session:
        for preset, at in (("olist", NOON + hour), ("sample", NOON)):
            await session.run(
                Sql(
                    "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
                    " values ({}, {}, 'here', {}, {}, {})",
                    *(uuid4(), preset, at - hour, at, {}),
                )
            )
        await adopt_accord(session, read_accord("olist"))
    async with database.read() as session:
        assert await available_data(session) == AvailableData("olist", ("mql", "customer"), None)
