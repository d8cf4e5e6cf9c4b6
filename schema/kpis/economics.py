"""KPIs that a formula computes from several parts: how fast deals bring money, and what customers cost and bring."""

from schema.kpis.dimensions import CUSTOMER_DIMENSIONS, DEAL_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.measures.composites import (
    AcquisitionCost,
    Coverage,
    LifetimeValue,
    LifetimeValueOverCost,
    Payback,
    Velocity,
)
from schema.kpis.switchboard import AGREED_FORMULA_SWITCHES, FORMULA_SWITCHES
from schema.vocab import Unit

_COST = (
    "The cost is that of campaigns, and what the accord states of sales; both are spread evenly over their days, up to "
    "the day of `asOf`. Campaign costs convert at the exchange rates of their first days, unless `currencyRule` names "
    "another day for all amounts."
)
_MARGIN = (
    "The revenue is that of the deals won in the period; it is divided by the customers won by the end of the period, "
    "or by `asOf` if that is earlier, and by the months of the period, of which a cut one counts by the share of its "
    "days. No customer counts as lost, because nothing records it."
)

PIPELINE_COVERAGE = Kpi(
    key="pipeline_coverage",
    title="Pipeline coverage",
    meaning=(
        "How often the open pipeline covers what is missing of the target: the amounts of the deals with an expected "
        "closing in the period that were open at its end, or at `asOf` if that is earlier, divided by the target of "
        "revenue won less the revenue won so far. The target is the accord's for the period, or the sum of those for "
        "its quarters or months. There is no value once the target is met. A period that begins after `asOf` has one."
    ),
    formula="Open pipeline closing in the period, divided by the target of revenue won less the revenue won.",
    measure=Coverage(),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=AGREED_FORMULA_SWITCHES,
    guard="win_rate",
    source="The history of the deals; the accord's targets; the exchange rates.",
)

SALES_VELOCITY = Kpi(
    key="sales_velocity",
    title="Sales velocity",
    meaning=(
        "The money that the open deals bring per day: the number of deals open at the end of the period, or at `asOf` "
        "if that is earlier, times the win rate, times the average deal size, divided by the average days from opening "
        "to win. Win rate, deal size and days are those of the deals closed in the period. All four parts count the "
        "deals that meet the filter; every open deal counts as qualified. Deals without an amount or an opening are "
        "in the win rate, and not in the average that needs it."
    ),
    formula="Open deals times win rate times average deal size, divided by the average days from opening to win.",
    measure=Velocity(),
    unit=Unit.MONEY_PER_DAY,
    subject=Subject.DEAL,
    dimensions=DEAL_DIMENSIONS,
    switches=FORMULA_SWITCHES,
    guard="win_rate",
    source="The deals' history, opening and closing dates, and amounts; the exchange rates.",
)

CAC = Kpi(
    key="cac",
    title="Customer acquisition cost",
    meaning=(
        "What a new customer costs: the cost of campaigns and of sales in the period, divided by the customers whose "
        f"first deal was won in the period. {_COST}"
    ),
    formula="Campaign cost plus sales cost in the period, divided by new customers in the period.",
    measure=AcquisitionCost(),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=(),
    switches=AGREED_FORMULA_SWITCHES,
    guard="new_customers",
    source="The costs of campaigns; the accord's sales costs; the customers' first deals won.",
)

LTV = Kpi(
    key="ltv",
    title="Customer lifetime value",
    meaning=(
        "What a customer brings until they leave: the revenue per customer and month, times the accord's gross margin, "
        f"divided by the share of the customers who leave each month by the accord. {_MARGIN} A group has the "
        "revenue of the deals won while their company was in it, and the customers whose company was in it at their "
        "first win."
    ),
    formula="Revenue per customer and month times gross margin, divided by monthly churn.",
    measure=LifetimeValue(),
    unit=Unit.MONEY,
    subject=Subject.DEAL,
    dimensions=CUSTOMER_DIMENSIONS,
    switches=AGREED_FORMULA_SWITCHES,
    guard="cac",
    source="The deals won; the accord's gross margin and churn.",
)

LTV_CAC = Kpi(
    key="ltv_cac",
    title="Lifetime value by acquisition cost",
    meaning=(
        "How often the lifetime value of a customer pays the cost of winning one: `ltv` divided by `cac`, both of the "
        f"period. {_MARGIN} {_COST}"
    ),
    formula="Customer lifetime value divided by customer acquisition cost.",
    measure=LifetimeValueOverCost(),
    unit=Unit.RATIO,
    subject=Subject.DEAL,
    dimensions=(),
    switches=AGREED_FORMULA_SWITCHES,
    guard="cac_payback_months",
    source="Those of ltv and cac.",
)

CAC_PAYBACK_MONTHS = Kpi(
    key="cac_payback_months",
    title="Payback of the acquisition cost",
    meaning=(
        "The months until a customer has paid the cost of winning one: `cac`, divided by the revenue per customer and "
        f"month times the accord's gross margin. {_MARGIN} {_COST}"
    ),
    formula="Customer acquisition cost, divided by revenue per customer and month times gross margin.",
    measure=Payback(),
    unit=Unit.MONTHS,
    subject=Subject.DEAL,
    dimensions=(),
    switches=AGREED_FORMULA_SWITCHES,
    guard="ltv_cac",
    source="The costs of campaigns; the deals won; the accord's sales costs and gross margin.",
)

KPIS = (PIPELINE_COVERAGE, SALES_VELOCITY, CAC, LTV, LTV_CAC, CAC_PAYBACK_MONTHS)
