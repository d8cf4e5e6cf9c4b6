"""What a customer costs and brings: the cost of winning one, the value of one, and both compared."""

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from api.metrics.answer import AnswerWarning
from api.metrics.composites.campaign_costs import CampaignCosts
from api.metrics.composites.cell_days import CellDays, days_of_cells, months_between
from api.metrics.composites.composite_kind import AgreedValues, CompositeKind, GroupValues
from api.metrics.composites.customers_to_date import CustomersToDate
from api.metrics.composites.parts import AgreedPart, CountedPart, NoValue, PartValue, PartValues, Quotient, given
from api.metrics.composites.spread_costs import cuts_a_month, sales_cost_between
from api.metrics.deal_kinds.deal_amounts import ClosingSum
from api.metrics.deal_kinds.deal_counts import FirstWinCount
from api.metrics.figure_table import ALL, FigureTable
from api.metrics.resolved_request import ResolvedKpiRequest
from schema.access.rights import Reach
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings
from schema.vocab import DealOutcome, Unit

_COST_PARTS = (
    CountedPart(
        name="new_customers",
        title="New customers",
        unit=Unit.COUNT,
        kind=FirstWinCount(),
        value=PartValue.COUNT,
        is_sample=True,
    ),
    CountedPart(
        name="campaign_cost",
        title="Campaign cost",
        unit=Unit.MONEY,
        kind=CampaignCosts(),
        value=PartValue.SUM,
        has_own_total=True,  # a cost of several buckets counts once
        missing="No campaign cost lies in the period: import the costs of campaigns, or enter them with "
        "createCampaignCost.",
    ),
    AgreedPart(
        name="sales_cost",
        title="Sales cost",
        unit=Unit.MONEY,
        missing="The sales cost of the period is not known: state economics.sales_costs in the accord for all of its "
        "months, and name a period with a start. Who reaches only a part of the records has no cost per customer.",
    ),
)
_MONTHS = AgreedPart(
    name="months",
    title="Months of the period",
    unit=Unit.MONTHS,
    missing="Revenue per month needs the number of months: name a period with a start, of at most 100 years.",
)
_MARGIN = AgreedPart(
    name="gross_margin",
    title="Gross margin",
    unit=Unit.RATIO,
    missing="The accord states no gross margin: state economics.gross_margin.",
)
_REVENUE_PARTS = (
    CountedPart(
        name="customers",
        title="Customers to date",
        unit=Unit.COUNT,
        kind=CustomersToDate(),
        value=PartValue.COUNT,
        is_sample=True,
    ),
    CountedPart(
        name="revenue_won",
        title="Revenue won",
        unit=Unit.MONEY,
        kind=ClosingSum(Closings((DealOutcome.WON,))),
        value=PartValue.SUM,
    ),
    _MONTHS,
    _MARGIN,
)
_CHURN = AgreedPart(
    name="monthly_churn",
    title="Customers lost per month",
    unit=Unit.RATIO,
    missing="The accord states no churn: state economics.monthly_churn.",
)


class _CustomerEconomics(CompositeKind):
    """What these formulas share: the costs and margins of the accord, and the costs that a period cuts."""

    reads: ClassVar[tuple[str, ...]] = ("deal", "deal_contact", "contact", "campaign_cost")

    def agreed(self, request: ResolvedKpiRequest, days: CellDays, group: GroupValues | None) -> AgreedValues:
        """The sales cost and the months of the days up to `asOf`; the gross margin and the churn."""
        economics, past = request.context.accord.economics, days.past
        found = {} if past is None else {"months": months_between(*past)}
        if economics is None:
            return found
        # Costs are those of the firm: divided by the customers of a part of it they would be too high.
        has_whole = request.context.principal.reach is Reach.ALL
        sales_cost = sales_cost_between(economics, *past) if past is not None and has_whole else None
        stated = (
            ("sales_cost", sales_cost),
            ("gross_margin", economics.gross_margin),
            ("monthly_churn", economics.monthly_churn),
        )
        return found | {name: Fraction(value) for name, value in stated if value is not None}

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """Those of all formulas; COST_SPREAD for the sales cost of a month that the period cuts."""
        yield from super().warnings(request, table)
        past = days_of_cells(request, ())[ALL].past
        if past is not None and cuts_a_month(*past) and "sales_cost" in table.total.agreed and self._has_costs:
            message = "Sales cost: the period cuts a month. Its cost counts by the share of its days in the period."
            yield AnswerWarning(code=WarningCode.COST_SPREAD, message=message, count=None)

    @property
    def _has_costs(self) -> bool:
        return any(part.name == "sales_cost" for part in self.parts)


