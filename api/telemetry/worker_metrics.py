"""The metrics of a server of several processes: each writes its own to memory that all share, so that whichever
answers `/metrics` has those of all, with the label `worker`.

Memory that is shared by fork needs no folder, unlike the files of prometheus_client's multiprocess mode.
"""

import asyncio
import mmap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from struct import Struct

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from api.telemetry.instruments import REGISTRY
from api.telemetry.sampled import DATABASE_METRICS, metrics_text

PUBLISH_SECONDS = 2.0
"""How often a worker writes its metrics: so old are those of the others at most."""

_HALF_BYTES = 4 * 1024 * 1024  # far more than BoundedNames allows; memory that is never written is never allocated
_HEADER = Struct("=II")  # where the metrics that were written last begin, and their length
_FAMILY = b"# HELP "


class SharedMetrics:
    """Memory for the metrics of so many workers. Made before they are forked."""

    def __init__(self, workers: int) -> None:
        self._slots = [mmap.mmap(-1, _HEADER.size + 2 * _HALF_BYTES) for _ in range(workers)]

    def write(self, worker: int, text: bytes) -> None:
        """Keep the metrics of a worker. A reader sees these or the ones before, never a part."""
        slot = self._slots[worker]
        if len(text) > _HALF_BYTES:
            raise ValueError(f"The metrics of a worker have {len(text)} bytes, more than {_HALF_BYTES}")
        begin, _ = _HEADER.unpack_from(slot)
        unread = _HEADER.size + (_HALF_BYTES if begin == _HEADER.size else 0)
        slot[unread : unread + len(text)] = text
        slot[: _HEADER.size] = _HEADER.pack(unread, len(text))

    def read(self) -> list[bytes]:
        """Return the metrics that each worker wrote last."""
        found = []
        for slot in self._slots:
            begin, length = _HEADER.unpack_from(slot)
            found.append(bytes(slot[begin : begin + length]))
        return found


@dataclass(frozen=True)
class WorkerMetrics:
    """The metrics of one worker of several, by its number from 0."""

    shared: SharedMetrics
    worker: int

    def text(self) -> bytes:
        """Return the metrics of all workers, and those of the database as this worker read them last."""
        self._write()
        return merged([*self.shared.read(), generate_latest(_registry_of(_OfDatabase()))])

    async def publish(self) -> None:
        """Write the metrics of this worker again and again, for the others to read."""
        while True:
            self._write()
            await asyncio.sleep(PUBLISH_SECONDS)

    def _write(self) -> None:
        self.shared.write(self.worker, generate_latest(_registry_of(_OfWorker(str(self.worker)))))


def merged(texts: list[bytes]) -> bytes:
    """Return metrics of several processes as one text, in which each metric stands once with the samples of all."""
    heads: dict[bytes, bytes] = {}
    samples: dict[bytes, list[bytes]] = {}
    for text in texts:
        for family in text.split(_FAMILY)[1:]:
            described, typed, *rest = family.splitlines(keepends=True)
            name = described.split(b" ", 1)[0]
            heads.setdefault(name, _FAMILY + described + typed)
            samples.setdefault(name, []).extend(rest)
    return b"".join(heads[name] + b"".join(samples[name]) for name in heads)


def text_of(metrics: WorkerMetrics | None) -> bytes:
    """Return what `/metrics` answers: of this process alone if it is not one of several workers."""
    return metrics_text() if metrics is None else metrics.text()


@asynccontextmanager
async def published(metrics: WorkerMetrics | None) -> AsyncIterator[None]:
    """Publish the metrics of this worker while the block runs; nothing if it is not one of several."""
    if metrics is None:
        yield
        return
    task = asyncio.create_task(metrics.publish())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@dataclass(frozen=True)
class _OfWorker(Collector):
    """All metrics of this process with the label `worker`, but those of the database, which are the same for all."""

    worker: str

    def collect(self) -> Iterator[Metric]:
        for family in REGISTRY.collect():
            if family.name not in DATABASE_METRICS:
                labelled = Metric(family.name, family.documentation, family.type)  # some collectors keep theirs
                labelled.samples = [
                    sample._replace(labels={**sample.labels, "worker": self.worker}) for sample in family.samples
                ]
                yield labelled


class _OfDatabase(Collector):
    """The metrics of the database."""

    def collect(self) -> Iterator[Metric]:
        return (family for family in REGISTRY.collect() if family.name in DATABASE_METRICS)


def _registry_of(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry
