"""The cookies of Accord's own pages: the session, and an unfinished sign-in at the identity provider."""

from typing import Final

from starlette.types import Scope

SESSION: Final = "accord_session"
SIGN_IN: Final = "accord_sign_in"

# A browser accepts a cookie with this prefix only from the host itself, over https: no neighbour can plant one.
_SECURE_PREFIX = "__Host-"


def read_cookie(scope: Scope, name: str) -> str | None:
    """The value of a cookie; None if the request has none, or several, of which one may be planted."""
    wanted = _full_name(scope, name)
    values = [
        value.strip()
        for header, text in scope["headers"]
        if header == b"cookie"
        for found, _, value in (part.partition("=") for part in text.decode("latin-1").split(";"))
        if found.strip() == wanted
    ]
    return values[0] if len(values) == 1 and values[0] else None


def set_cookie(scope: Scope, name: str, value: str, seconds: int) -> str:
    """The header `Set-Cookie` of a cookie for so many seconds.

    No script can read it. Other sites' forms and scripts do not send it (`SameSite=Lax`). Their links do, because
    whoever comes back from the identity provider, or follows a link to a page, is signed in.
    """
    secure = "; Secure" if _is_https(scope) else ""
    return f"{_full_name(scope, name)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def delete_cookie(scope: Scope, name: str) -> str:
    """The header `Set-Cookie` that removes a cookie."""
    return set_cookie(scope, name, "", 0)


def _full_name(scope: Scope, name: str) -> str:
    return f"{_SECURE_PREFIX}{name}" if _is_https(scope) else name


def _is_https(scope: Scope) -> bool:
    return scope.get("scheme") == "https"
