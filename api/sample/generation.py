"""Runs the generator in a thread beside the load or, for many people, in several processes. The rows are the same."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from functools import cache
from itertools import islice

from api.sample.batches import AccountBatch, GeneratedBatch, SampleGenerator, SampleRequest, account_batches

_PROCESSES_FROM = 20_000
"""For fewer people, starting processes takes longer than generating in a thread."""
_MOST_PROCESSES = 4
"""More processes generate faster than one connection stores."""
_PENDING_PER_PROCESS = 2
"""Batches of a process that are submitted and not stored yet. This bounds the memory."""


def processes_for(contacts: int) -> int:
    """Return how many processes to start; 0 (a thread) for few people or on a machine with one processor."""
    usable = min(_MOST_PROCESSES, os.cpu_count() or 1)
    return usable if contacts >= _PROCESSES_FROM and usable > 1 else 0


async def generated_batches(request: SampleRequest, processes: int) -> AsyncGenerator[GeneratedBatch, None]:
    """Yield the rows of a sample in the order in which they can be stored: the firm, then batch after batch.

    `processes` is the number of worker processes; 0 is a thread.
    """
    yield SampleGenerator(request).firm
    async with aclosing(_by_processes(request, processes) if processes else _by_thread(request)) as batches:
        async for batch in batches:
            yield batch


async def _by_thread(request: SampleRequest) -> AsyncGenerator[GeneratedBatch, None]:
    """Generate the next batch in a thread while the database stores this one. Two batches are in memory."""
    batches: Iterator[GeneratedBatch] = map(SampleGenerator(request).generate, account_batches(request))
    pending = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await pending) is not None:
            pending = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        # A thread cannot be interrupted: wait for it, and discard its batch.
        await asyncio.gather(pending, return_exceptions=True)


async def _by_processes(request: SampleRequest, processes: int) -> AsyncGenerator[GeneratedBatch, None]:
    """Generate batches in processes, some ahead of what the database stores, and yield them in their order."""
    loop, remaining = asyncio.get_running_loop(), account_batches(request)
    # A forked process would inherit the connection to the database; a spawned one inherits nothing.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_initialize_worker)
    try:
        pending = deque(
            loop.run_in_executor(pool, _generate, request, batch)
            for batch in islice(remaining, processes * _PENDING_PER_PROCESS)
        )
        while pending:
            generated = await pending.popleft()
            pending.extend(loop.run_in_executor(pool, _generate, request, batch) for batch in islice(remaining, 1))
            yield generated
    finally:
        pool.shutdown(cancel_futures=True)


def _generate(request: SampleRequest, batch: AccountBatch) -> GeneratedBatch:
    return _generator(request).generate(batch)


@cache
def _generator(request: SampleRequest) -> SampleGenerator:
    """Return the generator of this worker process."""
    return SampleGenerator(request)


def _initialize_worker() -> None:
    """Ignore interrupts, which the parent process handles, and exit when the parent exits, even after a kill."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
