"""The people of the sample company who have demo keys: tokens that are the same everywhere.

Demo keys work on the server's own machine only, and end with the first real credential.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from api.access.credentials.grants import Grant
from api.access.credentials.tokens import Token, derived_token
from schema.access.rights import AccessLevel, Reach, Right

_BOTH_RIGHTS = frozenset(Right)


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A member of the sample company with a demo key: their name, what they do, and what they may do."""

    name: str
    title: str
    grant: Grant

    @property
    def signs(self) -> bool:
        """Whether the person may sign the accord for a team: a head of marketing or of sales, who reaches everybody."""
        return self.grant.level is AccessLevel.OPERATOR and self.grant.reach is Reach.ALL

    @property
    def token(self) -> Token:
        """The token of the person's key. It is no secret: it follows from the name."""
        return derived_token(f"Accord's sample company: {self.name}")


def demo_people() -> Iterator[DemoPerson]:
    """Yield the people with demo keys, each with another part of the access that there is."""
    yield DemoPerson(
        "Priya Castellan",
        "marketer",
        Grant(AccessLevel.CONTRIBUTOR, Reach.TEAM, frozenset({Right.PERSONAL_DATA})),
    )
    yield DemoPerson(
        "Amara Tolliver", "seller", Grant(AccessLevel.CONTRIBUTOR, Reach.OWN, frozenset({Right.PERSONAL_DATA}))
    )
    yield DemoPerson("Helena Ostrander", "head of marketing", Grant(AccessLevel.OPERATOR, Reach.ALL, _BOTH_RIGHTS))
    yield DemoPerson("Marcus Devereaux", "head of sales", Grant(AccessLevel.OPERATOR, Reach.ALL, _BOTH_RIGHTS))
    yield DemoPerson("Tomas Quillfeather", "analyst", Grant(AccessLevel.VIEWER, Reach.ALL, frozenset({Right.EXPORT})))
