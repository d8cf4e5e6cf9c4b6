"""An independent count of the deals due in a period: pushed ones, and the forecast with what was won."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from api.metrics.request import KpiRequest
from api.metrics.resolved_request import MICROSECOND
from tests.metrics.deal_oracle import STEPS, MadeDeal, Row, State, _closing, _value, convert, rate_day
from tests.metrics.oracle import Key


@dataclass
class Part:
    """What is counted of one group."""

    n: int = 0
    converted: int = 0
    undated: int = 0
    unknown: int = 0  # without an amount
    unweighted: int = 0  # with an amount, without a probability
    won: list[Decimal] = field(default_factory=list)
    forecast: list[Decimal] = field(default_factory=list)
    apart: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(list))  # of the won
    apart_n: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def value(self) -> Decimal | None:
        """The accuracy of the forecast."""
        actual, forecast = sum(self.won, Decimal(0)), sum(self.forecast, Decimal(0))
        return 1 - abs(forecast - actual) / actual if actual > 0 else None


@dataclass(frozen=True)
class Span:
    """A period with both ends, and the first instant of which nothing is known."""

    start: datetime
    end: datetime
    until: datetime
    zone: ZoneInfo

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.start.astimezone(self.zone).date() <= day < self.end.astimezone(self.zone).date()


def pushes(world: list[MadeDeal], request: KpiRequest, span: Span) -> dict[Key, Part]:
    """Count the deals due by group; those of all groups under the key of `None`s where nothing is asked."""
    groups: dict[Key, Part] = defaultdict(Part)
    for number, deal in enumerate(world):
        if deal.reason is not None:
            continue
        for at, state in _due(deal, span):
            row = Row(deal, number, at)
            key = tuple(_value(row, dimension, span.until) for dimension in request.by)
            part = groups[key]
            if state.close_date is None:
                part.undated += 1
            elif span.has(state.close_date):
                part.n += 1
                later = deal.state_at(min(span.end, span.until) - MICROSECOND)
                after = span.end.astimezone(span.zone).date()
                is_open = later is not None and later.outcome == "OPEN"
                part.converted += is_open and later is not None and bool(later.close_date and later.close_date >= after)
    return groups


def _due(deal: MadeDeal, span: Span) -> Iterator[tuple[datetime, State]]:
    """The state that tells when the deal is due, and the instant at which it is read."""
    if span.start >= span.until:
        return
    first = deal.state_at(span.start)
    if first is not None and first.outcome == "OPEN":
        yield span.start, first
    elif deal.opened_at is not None and span.start <= deal.opened_at < min(span.end, span.until):
        opened = deal.state_opened()
        if opened.outcome == "OPEN":
            yield deal.opened_at, opened


def forecasts(
    world: list[MadeDeal], request: KpiRequest, span: Span, reporting: str | None, *, is_asked: bool
) -> dict[Key, Part]:
    """Count what was won and what was forecast by group, if the period is over."""
    groups: dict[Key, Part] = defaultdict(Part)
    if span.end > span.until:
        return groups
    for number, deal in enumerate(world):
        if deal.reason is not None:
            continue
        for at, outcome in _closing(deal, span.until, is_asked=is_asked):
            if outcome == "WON" and span.start <= at < span.end:
                part = groups[_key(Row(deal, number, at), request, span)]
                worth, kept = convert(*deal.amount_at(at), rate_day(request, at, span.until, span.zone), reporting)
                part.unknown += worth is None
                if worth is not None:
                    part.n += 1
                    (part.won if kept is None else part.apart[kept]).append(worth)
        state = deal.state_at(span.start)
        if state is None or state.outcome != "OPEN":
            continue
        part = groups[_key(Row(deal, number, span.start), request, span)]
        if state.close_date is None:
            part.undated += 1
        elif span.has(state.close_date):
            chance = state.chance if state.chance is not None else STEPS[state.step][2] if state.step else None
            amount = state.amount if chance is not None else None
            day = rate_day(request, span.start, span.until, span.zone)
            worth, kept = convert(amount, state.currency, day, reporting, chance or Decimal(0))
            part.unknown += state.amount is None
            part.unweighted += state.amount is not None and chance is None
            if worth is not None:
                part.converted += 1
                if kept is None:
                    part.forecast.append(worth)
    return groups


def _key(row: Row, request: KpiRequest, span: Span) -> Key:
    return tuple(_value(row, dimension, span.until) for dimension in request.by)


def together(groups: dict[Key, Part]) -> Part:
    """All groups as one."""
    whole = Part()
    for part in groups.values():
        for name in ("n", "converted", "undated", "unknown", "unweighted"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.won += part.won
        whole.forecast += part.forecast
        for currency, amounts in part.apart.items():
            whole.apart[currency] += amounts
    return whole
