"""Who asks: which records they reach."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Reach(StrEnum):
    """How far somebody sees."""

    ALL = "ALL"  # every record
    TEAM = "TEAM"  # what members of their team look after, and what hangs on it
    OWN = "OWN"  # what they look after themselves, and what hangs on it


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `member_id` is needed by every reach but ALL: without it nothing that has an owner is reached."""

    reach: Reach
    member_id: UUID | None = None


EVERYONE = Principal(Reach.ALL)
