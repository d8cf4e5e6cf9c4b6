"""The settings of sign-in: an identity provider that is complete and confidential, or none; sessions that end."""

import pytest

from api.cli.serve_command import _callers, _require_credentials
from api.errors import AccordError, ErrorCode
from api.settings import Settings

ISSUER = "https://login.example/realm"


def problem(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """The message about these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(f"ACCORD_{name}", value)
    with pytest.raises(AccordError) as raised:
        Settings.load()
    assert raised.value.code is ErrorCode.BAD_INPUT
    return raised.value.message


def test_a_provider_needs_an_issuer_and_a_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().oidc is None
    monkeypatch.setenv("ACCORD_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("ACCORD_OIDC_CLIENT_ID", "accord")
    monkeypatch.setenv("ACCORD_OIDC_CLIENT_SECRET", "geheim")
    oidc = Settings.load().oidc
    assert oidc is not None
    assert (oidc.issuer, oidc.client_id, oidc.audience) == (ISSUER, "accord", None)
    assert "geheim" not in repr(oidc)


def test_an_issuer_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ACCORD_OIDC_CLIENT_ID for pages, ACCORD_OIDC_AUDIENCE" in problem(monkeypatch, OIDC_ISSUER=ISSUER)


@pytest.mark.parametrize("name", ["OIDC_AUDIENCE", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"])
def test_the_others_without_an_issuer_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    message = problem(monkeypatch, **{name: "geheim"})
    assert "ACCORD_OIDC_ISSUER is missing" in message
    assert "geheim" not in message


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example", "login.example", "https://", "ftp://login.example", "http://127.0.0.1.evil.example",
        "http://localhost.evil.example", "https://login.example?x", "https://login.example#x", "https://[::1",
    ],
)  # fmt: skip
def test_an_issuer_that_others_could_read_or_change_is_refused(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("ACCORD_OIDC_AUDIENCE", "accord")
    assert problem(monkeypatch, OIDC_ISSUER=issuer).startswith("A setting is not valid: ACCORD_OIDC_ISSUER: ")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000", ISSUER + "/"])
def test_an_issuer_is_kept_as_the_provider_writes_it(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("ACCORD_OIDC_ISSUER", issuer)
    monkeypatch.setenv("ACCORD_OIDC_AUDIENCE", "accord")
    assert Settings.load().oidc_issuer == issuer


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "inf", "9000", "x"])
def test_every_session_ends(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    assert "ACCORD_SESSION_HOURS" in problem(monkeypatch, SESSION_HOURS=hours)


def test_a_provider_is_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORD_HOST", "0.0.0.0")
    with pytest.raises(AccordError) as raised:
        _require_credentials(Settings.load(), 0, None)
    assert raised.value.code is ErrorCode.NOT_LOOPBACK
    monkeypatch.setenv("ACCORD_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("ACCORD_OIDC_CLIENT_ID", "accord")
    settings = Settings.load()
    _require_credentials(settings, 0, None)
    assert _callers(settings, 0, None) == f"members who sign in at {ISSUER}"
    assert _callers(settings, 2, None) == f"members who sign in at {ISSUER}, and whoever has one of 2 API keys"
