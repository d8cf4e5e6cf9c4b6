"""Every KPI of a sample company is the count in plain Python from its raw rows, with everybody whom it leaves out."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import discard_former_entries, evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, StagePair, Switches
from api.sql import Sql, name
from api.workflows.make_sample import make_sample
from schema.clauses.handoff_duties import MarketingDuties
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Kind, Subject
from schema.vocab import Anchor, Skip
from tests.metrics.deal_books import Books
from tests.sample.people_books import PeopleBooks, Row
from tests.sample.share_books import DUE, LEAD_SOURCES, ShareBooks
from tests.support.accords import replace_document
from tests.support.examples import sample_people

UNTIL = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
PEOPLE = sample_people(900)
OWED = 40  # people a month
WORTH = 90  # of one of them, in the reporting currency
SHARES = ("push_rate", "forecast_accuracy", "marketing_sourced", "marketing_influenced")
OF_PEOPLE = [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.PERSON]
OF_DEALS = [key for key, kpi in CATALOGUE.items() if kpi.subject is Subject.DEAL and kpi.kind is not Kind.FORMULA]
COUNTED_IN_THE_SAMPLE = (*OF_PEOPLE, *OF_DEALS)
PAIRED = ("stage_conversion", "time_to_convert")
PERIODS = {name: named_period(name) for name in ("2025-Q3", "2025-11", "2026")} | {"ever": ALL_HISTORY}


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=PEOPLE, seed=11, until=UNTIL)
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
        accord = read_accord("standard")
        assert accord.attribution is not None
        attribution = accord.attribution.model_copy(update={"marketing_lead_sources": LEAD_SOURCES})
        assert accord.handoff is not None
        owed = MarketingDuties.model_validate(
            {"volume": [{"stage": "mql", "at_least": OWED, "per": "MONTH", "lead_value": WORTH}]}
        )
        duties = accord.handoff.model_copy(update={"marketing": owed})
        await replace_document(session, accord.model_copy(update={"attribution": attribution, "handoff": duties}))
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
@pytest.mark.parametrize("key", OF_PEOPLE)
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
        case Kind.ATTAINMENT:
            assert answer.numerator == counted.converted * (WORTH if key == "marketing_delivery_value" else 1)
            owed = {"2025-Q3": 3 * OWED, "2025-11": OWED, "2026": 12 * OWED}.get(within)
            share = None if owed is None else pytest.approx(counted.converted / owed, abs=1e-6)
            assert (None if answer.value is None else float(answer.value)) == share
        case _:
            raise AssertionError(f"{kpi.kind} has no count by hand")


@pytest.fixture(scope="module")
async def deal_books(company: Database) -> Books:
    async with company.read() as session:
        return await Books.read(session, UTC, "EUR")


@pytest.mark.parametrize("within", PERIODS)
@pytest.mark.parametrize("key", [key for key in OF_DEALS if key not in SHARES])
async def test_a_kpi_of_deals_is_the_count_by_hand(key: str, within: str, company: Database, deal_books: Books) -> None:
    period = PERIODS[within]
    async with company.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key, period)], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    expected = deal_books.figure(key, *instants(period), NOW)
    assert answer.n == expected.n > 0
    assert answer.value == pytest.approx(expected.value, abs=Decimal("1e-6"))
    assert {part.reason.value: part.count for part in answer.excluded.reasons} == +expected.excluded


@pytest.fixture(scope="module")
async def share_books(company: Database, deal_books: Books) -> ShareBooks:
    return ShareBooks(deal_books, await rows(company, "touchpoint"), await rows(company, "contact_version"))


@pytest.mark.parametrize("within", PERIODS)
@pytest.mark.parametrize("key", SHARES)
async def test_a_share_of_deals_is_the_count_by_hand(
    key: str, within: str, company: Database, share_books: ShareBooks
) -> None:
    period = PERIODS[within]
    async with company.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key, period)], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    expected = share_books.figure(key, *instants(period), NOW)
    is_null = (key in DUE and period is ALL_HISTORY) or (key == "forecast_accuracy" and within == "2026")
    assert (answer.n > 0) is not is_null
    assert (answer.n, answer.numerator, answer.denominator) == (expected.n, expected.numerator, expected.denominator)
    approximate = None if expected.value is None else pytest.approx(expected.value, abs=Decimal("1e-6"))
    assert answer.value == approximate
    assert {variant.rule.value: variant.numerator for variant in answer.variants} == (
        expected.variants if key == "marketing_sourced" else {}
    )
    assert {part.reason.value: part.count for part in answer.excluded.reasons} == +expected.excluded


@pytest.mark.parametrize("within", PERIODS)
async def test_the_rates_of_a_cohort_are_the_counts_by_hand(
    within: str, company: Database, books: PeopleBooks, deal_books: Books
) -> None:
    period, cohort = PERIODS[within], Switches(anchor=Anchor.COHORT)
    requests = [KpiRequest(key, period, switches=cohort) for key in ("mql_acceptance", "win_rate")]
    async with company.read() as session:
        accepted, won = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
    assert isinstance(accepted, KpiAnswer), accepted
    assert isinstance(won, KpiAnswer), won
    handed = books.count("mql_acceptance of a cohort", *instants(period))
    assert (accepted.n, accepted.numerator) == (len(handed.given), Decimal(handed.converted))
    assert accepted.n > 0
    start, before = instants(period)
    opened = [
        deal
        for deal in deal_books.deals
        if deal_books._reason(deal) is None
        and deal["opened_at"]
        and (start is None or deal["opened_at"] >= start)
        and (before is None or deal["opened_at"] < before)
    ]
    wins = [deal for deal in opened if deal["outcome"] == "WON" and (deal["amount"] or 0) >= 0]
    assert (won.n, won.numerator) == (len(opened), Decimal(len(wins)))
    assert len(wins) > 0
