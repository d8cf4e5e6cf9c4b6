"""What buyers pay in, and what a dollar was worth month by month."""

from bisect import bisect
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from api.sample.firm import CURRENCY
from api.sample.period import Span, midnight
from api.sample.random_source import Dice, moment
from api.sample.row_buffers import Batch
from schema.vocab import Currency

KRONOR_DEALS = 2
"""The first deals of Swedish buyers are in kronor, of which no rate is kept: what a missing rate looks like."""
_KRONOR_A_EURO = 11.4
_PAY_IN_DOLLARS = frozenset({"US", "CA"})
_LOW, _HIGH = 0.84, 0.99  # in euros, between which a dollar stays


@dataclass(frozen=True, slots=True)
class Market:
    """What a dollar was worth in euros: since when (seconds since 1970), and how much."""

    since: tuple[int, ...]
    worth: tuple[float, ...]

    def dollars(self, at: int) -> float:
        """How many dollars a euro bought."""
        return 1 / self.worth[bisect(self.since, at) - 1]


@dataclass(slots=True)
class Till:
    """What deals are paid in. Only the till of the first stretch of the story has kronor, and not for long."""

    market: Market
    kronor_left: int = 0

    def price(self, country: str, euros: float, at: int) -> tuple[float, Currency]:
        """What a buyer of a country pays for something of so many euros."""
        if country in _PAY_IN_DOLLARS:
            return euros * self.market.dollars(at), Currency.USD
        if country == "SE" and self.kronor_left:
            self.kronor_left -= 1
            return euros * _KRONOR_A_EURO, Currency.SEK
        return euros, CURRENCY


def trade(dice: Dice, span: Span, batch: Batch) -> Market:
    """Add a dollar's rate of every month that the span touches, and return them."""
    month, worth = moment(span.start).date().replace(day=1), dice.between(0.89, 0.94)
    since: list[int] = []
    rates: list[float] = []
    while midnight(month) < span.end:
        at, rate = midnight(month), Decimal(round(worth * 10**5)) / 10**5
        batch["exchange_rate"].add(
            id=dice.identity(at),
            currency=Currency.USD,
            quote_currency=CURRENCY,
            rate_on=month,
            rate=rate,
            created_at=at,
            updated_at=at,
        )
        since.append(at)
        rates.append(float(rate))
        worth = min(_HIGH, max(_LOW, worth * dice.between(0.98, 1.02)))
        month = (month + timedelta(days=32)).replace(day=1)
    return Market(tuple(since), tuple(rates))
