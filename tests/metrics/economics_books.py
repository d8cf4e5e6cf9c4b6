"""A count of the parts of formulas in plain Python, from raw rows and day by day; it shares no code with KPIs."""

import calendar
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from api.db import ReadSession
from api.sql import Sql
from tests.metrics.deal_books import Books

CENT = Decimal("0.01")
DAY = timedelta(days=1)
Parts = dict[str, Fraction | None]


@dataclass
class EconomicsBooks:
    """The raw rows of deals and costs, and what an accord states: amounts by first day of the month, and by period."""

    deals: Books
    costs: list[dict[str, Any]]
    margin: Decimal | None = None
    churn: Decimal | None = None
    sales_costs: tuple[tuple[date, Decimal], ...] = ()
    targets: tuple[tuple[date, date, Decimal], ...] = ()

    @classmethod
    async def read(cls, session: ReadSession, currency: str = "EUR") -> "EconomicsBooks":
        """Read the rows of a database whose accord reports in UTC and a currency."""
        costs = await session.rows(
            Sql(
                "select c.* from campaign_cost c join campaign g on g.id = c.campaign_id"
                " where c.deleted_at is null and g.deleted_at is null"
            )
        )
        return cls(await Books.read(session, UTC, currency), [dict(cost) for cost in costs])

    def parts(self, first: date | None, before: date | None, as_of: datetime) -> Parts:
        """The exact values of all parts of all formulas; None for those without one."""
        start, end = (None if day is None else _noon(day).replace(hour=0) for day in (first, before))
        won, wins = (self.deals.figure(key, start, end, as_of) for key in ("revenue_won", "new_customers"))
        ever = self.deals.figure("new_customers", None, end, as_of)
        closed, sizes, times = (
            self.deals.figure(key, start, end, as_of) for key in ("win_rate", "avg_deal_size", "sales_cycle")
        )
        days = list(self._days(first, before, as_of))
        costs = [cost for cost in self.costs if any(cost["from_on"] <= day < cost["before_on"] for day in days)]
        spent = [self._spent(cost, days) for cost in costs]
        instant = as_of if end is None else min(as_of, end - timedelta(microseconds=1))
        return {
            "new_customers": Fraction(wins.n),
            "customers": Fraction(ever.n),
            "revenue_won": None if won.value is None else Fraction(won.value),
            "campaign_cost": Fraction(sum(spent, Decimal(0))) if spent else None,
            "sales_cost": self._sales_cost(days) if first is not None else None,
            "months": sum((Fraction(1, _length(day)) for day in days), Fraction(0)) if first is not None else None,
            "gross_margin": None if self.margin is None else Fraction(self.margin),
            "monthly_churn": None if self.churn is None else Fraction(self.churn),
            "open_deals": Fraction(len(list(self._open(instant)))),
            "open_pipeline": self._closing(first, before, instant),
            "target": self._target(first, before),
            "win_rate": Fraction(closed.converted, closed.n) if closed.n else None,
            "avg_deal_size": _mean(sizes.given),
            "sales_cycle": _mean(times.given),
        }

    def doubled_campaigns(self, first: date | None, before: date | None, as_of: datetime) -> int:
        """The number of campaigns that two sources report a cost of for the same day."""
        found = set()
        for day in self._days(first, before, as_of):
            sources = defaultdict(set)
            for cost in self.costs:
                if cost["from_on"] <= day < cost["before_on"]:
                    sources[cost["campaign_id"]].add(cost["source"])
            found |= {campaign for campaign, named in sources.items() if len(named) > 1}
        return len(found)

    def _days(self, first: date | None, before: date | None, as_of: datetime) -> Iterator[date]:
        day = first or min((cost["from_on"] for cost in self.costs), default=date(2026, 1, 1))
        while day <= as_of.date() and (before is None or day < before):
            yield day
            day += DAY

    def _spent(self, cost: dict[str, Any], days: list[date]) -> Decimal:
        """The cost of the days, of each of which it is what the cost grows by until its end."""
        total = self.deals._worth({"amount": cost["cost"], "currency": cost["currency"]}, _noon(cost["from_on"]))
        if total is None:
            return Decimal(0)
        length = (cost["before_on"] - cost["from_on"]).days
        within = [(day - cost["from_on"]).days for day in days if cost["from_on"] <= day < cost["before_on"]]
        return sum((_up_to(total, place + 1, length) - _up_to(total, place, length) for place in within), Decimal(0))

    def _sales_cost(self, days: list[date]) -> Fraction | None:
        total = Decimal(0)
        for day in days:
            stated = [cost for month, cost in self.sales_costs if month <= day.replace(day=1)]
            if not stated:
                return None
            length = _length(day)
            total += _up_to(stated[-1], day.day, length) - _up_to(stated[-1], day.day - 1, length)
        return Fraction(total) if days else None

    def _open(self, instant: datetime) -> Iterator[dict[str, Any]]:
        for deal in self.deals.deals:
            state = self.deals._state(deal, instant)
            if state is not None and state["outcome"] == "OPEN" and self.deals._reason(deal) is None:
                yield state

    def _closing(self, first: date | None, before: date | None, instant: datetime) -> Fraction | None:
        found = [
            state
            for state in self._open(instant)
            if state["close_date"] is not None
            and (first is None or state["close_date"] >= first)
            and (before is None or state["close_date"] < before)
        ]
        known = [self.deals._worth(state, instant) for state in found if state["amount"] is not None]
        if found and not any(amount is not None for amount in known):
            return None
        return Fraction(sum((amount for amount in known if amount is not None), Decimal(0)))

    def _target(self, first: date | None, before: date | None) -> Fraction | None:
        own = [value for start, end, value in self.targets if (start, end) == (first, before)]
        if own:
            return Fraction(own[0])
        if first is None or before is None:
            return None
        # Of quarters or months that each lie in the period and fill it.
        for longest in (95, 32):
            parts = [
                (start, end, value)
                for start, end, value in self.targets
                if first <= start and end <= before and longest - 32 < (end - start).days < longest
            ]
            if sum((end - start).days for start, end, _ in parts) == (before - first).days:
                return Fraction(sum((value for _, _, value in parts), Decimal(0)))
        return None


