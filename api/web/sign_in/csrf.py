"""Protection against forged requests (CSRF): which requests a cookie may authenticate.

A browser sends a cookie along whichever page causes the request. So a cookie counts only if the request comes from a
page of this server. Pages of other origins use bearer tokens, also those that ACCORD_ALLOWED_ORIGINS lists.
"""

from starlette.types import Scope

from api.errors import ErrorCode
from api.web.cross_origin import is_own_origin
from api.web.responses import HttpError

PREFLIGHT_HEADERS = ("GraphQL-Preflight", "Apollo-Require-Preflight")
"""Headers that a page of another origin can send only after a preflight. A GET by cookie needs one of them."""

_PREFLIGHT_NAMES = frozenset(name.lower().encode() for name in PREFLIGHT_HEADERS)
_SAFE_METHODS = frozenset({"GET", "HEAD"})


def require_own_page(scope: Scope) -> None:
    """Require that a script or a form of our own page sent a request with a cookie.

    Errors: HttpError 403 ORIGIN_NOT_ALLOWED if another page may have sent it; 400 BAD_REQUEST for a GET without one of
    the PREFLIGHT_HEADERS.
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    is_safe = scope["method"] in _SAFE_METHODS
    # Every browser sends `Origin` with a POST. Without it, nothing shows that the page is ours.
    if (origin is None and not is_safe) or (origin is not None and not is_own_origin(origin, scope, headers)):
        raise _foreign()
    # A neighbour such as http://localhost:5173 is of the same site, so that its requests have the cookie, too.
    if headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
        raise _foreign()
    if is_safe and not _PREFLIGHT_NAMES & headers.keys():
        raise HttpError(
            400,
            "A GET with a session cookie needs a header that other sites cannot send.",
            f"Send `{PREFLIGHT_HEADERS[0]}: 1`, or use POST.",
        )


def _foreign() -> HttpError:
    return HttpError(
        403,
        "A session cookie counts only in requests from pages of this server.",
        "From other pages and programs, send an API key: `Authorization: Bearer accord_…`.",
        code=ErrorCode.ORIGIN_NOT_ALLOWED,
    )
