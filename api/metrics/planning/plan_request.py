"""The requests of planning: what a target asks for, and why the revenue of a period was not another one."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from api.metrics.request import Period
from schema.kpis.planning import VarianceBaseline
from schema.vocab import Grain


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenuePlanRequest:
    """A request for the plan of a revenue target. Without an amount, the target is the accord's for the period.

    `measured_over` is where rates and lags are measured; without it, each over the last four whole quarters whose
    outcome is known.
    """

    period: Period
    amount: Decimal | None = None
    grain: Grain = Grain.MONTH
    measured_over: Period | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueVarianceRequest:
    """A request for the split of the change of revenue against a baseline."""

    period: Period
    compare_to: VarianceBaseline = VarianceBaseline.PREVIOUS
    as_of: datetime | None = None
