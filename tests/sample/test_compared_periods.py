"""Comparisons on the sample equal a count of its rows in plain Python: by channel, to date, and with the causes."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import ComparedTo, KpiRequest
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from tests.sample.conftest import Sample

NOW = datetime(2026, 2, 17, 12, tzinfo=UTC)  # the sample ends on March 1
CASES = {
    ComparedSpan.TO_DATE: ("2026-01-01", "2026-01-18"),
    ComparedSpan.WHOLE: ("2026-01-01", "2026-02-01"),
}


async def answer(sample: Sample, request: KpiRequest) -> KpiAnswer:
    async with sample.database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    return found


async def closed(sample: Sample, start: str, before: str) -> Counter[str]:
    """The outcomes of the deals that count, by the days they were closed on."""
    testers = {row["id"] for row in await sample.rows("contact") if row["is_test"] or row["is_internal"]}
    people: dict[object, set[object]] = {}
    for row in await sample.rows("deal_contact"):
        people.setdefault(row["deal_id"], set()).add(row["contact_id"])
    found = Counter[str]()
    first, end = (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (start, before))
    for deal in await sample.rows("deal"):
        at, amount = deal["closed_at"], deal["amount"]
        if not isinstance(at, datetime) or not first <= at < end or at > NOW or deal["deleted_at"] is not None:
            continue
        contacts = people.get(deal["id"], set())
        if (isinstance(amount, Decimal) and amount < 0) or (contacts and contacts <= testers):
            continue
        found[str(deal["outcome"])] += 1
    return found


@pytest.mark.parametrize("span", CASES)
async def test_a_running_month_is_compared_with_the_same_days_or_the_whole(sample: Sample, span: ComparedSpan) -> None:
    to = ComparedTo(Comparand.PREVIOUS_PERIOD, span)
    request = KpiRequest("deals_won", named_period("this-month"), grain=Grain.WEEK, compare_to=to)
    found = await answer(sample, request)
    now = (await closed(sample, "2026-02-01", "2026-03-01"))["WON"]
    then = (await closed(sample, *CASES[span]))["WON"]
    assert found.comparison is not None
    assert now > 0
    assert then > 0
    assert [found.value, found.comparison.value, found.comparison.change] == [now, then, now - then]
    assert sum(bucket.value or 0 for bucket in found.comparison.series) == then


async def test_the_causes_of_a_changed_win_rate_add_up(sample: Sample) -> None:
    to = ComparedTo(Comparand.PREVIOUS_PERIOD)
    request = KpiRequest("win_rate", named_period("2026-01"), by=(Dimension.CHANNEL,), compare_to=to)
    found = await answer(sample, request)
    compared = found.comparison
    assert compared is not None
    assert compared.drivers is not None
    sides = [await closed(sample, *days) for days in (("2025-12-01", "2026-01-01"), ("2026-01-01", "2026-02-01"))]
    rates = [(Decimal(side["WON"]) / side.total()).quantize(Decimal("0.000001")) for side in sides]
    assert [compared.value, found.value] == rates
    parts, counts = compared.drivers.value, compared.drivers.numerator
    assert parts.volume + parts.mix + parts.rate == rates[1] - rates[0]
    assert counts.volume + counts.mix + counts.rate == sides[1]["WON"] - sides[0]["WON"]
    # Volume alone by its formula: the change in closed deals at the mean of both rates.
    mean = (Decimal(sides[0]["WON"]) / sides[0].total() + Decimal(sides[1]["WON"]) / sides[1].total()) / 2
    assert abs(counts.volume - (sides[1].total() - sides[0].total()) * mean) < Decimal("0.00001")
