"""The root fields `revenuePlan` and `revenueVariance`, and their input types."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.errors import AccordError, ErrorCode
from api.graph.context import Info
from api.graph.declared import Declared, Input, InputType, Output, TypeRef
from api.graph.kpis.kpi_fields import KPI_DERIVATION
from api.graph.kpis.kpi_requests import read_period
from api.metrics.planning.plan_answer import PlanLag, PlanRate, PlanStep, RevenuePlan, RevenueVariance
from api.metrics.planning.plan_request import RevenuePlanRequest, RevenueVarianceRequest
from api.metrics.planning.revenue_plan import query_revenue_plan
from api.metrics.planning.revenue_variance import query_revenue_variance
from schema.kpis.planning import VarianceBaseline
from schema.vocab import Grain

PLAN_ROOTS = (RevenuePlan, RevenueVariance)
PLAN_DERIVATION = replace(
    KPI_DERIVATION,
    types={**KPI_DERIVATION.types, **{(model, "kpi"): "KpiKey" for model in (PlanStep, PlanRate, PlanLag)}},
)
_PERIOD = TypeRef("PeriodInput")
_AS_OF = Input("asOf", "Only what happened at or before this instant counts. If left out: now.", TypeRef("DateTime"))
_PLAN_ARGUMENTS = (
    Input("target", "The revenue to reach.", TypeRef("RevenueTargetInput").required),
    Input("period", "The days in which the deals are won. It has a first and a last day.", _PERIOD.required),
    Input("grain", "The length of the plan's buckets. If left out: MONTH.", TypeRef("TimeGrain")),
    Input(
        "measuredOver",
        "The days over which rates and lags are measured. If left out: for each, the last four whole calendar quarters"
        " whose outcome is known, because the accord's window between the stages is over.",
        _PERIOD,
    ),
    _AS_OF,
)
_VARIANCE_ARGUMENTS = (
    Input("period", "The days of the revenue to explain. They have a first and a last day.", _PERIOD.required),
    Input("compareTo", "What it is compared with. If left out: PREVIOUS.", TypeRef(VarianceBaseline.__name__)),
    _AS_OF,
)
PLAN_INPUT_TYPES: tuple[Declared, ...] = (
    InputType(
        "RevenueTargetInput",
        "The revenue to reach.",
        (
            Input("amount", "This amount, above 0, in the currency of the plan.", TypeRef("Decimal")),
            Input("agreed", "True: the accord's target for the period.", TypeRef("Boolean")),
        ),
        is_one_of=True,
    ),
)


def plan_fields() -> tuple[Output, ...]:
    """Return the root fields of planning."""
    return (
        Output(
            "revenuePlan",
            "What every stage and team owes so that the revenue of a period reaches a target: how many entries, and"
            " when, by the measured rates, deal sizes and lags.",
            TypeRef("RevenuePlan"),
            _plan,
            _PLAN_ARGUMENTS,
        ),
        Output(
            "revenueVariance",
            "Why the revenue of a period was not that of another one, or not the target: the change split exactly into"
            " volume, speed, win rate and deal size.",
            TypeRef("RevenueVariance"),
            _variance,
            _VARIANCE_ARGUMENTS,
        ),
    )


async def _plan(_source: object, info: Info, **arguments: Any) -> RevenuePlan:  # noqa: ANN401 - coerced inputs
    request = _plan_request(arguments)
    async with info.context.snapshot() as session:
        return await query_revenue_plan(session, info.context.principal, request)


async def _variance(_source: object, info: Info, **arguments: Any) -> RevenueVariance:  # noqa: ANN401 - coerced inputs
    request = RevenueVarianceRequest(
        period=read_period(arguments["period"]),
        compare_to=arguments.get("compareTo") or VarianceBaseline.PREVIOUS,
        as_of=arguments.get("asOf"),
    )
    async with info.context.snapshot() as session:
        return await query_revenue_variance(session, info.context.principal, request)


def _plan_request(given: Mapping[str, Any]) -> RevenuePlanRequest:
    """Return the request of the arguments of `revenuePlan`. Errors: BAD_PERIOD, BAD_INPUT."""
    target, measured_over = given["target"], given.get("measuredOver")
    if target.get("agreed") is False:
        message = "`target: {agreed: false}` gives no target."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Write `agreed: true` for the accord's, or give an `amount`.")
    return RevenuePlanRequest(
        period=read_period(given["period"]),
        amount=target.get("amount"),
        grain=given.get("grain") or Grain.MONTH,
        measured_over=None if measured_over is None else read_period(measured_over),
        as_of=given.get("asOf"),
    )
