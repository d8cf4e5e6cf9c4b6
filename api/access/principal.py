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

    @property
    def plan_key(self) -> Reach:
        """What a statement's text depends on. Principals with equal keys share a prepared statement.

        Rights on fields will be part of it. The member is not: a statement binds it on each run.
        """
        return self.reach


EVERYONE = Principal(Reach.ALL)
