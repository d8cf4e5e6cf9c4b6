"""Journeys in tests whose stage entries are not the evaluator's: derived from the entries that are stored."""

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.in_force import accord_periods
from api.db import WriteSession
from api.funnel.evaluate import store_journeys
from api.funnel.ladder import ladder_of
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.identity.survivors import SURVIVORS
from api.sql import Sql
from schema.base import now


async def derive_journeys(session: WriteSession) -> None:
    """Store the journeys of the current evaluation, from which KPIs then answer."""
    for table in ("journey", "handoff_journey", "deal_journey", "deal_span", "day_sum_run", "day_sum"):
        await session.script(f"delete from {table}")
    await session.run(Sql("create temp table funnel_merged on commit drop as {}", SURVIVORS))
    has_merged = await session.value(Sql("select exists (select from funnel_merged)"))
    evaluation = await session.value(Sql("select {}", CURRENT_EVALUATION))
    ladder = ladder_of(await accord_periods(session))
    await store_journeys(session, evaluation, ladder, VisibleFacts(bound_instant(now()), has_merged))
    await answer_from_journeys(session, is_allowed=True)


async def answer_from_journeys(session: WriteSession, *, is_allowed: bool) -> None:
    """Let KPIs answer from the journeys of the current evaluation, or from facts alone."""
    await session.run(Sql("update evaluation set has_journeys = {} where is_current", is_allowed))
