"""The sessions of pages at the HTTP edge: from a cookie to a principal, and from a sign-in to a cookie."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from starlette.types import Scope

from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.member_principals import MemberPrincipals
from api.access.credentials.page_sessions import (
    FoundSession,
    SessionLimits,
    end_session,
    find_session,
    open_session,
    record_use,
)
from api.access.principal import Principal
from api.db import LOST_CONNECTION
from api.errors import AccordError
from api.web.database_provider import DatabaseProvider
from api.web.host_names import HasCredentials
from api.web.identification import not_authenticated
from api.web.local_requests import is_local
from api.web.sign_in import cookies
from api.web.sign_in.csrf import require_own_page
from schema.base import now

logger = logging.getLogger("accord.sign_in")


class PageSessions:
    """The sessions of a server. Each request reads its session anew, so that one that ends does so on every process."""

    def __init__(
        self,
        database_of: DatabaseProvider,
        keys: ApiKeys,
        members: MemberPrincipals,
        limits: SessionLimits,
        has_credentials: HasCredentials,
    ) -> None:
        self._database_of = database_of
        self._keys = keys
        self._members = members
        self._limits = limits
        self._has_credentials = has_credentials
        self._recording: set[asyncio.Task[None]] = set()
        self._is_failure_logged = False

    async def principal(self, scope: Scope) -> Principal | None:
        """Return the principal of the session of a request for data; None if the request has no cookie of a session.

        Errors: HttpError 403 ORIGIN_NOT_ALLOWED or 400 BAD_REQUEST if a page of another origin may have sent it; 401
        NOT_AUTHENTICATED if the session has ended. On its own machine, nobody becomes the local operator by that.
        """
        if cookies.read_cookie(scope, cookies.SESSION) is None:
            return None
        require_own_page(scope)
        principal = await self.page_principal(scope)
        if principal is None:
            raise not_authenticated("The session has ended.", "Sign in again at /sign-in.")
        return principal

    async def page_principal(self, scope: Scope) -> Principal | None:
        """Return the principal of the session that a page is requested with; None without one that lasts.

        Only for responses without data of records: any site can lead a browser to a page.
        """
        token = cookies.read_cookie(scope, cookies.SESSION)
        found = None if token is None else await find_session(self._database_of(), token)
        principal = None if found is None else await self._principal_of(found, scope)
        if found is not None and principal is not None and found.is_use_due:
            self._record_use(found.id)
        return principal

    async def open(
        self,
        scope: Scope,
        *,
        member_id: UUID | None = None,
        api_key_id: UUID | None = None,
        signed_in_at: datetime | None = None,
    ) -> str:
        """Open a session for a member or a key, and return the header `Set-Cookie`.

        The session always has a new token, and a session that the browser had is ended: a token that somebody planted
        or knew before the sign-in is worth nothing after it.
        """
        former = cookies.read_cookie(scope, cookies.SESSION)
        async with self._database_of().write() as session:
            if former is not None:
                await end_session(session, former)
            token = await open_session(
                session, self._limits, member_id=member_id, api_key_id=api_key_id, signed_in_at=signed_in_at
            )
        return cookies.set_cookie(scope, cookies.SESSION, token, int(self._limits.total.total_seconds()))

    async def end(self, scope: Scope) -> str:
        """End the session of a request, and return the header `Set-Cookie` that removes its cookie."""
        token = cookies.read_cookie(scope, cookies.SESSION)
        if token is not None:
            async with self._database_of().write() as session:
                await end_session(session, token)
        return cookies.delete_cookie(scope, cookies.SESSION)

    async def finish(self) -> None:
        """Wait until the uses of sessions are recorded."""
        await asyncio.gather(*self._recording)

    async def _principal_of(self, found: FoundSession, scope: Scope) -> Principal | None:
        """The principal that a session stands for now; None if its member or its key may do nothing any more."""
        if found.member_id is not None:
            member = await self._members.with_id(found.member_id)
            return None if member is None else replace(member, credential_id=found.id, session=found.signed_in)
        key = None if found.key_id is None else await self._keys.find(found.key_id)
        if key is None or key.problem_at(now()):
            return None
        if key.is_demo and (not is_local(scope) or await self._has_credentials()):
            return None
        return replace(key.principal, session=found.signed_in)

    def _record_use(self, session_id: UUID) -> None:
        """Record the use in a task of its own: no request waits for it."""
        task = asyncio.create_task(self._write_use(session_id))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _write_use(self, session_id: UUID) -> None:
        try:
            async with self._database_of().write() as session:
                await record_use(session, session_id, self._limits)
        except (AccordError, *LOST_CONNECTION) as error:
            if self._database_of().outage.is_on:
                return  # an outage has log lines of its own
            if not self._is_failure_logged:
                logger.warning("The use of sessions cannot be recorded, so that they end as if idle: %s", error)
            self._is_failure_logged = True
