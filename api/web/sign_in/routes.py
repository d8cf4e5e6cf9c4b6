"""The routes of signing in and out, and the guard that the pages are behind."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.member_principals import MemberPrincipals
from api.errors import ErrorCode
from api.web.identification import Identify, KeyTokens
from api.web.pages import FrontEnd
from api.web.responses import HttpError
from api.web.sign_in import cookies
from api.web.sign_in.cached_document import ProviderError
from api.web.sign_in.code_flow import ATTEMPT_SECONDS, CodeFlow, SignInAttempt, SignInError
from api.web.sign_in.csrf import require_own_page
from api.web.sign_in.demo_sign_in import DemoSignIn
from api.web.sign_in.page_sessions import PageSessions
from api.web.sign_in.return_path import return_path
from api.web.sign_in.sign_in_page import (
    CALLBACK,
    PROVIDER,
    SIGN_IN,
    SIGN_OUT,
    STYLE_SHEET,
    SignInPage,
)

logger = logging.getLogger("accord.sign_in")

FORM_LIMIT_BYTES = 8 * 1024
"""The size of the form that signs in: a key and a path."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signing in to Accord's own pages, with a key or at the identity provider, and signing out.

    `identify` returns the principal of a request without looking at sessions: the local operator, where it serves.
    `provider_url` and `code_flow` belong to the identity provider; None without one.
    """

    sessions: PageSessions
    keys: KeyTokens
    identify: Identify
    members: MemberPrincipals
    attempts: WrongAttempts
    demo: DemoSignIn
    code_flow: CodeFlow | None = None
    provider_url: str = ""

    def routes(self) -> list[Route]:
        """The routes of the sign-in page and of the identity provider's way back."""
        routes = [
            Route(SIGN_IN, self._show, methods=["GET"]),
            Route(SIGN_IN, self._with_key, methods=["POST"]),
            Route(SIGN_OUT, self._sign_out, methods=["POST"]),
            Route("/static/sign-in.css", _style_sheet),
        ]
        if self.code_flow is not None:
            routes += [Route(PROVIDER, self._at_provider), Route(CALLBACK, self._from_provider)]
        return routes

    async def guard(self, request: Request, front_end: FrontEnd) -> Response:
        """A page for whoever is signed in, or served without; the way to the sign-in page for everybody else."""
        scope = request.scope
        if await self.sessions.page_principal(scope) is not None:
            return front_end.page(request)
        if await self._is_served(request):
            response = front_end.page(request)
        else:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            response = RedirectResponse(f"{SIGN_IN}?next={quote(path, safe='')}", 303, {"Cache-Control": "no-store"})
        if cookies.read_cookie(scope, cookies.SESSION) is not None:
            # A session that has ended: without its cookie, the page's own requests are those of whom it was served to.
            response.headers.append("Set-Cookie", cookies.delete_cookie(scope, cookies.SESSION))
        return response

    async def _show(self, request: Request) -> Response:
        return await self._page(request, return_path(request.query_params.get("next")))

    async def _page(self, request: Request, return_to: str, notice: str = "", status: int = 200) -> Response:
        principal = await self.sessions.page_principal(request.scope)
        return SignInPage(
            return_to,
            notice,
            signed_in_as=None if principal is None else principal.name,
            is_again="again" in request.query_params,
            serves_local_operator=principal is None and await self._is_served(request),
            provider_name=None if self.code_flow is None else urlsplit(self.provider_url).hostname,
            demo_people=await self.demo.people(request.scope),
        ).response(status)

    async def _is_served(self, request: Request) -> bool:
        """Whether the request is served without a session."""
        try:
            await self.identify(request.scope)
        except HttpError as error:
            if error.code is not ErrorCode.NOT_AUTHENTICATED:
                raise
            return False
        return True

    async def _with_key(self, request: Request) -> Response:
        """Sign in with the key of the form."""
        require_own_page(request.scope)
        form = await _read_form(request)
        return_to = return_path(form.get("next"))
        try:
            principal = await self.keys.principal(form.get("key", "").strip(), request.scope)
        except HttpError as error:
            response = await self._page(request, return_to, str(error), error.status)
            if "Retry-After" in error.headers:
                response.headers["Retry-After"] = error.headers["Retry-After"]
            return response
        cookie = await self.sessions.open(request.scope, api_key_id=principal.credential_id)
        return _redirect(return_to, cookie)

    async def _sign_out(self, request: Request) -> Response:
        require_own_page(request.scope)
        return _redirect(SIGN_IN, await self.sessions.end(request.scope))

    async def _at_provider(self, request: Request) -> Response:
        """Send the browser to the identity provider."""
        # Another site must not begin a sign-in: it could end in an account that the person did not choose.
        if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return RedirectResponse(SIGN_IN, 303)
        attempt = SignInAttempt.begin(return_path(request.query_params.get("next")))
        is_signed_in = await self.sessions.page_principal(request.scope) is not None
        try:
            url = await self._flow.authorization_url(attempt, _redirect_uri(request), is_again=is_signed_in)
        except ProviderError as error:
            return await self._failed(request, attempt.return_to, error)
        return _redirect(url, cookies.set_cookie(request.scope, cookies.SIGN_IN, attempt.cookie, ATTEMPT_SECONDS))

    async def _from_provider(self, request: Request) -> Response:
        """Finish the sign-in of a browser that comes back from the identity provider."""
        return_to = return_path(None)
        try:
            cookie = cookies.read_cookie(request.scope, cookies.SIGN_IN)
            if cookie is None:
                raise SignInError("the browser sent no cookie of a sign-in")
            attempt = SignInAttempt.from_cookie(cookie)
            return_to = attempt.return_to
            person = await self._flow.finish(attempt, dict(request.query_params), _redirect_uri(request))
        except (SignInError, ProviderError) as error:
            return await self._failed(request, return_to, error)
        member = await self.members.with_email(person.email)
        if member is None:
            self._log(request, f"no member with access has the address {person.email!a}")
            notice = f"{person.email} may not sign in to Accord. Ask an administrator of Accord for access."
            return self._without_attempt(request, await self._page(request, return_to, notice, 403))
        session = await self.sessions.open(request.scope, member_id=member.member_id, signed_in_at=person.signed_in_at)
        return self._without_attempt(request, _redirect(return_to, session))

    async def _failed(self, request: Request, return_to: str, error: Exception) -> Response:
        """The page after a sign-in at the provider that failed. The reason is for the log."""
        self._log(request, str(error))
        status = 503 if isinstance(error, ProviderError) else 400
        notice = f"The sign-in with {urlsplit(self.provider_url).hostname} failed. Try again."
        return self._without_attempt(request, await self._page(request, return_to, notice, status))

    def _log(self, request: Request, reason: str) -> None:
        """Log why a sign-in failed, unless too many failed from the address: nobody can flood the log."""
        if not self.attempts.count(request.client.host if request.client else ""):
            logger.warning("A sign-in at the identity provider failed: %a", reason)  # parts may be the caller's words

    def _without_attempt(self, request: Request, response: Response) -> Response:
        """A response that removes the cookie of the sign-in, so that its code cannot be sent again."""
        response.headers.append("Set-Cookie", cookies.delete_cookie(request.scope, cookies.SIGN_IN))
        return response

    @property
    def _flow(self) -> CodeFlow:
        if self.code_flow is None:
            raise TypeError("there is no identity provider")
        return self.code_flow


async def _style_sheet(_request: Request) -> Response:
    return FileResponse(STYLE_SHEET, headers={"Cache-Control": "public, max-age=3600"})


def _redirect(url: str, cookie: str) -> Response:
    response = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    response.headers.append("Set-Cookie", cookie)
    return response


def _redirect_uri(request: Request) -> str:
    return str(request.url.replace(path=CALLBACK, query="", fragment=""))


async def _read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form. Errors: HttpError if it is no form, too large, or no text."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        message, remedy = "The sign-in is not sent as a form.", "Use the page /sign-in."
        raise HttpError(415, message, remedy, code=ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT_BYTES:
            message, remedy = f"The form is larger than {FORM_LIMIT_BYTES // 1024} KiB.", "Send a key alone."
            raise HttpError(413, message, remedy, code=ErrorCode.TOO_LARGE)
    try:
        return dict(parse_qsl(body.decode(), strict_parsing=bool(body), max_num_fields=10))
    except ValueError as error:
        raise HttpError(400, "The form cannot be read.", "Use the page /sign-in.") from error
