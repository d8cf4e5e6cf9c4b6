"""New ids in bulk: UUIDv7 in ascending order, so that rows are appended at the end of each index."""

import os
import struct
import time
from collections.abc import Iterator
from uuid import UUID

from asyncpg.pgproto import pgproto

_BATCH_SIZE = 1 << 12  # twelve bits after the timestamp number the ids of one millisecond


def generate_ids() -> Iterator[UUID]:
    """Yield ids without end, each greater than the one before; the last 62 bits are random."""
    last = 0
    unpack = struct.Struct(f">{_BATCH_SIZE}Q").unpack
    while True:
        # Every batch takes a millisecond of its own, so the timestamp can run ahead of the clock.
        last = max(time.time_ns() // 1_000_000, last + 1)
        head = last << 80 | 0x7 << 76 | 0x2 << 62
        for number, noise in enumerate(unpack(os.urandom(8 * _BATCH_SIZE))):
            # The driver's UUID class, a subclass of Python's, is created and sent several times as fast.
            yield pgproto.UUID((head | number << 64 | noise >> 2).to_bytes(16, "big"))
