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
    return Sql(
        "select r.*, round(case when {} then r.amount{} when direct.rate is not null then r.amount * direct.rate{}"
        " when inverse.rate is not null then r.amount{} / inverse.rate else r.amount{} end, 2) as worth,"
        " case when r.amount{} is null or {} or direct.rate is not null or inverse.rate is not null then null"
        " else coalesce(r.currency, '') end as kept from ({}) r{}{}",
        *(is_same, factor, factor, factor, factor, factor, is_same, rows),
        _rate(question, "direct", ("r.currency", reporting.value), Sql("r.currency <> {}", reporting.value)),
        _rate(
            question,
            "inverse",
            (reporting.value, "r.currency"),
            Sql("r.currency <> {} and direct.rate is null", reporting.value),
        ),
    )


def _rate(question: Question, called: str, pair: tuple[str, str], needed: Sql) -> Sql:
    """The last rate from one currency to the other on or before the day, looked up only where it is needed."""
    sides = [Sql(each) if each == "r.currency" else Sql("{}", each) for each in pair]
    return Sql(
        " left join lateral (select x.rate from exchange_rate x"
        " where {} and x.currency = {} and x.quote_currency = {}"
        f" and x.rate_on <= (r.at at time zone {{}})::date order by x.rate_on desc limit 1) {called} on true",
        needed,
        *sides,
        question.frame.zone.key,
    )
