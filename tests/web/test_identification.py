"""Who a request comes from: API keys, the local operator, and what is refused, over HTTP."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from api.access.credentials.access_cache import AccessCache, announce_access_change
from api.access.credentials.attempts import AT_ONCE, WrongAttempts
from api.access.credentials.grants import Grant
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.tokens import Token, make_token
from api.access.principal import Principal
from api.db import Database
from api.sql import Sql
from api.web.identification import ApiKeyTokens, Identification, Sessions
from api.web.responses import HttpError, http_error_response
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import now
from tests.support.api_keys import EVERYTHING, stored_key, stored_member

LOOPBACK = ("127.0.0.1", 50_000)


@pytest.fixture
async def uses(database: Database) -> KeyUses:
    return KeyUses(lambda: database)


@pytest.fixture
async def identification(database: Database, uses: KeyUses) -> Identification:
    return made(database, uses, AccessCache())


def made(database: Database, uses: KeyUses, cache: AccessCache, *, sessions: Sessions | None = None) -> Identification:
    keys = ApiKeys(lambda: database, cache)
    return Identification(ApiKeyTokens(keys, uses, WrongAttempts(), keys.are_real), keys.are_real, sessions=sessions)


@asynccontextmanager
async def client_of(
    identification: Identification, *, peer: tuple[str, int] = LOOPBACK, host: str = "localhost"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a site that says who a request comes from."""

    async def shown(request: Request) -> Response:
        try:
            who = await identification(request.scope)
        except HttpError as error:
            return http_error_response(error)
        return JSONResponse([who.name, who.level, who.reach, sorted(who.rights), who.member_id and str(who.member_id)])

    transport = httpx.ASGITransport(app=Starlette(routes=[Route("/", shown)]), client=peer)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        yield client


def bearer(token: Token | str) -> dict[str, str]:
    return {"authorization": f"Bearer {token if isinstance(token, str) else token.text}"}


async def refusal(identification: Identification, token: Token | str, peer: tuple[str, int] = LOOPBACK) -> str:
    """The message of a 401 for a token."""
    async with client_of(identification, peer=peer) as client:
        response = await client.get("/", headers=bearer(token))
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "NOT_AUTHENTICATED"
    return str(error["message"])


async def test_a_key_gives_what_it_was_granted(database: Database, identification: Identification) -> None:
    token = await stored_key(database, Grant(AccessLevel.VIEWER, Reach.ALL, frozenset({Right.EXPORT})))
    async with client_of(identification, peer=("203.0.113.7", 1), host="accord.example") as client:
        assert (await client.get("/", headers=bearer(token))).json() == ["a test", "VIEWER", "ALL", ["EXPORT"], None]
        lower = {"authorization": f"bearer  {token.text}"}
        assert (await client.get("/", headers=lower)).status_code == 200


async def test_a_key_of_a_member_allows_no_more_than_the_member_may(
    database: Database, identification: Identification
) -> None:
    granted = Grant(AccessLevel.CONTRIBUTOR, Reach.TEAM, frozenset({Right.PERSONAL_DATA}))
    member = await stored_member(database, granted)
    token = await stored_key(database, EVERYTHING, member_id=member)
    async with client_of(identification) as client:
        expected = ["Ada", "CONTRIBUTOR", "TEAM", ["PERSONAL_DATA"], str(member)]
        assert (await client.get("/", headers=bearer(token))).json() == expected


async def test_a_wrong_secret_with_a_right_checksum_is_refused_like_an_unknown_key(
    database: Database, identification: Identification
) -> None:
    token = await stored_key(database)
    forged = Token(token.key_id, make_token().secret)
    assert await refusal(identification, forged) == await refusal(identification, make_token())


@pytest.mark.parametrize(
    "damaged",
    [
        lambda text: text[:-1],
        lambda text: text + "0",
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text[:30] + ("0" if text[30] != "0" else "1") + text[31:],
        lambda text: text.replace("accord_", "accord_-"),
        lambda text: text[:20] + "\xe9" + text[21:],
        lambda _text: "accord_",
    ],
)
async def test_a_malformed_key_is_refused_without_a_look_up(
    database: Database, uses: KeyUses, damaged: Callable[[str], str]
) -> None:
    def no_database() -> Database:
        raise AssertionError("a malformed key was looked up")

    keys = ApiKeys(no_database, AccessCache())
    identification = Identification(ApiKeyTokens(keys, uses, WrongAttempts(), keys.are_real), keys.are_real)
    token = await stored_key(database)
    async with client_of(identification) as client:
        header = f"Bearer {damaged(token.text)}".encode("latin-1")
        response = await client.get("/", headers={b"authorization": header})
    assert response.status_code == 401
    assert "malformed" in response.json()["errors"][0]["message"]


