"""Every KPI of a sample company is the count in plain Python from its raw rows, with everybody whom it leaves out."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import discard_former_entries, evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, StagePair, Switches
from api.sql import Sql, name
from api.workflows.make_sample import make_sample
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Kind, Subject
from schema.vocab import Skip
from tests.metrics.deal_books import Books
from tests.sample.people_books import PeopleBooks, Row

UNTIL = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PAIRED = ("stage_conversion", "time_to_convert")
PERIODS = {name: named_period(name) for name in ("2025-Q3", "2025-11", "2026")} | {"ever": ALL_HISTORY}


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=900, seed=11, until=UNTIL)
    async with module_database.write() as session:
        # So few people have no merged and no deleted ones among them.
        numbered = "(select id, row_number() over (order by id) as place from contact) a"
        await session.script(
            f"update contact c set merged_into_id = b.id from {numbered} join {numbered[:-1]}b on b.place = a.place + 1"
            " where c.id = a.id and a.place % 40 = 0;"
            f"update contact c set deleted_at = now() from {numbered} where c.id = a.id and a.place % 40 = 7;"
        )
        deals = numbered.replace("contact", "deal")
        await session.script(
            f"update deal d set deleted_at = now() from {deals} where d.id = a.id and a.place % 30 = 7;"
            "set local accord.history_is_given = on;"
            f"update deal d set amount = -d.amount from {deals} where d.id = a.id and a.place % 30 = 9;"
            f"update deal_version d set amount = -d.amount from {deals} where d.deal_id = a.id and a.place % 30 = 9;"
        )
        await evaluate(session)
        await discard_former_entries(session)
    return module_database


async def rows(database: Database, table: str) -> list[Row]:
    async with database.read() as session:
        return [dict(row) for row in await session.rows(Sql("select * from {}", name(table)))]


@pytest.fixture(scope="module")
async def books(company: Database) -> PeopleBooks:
    tables = ("contact", "contact_version", "stage_entry", "touchpoint", "handoff", "reported_stage")
    return PeopleBooks.of({table: await rows(company, table) for table in tables}, NOW)


def instants(period: Period) -> tuple[datetime | None, datetime | None]:
    days = (period.starts_on, period.before)
    start, before = (None if day is None else datetime.combine(day, time(), UTC) for day in days)
    return start, before


@pytest.mark.parametrize("within", PERIODS)
@pytest.mark.parametrize("key", [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.PERSON])
async def test_a_kpi_of_people_is_the_count_by_hand(
    key: str, within: str, company: Database, books: PeopleBooks
) -> None:
    stages = StagePair("mql", "opportunity") if key in PAIRED else None
    period = PERIODS[within]
    kpi = CATALOGUE[key]
    own = Switches(skip=Skip.EXCLUDE) if kpi.kind is Kind.DURATION and kpi.switches.skip else Switches()
    async with company.read() as session:
        [answer] = await query_kpis(
            session, LOCAL_OPERATOR, [KpiRequest(key, period, stages=stages, switches=own)], now=NOW
        )
    assert isinstance(answer, KpiAnswer), answer
    counted = books.count(key, *instants(period))
    assert answer.n == len(counted.given)
    assert {part.reason.value: part.count for part in answer.excluded.reasons} == +counted.excluded
    match kpi.kind:
        case Kind.COUNT:
            assert answer.value == answer.n > 0
        case Kind.RATIO | Kind.CONVERSION:
            assert answer.numerator == counted.converted
        case Kind.DURATION:
            assert float(answer.value or 0) == pytest.approx(counted.middle, abs=1e-5)
        case Kind.TIME:
            assert float(answer.value or 0) == pytest.approx(sum(counted.given), abs=1e-3)
        case Kind.SPREAD:
            expected = None if counted.average is None else pytest.approx(counted.average, abs=1e-5)
            assert (None if answer.value is None else float(answer.value)) == expected


@pytest.mark.parametrize("within", PERIODS)
@pytest.mark.parametrize(
    "key", [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.DEAL and kpi.kind is not Kind.FORMULA]
)
async def test_a_kpi_of_deals_is_the_count_by_hand(key: str, within: str, company: Database) -> None:
    period = PERIODS[within]
    async with company.read() as session:
        books = await Books.read(session, UTC, "EUR")
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key, period)], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    expected = books.figure(key, *instants(period), NOW)
    assert answer.n == expected.n > 0
    assert answer.value == pytest.approx(expected.value, abs=Decimal("1e-6"))
    assert {part.reason.value: part.count for part in answer.excluded.reasons} == +expected.excluded
