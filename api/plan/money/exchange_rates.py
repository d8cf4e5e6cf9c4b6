"""The exchange rate of a day. Lists and KPIs convert amounts by these rules alone.

The rate is the last one on or before the day; if there is none, the inverse of the last rate in the other direction.
Amounts are never converted through a third currency.
"""

from api.sql import Sql


def last_rate(currency: Sql, quote: Sql, day: Sql) -> Sql:
    """Return the rate from one currency to another on a day: `rate, is_inverse`.

    Shapes: a text, a text and a date expression -> a query of one row; none without a rate or for a null currency.
    """
    # The direct rate comes first, and `limit 1` stops there: the inverse is only read if there is none.
    direct, inverse = _rate(currency, quote, day, ", false as is_inverse"), _rate(quote, currency, day, ", true")
    return Sql("{} union all {} limit 1", direct, inverse)


def at_rate(amount: Sql, rate: str) -> Sql:
    """Return an amount at a rate, not rounded.

    Shapes: a numeric expression, the alias of a row of `last_rate` -> a numeric expression.
    """
    return Sql(f"case when {rate}.is_inverse then {{}} / {rate}.rate else {{}} * {rate}.rate end", amount, amount)


def at_last_rate(amount: Sql, currency: Sql, quote: Sql, day: Sql) -> Sql:
    """Return an amount at the rate of `last_rate`, not rounded, as one expression.

    Shapes: expressions -> a numeric expression; null without a rate.
    """
    # For few rows: every row costs an index lookup. For many rows, look the rates of their days up once.
    direct, inverse = _rate(currency, quote, day), _rate(quote, currency, day)
    return Sql("coalesce({} * {}, {} / {})", amount, direct, amount, inverse)


def _rate(currency: Sql, quote: Sql, day: Sql, further_column: str = "") -> Sql:
    # Read without a scope, because exchange rates are visible to everyone.
    return Sql(
        f"(select x.rate{further_column} from exchange_rate x where x.currency = {{}}"
        " and x.quote_currency = {} and x.rate_on <= {} and x.deleted_at is null order by x.rate_on desc limit 1)",
        *(currency, quote, day),
    )
