"""Convert amounts to the reporting currency, each of them at the rate of its day and rounded, so that parts sum up."""

from collections.abc import Iterator
from datetime import date

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import EVERY_ROW, CountedRows
from api.metrics.deal_kinds.deal_rows import NEWEST_UPDATE
from api.metrics.figure_table import FigureTable
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.plan.money.exchange_rates import at_rate, last_rate
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.switch_words import CurrencyRule


def counted_amounts(rows: Sql, is_counted: Sql = EVERY_ROW, is_unopened: Sql | None = None) -> CountedRows:
    """Counted rows of converted amounts: known amounts are summed, unknown ones counted, by unconverted currency.

    The rows have `reads_assumed`: whether the amount is from an assumed history.
    """
    known = Sql("{} and c.worth is not null", is_counted)
    return CountedRows(
        rows=rows,
        aggregates=Aggregates(
            n=count_where(known),
            amount=Sql("sum(c.worth) filter (where {})", is_counted),
            left_out=count_where(Sql("{} and c.worth is null", is_counted)),
            unopened=None if is_unopened is None else count_where(is_unopened),
            updated_at=NEWEST_UPDATE,
        ),
        is_base=known,
        value=Sql("c.worth"),
        is_assumed=Sql("c.reads_assumed"),
        is_by_currency=True,
    )


def converted(request: ResolvedKpiRequest, rows: Sql, factor: Sql | None = None) -> Sql:
    """Rows with `amount`, `currency` and `at`, and beside them `worth` and `unconverted_currency`.

    `worth` is the amount (times `factor`) in the reporting currency, at the last rate on or before the day that the
    switch `currencyRule` chooses, by default that of `at`; or at the inverse of the last rate in the other direction.
    Without a rate `worth` is the amount as it is, and `unconverted_currency` its currency, empty if unknown; otherwise
    that column is null. Without a reporting currency no amount is converted.
    Units: both rounded to the cent per row: a total of rounded amounts is the sum of its parts.
    """
    reporting = request.context.accord.reporting.currency
    times = Sql(" * {}", factor) if factor is not None else Sql("")
    if reporting is None:
        return Sql(
            "select r.*, round(r.amount{}, 2) as worth,"
            " case when r.amount{} is not null then coalesce(r.currency, '') end as unconverted_currency from ({}) r",
            times,
            times,
            rows,
        )
    # Null for an unknown currency: it has no rate either, and stays unconverted.
    is_same = Sql("r.currency = {}", reporting.value)
    if request.currency_rule is CurrencyRule.UNCONVERTED:
        return Sql(
            "select r.*, round(r.amount{}, 2) as worth,"
            " case when r.amount{} is null or {} then null else coalesce(r.currency, '') end as unconverted_currency"
            " from ({}) r",
            *(times, times, is_same, rows),
        )
    # Rates are looked up once per currency and day, not once per deal.
    return Sql(
        "with p as materialized (select q.*, {} as day from ({}) q)"
        " select r.*, round(case when {} or x.rate is null then r.amount{} else {} end, 2) as worth,"
        " case when r.amount{} is null or {} or x.rate is not null then null else coalesce(r.currency, '') end"
        " as unconverted_currency"
        " from p r left join (select k.currency, k.day, x.rate, x.is_inverse"
        " from (select distinct currency, day from p where currency <> {}) k"
        " cross join lateral ({}) x) x on x.currency = r.currency and x.day = r.day",
        *(_rate_day(request), rows, is_same, times, at_rate(Sql("r.amount{}", times), "x"), times, is_same),
        reporting.value,
        last_rate(Sql("k.currency"), Sql("{}", reporting.value), Sql("k.day")),
    )


def _rate_day(request: ResolvedKpiRequest) -> Sql:
    """The day whose rate converts the amount of the row `q`."""
    if request.currency_rule is CurrencyRule.TRANSACTION_DATE:
        return Sql("(q.at at time zone {})::date", request.frame.zone.key)
    return Sql("{}::date", _fixed_day(request))


def _fixed_day(request: ResolvedKpiRequest) -> date:
    """The day whose rate converts all amounts: that of `asOf`, or before it the last one of the period."""
    as_of, end = request.frame.as_of, request.whole_interval.end
    if request.currency_rule is CurrencyRule.PERIOD_END and end is not None:
        as_of = min(as_of, end - MICROSECOND)
    return as_of.astimezone(request.frame.zone).date()


def missing_rates(request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
    """MISSING_RATE: how many amounts are kept apart, in which currencies, and why."""
    unconverted = table.unconverted
    if not unconverted:
        return
    count = sum(unconverted.values())
    named = ", ".join(currency or "an unknown currency" for currency in sorted(unconverted))
    reporting = request.context.accord.reporting.currency
    if reporting is None:
        why = "the accord has no reporting currency"
    elif request.currency_rule is CurrencyRule.UNCONVERTED:
        why = "currencyRule=UNCONVERTED converts no amount"
    elif request.currency_rule is CurrencyRule.TRANSACTION_DATE:
        why = f"there is no rate to {reporting} on their day"
    else:
        why = f"there is no rate to {reporting} on {_fixed_day(request)}"
    amounts = "1 amount is" if count == 1 else f"{count:,} amounts are"
    message = f"{amounts} kept apart by currency ({named}), because {why}."
    yield AnswerWarning(code=WarningCode.MISSING_RATE, message=message, count=count)