async def test_an_expired_a_revoked_and_a_memberless_key_say_why(
    database: Database, identification: Identification
) -> None:
    expired = await stored_key(database, expires_at=now() - timedelta(seconds=1))
    assert "expired" in await refusal(identification, expired)
    revoked = await stored_key(database, revoked_at=now())
    assert "revoked" in await refusal(identification, revoked)
    member = await stored_member(database, None)
    assert "no access" in await refusal(identification, await stored_key(database, member_id=member))
    async with database.write() as session:
        await session.run(Sql("update member set deactivated_at = now() where id = {}", member))
    assert "deactivated" in await refusal(identification, await stored_key(database, member_id=member))


async def test_a_key_that_expires_while_it_is_kept_ends_on_time(
    database: Database, uses: KeyUses, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccessCache()
    identification = made(database, uses, cache)
    token = await stored_key(database, expires_at=now() + timedelta(hours=1))
    async with cache.listening(database), client_of(identification) as client:
        assert (await client.get("/", headers=bearer(token))).status_code == 200
        monkeypatch.setattr("api.web.identification.now", lambda: now() + timedelta(hours=1))
        assert (await client.get("/", headers=bearer(token))).status_code == 401


async def test_demo_keys_serve_this_machine_until_there_is_a_real_key(
    database: Database, identification: Identification
) -> None:
    demo = await stored_key(database, is_demo=True)
    async with client_of(identification) as client:
        assert (await client.get("/", headers=bearer(demo))).status_code == 200
    assert "own machine" in await refusal(identification, demo, ("203.0.113.7", 1))
    await stored_key(database)
    assert "real credentials" in await refusal(identification, demo)


async def test_the_local_operator_serves_this_machine_until_there_is_a_real_key(
    database: Database, identification: Identification
) -> None:
    await stored_key(database, is_demo=True)
    await stored_key(database, revoked_at=now())
    async with client_of(identification) as client:
        assert (await client.get("/")).json() == ["local operator", "ADMIN", "ALL", ["EXPORT", "PERSONAL_DATA"], None]
        await stored_key(database, expires_at=now() - timedelta(days=1))
        response = await client.get("/")
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [
        "Forwarded",
        "Via",
        "X-Real-IP",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "x-forwarded-x",
        "CF-Connecting-IP",
        "True-Client-IP",
        "X-Original-Host",
    ],
)
async def test_a_proxy_on_this_machine_needs_a_credential(identification: Identification, header: str) -> None:
    async with client_of(identification) as client:
        assert (await client.get("/", headers={header: "x"})).status_code == 401
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "host", "is_served"),
    [
        ("127.0.0.1", "localhost:8000", True),
        ("127.0.0.9", "127.0.0.1", True),
        ("::1", "[::1]:8000", True),
        ("::ffff:127.0.0.1", "localhost", True),
        ("203.0.113.7", "localhost", False),
        ("::ffff:203.0.113.7", "localhost", False),
        ("", "localhost", False),
        ("127.0.0.1", "accord.example", False),
        ("127.0.0.1", "localhost.evil.example", False),
    ],
)
async def test_the_local_operator_needs_a_loopback_peer_and_host(
    identification: Identification, peer: str, host: str, is_served: bool
) -> None:
    async with client_of(identification, peer=(peer, 1)) as client:
        response = await client.get("/", headers={"host": host})
        assert response.status_code == (200 if is_served else 401)


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic " + base64.b64encode(b"accord:x").decode(), "Bearer eyJhbGciOiJub25lIn0.e30."],
)
async def test_another_authorization_is_refused_and_is_not_the_local_operator(
    identification: Identification, value: str
) -> None:
    async with client_of(identification) as client:
        response = await client.get("/", headers={"authorization": value})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_AUTHENTICATED"


async def test_two_authorizations_are_refused(database: Database, identification: Identification) -> None:
    token = await stored_key(database)
    async with client_of(identification) as client:
        headers = [("authorization", f"Bearer {token.text}")] * 2
        assert (await client.get("/", headers=headers)).status_code == 401


async def test_a_token_in_the_address_is_no_credential(database: Database, identification: Identification) -> None:
    token = await stored_key(database)
    async with client_of(identification) as client:
        for name in ("access_token", "token", "key", "authorization"):
            assert (await client.get("/", params={name: token.text})).status_code == 401


async def test_a_key_beside_a_cookie_wins(database: Database, uses: KeyUses) -> None:
    class CookieSessions:
        async def principal(self, scope: Scope) -> Principal | None:
            cookies = Request(scope).cookies
            return Principal(Reach.ALL, name="by cookie") if cookies.get("session") == "s" else None

    identification = made(database, uses, AccessCache(), sessions=CookieSessions())
    token = await stored_key(database)
    async with client_of(identification) as client:
        cookie = {"cookie": "session=s"}
        assert (await client.get("/", headers=cookie)).json()[0] == "by cookie"
        assert (await client.get("/", headers=cookie | bearer(token))).json()[0] == "a test"
        assert (await client.get("/", headers=cookie | bearer(make_token()))).status_code == 401
        assert (await client.get("/", headers={"cookie": "session=ended"})).status_code == 401


async def test_a_thousand_wrong_keys_are_slowed_down_and_the_right_one_is_not(
    database: Database, identification: Identification
) -> None:
    token = await stored_key(database)
    responses = []
    async with client_of(identification, peer=("203.0.113.7", 1)) as client:
        for number in range(1_000):
            wrong = Token(token.key_id, make_token().secret) if number % 2 else make_token()
            responses.append(await client.get("/", headers=bearer(wrong)))
        statuses = [response.status_code for response in responses]
        assert statuses[:AT_ONCE] == [401] * AT_ONCE
        assert statuses.count(429) > 900
        assert responses[-1].json()["errors"][0]["extensions"]["code"] == "TOO_MANY_ATTEMPTS"
        assert 1 <= int(responses[-1].headers["retry-after"]) <= 10
        assert (await client.get("/", headers=bearer(token))).status_code == 200
    async with client_of(identification, peer=("203.0.113.8", 1)) as client:
        assert (await client.get("/", headers=bearer(make_token()))).status_code == 401


async def test_a_key_costs_one_look_up_and_then_none_until_access_changes(
    database: Database, uses: KeyUses, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    read = Database.value

    def counted(self: Database, text: str, values: object) -> Awaitable[object]:
        statements.append(text)
        return read(self, text, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "value", counted)
    cache = AccessCache()
    token = await stored_key(database)
    async with cache.listening(database), client_of(made(database, uses, cache)) as client:
        await heard(cache)
        for _ in range(5):
            assert (await client.get("/", headers=bearer(token))).status_code == 200
        assert len(statements) == 1
        for _ in range(3):
            assert (await client.get("/", headers=bearer(make_token()))).status_code == 401
        assert len(statements) == 4


async def test_a_revoked_key_ends_at_once_on_every_process(database: Database, uses: KeyUses) -> None:
    token = await stored_key(database)
    caches = [AccessCache(), AccessCache()]
    async with caches[0].listening(database), caches[1].listening(database):
        for cache in caches:
            await heard(cache)
        sites = [made(database, uses, cache) for cache in caches]
        for site in sites:
            async with client_of(site) as client:
                assert (await client.get("/", headers=bearer(token))).status_code == 200
        async with database.write() as session:
            await session.run(Sql("update api_key set revoked_at = now()"))
            await announce_access_change(session)
        began = monotonic()
        for site in sites:
            async with client_of(site) as client:
                while (await client.get("/", headers=bearer(token))).status_code == 200:
                    assert monotonic() - began < 5
                    await asyncio.sleep(0.001)  # a request of this client waits for no socket, so none would be read


async def test_the_last_use_is_written_once_a_minute(
    database: Database, identification: Identification, uses: KeyUses
) -> None:
    token = await stored_key(database)
    async with client_of(identification) as client:
        for _ in range(3):
            await client.get("/", headers=bearer(token))
        await uses.finish()
    async with database.read() as session:
        used = await session.value(Sql("select last_used_at from api_key"))
    assert abs(now() - used) < timedelta(seconds=30)
    async with client_of(made(database, again := KeyUses(lambda: database), AccessCache())) as client:
        await client.get("/", headers=bearer(token))
        await again.finish()
    async with database.read() as session:
        assert await session.value(Sql("select last_used_at from api_key")) == used


async def test_a_read_only_database_still_identifies_keys(
    database: Database, module_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = await stored_key(database)
    async with database.write() as session:
        name = await session.value(Sql("select current_database()"))
        await session.script(f"alter database {name} set default_transaction_read_only = on")
    try:
        async with Database.open(module_dsn, size=2) as reading:
            uses = KeyUses(lambda: reading)
            async with client_of(made(reading, uses, AccessCache())) as client:
                assert (await client.get("/", headers=bearer(token))).status_code == 200
                await uses.finish()
        assert "last use of API keys cannot be written" in caplog.text
    finally:
        async with database.write() as session:
            await session.script("set transaction read write")
            await session.script(f"alter database {name} reset default_transaction_read_only")


async def heard(cache: AccessCache) -> None:
    """Wait until a cache listens."""
    began = monotonic()
    while not cache.is_listening:
        assert monotonic() - began < 5
        await asyncio.sleep(0.01)