class CustomerAcquisitionCost(_CustomerEconomics):
    """The cost of campaigns and of sales in the period, divided by the new customers.

    Units:  money of the answer's currency.
    Source: the costs of campaigns and the accord's sales costs, spread by day; the first wins of customers.
    """

    unit: ClassVar[Unit] = Unit.MONEY
    parts = _COST_PARTS

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """All costs by the new customers."""
        return _acquisition_cost(values)


class CustomerLifetimeValue(_CustomerEconomics):
    """The margin of a customer's revenue per month, divided by the share of the customers who leave each month.

    Units:  money of the answer's currency.
    Source: the deals won and the first wins of customers; the accord's gross margin and churn.
    """

    reads: ClassVar[tuple[str, ...]] = ("deal", "deal_contact", "contact")
    unit: ClassVar[Unit] = Unit.MONEY
    parts = (*_REVENUE_PARTS, _CHURN)

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The monthly margin by the churn."""
        return _lifetime_value(values)


class CustomerValueOverCost(_CustomerEconomics):
    """The lifetime value of a customer, divided by the cost of winning one.

    Source: those of both.
    """

    unit: ClassVar[Unit] = Unit.RATIO
    parts = (*_REVENUE_PARTS, _CHURN, *_COST_PARTS)

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The value by the cost."""
        value, cost = _lifetime_value(values), _acquisition_cost(values)
        if isinstance(value, NoValue) or isinstance(cost, NoValue):
            return value if isinstance(value, NoValue) else cost
        if not cost.value:
            return NoValue(
                WarningCode.ZERO_DENOMINATOR, "New customers cost nothing, so there is nothing to divide by."
            )
        return Quotient(value.value, cost.value)


class PaybackTime(_CustomerEconomics):
    """The cost of winning a customer, divided by the margin of a customer's revenue per month.

    Units:  months.
    Source: those of both.
    """

    unit: ClassVar[Unit] = Unit.MONTHS
    parts = (*_COST_PARTS, *_REVENUE_PARTS)

    def quotient(self, values: PartValues) -> Quotient | NoValue:
        """The cost by the monthly margin."""
        cost, margin = _acquisition_cost(values), _monthly_margin(values)
        if isinstance(cost, NoValue):
            return cost
        if isinstance(margin, NoValue):
            return margin
        if margin <= 0:
            message = "Customers brought no revenue in the period, so no cost is paid back."
            return NoValue(WarningCode.ZERO_DENOMINATOR, message)
        return Quotient(cost.value, margin)


def _acquisition_cost(values: PartValues) -> Quotient | NoValue:
    customers = given(values, "new_customers")
    if not customers:
        return NoValue(
            WarningCode.ZERO_DENOMINATOR, "No customer is new in the period, so there is nothing to divide by."
        )
    return Quotient(given(values, "campaign_cost") + given(values, "sales_cost"), customers)


def _monthly_margin(values: PartValues) -> Fraction | NoValue:
    customers = given(values, "customers")
    if not customers:
        message = "No customer had been won by the end of the period, so there is nothing to divide by."
        return NoValue(WarningCode.ZERO_DENOMINATOR, message)
    return given(values, "revenue_won") / customers / given(values, "months") * given(values, "gross_margin")


def _lifetime_value(values: PartValues) -> Quotient | NoValue:
    margin, churn = _monthly_margin(values), given(values, "monthly_churn")
    if isinstance(margin, NoValue):
        return margin
    if not churn:
        message = "No customer leaves by the accord (economics.monthly_churn is 0), so a customer's value has no limit."
        return NoValue(WarningCode.ZERO_DENOMINATOR, message)
    return Quotient(margin, churn)
