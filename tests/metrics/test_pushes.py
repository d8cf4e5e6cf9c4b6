"""Pushed deals by example: the first day after the period lies after it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from api.workflows.adopt_accord import adopt_accord

OPENED, MOVED = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 10, tzinfo=UTC)


async def test_a_deal_moved_to_the_first_day_after_the_period_is_pushed_and_one_moved_to_its_last_day_is_not(
    database: Database,
) -> None:
    days = [date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 2), date(2026, 3, 2)]
    ends = ["OPEN", "OPEN", "OPEN", "LOST"]  # what is lost is not pushed
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await session.script("set local accord.history_is_given = on")
        names = ["outcome", "opened_at", "closed_at", "close_date"]
        deals = [
            (UUID(int=place), end, OPENED, MOVED if end == "LOST" else None, day)
            for place, (end, day) in enumerate(zip(ends, days, strict=True), start=1)
        ]
        await session.copy("deal", ["id", *names], deals)
        versions: list[tuple[object, ...]] = []
        for key, *values in deals:
            versions.append((key, OPENED, MOVED, OPENED, False, "OPEN", OPENED, None, date(2026, 2, 20)))
            versions.append((key, MOVED, None, MOVED, False, *values))
        dated = ["deal_id", "valid_from", "valid_to", "recorded_at", "is_assumed"]
        await session.copy("deal_version", [*dated, *names], versions)
    async with database.read() as session:
        request = KpiRequest("push_rate", named_period("2026-02"))
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=datetime(2026, 6, 1, tzinfo=UTC))
    assert isinstance(found, KpiAnswer), found
    assert (found.n, found.numerator) == (4, Decimal(2))
