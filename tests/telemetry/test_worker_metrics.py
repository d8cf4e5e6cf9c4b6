"""Several workers of one server: whichever answers `/metrics` has the metrics of all."""

import os

from prometheus_client.parser import text_string_to_metric_families

from api.telemetry.instruments import ENTRIES_WRITTEN
from api.telemetry.sampled import SAMPLED, Backlog
from api.telemetry.worker_metrics import SharedMetrics, WorkerMetrics, merged, text_of

ENTRIES = "accord_entries_written_total"


def test_a_worker_has_what_another_process_wrote() -> None:
    shared = SharedMetrics(2)
    child = os.fork()
    if child == 0:
        ENTRIES_WRITTEN.inc(41)
        WorkerMetrics(shared, 1).text()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    families = list(text_string_to_metric_families(WorkerMetrics(shared, 0).text().decode()))
    assert len({family.name for family in families}) == len(families)
    counted = {
        sample.labels["worker"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == ENTRIES
    }
    assert counted["1"] - counted["0"] == 41


def test_metrics_of_the_database_are_there_once_and_of_now() -> None:
    shared, before = SharedMetrics(2), SAMPLED.backlog
    try:
        SAMPLED.backlog = Backlog(data_age_seconds=1)
        WorkerMetrics(shared, 1).text()
        SAMPLED.backlog = Backlog(data_age_seconds=2)
        text = WorkerMetrics(shared, 0).text().decode()
    finally:
        SAMPLED.backlog = before
    assert [line for line in text.splitlines() if line.startswith("accord_data_age_seconds")] == [
        "accord_data_age_seconds 2.0"
    ]


def test_one_process_has_no_label_of_a_worker() -> None:
    assert b"worker=" not in text_of(None)


def test_the_last_of_several_texts_is_read_whole() -> None:
    shared = SharedMetrics(1)
    for text in (b"a" * 1000, b"b" * 10, b"c" * 500):
        shared.write(0, text)
        assert shared.read() == [text]


def test_a_metric_of_several_texts_stands_once() -> None:
    one, other = (
        b'# HELP a A.\n# TYPE a gauge\na{worker="0"} 1.0\n',
        b'# HELP a A.\n# TYPE a gauge\na{worker="1"} 2.0\n',
    )
    assert merged([one, b"", other]) == one + b'a{worker="1"} 2.0\n'
