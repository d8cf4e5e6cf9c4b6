"""The principal of a request: the member on whose behalf it runs, and the records that this member reaches."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Reach(StrEnum):
    """The records that a principal reaches."""

    ALL = "ALL"  # every record
    TEAM = "TEAM"  # records owned by members of the principal's team, and the rows about these records
    OWN = "OWN"  # records owned by the principal, and the rows about these records


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity that a request runs as.

    Every reach but ALL needs a `member_id`. Without one, no record that has an owner is reached.
    """

    reach: Reach
    member_id: UUID | None = None

    @property
    def plan_key(self) -> Reach:
        """The part of the principal that the text of a statement depends on.

        Principals with equal keys share a prepared statement. The key has to include field rights once they exist. It
        excludes the member id, because each execution binds that as a parameter.
        """
        return self.reach


EVERYONE = Principal(Reach.ALL)
