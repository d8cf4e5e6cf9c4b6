"""Amounts of several currencies to one: each deal's own is converted and rounded to the cent, so that parts sum up."""

from api.metrics.question import Question
from api.sql import Sql


def converted(question: Question, rows: Sql, chance: Sql | None = None) -> Sql:
    """Rows with `amount`, `currency` and `at`, and beside them `worth` and `kept`.

    `worth` is the amount (times the chance) in the reporting currency, at the last rate on or before the day of `at`;
    where only the other direction has rates, at its inverse. Without any it is the amount as it stands, and `kept` its
    currency; `kept` is null of what was converted, and of unknown amounts. Without a reporting currency all are kept.
    """
    reporting = question.ground.accord.reporting.currency
    factor = Sql(" * {}", chance) if chance is not None else Sql("")
    if reporting is None:
        return Sql(
            "select r.*, round(r.amount{}, 2) as worth,"
            " case when r.amount{} is not null then coalesce(r.currency, '') end as kept from ({}) r",
            factor,
            factor,
            rows,
        )
    is_same = Sql("r.currency = {}", reporting.value)
    # Rates are looked up once for each currency and day.
    return Sql(
        "with p as materialized (select q.*, (q.at at time zone {})::date as day from ({}) q)"
        " select r.*, round(case when {} or x.rate is null then r.amount{} when x.is_inverse then r.amount{} / x.rate"
        " else r.amount{} * x.rate end, 2) as worth,"
        " case when r.amount{} is null or {} or x.rate is not null then null else coalesce(r.currency, '') end as kept"
        " from p r left join (select k.currency, k.day, x.rate, x.is_inverse"
        " from (select distinct currency, day from p where currency <> {}) k"
        " cross join lateral ({} union all {} limit 1) x) x on x.currency = r.currency and x.day = r.day",
        *(question.frame.zone.key, rows, is_same, factor, factor, factor, factor, is_same, reporting.value),
        _rate(Sql("k.currency"), Sql("{}", reporting.value), is_inverse=False),
        _rate(Sql("{}", reporting.value), Sql("k.currency"), is_inverse=True),
    )


def _rate(currency: Sql, quote: Sql, *, is_inverse: bool) -> Sql:
    """The last rate from one currency to another on or before the day."""
    return Sql(
        "(select x.rate, {} as is_inverse from exchange_rate x where x.currency = {} and x.quote_currency = {}"
        " and x.rate_on <= k.day order by x.rate_on desc limit 1)",
        Sql("true" if is_inverse else "false"),
        currency,
        quote,
    )
