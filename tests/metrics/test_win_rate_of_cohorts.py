"""The share won of the deals opened in a period equals an independent count, over generated histories."""

from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Where
from api.metrics.resolved_request import MICROSECOND
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Anchor, RecordSide
from tests.metrics import deal_oracle as oracle
from tests.metrics.generated_contacts import NOW
from tests.metrics.missing_periods import MISSING
from tests.metrics.oracle import _in_period
from tests.metrics.test_against_oracle import QUICK
from tests.metrics.test_deals_against_oracle import ready, requests
from tests.support.examples import examples

__all__ = ["ready"]


def of_cohort(request: KpiRequest) -> KpiRequest:
    """The win rate of the deals opened in the period of a request."""
    switches = replace(request.switches, anchor=Anchor.COHORT, currency_rule=None, cycle_start=None)
    return replace(request, key="win_rate", where=Where(), switches=switches)


@settings(QUICK, max_examples=examples(60))
@given(
    world=st.lists(oracle.deals(), min_size=3, max_size=14),
    batch=st.lists(requests().map(of_cohort), min_size=4, max_size=8),
)
async def test_the_win_rate_of_a_cohort_equals_the_count(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest]
) -> None:
    async with ready.write() as session:
        await oracle.load_deals(session, world)
    async with ready.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW)
        for request, found in zip(batch, answers, strict=True):
            assert isinstance(found, KpiAnswer), found
            assert "anchor=COHORT" in found.overrides
            if {warning.code for warning in found.warnings} & MISSING:
                continue
            zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
            until = (request.switches.as_of or NOW) + MICROSECOND
            counted = [deal for deal in world if deal.reason is None]
            opened = [
                deal
                for deal in counted
                if deal.opened_at and deal.opened_at < until and _in_period(deal.opened_at, request, zone)
            ]
            closings = [
                next(iter(oracle._closing(deal, until, is_asked=request.switches.as_of is not None)), None)
                for deal in opened
            ]
            won = [
                deal
                for deal, closing in zip(opened, closings, strict=True)
                if closing is not None and closing[1] == "WON" and (deal.amount_at(closing[0])[0] or 0) >= 0
            ]
            assert (found.n, found.numerator) == (len(opened), Decimal(len(won)))
            assert sum(bucket.numerator or 0 for bucket in found.series) == (len(won) if found.series else 0)
            assert sum(group.n for group in found.breakdown) == (len(opened) if request.by else 0)
            codes = {warning.code: warning.count for warning in found.warnings if "(empty)" not in warning.message}
            assert codes.get(WarningCode.OPEN_COHORT, 0) == closings.count(None)
            assert codes.get(WarningCode.UNDATED, 0) == sum(deal.opened_at is None for deal in counted)
            assert found.drill_down is not None
            page = await read_page(session, found.drill_down, RecordSide.CONVERTED, size=100)
            assert len(page.records) == len(won)
            assert found.value == (
                pytest.approx(Decimal(len(won)) / len(opened), abs=Decimal("1e-6")) if opened else None
            )
