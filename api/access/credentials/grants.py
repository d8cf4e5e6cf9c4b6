"""Grants: an access level, a reach and rights, and how two of them compare."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.access.principal import Principal
from schema.access.rights import AccessLevel, Reach, Right
from schema.tables.access.grant_columns import right_column

_LEVELS = tuple(AccessLevel)
_WIDEST_FIRST = tuple(Reach)


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may do: the level, the reach and the rights of an API key, or of a member."""

    level: AccessLevel
    reach: Reach
    rights: frozenset[Right] = frozenset()

    @classmethod
    def of(cls, principal: Principal) -> "Grant":
        """Return what a principal may do."""
        return cls(principal.level, principal.reach, principal.rights)

    def within(self, limit: "Grant") -> "Grant":
        """Return what both grants allow."""
        level = min(self.level, limit.level, key=_LEVELS.index)
        reach = max(self.reach, limit.reach, key=_WIDEST_FIRST.index)
        return Grant(level, reach, self.rights & limit.rights)

    def includes(self, other: "Grant") -> bool:
        """Return whether this grant allows everything that the other one allows."""
        return other.within(self) == other

    def __str__(self) -> str:
        return ", ".join((self.level, f"reach {self.reach}", *(right for right in Right if right in self.rights)))


def grant_columns() -> tuple[str, ...]:
    """Return the names of the columns that store a grant."""
    return ("level", "reach", *map(right_column, Right))


def stored_grant(grant: Grant) -> dict[str, object]:
    """Return the values of the columns that store a grant, by column."""
    rights = {right_column(right): right in grant.rights for right in Right}
    return {"level": grant.level.value, "reach": grant.reach.value, **rights}


def grant_from(row: Mapping[str, object]) -> Grant:
    """Return the grant that a row stores. Errors: KeyError without one of its columns."""
    rights = frozenset(right for right in Right if row[right_column(right)])
    return Grant(AccessLevel[str(row["level"])], Reach[str(row["reach"])], rights)
