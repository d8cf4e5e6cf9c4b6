"""Positions in PostgreSQL's write-ahead log: how far a commit is, how far a replica has replayed, and what it lags."""

import re
from dataclasses import dataclass, field
from typing import NewType, Protocol

from api.errors import AccordError, ErrorCode
from api.sql import Sql

WalPosition = NewType("WalPosition", int)
"""A position as bytes from the beginning of the log (PostgreSQL's pg_lsn)."""

NOWHERE, UNKNOWN = WalPosition(0), WalPosition(2**64 - 1)
"""The position that every server has reached, and the one of a commit that could not be read: no replica reaches it."""

# A commit that waits for the disk is before the flushed position. One that does not wait is only known to be before the
# position where the next record is inserted, which can be further.
COMMIT_POSITION = Sql(
    "select ((case when current_setting('synchronous_commit') = 'off' then pg_current_wal_insert_lsn()"
    " else pg_current_wal_flush_lsn() end) - '0/0'::pg_lsn)::bigint"
)
REPLAYED_POSITION = Sql(
    "select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint end"
)

_TOKEN = re.compile(r"w1-([0-9a-f]{16})")
_MOST_SAMPLES = 1_000


class _Fetches(Protocol):
    async def value(self, statement: Sql) -> object:
        """Return the value of a statement."""


def watermark_text(position: WalPosition) -> str:
    """Write a position as the header `Accord-Watermark` has it."""
    return f"w1-{position:016x}"


def read_watermark(text: str) -> WalPosition:
    """Read the header `Accord-Watermark`. Errors: BAD_REQUEST for a text that `watermark_text` does not write."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise AccordError(
            ErrorCode.BAD_REQUEST,
            "The header `Accord-Watermark` is not a watermark of this server.",
            "Send the header as the response to a mutation had it, or leave it out.",
        )
    return WalPosition(int(found[1], 16))


async def read_position(session: _Fetches, statement: Sql) -> WalPosition | None:
    """Read COMMIT_POSITION or REPLAYED_POSITION; None from a server that is no replica."""
    found = await session.value(statement)
    return WalPosition(found) if isinstance(found, int) else None


@dataclass(slots=True)
class ReplayLag:
    """How far a replica is behind: by when the primary was, at the latest, where the replica is now.

    It needs no clock but that of this process, and is right while the replica receives nothing at all. It is an upper
    bound: the primary's position is sampled now and then.
    """

    _samples: list[tuple[WalPosition, float]] = field(default_factory=list)

    def sample(self, position: WalPosition, at: float) -> None:
        """Note the position of the primary at a time."""
        if self._samples and position <= self._samples[-1][0]:
            if position < self._samples[-1][0]:
                self._samples.clear()  # another server has become the primary
            else:
                self._samples.pop()
        self._samples.append((position, at))
        if len(self._samples) > _MOST_SAMPLES:
            del self._samples[1::2]  # the bound becomes coarser, and stays one

    def seconds(self, replayed: WalPosition, now: float) -> float | None:
        """The lag of a replica that has replayed so far; None if it is behind everything that was sampled."""
        while len(self._samples) > 1 and self._samples[1][0] <= replayed:
            del self._samples[0]
        if not self._samples or self._samples[0][0] > replayed:
            return None
        return now - self._samples[0][1]
