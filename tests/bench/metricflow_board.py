"""The KPIs of the board that MetricFlow can state, compiled by it and run on the same PostgreSQL.

MetricFlow has no rules of stages, no conversion between persons' stages as of an instant, no states of the past and no
rates of a day. So it reads the entries that `board.sql` derived by hand, and answers five of the twelve KPIs. It is
installed, pinned, into a virtual environment of its own in the temp folder.
"""

import json
import subprocess
import tempfile
import venv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from api.db import Connection

PROJECT = Path(__file__).with_name("metricflow")
# The metrics, with the entity whose channel they are by.
_METRICS = {
    "mqls": "record",
    "sqls": "record",
    "opportunities_created": "opening",
    "deals_won": "closing",
    "win_rate": "closing",
}
_VIEWS = ("board_entry", "board_opening", "board_closing")


@dataclass(frozen=True, slots=True)
class CompiledMetric:
    """The SQL of a metric, and the CPU time of its compilation in seconds."""

    key: str
    entity: str
    sql: str
    seconds: float


def compiled_metrics(first: date, before: date) -> list[CompiledMetric] | str:
    """Compile the metrics for the days from `first` up to `before`; why not, if MetricFlow cannot be had."""
    home = Path(tempfile.gettempdir()) / "accord-bench-metricflow"
    python = home / "bin" / "python"
    target = home / "target"
    try:
        if not (home / "installed").exists():
            venv.create(home, with_pip=True)
            _run([str(python), "-m", "pip", "install", "-q", "-r", str(PROJECT / "requirements.txt")])
            (home / "installed").touch()
        project = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        where = ["--target-path", str(target), "--log-path", str(home / "logs")]
        _run([str(home / "bin" / "dbt"), "parse", *project, *where])
        last = before - timedelta(days=1)
        metrics = [f"{key}={entity}" for key, entity in _METRICS.items()]
        days = [first.isoformat(), last.isoformat()]
        script = str(PROJECT / "compile_metrics.py")
        printed = _run([str(python), script, str(target / "semantic_manifest.json"), *days, *metrics])
    except subprocess.CalledProcessError as error:
        output = f"{error.stderr}\n{error.stdout}".strip()
        return f"MetricFlow is not compared, because `{' '.join(error.cmd[:4])}` failed: {output[-500:]}"
    found = json.loads(printed.splitlines()[-1])
    return [CompiledMetric(key, _METRICS[key], it["sql"], it["seconds"]) for key, it in found.items()]


async def create_sources(connection: Connection) -> None:
    """Create the models as temp views over the tables of the prelude of `board.sql`."""
    for view in _VIEWS:
        query = (PROJECT / "models" / f"{view}.sql").read_text(encoding="utf-8")
        await connection.execute(f"create temp view {view} as {query}")


async def metric_values(
    connection: Connection, metrics: list[CompiledMetric], start: date
) -> dict[tuple[str, str | None, int], float]:
    """Run the statements; the values by KPI, channel and month from 1, without those that are zero or unknown."""
    found: dict[tuple[str, str | None, int], float] = {}
    for metric in metrics:
        for row in await connection.fetch(metric.sql.replace('"board"."pg_temp".', "")):
            month = row["metric_time__month"]
            place = (month.year - start.year) * 12 + month.month - start.month + 1
            if row[metric.key]:
                found[metric.key, row[f"{metric.entity}__channel"], place] = float(row[metric.key])
    return found


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout
