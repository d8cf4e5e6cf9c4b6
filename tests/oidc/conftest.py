"""A real OpenID Connect provider, run by Node, and a server of Accord that knows it."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from api.db import Database
from api.sql import Sql
from tests.support.api_keys import stored_member
from tests.support.served import TIMEOUT_SECONDS, served

HERE = Path(__file__).parent
AUDIENCE = "https://accord.example/graphql"
REDIRECT = "http://127.0.0.1:{port}/sign-in/oidc/callback"

ACCOUNTS = {
    "ada": {"email": "Ada@acme.example", "email_verified": True},
    "unverified": {"email": "ada@acme.example", "email_verified": False},
    "stranger": {"email": "stranger@acme.example", "email_verified": True},
    "gone": {"email": "gone@acme.example", "email_verified": True},
}


@dataclass(frozen=True)
class RunningProvider:
    """The provider's issuer, and the keys that it signs with, so that tests can forge what it would not sign."""

    issuer: str
    rsa: RSAKey
    ec: ECKey
    redirect_uri: str


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def accord_port() -> int:
    """The port of Accord, which the provider has to know."""
    return free_port()


@pytest.fixture(scope="session")
def provider(accord_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    """A provider with four accounts."""
    port, redirect_uri = free_port(), REDIRECT.format(port=accord_port)
    rsa = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
    ec = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
    options = {
        "port": port,
        "jwks": {"keys": [key.as_dict(private=True) for key in (rsa, ec)]},
        "accounts": ACCOUNTS,
        "redirectUri": redirect_uri,
        "audience": AUDIENCE,
    }
    log = tmp_path_factory.mktemp("provider") / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            ["node", "provider.mjs"],
            cwd=HERE,
            env=os.environ | {"PROVIDER": json.dumps(options)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = monotonic() + TIMEOUT_SECONDS
        while "listens on" not in log.read_text():
            if running.poll() is not None or monotonic() > deadline:
                pytest.fail(f"The provider did not start:\n{log.read_text()}")
            sleep(0.1)
        yield RunningProvider(f"http://127.0.0.1:{port}", rsa, ec, redirect_uri)
    finally:
        # The Node that pip installs is a script that starts the real one: end both.
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(timeout=30)


@pytest.fixture(scope="module")
async def members(module_database: Database) -> dict[str, Any]:
    """The members of the company: one with access, and one who was deactivated."""
    ids = {"ada": await stored_member(module_database), "gone": await stored_member(module_database)}
    async with module_database.write() as session:
        for name, id_ in ids.items():
            email = f"{name}@acme.example"
            await session.run(Sql("update member_access set email = {} where member_id = {}", email, id_))
        await session.run(Sql("update member set deactivated_at = now() where id = {}", ids["gone"]))
    return ids


@pytest.fixture(scope="module", params=["pages", "secretive"])
async def accord(
    request: pytest.FixtureRequest,
    provider: RunningProvider,
    accord_port: int,
    module_dsn: str,
    members: dict[str, Any],  # noqa: ARG001 - stored before the server starts
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[str]:
    """The address of a server, as a public client of the provider, and as one with a secret."""
    folder = tmp_path_factory.mktemp("accord")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    environment |= {
        "DATABASE_URL": module_dsn,
        "ACCORD_DATA_DIR": str(folder),
        "ACCORD_OIDC_ISSUER": provider.issuer,
        "ACCORD_OIDC_AUDIENCE": AUDIENCE,
        "ACCORD_OIDC_CLIENT_ID": request.param,
        "ACCORD_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    if request.param == "secretive":
        environment["ACCORD_OIDC_CLIENT_SECRET"] = "geheim +&%"
    with served(environment, folder / "serve.log", port=accord_port) as address:
        yield address


async def sign_in_at_provider(client: httpx.AsyncClient, url: str, login: str) -> str:
    """Sign in at the provider as a person would, from the URL that Accord led to; return where it leads back to."""
    for _ in range(10):
        response = await client.get(url)
        if response.status_code == 200:  # a form: first the login, then the consent
            prompt = "login" if 'name="login"' in response.text else "consent"
            response = await client.post(url, data={"prompt": prompt, "login": login, "password": "any"})
        assert response.status_code == 303, response.text
        former, url = url, str(httpx.URL(url).join(response.headers["location"]))
        if urlsplit(url).netloc != urlsplit(former).netloc:
            return url
    pytest.fail(f"the provider does not lead back: {url}")


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
