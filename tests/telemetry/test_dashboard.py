"""The Grafana dashboard: its queries name metrics that exist."""

import json
import re
from collections.abc import Iterator
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from api.telemetry.instruments import READS, count_request
from api.telemetry.sampled import SAMPLED, Backlog, LaneUse, PoolUse, ReplicaUse, metrics_text
from tests.support.sources import TOP

DASHBOARD = json.loads((TOP / "api/deploy/grafana-dashboard.json").read_text(encoding="utf-8"))
_METRIC = re.compile(r"\b(?:accord|process|python)_\w+")
_GROUPED = re.compile(r"\bby \(([^)]*)\)")


def queries() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in DASHBOARD["templating"]["list"]:
        if isinstance(variable["query"], dict):
            yield variable["query"]["query"]


def existing() -> dict[str, set[str]]:
    """The names of all samples, with the labels that they have."""
    count_request("/graphql", "Shown", "200", 0.1, "BUSY")
    SAMPLED.backlog = Backlog(1.0, 1, 1.0, 1, 0.0)
    found: dict[str, set[str]] = {}
    READS.labels("replica", "").inc()
    with (
        SAMPLED.lanes(lambda: [LaneUse("light", 1, 0, 1)]),
        SAMPLED.pools(lambda: [PoolUse("reads", 1, 0, 0, 1)]),
        SAMPLED.replica(lambda: ReplicaUse(1, 0.1)),
    ):
        text = metrics_text().decode()
    SAMPLED.backlog = None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        # Without a run of a job, its families have no sample.
        names = {"counter": ["_total"], "summary": ["_sum", "_count"]}.get(family.type, [""])
        for ending in names:
            found.setdefault(f"{family.name}{ending}", set())
    return found


def test_every_query_names_metrics_that_exist() -> None:
    known = existing()
    named = {name for query in queries() for name in _METRIC.findall(query)}
    assert len(named) > 20
    assert named - set(known) == set()


def test_every_metric_of_accord_is_on_the_dashboard() -> None:
    shown = " ".join(queries())
    own = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in existing() if name.startswith("accord_")}
    assert {name for name in own if name not in shown} == set()


def test_what_queries_group_by_are_labels() -> None:
    labels = {"job_name", "outcome", *(label for names in existing().values() for label in names)}
    grouped = {label.strip() for query in queries() for found in _GROUPED.findall(query) for label in found.split(",")}
    assert grouped
    assert grouped - labels == set()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at: dict[str, Any] = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