def formula(key: str, parts: Parts) -> Fraction | None:
    """The exact value of a formula; None without one."""
    needed = {
        "cac": ("new_customers", "campaign_cost", "sales_cost"),
        "ltv": ("customers", "revenue_won", "months", "gross_margin", "monthly_churn"),
        "pipeline_coverage": ("open_pipeline", "target", "revenue_won"),
        "sales_velocity": ("open_deals", "win_rate", "avg_deal_size", "sales_cycle"),
    }
    if key == "ltv_cac":
        value, cost = formula("ltv", parts), formula("cac", parts)
        return value / cost if value is not None and cost else None
    if key == "cac_payback_months":
        cost, value = formula("cac", parts), formula("ltv", parts | {"monthly_churn": Fraction(1)})
        return cost / value if value is not None and value > 0 and cost is not None else None
    known: dict[str, Fraction] = {}
    for name in needed[key]:
        value = parts[name]
        if value is None:
            return None
        known[name] = value
    match key:
        case "cac":
            upper, lower = known["campaign_cost"] + known["sales_cost"], known["new_customers"]
        case "ltv":
            if not known["customers"]:
                return None
            revenue = known["revenue_won"] / known["customers"] / known["months"]
            upper, lower = revenue * known["gross_margin"], known["monthly_churn"]
        case "pipeline_coverage":
            upper, lower = known["open_pipeline"], max(known["target"] - known["revenue_won"], Fraction(0))
        case _:
            upper, lower = (
                known["open_deals"] * known["win_rate"] * known["avg_deal_size"],
                known["sales_cycle"] / 86_400,
            )
    return upper / lower if lower else None


def _up_to(total: Decimal, place: int, length: int) -> Decimal:
    return (total * place / length).quantize(CENT, ROUND_HALF_UP)


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _mean(given: list[Decimal | None]) -> Fraction | None:
    known = [value for value in given if value is not None]
    return Fraction(sum(known, Decimal(0))) / len(known) if known else None
