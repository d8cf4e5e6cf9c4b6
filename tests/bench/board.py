"""`make bench-kpi`: a board of 12 KPIs by channel and month, from day sums, journeys and facts, and by hand.

Beside it five of them by MetricFlow, see `metricflow_board`.

For each size a sample company is generated (or reused, with --keep) and vacuumed. The board is one call of
`query_kpis`, in one snapshot. That of day sums is also measured while 30 days are outdated, which are then read from
journeys. By hand it is the standard accord and each KPI in the best SQL that could be written for exactly them
(funnel_standard.sql, board.sql). Every number by channel and month must be the same. Costs are the CPU time of
PostgreSQL, and of this process for the boards that it computes.
"""

import argparse
import asyncio
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psutil

from api.access.principal import LOCAL_OPERATOR
from api.db import Connection, ReadSession, ScratchSession, WriteSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Period
from api.metrics.summing.store_sums import store_day_sums
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from tests.bench.funnel_evaluation import run_standard_by_hand
from tests.bench.funnel_meter import cpu_seconds
from tests.bench.funnel_plot import plot
from tests.bench.metricflow_board import CompiledMetric, compiled_metrics, create_sources, metric_values
from tests.bench.sample_company import sample_company
from tests.support.journeys import answer_from_journeys

BOARD = (
    *("mqls", "sqls", "opportunities_created", "deals_won", "new_customers", "mql_to_customer"),
    *("win_rate", "revenue_won", "pipeline_created", "open_pipeline", "mql_acceptance", "speed_to_lead"),
)
START, UNTIL = date(2025, 11, 1), date(2026, 11, 1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
_BY_HAND = Path(__file__).with_name("board.sql")
_CENT = Decimal("0.01")
_MILLIONTH = 0.000_001

# What the board is read from, and the script that brings that about, in this order.
_PREPARED = {
    "day sums": "",
    "  30 days outdated": """insert into journey_change (evaluation_id, source, starts_at, ends_at)
      select e.id, s.source, d.at, d.at from evaluation e
      cross join unnest(array['journey', 'handoff_journey', 'deal_journey']) s (source)
      cross join generate_series(timestamptz '2026-10-02 12:00+00', '2025-11-01', '-11 days') d (at)
      where e.is_current""",
    "journeys": "delete from journey_change; delete from day_sum_run",
    "facts": "",
}
Cells = dict[tuple[str, str | None, int], tuple[int, Decimal | None]]  # KPI, channel, month -> n and value
CpuTimes = tuple[float, float, float]  # seconds of PostgreSQL, of Python, and of the clock


async def measure(folder: Path, contacts: int, rounds: int, metrics: list[CompiledMetric]) -> dict[str, CpuTimes]:
    """Generate the company unless the folder has it already, and measure the boards, and the metrics."""
    async with sample_company(folder, contacts, UNTIL) as (connection, _):
        return await _compared(connection, rounds, metrics)


async def _compared(connection: Connection, rounds: int, metrics: list[CompiledMetric]) -> dict[str, CpuTimes]:
    session = WriteSession(connection)
    found: dict[str, CpuTimes] = {}
    boards: dict[str, Cells] = {}
    found["storing day sums"] = await _store_sums(connection)
    for title, prepare in _PREPARED.items():
        await answer_from_journeys(session, is_allowed=title != "facts")
        if prepare:
            await connection.execute(prepare)
        found[title], boards[title] = await _metered(connection, _ours, rounds)
    await answer_from_journeys(session, is_allowed=True)
    found["by hand"], boards["by hand"] = await _metered(connection, _by_hand, 1)
    for title, cells in boards.items():
        _require_equal(title, boards["journeys"], cells)
    if metrics:
        found["MetricFlow (5)"] = await _metricflow(connection, metrics, boards["journeys"])
    return found


async def _store_sums(connection: Connection) -> CpuTimes:
    """The cost of the job that stores all day sums after an evaluation, once."""
    await connection.execute("delete from day_sum; delete from day_sum_run; delete from journey_change")
    backend, own = psutil.Process(connection.get_server_pid()), psutil.Process()
    before = (cpu_seconds(backend), cpu_seconds(own), time.perf_counter())
    async with connection.transaction(isolation="repeatable_read"):
        await store_day_sums(WriteSession(connection), AS_OF)
    after = (cpu_seconds(backend), cpu_seconds(own), time.perf_counter())
    await connection.execute("vacuum (analyze) day_sum")
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


async def _metricflow(connection: Connection, metrics: list[CompiledMetric], board: Cells) -> CpuTimes:
    """The cost of MetricFlow's metrics. It is given the entries: the cost of deriving them is not among it."""
    backend = psutil.Process(connection.get_server_pid())
    async with connection.transaction(isolation="repeatable_read"):
        await run_standard_by_hand(ScratchSession(connection), AS_OF)
        await connection.execute(_blocks()["prelude"])
        await create_sources(connection)
        before, started = cpu_seconds(backend), time.perf_counter()
        values = await metric_values(connection, metrics, START)
        server, wall = cpu_seconds(backend) - before, time.perf_counter() - started
    keys = {metric.key for metric in metrics}
    ours = {cell: float(value) for cell, (_, value) in board.items() if cell[0] in keys and value}
    wrong = [cell for cell in ours.keys() | values.keys() if abs(ours.get(cell, 0) - values.get(cell, 0)) > _MILLIONTH]
    if wrong:
        raise SystemExit(f"{wrong[0]}: journeys and MetricFlow give different values. They cannot be compared.")
    compiling = sum(metric.seconds for metric in metrics)
    return server, compiling, wall + compiling


async def _metered(
    connection: Connection, board: Callable[[Connection], Awaitable[Cells]], rounds: int
) -> tuple[CpuTimes, Cells]:
    """Run a board, the first time to warm up unless it runs once only; the median costs, and its cells."""
    backend, own = psutil.Process(connection.get_server_pid()), psutil.Process()
    costs: list[CpuTimes] = []
    cells: Cells = {}
    for number in range(rounds if rounds == 1 else rounds + 1):
        before = (cpu_seconds(backend), cpu_seconds(own), time.perf_counter())
        async with connection.transaction(isolation="repeatable_read"):
            cells = await board(connection)
        after = (cpu_seconds(backend), cpu_seconds(own), time.perf_counter())
        if number or rounds == 1:
            costs.append((after[0] - before[0], after[1] - before[1], after[2] - before[2]))
    server, python, wall = (statistics.median(cost[place] for cost in costs) for place in range(3))
    return (server, python, wall), cells


async def _ours(connection: Connection) -> Cells:
    requests = [KpiRequest(key, Period(START, UNTIL), grain=Grain.MONTH, by=(Dimension.CHANNEL,)) for key in BOARD]
    answers = await query_kpis(ReadSession(connection), LOCAL_OPERATOR, requests, now=AS_OF)
    cells: Cells = {}
    for answer in answers:
        if isinstance(answer, AccordError):
            raise answer
        cells |= _cells(answer)
    return cells


def _cells(answer: KpiAnswer) -> Cells:
    return {
        (answer.key, group.keys[0].value, place): (bucket.n, bucket.value)
        for group in answer.breakdown
        for place, bucket in enumerate(group.series, start=1)
        if bucket.n
    }


def _blocks() -> dict[str, str]:
    """The statements of board.sql by the KPI, with their values."""
    months = [f"{START.year + (START.month - 1 + m) // 12}-{(START.month - 1 + m) % 12 + 1:02}-01" for m in range(13)]
    values = {
        ":start": f"timestamptz '{START} 00:00+00'",
        ":end": f"timestamptz '{UNTIL} 00:00+00'",
        ":as_of": f"timestamptz '{AS_OF.isoformat()}'",
        ":months": "array[" + ", ".join(f"timestamptz '{month} 00:00+00'" for month in months) + "]",
    }
    written = re.sub(":(start|end|as_of|months)", lambda mark: values[mark[0]], _BY_HAND.read_text(encoding="utf-8"))
    parts = re.split(r"^-- (\w+)$", written, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


async def _by_hand(connection: Connection) -> Cells:
    blocks = _blocks()
    await run_standard_by_hand(ScratchSession(connection), AS_OF)
    await connection.execute(blocks.pop("prelude"))
    cells: Cells = {}
    for key, statement in blocks.items():
        for row in await connection.fetch(statement):
            cells[key, row["channel"], row["bucket"]] = (row["n"], row["value"])
    return cells


def _require_equal(title: str, ours: Cells, theirs: Cells) -> None:
    """End the benchmark if a cell of another board differs from that of the journeys, values to the cent."""
    for cell in sorted(ours.keys() | theirs.keys(), key=str):
        n, value = ours.get(cell, (0, None))
        other_n, other_value = theirs.get(cell, (0, None))
        is_same = value == other_value or abs((value or Decimal(0)) - (other_value or Decimal(0))) <= _CENT
        if n != other_n or not is_same:
            message = f"{cell}: journeys give {n} and {value}, {title} gives {other_n} and {other_value}."
            raise SystemExit(f"{message} They cannot be compared.")


def report(contacts: int, found: dict[str, CpuTimes]) -> None:
    """Print the costs of one size."""
    print(f"\n{contacts:,} contacts, the board of {len(BOARD)} KPIs by channel and month")
    print(f"{'':<20}{'PostgreSQL':>12}{'Python':>10}{'CPU':>10}{'clock':>10}{'times':>8}")
    best = sum(found["day sums"][:2])
    for title, (server, python, wall) in found.items():
        cpu = server + (0 if title == "by hand" else python)
        shown = "".join(f"{value * 1000:>9.0f} " for value in (server, python, cpu, wall))
        print(f"{title:<20} {shown}{cpu / best:>9.1f}", flush=True)


def main() -> None:
    """Compare at the requested sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000", help="numbers of contacts, such as 100000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="keep the companies in the temp folder, to be reused")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of the plot")
    options = parser.parse_args()
    lines: dict[str, list[tuple[int, float]]] = {}
    compiled = compiled_metrics(START, UNTIL)
    if isinstance(compiled, str):
        print(compiled)
        compiled = []
    for size in map(int, options.sizes.split(",")):
        folder = Path(tempfile.gettempdir()) / f"accord-bench-funnel-{size}"
        try:
            found = asyncio.run(measure(folder, size, options.rounds, compiled))
        finally:
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)
        report(size, found)
        for title, (server, python, _) in found.items():
            lines.setdefault(title, []).append((size, server + (0 if title == "by hand" else python)))
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = plot("CPU-seconds of a board of 12 KPIs by channel and month", lines)
    if compiled:
        each = ", ".join(f"{metric.key} {metric.seconds * 1000:.1f} ms" for metric in compiled)
        print(f"\nMetricFlow answers {len(compiled)} of the {len(BOARD)} KPIs. Its compilation alone takes: {each}.")
    (options.out / "kpi.svg").write_text(drawn, encoding="utf-8")
    print(f"\nPlot: {options.out / 'kpi.svg'}")


if __name__ == "__main__":
    main()
