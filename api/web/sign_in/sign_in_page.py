"""The sign-in page: plain HTML that needs no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.responses import HTMLResponse

from api.sample.demo_people import DemoPerson
from api.web.responses import SECRET_CACHE_CONTROL
from schema.access.rights import Reach, Right

_STATIC = Path(__file__).parents[2] / "static" / "sign_in"
STYLE_SHEET = _STATIC / "sign-in.css"

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
PROVIDER, CALLBACK = f"{SIGN_IN}/oidc", f"{SIGN_IN}/oidc/callback"

_HEADERS = {
    "Cache-Control": SECRET_CACHE_CONTROL,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # With the policy of the other pages, no-referrer, browsers send a form without its origin, which the server checks.
    "Referrer-Policy": "same-origin",
}


# What a person reaches, in words for somebody who tries the sample company.
_REACHED = {Reach.ALL: "all records", Reach.TEAM: "records of the team", Reach.OWN: "own records"}


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What the sign-in page shows. The page returns to the path `return_to` after a sign-in.

    With `is_again`, whoever is signed in has to sign in once more for what they are about to do.
    """

    return_to: str
    notice: str = ""
    signed_in_as: str | None = None
    is_again: bool = False
    serves_local_operator: bool = False
    provider_name: str | None = None
    demo_people: Sequence[DemoPerson] = ()

    def response(self, status: int = 200) -> HTMLResponse:
        """The page as a response. No other site can frame it, and no cache keeps it."""
        template = (_STATIC / "sign-in.html").read_text(encoding="utf-8")
        return HTMLResponse(template.replace("{sections}", "\n".join(self._sections())), status, headers=_HEADERS)

    def _sections(self) -> Iterator[str]:
        if self.notice:
            yield f'<p class="notice" role="alert">{escape(self.notice)}</p>'
        if self.signed_in_as is not None:
            way = (
                "<p>A signature needs a fresh sign-in: sign in once more.</p>"
                if self.is_again
                else f'<a class="button main" href="{escape(self.return_to)}">Continue</a>'
            )
            yield (
                f"<p>You are signed in as <strong>{escape(self.signed_in_as)}</strong>.</p>{way}"
                f'<form method="post" action="{SIGN_OUT}"><button>Sign out</button></form>'
            )
        elif self.serves_local_operator:
            yield (
                "<p>Nobody has to sign in on this machine as long as there are no credentials.</p>"
                f'<a class="button main" href="{escape(self.return_to)}">Continue as the local operator</a>'
            )
        if self.provider_name is not None:
            yield _section(
                "Sign in with your account",
                f'<a class="button main" href="{PROVIDER}?next={quote(self.return_to, safe="")}">'
                f"Sign in with {escape(self.provider_name)}</a>",
            )
        yield _section("Sign in with an API key", self._key_form())
        if self.demo_people:
            yield _section("Sign in as a person of the sample company", "".join(map(self._demo_form, self.demo_people)))

    def _key_form(self) -> str:
        return self._form(
            # Password managers store a password under a user name.
            '<input type="text" name="username" value="Accord" autocomplete="username" readonly hidden />'
            '<label for="key">API key</label>'
            '<input id="key" name="key" type="password" autocomplete="current-password" required'
            ' autocapitalize="none" spellcheck="false" placeholder="accord_…" />'
            '<button class="main">Sign in</button>'
        )

    def _demo_form(self, person: DemoPerson) -> str:
        return self._form(
            f'<input type="hidden" name="key" value="{escape(person.token.text)}" />'
            f"<button>{escape(person.name)}<small>{escape(_described(person))}</small></button>"
        )

    def _form(self, fields: str) -> str:
        return (
            f'<form method="post" action="{SIGN_IN}">'
            f'<input type="hidden" name="next" value="{escape(self.return_to)}" />{fields}</form>'
        )


def _described(person: DemoPerson) -> str:
    """What a person of the sample company does and may do: `Marketer: contributor, records of the team`."""
    rights = ", personal data" if Right.PERSONAL_DATA in person.grant.rights else ""
    return f"{person.title.capitalize()}: {person.grant.level.lower()}, {_REACHED[person.grant.reach]}{rights}"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"
