"""Who tells the story: a thread beside the load, or, for many people, several processes. The rows are the same."""

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

from api.sample.batches import Made, Order, Stretch, Teller, stretches

_WORTH_PROCESSES = 20_000
"""So many people take a thread longer than processes take to start."""
_MOST_PROCESSES = 4
"""More than these tell faster than one connection stores."""
_AHEAD = 2
"""So many stretches a process are told and not stored yet: what bounds the memory."""


def processes_for(contacts: int) -> int:
    """How many processes are worth their start; none for few people, or where there is one processor only."""
    usable = min(_MOST_PROCESSES, os.cpu_count() or 1)
    return usable if contacts >= _WORTH_PROCESSES and usable > 1 else 0


async def told(order: Order, processes: int) -> AsyncGenerator[Made, None]:
    """Tell the whole story in its order, whoever tells it: the firm, then every stretch."""
    yield Teller(order).firm
    async with aclosing(_by_processes(order, processes) if processes else _by_thread(order)) as story:
        async for made in story:
            yield made


async def _by_thread(order: Order) -> AsyncGenerator[Made, None]:
    """Tell the next stretch in a thread while the database stores this one; two are in memory."""
    teller = Teller(order)
    story: Iterator[Made] = map(teller.tell, stretches(order))
    coming = asyncio.create_task(asyncio.to_thread(next, story, None))
    try:
        while (made := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, story, None))
            yield made
    finally:
        # A thread cannot be interrupted; what it tells is not wanted any more.
        await asyncio.gather(coming, return_exceptions=True)


async def _by_processes(order: Order, processes: int) -> AsyncGenerator[Made, None]:
    """Have stretches told by processes, some ahead of what the database stores, and hand them on in their order."""
    loop, left = asyncio.get_running_loop(), stretches(order)
    # Forked, a process would hold the connection to the database; spawned, it holds nothing of ours.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_attend)
    try:
        coming = deque(loop.run_in_executor(pool, _tell, order, each) for each in islice(left, processes * _AHEAD))
        while coming:
            made = await coming.popleft()
            coming.extend(loop.run_in_executor(pool, _tell, order, each) for each in islice(left, 1))
            yield made
    finally:
        pool.shutdown(cancel_futures=True)


def _tell(order: Order, stretch: Stretch) -> Made:
    return _teller(order).tell(stretch)


@cache
def _teller(order: Order) -> Teller:
    """The teller of this process."""
    return Teller(order)


def _attend() -> None:
    """Leave interrupts to the process that asked, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
