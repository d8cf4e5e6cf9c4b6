"""The currencies that buyers pay in, and the exchange rates of the dollar by month."""

from bisect import bisect
from dataclasses import dataclass
from decimal import Decimal

from api.sample.firm import CURRENCY
from api.sample.period import SamplePeriod, midnight, months
from api.sample.random_source import SeededRandom
from api.sample.row_buffers import TableBuffers
from schema.vocab import Currency

KRONA_DEALS = 2
"""Number of deals in Swedish kronor, the first ones of Swedish buyers. No krona rate exists, to show a missing rate."""
_KRONOR_PER_EURO = 11.4
_DOLLAR_COUNTRIES = frozenset({"US", "CA"})
_LOWEST_RATE, _HIGHEST_RATE = 0.84, 0.99  # of a dollar, in euros


@dataclass(frozen=True, slots=True)
class DollarRates:
    """The price of a dollar in euros by month."""

    since: tuple[int, ...]
    """Start of each month, in seconds since 1970."""
    euros_per_dollar: tuple[float, ...]

    def dollars_per_euro(self, at: int) -> float:
        """Return how many dollars a euro buys at an instant."""
        return 1 / self.euros_per_dollar[bisect(self.since, at) - 1]


@dataclass(slots=True)
class PriceConverter:
    """Converts list prices to the currency of the buyer."""

    rates: DollarRates
    kronor_left: int = 0
    """How many more deals may be in kronor. Only the converter of the first batch has any."""

    def price(self, country: str, euros: float, at: int) -> tuple[float, Currency]:
        """Return the amount and currency that a buyer of a country pays; a deal in kronor is counted down."""
        if country in _DOLLAR_COUNTRIES:
            return euros * self.rates.dollars_per_euro(at), Currency.USD
        if country == "SE" and self.kronor_left:
            self.kronor_left -= 1
            return euros * _KRONOR_PER_EURO, Currency.SEK
        return euros, CURRENCY


def create_exchange_rates(rng: SeededRandom, period: SamplePeriod, buffers: TableBuffers) -> DollarRates:
    """Add the dollar's rate for every month of the period, and return all rates."""
    current = rng.between(0.89, 0.94)
    since: list[int] = []
    rates: list[float] = []
    for month in months(period.first_day, period.last_day):
        at, rate = midnight(month), Decimal(round(current * 10**5)) / 10**5
        buffers["exchange_rate"].add(
            id=rng.uuid7(at),
            currency=Currency.USD,
            quote_currency=CURRENCY,
            rate_on=month,
            rate=rate,
            created_at=at,
            updated_at=at,
        )
        since.append(at)
        rates.append(float(rate))
        current = min(_HIGHEST_RATE, max(_LOWEST_RATE, current * rng.between(0.98, 1.02)))
    return DollarRates(tuple(since), tuple(rates))
