"""Questions about deals: counted when closed, as they were seen at the time, each once."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from api.db import Database
from api.funnel.documents import read_accord
from api.metrics.answer import KpiAnswer
from api.metrics.ask import ask
from api.metrics.periods import named_period
from api.metrics.request import KpiRequest, Switches, Where
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.vocab import Currency, Dimension, Grain, WarningCode

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}T12:00:00+00:00")


async def adopt(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))


async def deal(
    database: Database, number: int, outcome: str, closed: str, amount: str | None = None, currency: str | None = "EUR"
) -> UUID:
    key = UUID(int=number)
    values = (key, outcome, at(closed), at(closed), Decimal(amount) if amount else None, currency if amount else None)
    names = ["id", "outcome", "closed_at", "effective_at", "amount", "currency"]
    async with database.write() as session:
        await session.copy("deal", names, [values])
    return key


async def asked(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [found] = await ask(session, [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    return found


async def test_a_deal_counts_in_the_day_of_the_reporting_zone(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        late = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
        await session.copy("deal", ["id", "outcome", "closed_at"], [(UUID(int=1), "WON", late)])
    may = KpiRequest("deals_won", period=named_period("2026-05"))
    assert (await asked(database, may)).value == 0
    berlin = await asked(database, KpiRequest("deals_won", may.period, switches=Switches(timezone="Europe/Berlin")))
    assert berlin.value == 1
    assert berlin.overrides == ("timezone=Europe/Berlin",)


async def test_open_deals_are_in_neither_number_of_the_win_rate(database: Database) -> None:
    await adopt(database)
    await deal(database, 1, "WON", "02-01")
    await deal(database, 2, "LOST", "02-02")
    await deal(database, 3, "LOST", "02-03")
    async with database.write() as session:
        await session.copy("deal", ["id", "opened_at"], [(UUID(int=4), at("02-01"))])
    found = await asked(database, KpiRequest("win_rate", grain=Grain.MONTH))
    assert [found.numerator, found.denominator] == [Decimal(1), Decimal(3)]
    assert [(bucket.n, bucket.value is None) for bucket in found.series] == [(3, False), *[(0, True)] * 4]
    assert [each.code for each in found.warnings] == [WarningCode.LOW_SAMPLE]


async def test_nothing_closed_is_null_with_a_reason_never_zero(database: Database) -> None:
    await adopt(database)
    found = await asked(database, KpiRequest("win_rate"))
    assert found.value is None
    assert [each.code for each in found.warnings] == [WarningCode.ZERO_DENOMINATOR]


async def test_a_deal_won_again_counts_once_at_its_last_win_and_before_it_as_it_was_then(database: Database) -> None:
    await adopt(database)
    key = await deal(database, 1, "LOST", "02-01")
    async with database.write() as session:
        reopen = "update deal set outcome = 'OPEN', closed_at = null, effective_at = {} where id = {}"
        await session.run(Sql(reopen, at("03-01"), key))
        win = "update deal set outcome = 'WON', closed_at = {}, effective_at = {} where id = {}"
        await session.run(Sql(win, at("04-01"), at("04-01"), key))
    now = await asked(database, KpiRequest("win_rate"))
    assert [now.numerator, now.denominator] == [Decimal(1), Decimal(1)]
    seen: list[tuple[object, int]] = []
    for as_of in ("02-01", "02-15", "03-15", "04-15"):
        then = await asked(database, KpiRequest("win_rate", switches=Switches(as_of=at(as_of))))
        seen.append((then.numerator, then.n))
    assert seen == [(0, 0), (0, 1), (0, 0), (1, 1)]


async def test_deleted_deals_and_those_of_tests_alone_never_count(database: Database) -> None:
    await adopt(database)
    for number in (1, 2, 3):
        await deal(database, number, "WON", "02-01")
    real, test = UUID(int=11), UUID(int=12)
    async with database.write() as session:
        await session.run(Sql("update deal set deleted_at = now() where id = {}", UUID(int=1)))
        await session.copy("contact", ["id", "is_test"], [(real, False), (test, True)])
        roles = [(test, UUID(int=2)), (test, UUID(int=3)), (real, UUID(int=3))]
        await session.copy("deal_contact", ["contact_id", "deal_id"], roles)
    assert (await asked(database, KpiRequest("deals_won"))).value == 1


async def test_a_deal_is_its_pipeline_owner_and_country_at_the_closing(database: Database) -> None:
    await adopt(database)
    pipeline, step, owner, later, buyer = (UUID(int=each) for each in range(21, 26))
    async with database.write() as session:
        await session.copy("pipeline", ["id", "name"], [(pipeline, "New business")])
        stage = (step, pipeline, "Closed", 1, "WON")
        await session.copy("pipeline_stage", ["id", "pipeline_id", "name", "rank", "category"], [stage])
        await session.copy("member", ["id", "name"], [(owner, "Ada"), (later, "Ben")])
        await session.copy("company", ["id", "name", "country", "effective_at"], [(buyer, "Acme", "DE", at("01-01"))])
    key = await deal(database, 1, "WON", "02-01")
    await deal(database, 2, "WON", "02-02")
    async with database.write() as session:
        first = "update deal_version set owner_id = {}, company_id = {}, pipeline_stage_id = {} where deal_id = {}"
        await session.run(Sql(first, owner, buyer, step, key))
        await session.run(
            Sql("update deal set owner_id = {}, effective_at = {} where id = {}", later, at("03-01"), key)
        )
    shown = {}
    for dimension in (Dimension.OWNER, Dimension.PIPELINE, Dimension.COUNTRY, Dimension.TEAM):
        found = await asked(database, KpiRequest("deals_won", by=(dimension,)))
        shown[dimension] = [(group.keys[0].id, group.keys[0].label, group.n) for group in found.breakdown]
    assert shown == {
        Dimension.OWNER: [(None, "(empty)", 1), (f"member_{owner}", "Ada", 1)],
        Dimension.PIPELINE: [(None, "(empty)", 1), (f"pipeline_{pipeline}", "New business", 1)],
        Dimension.COUNTRY: [(None, "(empty)", 1), (None, "DE", 1)],
        Dimension.TEAM: [(None, "(empty)", 2)],
    }
    for value in ("New business", f"pipeline_{pipeline}", str(pipeline)):
        where = Where(tests=((Dimension.PIPELINE, (value,)),))
        assert (await asked(database, KpiRequest("deals_won", where=where))).value == 1
    with pytest.raises(AssertionError, match="is no pipeline"):
        await asked(database, KpiRequest("deals_won", where=Where(tests=((Dimension.PIPELINE, (f"deal_{key}",)),))))


async def test_a_sum_adds_what_is_known_and_says_what_is_not(database: Database) -> None:
    await adopt(database)
    await deal(database, 1, "WON", "02-01", "100.10")
    await deal(database, 2, "WON", "03-01", "0.15")
    await deal(database, 3, "WON", "03-02")
    await deal(database, 4, "LOST", "03-03", "1000")
    found = await asked(database, KpiRequest("revenue_won", grain=Grain.MONTH, period=named_period("2026-Q1")))
    assert (found.value, found.currency, found.n) == (Decimal("100.25"), Currency.EUR, 2)
    assert [bucket.value for bucket in found.series] == [0, Decimal("100.10"), Decimal("0.15")]
    assert [(each.code, each.count) for each in found.warnings] == [(WarningCode.UNKNOWN_AMOUNT, 1)]
    unknown = await asked(database, KpiRequest("revenue_won", switches=Switches(as_of=at("02-01"))))
    assert unknown.value == 0
