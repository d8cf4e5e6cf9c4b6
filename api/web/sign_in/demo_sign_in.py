"""Sign-in as a person of the sample company, on the server's own machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Scope

from api.access.credentials.key_lookup import ApiKeys
from api.sample.demo_people import DemoPerson, demo_people
from api.web.host_names import HasCredentials
from api.web.local_requests import is_local
from schema.base import now


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """The demo keys that a database has."""

    keys: ApiKeys
    has_credentials: HasCredentials

    async def people(self, scope: Scope) -> Sequence[DemoPerson]:
        """Return the people whose demo key works for a request: nobody elsewhere, or beside real credentials."""
        if not is_local(scope) or await self.has_credentials():
            return ()
        return [person for person in demo_people() if await self._works(person)]

    async def _works(self, person: DemoPerson) -> bool:
        key = await self.keys.find(person.token.key_id)
        return key is not None and key.is_demo and person.token.matches(key.secret_hash) and not key.problem_at(now())
