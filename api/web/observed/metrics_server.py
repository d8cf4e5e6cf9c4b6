"""The metrics at an address of their own, beside whatever the process does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from api.web.observed.metrics_route import ReadMetrics, metrics_site


@asynccontextmanager
async def serving_metrics(listener: socket.socket | None, read: ReadMetrics) -> AsyncIterator[None]:
    """Serve the metrics on a bound socket while the block runs; nothing without one."""
    if listener is None:
        yield
        return
    config = uvicorn.Config(
        metrics_site(read), ws="none", lifespan="off", log_config=None, access_log=False, server_header=False
    )
    server = _MetricsServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait([task])


class _MetricsServer(uvicorn.Server):
    """A server that leaves the signals of the process to others."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
