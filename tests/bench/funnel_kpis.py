"""KPIs and the funnel, beside hand-written SQL for the same numbers."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import asyncpg

from api.access.evaluation import CURRENT_EVALUATION
from api.access.principal import LOCAL_OPERATOR
from api.db import ReadSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair
from tests.bench.funnel_meter import Comparison, Cost, Side, compare, metered

_BY_HAND = Path(__file__).with_name("funnel_kpis.sql")
_PAIRED = ("stage_conversion", "time_to_convert")
_PAIR = StagePair("mql", "sql")
_CENT = Decimal("0.01")
_BATCH = 5  # requests in one measurement

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def compare_kpis(
    connection: Connection, start: date, end: date, as_of: datetime, rounds: int
) -> list[Comparison]:
    """Compare each KPI that has hand-written SQL, for one period. Its figures must equal those of the KPI's result."""
    evaluation = await connection.fetchval(f"select {CURRENT_EVALUATION}")
    values = {
        ":start": f"timestamptz '{start} 00:00+00'",
        ":end": f"timestamptz '{end} 00:00+00'",
        ":as_of": f"timestamptz '{as_of.isoformat()}'",
        ":evaluation": f"uuid '{evaluation}'",
    }
    session, period = ReadSession(connection), Period(start, end)
    comparisons = []
    for key, text in _by_hand().items():
        written = re.sub(":(start|end|as_of|evaluation)", lambda mark: values[mark[0]], text)

        async def ours(key: str = key) -> KpiAnswer | FunnelAnswer:
            if key == "funnel":
                return await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(period), now=as_of)
            request = KpiRequest(key, period, stages=_PAIR if key in _PAIRED else None)
            [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=as_of)
            if isinstance(answer, AccordError):
                raise answer
            return answer

        async def by_hand(written: str = written) -> list[asyncpg.Record]:
            return await connection.fetch(written)

        _require_equal(key, await ours(), await by_hand())
        comparisons.append(await compare(key, _side(connection, ours), _side(connection, by_hand), rounds))
    return comparisons


def _by_hand() -> Mapping[str, str]:
    """Return the statements by KPI. A block begins with a comment line that is only the key."""
    parts = re.split(r"^-- (\w+)$", _BY_HAND.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _side(connection: Connection, request: Callable[[], Awaitable[object]]) -> Side:
    async def run() -> Cost:
        async with metered(connection.get_server_pid()) as cost:
            for _ in range(_BATCH):
                # One snapshot for each request, as in the server.
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await request()
        return Cost(cost.wall / _BATCH, cost.cpu / _BATCH, cost.memory)

    return run


def _require_equal(key: str, answer: KpiAnswer | FunnelAnswer, rows: list[asyncpg.Record]) -> None:
    """End the benchmark if a figure of the hand-written SQL differs from that of the result."""
    ours: list[tuple[object, ...]]
    theirs: list[tuple[object, ...]]
    if isinstance(answer, FunnelAnswer):
        ours = [(step.reached, step.implied, step.entered) for step in answer.stages]
        theirs = [(row["reached"], row["implied"], row["entered"]) for row in rows]
    else:
        ours = [tuple(_figure(answer, name) for name in rows[0].keys())]  # noqa: SIM118 - a record iterates over values
        theirs = [tuple(rows[0].values())]
    if not _is_equal(ours, theirs):
        raise SystemExit(f"{key}: Accord returns {ours}, the hand-written SQL {theirs}, so they cannot be compared.")


def _figure(answer: KpiAnswer, name: str) -> object:
    spread = answer.distribution
    if name == "percentiles" and spread is not None:
        return [spread.median, spread.p75, spread.p90]
    if name == "waiting":
        return sum(warning.count or 0 for warning in answer.warnings if warning.code == "OPEN_COHORT")
    return getattr(spread if name == "mean" else answer, name)


def _is_equal(one: object, other: object) -> bool:
    """Compare figures, numbers to the cent: the two sides round at different steps."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return abs(Decimal(one) - Decimal(other)) <= _CENT
    return one == other
