# mypy: ignore-errors
"""Compile metrics to SQL by MetricFlow, five times each; run by its own Python, see `tests/bench/metricflow_board.py`.

Prints JSON: for each metric its SQL, and the least CPU time of a compilation in seconds.
"""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup


class _Client:
    """What the compiler reads of a connection."""

    sql_engine_type = SqlEngine.POSTGRES
    sql_plan_renderer = PostgresSQLSqlPlanRenderer()


def main() -> None:
    """Compile the metrics `name=entity` of the arguments after the manifest, the first day and the last one."""
    manifest, first, last, *metrics = sys.argv[1:]
    parsed = PydanticSemanticManifest.parse_raw(Path(manifest).read_text(encoding="utf-8"))
    engine = MetricFlowEngine(SemanticManifestLookup(parsed), _Client())
    compiled = {}
    for metric in metrics:
        name, _, entity = metric.partition("=")
        times = []
        for _ in range(5):
            before = time.process_time()
            request = MetricFlowQueryRequest.create_with_random_request_id(
                metric_names=[name],
                group_by_names=["metric_time__month", f"{entity}__channel"],
                time_constraint_start=datetime.fromisoformat(first),
                time_constraint_end=datetime.fromisoformat(last),
            )
            sql = engine.explain(request).sql_statement.sql
            times.append(time.process_time() - before)
        compiled[name] = {"sql": sql, "seconds": min(times)}
    print(json.dumps(compiled))


main()
