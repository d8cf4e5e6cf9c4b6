"""The spans of a deal end where its company changes what a dimension says: by an example worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.request import KpiRequest, Period, Switches
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id
from schema.clauses.reporting import Reporting
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Currency, Grain
from tests.metrics.test_journeys import answers
from tests.support.journeys import derive_journeys

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ACME, BOLT = UUID(int=71), UUID(int=72)
AT_ACME, AT_BOLT, AT_NONE = UUID(int=101), UUID(int=102), UUID(int=103)
COMPANY = (Dimension.COMPANY_SIZE, Dimension.INDUSTRY, Dimension.COUNTRY)
Group = tuple[str | None, str | None, str | None]  # the size, the industry and the country of the company
UNKNOWN: Group = (None, None, None)
SMALL: Group = ("1-10", "Retail", "DE")
LARGER: Group = ("51-250", "Retail", "DE")
ELSEWHERE: Group = ("51-250", "Software", "FR")
STILL: Group = ("11-50", "Retail", "DE")
# Acme is known from 20 January on, grows, is deleted for some days, and comes back with another industry and country.
SIZES: list[tuple[UUID, str, str | None, int, str, str]] = [
    (ACME, "01-20T00:00", "02-10T06:00", 8, "Retail", "DE"),
    (ACME, "02-10T06:00", "02-25T00:00", 60, "Retail", "DE"),
    (ACME, "03-05T00:00", None, 60, "Software", "FR"),
    (BOLT, "01-01T00:00", None, 20, "Retail", "DE"),
]
DEALS: list[tuple[UUID, UUID | None, str, str | None, str, int]] = [
    (AT_ACME, ACME, "01-10T00:00", "02-20T00:00", "OPEN", 100),
    (AT_ACME, ACME, "02-20T00:00", "04-01T00:00", "OPEN", 250),
    (AT_ACME, ACME, "04-01T00:00", None, "WON", 250),
    (AT_BOLT, BOLT, "01-10T00:00", None, "OPEN", 1000),
    (AT_NONE, None, "01-10T00:00", None, "OPEN", 40),
]
# By the pencil: the spans of the deal of Acme, each with its amount and what the company says in it.
SPANS: list[tuple[str, str, int, Group]] = [
    ("01-10T00:00", "01-20T00:00", 100, UNKNOWN),
    ("01-20T00:00", "02-10T06:00", 100, SMALL),
    ("02-10T06:00", "02-20T00:00", 100, LARGER),
    ("02-20T00:00", "02-25T00:00", 250, LARGER),
    ("02-25T00:00", "03-05T00:00", 250, UNKNOWN),
    ("03-05T00:00", "04-01T00:00", 250, ELSEWHERE),
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


@pytest.fixture(scope="module")
async def firm(module_database: Database) -> Database:
    async with module_database.write() as session:
        reporting = Reporting(currency=Currency.EUR, timezone="UTC")
        version = await adopt_accord(session, read_accord("standard").model_copy(update={"reporting": reporting}))
        await session.script("set local accord.history_is_given = on")
        await session.copy("company", ["id", "name"], [(ACME, "Acme"), (BOLT, "Bolt")])
        versions = [
            (company, at(start), None if end is None else at(end), False, "A firm", *values)
            for company, start, end, *values in SIZES
        ]
        columns = ["company_id", "valid_from", "valid_to", "is_assumed", "name", "employees", "industry", "country"]
        await session.copy("company_version", columns, versions)
        states = [
            (
                *(deal, company, at("01-10T00:00"), outcome, amount, "EUR", at(start) if outcome == "WON" else None),
                *(at(start), None if end is None else at(end), False),
            )
            for deal, company, start, end, outcome, amount in DEALS
        ]
        columns = ["company_id", "opened_at", "outcome", "amount", "currency", "closed_at"]
        await session.copy("deal", ["id", *columns], [state[:7] for state in states if state[8] is None])
        await session.copy("deal_version", ["deal_id", *columns, "valid_from", "valid_to", "is_assumed"], states)
        evaluation = "insert into evaluation (id, reading, accord_version_id, started_at, finished_at, is_current)"
        await session.run(Sql(evaluation + " values ({}, 'IN_FORCE', {}, now(), now(), true)", new_id(), version.id))
        await derive_journeys(session)
    return module_database


async def test_a_span_ends_where_the_company_changes(firm: Database) -> None:
    async with firm.read() as session:
        spans = await session.rows(
            Sql(
                "select s.starts_at, s.ends_at, s.amount, s.company_size, s.industry, s.country from deal_span s"
                " where s.deal_id = {} order by s.starts_at",
                AT_ACME,
            )
        )
        others = await session.rows(Sql("select s.deal_id from deal_span s where s.deal_id <> {} order by 1", AT_ACME))
    assert [tuple(span) for span in spans] == [
        (at(start), at(end), Decimal(amount), *group) for start, end, amount, group in SPANS
    ]
    assert [span["deal_id"] for span in others] == [AT_BOLT, AT_NONE]


def expected(instant: datetime) -> dict[Group, tuple[Decimal, int]]:
    """The amount and the number of the open deals of every group at an instant."""
    own = [(amount, group) for start, end, amount, group in SPANS if at(start) <= instant < at(end)]
    others = [(1000, STILL), (40, UNKNOWN)] if instant >= at("01-10T00:00") else []
    found: dict[Group, tuple[Decimal, int]] = {}
    for amount, group in (*own, *others):
        total, count = found.get(group, (Decimal(0), 0))
        found[group] = (total + amount, count + 1)
    return found


def of_groups(found: KpiAnswer) -> dict[Group, tuple[Decimal, int]]:
    groups = {}
    for group in found.breakdown:
        size, industry, country = (key.value for key in group.keys)
        groups[size, industry, country] = (group.value or Decimal(0), group.n)
    return groups


async def answered(firm: Database, *requests: KpiRequest) -> list[KpiAnswer]:
    """The answers from spans, which are those from the histories, with the same records."""
    quick = await answers(firm, requests, NOW, AnsweredFrom.JOURNEYS)
    assert quick == await answers(firm, requests, NOW, AnsweredFrom.FACTS)
    return [found[0] for found in quick if isinstance(found, tuple) and isinstance(found[0], KpiAnswer)]


async def test_each_day_has_the_values_that_the_company_had_at_its_end(firm: Database) -> None:
    first, days = date(2026, 1, 5), 90
    request = KpiRequest("open_pipeline", Period(first, first + timedelta(days=days)), grain=Grain.DAY, by=COMPANY)
    [found] = await answered(firm, request)
    for place in range(days):
        end = datetime(first.year, first.month, first.day, tzinfo=UTC) + timedelta(days=place + 1, microseconds=-1)
        shown = {
            tuple(key.value for key in group.keys): (group.series[place].value, group.series[place].n)
            for group in found.breakdown
            if group.series[place].n
        }
        assert shown == expected(end), end


async def test_the_instant_of_a_change_has_the_new_values(firm: Database) -> None:
    changes = sorted({at(text) for start, end, *_ in SPANS for text in (start, end)})
    instants = [instant - before for instant in changes for before in (timedelta(microseconds=1), timedelta(0))]
    requests = [KpiRequest("open_pipeline", by=COMPANY, switches=Switches(as_of=instant)) for instant in instants]
    for instant, found in zip(instants, await answered(firm, *requests), strict=True):
        assert of_groups(found) == expected(instant), instant


@pytest.mark.parametrize("dimension", COMPANY)
async def test_each_dimension_changes_by_itself(firm: Database, dimension: Dimension) -> None:
    place = COMPANY.index(dimension)
    requests = [
        KpiRequest("open_pipeline", by=(dimension,), switches=Switches(as_of=at(f"{day}T12:00")))
        for day in ("01-15", "02-09", "02-10", "02-21", "02-26", "03-10")
    ]
    for request, found in zip(requests, await answered(firm, *requests), strict=True):
        assert request.switches.as_of is not None
        totals: dict[str | None, Decimal] = {}
        for group, (amount, _) in expected(request.switches.as_of).items():
            totals[group[place]] = totals.get(group[place], Decimal(0)) + amount
        assert {group.keys[0].value: group.value for group in found.breakdown} == totals
