"""A rule of a table: ranges of days that may not overlap."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DisjointRanges:
    """A rule of a table: the ranges from `start` to before `end` of rows that are equal in `same` do not overlap.

    The intake checks it (`api/intake/constraint_violations.py`). PostgreSQL could only with an extension (btree_gist).
    """

    same: tuple[str, ...]
    start: str
    end: str
