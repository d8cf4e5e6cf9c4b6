"""The economics of an accord in plain English."""

from schema.accord import Accord
from schema.clauses.economics import Economics, SalesCost
from schema.sentences.words import percent


def margin_sentence(economics: Economics) -> str:
    """Render the gross margin; empty if it is not agreed."""
    if economics.gross_margin is None:
        return ""
    return f"The gross margin is {percent(economics.gross_margin)} of revenue."


def churn_sentence(economics: Economics) -> str:
    """Render the churn; empty if it is not agreed."""
    if economics.monthly_churn is None:
        return ""
    return f"Of the customers, {percent(economics.monthly_churn)} leave each month."


def sales_cost_sentence(cost: SalesCost, accord: Accord) -> str:
    """Render what sales costs from a month on."""
    currency = accord.reporting.currency
    amount = f"{cost.per_month:,} {currency.value}" if currency else f"{cost.per_month:,}"
    return f"From {cost.first_month} on, sales costs {amount} a month."


def economics_sentences(economics: Economics, accord: Accord) -> tuple[str, ...]:
    """Render all that is agreed."""
    stated = (margin_sentence(economics), churn_sentence(economics))
    costs = (sales_cost_sentence(cost, accord) for cost in economics.sales_costs)
    return tuple(sentence for sentence in (*stated, *costs) if sentence)
