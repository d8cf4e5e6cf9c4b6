"""How long sessions of pages last, what ends them, and what a cookie is worth."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from api.access.credentials.page_sessions import (
    end_sessions_of_key,
    end_sessions_of_member,
    open_session,
    record_use,
)
from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.jobs.all_jobs import JOBS
from api.sql import Sql
from api.workflows.access.end_member_sessions import SESSIONS_ENDED, EndMemberSessions, end_member_sessions
from api.workflows.access.set_member_access import (
    RemoveMemberAccess,
    SetMemberAccess,
    remove_member_access,
    set_member_access,
)
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import Call, UnitOfWork, perform
from schema.access.rights import AccessLevel, Reach
from tests.support.api_keys import EVERYTHING, stored_key, stored_member
from tests.support.databases import new_database
from tests.web.sign_in.conftest import BROWSER, LIMITS, ORIGIN, Site

OURS = {"origin": ORIGIN}
HELLO = {"query": "{ hello }"}


@pytest.fixture(autouse=True)
async def real_key(database: Database) -> None:
    """A key that nobody uses, so that the local operator does not serve."""
    await stored_key(database)


@pytest.fixture
async def member_session(site: Site, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in the session of a member who signed in at the identity provider."""
    member_id = await stored_member(database)
    async with database.write() as session:
        token = await open_session(session, LIMITS, member_id=member_id)
    async with site.client() as client:
        client.cookies.set("accord_session", token, "localhost.local", "/")
        yield client


async def sign_in(client: httpx.AsyncClient, database: Database, **options: object) -> str:
    """Sign in with a new key; return its public id."""
    token = await stored_key(database, **options)  # type: ignore[arg-type]
    response = await client.post("/sign-in", data={"key": token.text}, headers=OURS)
    assert response.status_code == 303
    return token.key_id


async def status(client: httpx.AsyncClient) -> int:
    """The status of a request for data."""
    return (await client.post("/graphql", json=HELLO, headers=OURS)).status_code


async def pass_time(database: Database, passed: timedelta) -> None:
    """Move what happened to sessions into the past; the end in any case stays."""
    statement = "update page_session set idle_expires_at = idle_expires_at - {0}, last_used_at = last_used_at - {0}"
    await change(database, statement.replace("{0}", "{}::interval"), passed, passed)


async def change(database: Database, statement: str, *values: object) -> None:
    async with database.write() as session:
        assert (await session.run(Sql(statement, *values))) != "UPDATE 0"


async def test_only_the_hash_of_the_token_is_stored(browser: httpx.AsyncClient, database: Database) -> None:
    await sign_in(browser, database)
    async with database.read() as session:
        (row,) = await session.rows(Sql("select * from page_session"))
    assert browser.cookies["accord_session"] not in [str(value) for value in row.values()]
    assert len(row["token_hash"]) == 64


async def test_a_session_ends_when_it_is_idle(
    site: Site, member_session: httpx.AsyncClient, database: Database
) -> None:
    await pass_time(database, LIMITS.idle - timedelta(minutes=5))
    assert await status(member_session) == 200
    await site.sessions.finish()
    await pass_time(database, LIMITS.idle + timedelta(minutes=5))
    assert await status(member_session) == 401


async def test_use_moves_the_end_of_an_idle_session_and_is_recorded_once_a_minute(
    site: Site, member_session: httpx.AsyncClient, database: Database
) -> None:
    for passed in range(40):  # hours, of which 12 without use would end it
        assert await status(member_session) == 200, passed
        await site.sessions.finish()
        await pass_time(database, timedelta(hours=1))
    versions = []
    for _ in range(2):
        assert await status(member_session) == 200
        await site.sessions.finish()
        async with database.read() as session:
            versions.append(await session.value(Sql("select xmin::text from page_session")))
    assert versions[0] == versions[1]


async def test_an_idle_session_is_not_revived(
    site: Site, member_session: httpx.AsyncClient, database: Database
) -> None:
    await change(database, "update page_session set idle_expires_at = now(), last_used_at = now() - interval '12 h'")
    for _ in range(2):
        assert await status(member_session) == 401
        await site.sessions.finish()


async def test_a_use_that_is_recorded_late_revives_no_session(
    member_session: httpx.AsyncClient, database: Database
) -> None:
    await pass_time(database, LIMITS.idle + timedelta(minutes=5))
    async with database.write() as session:
        await record_use(session, await session.value(Sql("select id from page_session")), LIMITS)
    assert await status(member_session) == 401


async def test_a_session_ends_in_any_case(member_session: httpx.AsyncClient, database: Database) -> None:
    assert await status(member_session) == 200
    await change(database, "update page_session set expires_at = now()")
    assert await status(member_session) == 401


async def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(
    site: Site, browser: httpx.AsyncClient, database: Database
) -> None:
    await sign_in(browser, database)
    async with site.client() as copy:
        copy.cookies = httpx.Cookies(browser.cookies)
        assert await status(copy) == 200
        response = await browser.post("/sign-out", headers=OURS)
        assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
        assert "accord_session" not in browser.cookies
        assert await status(copy) == 401


async def test_a_sign_in_has_a_new_token_and_ends_the_former_session(
    site: Site, browser: httpx.AsyncClient, database: Database
) -> None:
    await sign_in(browser, database)
    first = browser.cookies["accord_session"]
    await sign_in(browser, database)
    assert browser.cookies["accord_session"] != first
    assert await status(browser) == 200
    async with site.client() as other:
        other.cookies.set("accord_session", first, "localhost.local", "/")
        assert await status(other) == 401


async def test_a_planted_cookie_never_becomes_a_session(browser: httpx.AsyncClient, database: Database) -> None:
    browser.cookies.set("accord_session", "planted", "localhost.local", "/")
    await sign_in(browser, database)
    assert [cookie.value for cookie in browser.cookies.jar if cookie.value == "planted"] == []
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from page_session")) == 1


async def test_two_cookies_of_the_name_are_none(browser: httpx.AsyncClient, database: Database) -> None:
    await sign_in(browser, database)
    cookie = f"accord_session=planted; accord_session={browser.cookies['accord_session']}"
    browser.cookies.clear()
    response = await browser.post("/graphql", json=HELLO, headers=OURS | {"cookie": cookie})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "end",
    [
        "update api_key set revoked_at = now() where key_id = {}",
        "update api_key set expires_at = now() where key_id = {}",
        "update member set deactivated_at = now() where id = (select member_id from api_key where key_id = {})",
        "delete from member_access where member_id = (select member_id from api_key where key_id = {})",
    ],
)
async def test_a_session_ends_with_the_key_that_opened_it(
    browser: httpx.AsyncClient, database: Database, end: str
) -> None:
    key_id = await sign_in(browser, database, member_id=await stored_member(database))
    assert await status(browser) == 200
    await change(database, end, key_id)
    assert await status(browser) == 401


@pytest.mark.parametrize("end", ["update member set deactivated_at = now()", "delete from member_access"])
async def test_a_session_ends_with_the_access_of_its_member(
    member_session: httpx.AsyncClient, database: Database, end: str
) -> None:
    assert await status(member_session) == 200
    await change(database, end)
    assert await status(member_session) == 401


async def test_ended_sessions_of_a_member_or_a_key_stay_ended(
    browser: httpx.AsyncClient, member_session: httpx.AsyncClient, database: Database
) -> None:
    async with database.read() as session:
        member_id = await session.value(Sql("select member_id from page_session"))
    key_id = await sign_in(browser, database, member_id=member_id)
    async with database.write() as session:
        await end_sessions_of_key(session, await session.value(Sql("select id from api_key where key_id = {}", key_id)))
    assert (await status(browser), await status(member_session)) == (401, 200)
    await sign_in(browser, database, member_id=member_id)
    assert await status(browser) == 200
    async with database.write() as session:
        await end_sessions_of_member(session, member_id)
    assert (await status(browser), await status(member_session)) == (401, 401)


async def test_an_administrator_signs_a_member_out_everywhere(
    site: Site, browser: httpx.AsyncClient, member_session: httpx.AsyncClient, database: Database
) -> None:
    async with database.read() as session:
        member_id = await session.value(Sql("select member_id from page_session"))
    await sign_in(browser, database, member_id=member_id)
    other = await stored_member(database, member_name="Other")
    async with database.write() as session:
        others_token = await open_session(session, LIMITS, member_id=other)
    do = partial(end_member_sessions, do=EndMemberSessions(Reference(id=member_id)))
    first, second = [await perform(database, LOCAL_OPERATOR, Call("endMemberSessions"), do) for _ in range(2)]
    assert (first.values[SESSIONS_ENDED], second.values[SESSIONS_ENDED]) == (2, 0)
    assert (await status(browser), await status(member_session)) == (401, 401)
    async with site.client() as client:
        client.cookies.set("accord_session", others_token, "localhost.local", "/")
        assert await status(client) == 200
    await sign_in(browser, database, member_id=member_id)
    assert await status(browser) == 200


async def test_access_that_is_given_again_revives_no_session(
    site: Site, member_session: httpx.AsyncClient, database: Database
) -> None:
    async with database.read() as session:
        member_id = await session.value(Sql("select member_id from page_session"))
    who = Reference(id=member_id)
    again = SetMemberAccess(who, AccessLevel.VIEWER, Reach.ALL)
    await changed_access(database, partial(remove_member_access, do=RemoveMemberAccess(who)))
    assert await status(member_session) == 401
    await changed_access(database, partial(set_member_access, do=again))
    assert await status(member_session) == 401
    async with database.write() as session:
        token = await open_session(session, LIMITS, member_id=member_id)
    async with site.client() as client:
        client.cookies.set("accord_session", token, "localhost.local", "/")
        await changed_access(database, partial(set_member_access, do=replace(again, level=AccessLevel.CONTRIBUTOR)))
        assert await status(client) == 200
        # Another address is another sign-in at the identity provider.
        await changed_access(database, partial(set_member_access, do=replace(again, email="new@acme.example")))
        assert await status(client) == 401


async def changed_access(database: Database, workflow: Callable[[UnitOfWork], Awaitable[Outcome]]) -> None:
    assert (await perform(database, LOCAL_OPERATOR, Call("access"), workflow)).errors == ()


async def test_a_job_deletes_the_sessions_that_ended_and_no_other(
    site: Site, browser: httpx.AsyncClient, member_session: httpx.AsyncClient, database: Database
) -> None:
    await sign_in(browser, database)
    await change(database, "update page_session set expires_at = now() where member_id is null")
    async with site.client() as left:
        await sign_in(left, database)
        await left.post("/sign-out", headers=OURS)
    (job,) = (job for job in JOBS if job.name == "prune sessions")
    assert [await job.run(database) for _ in range(2)] == [2, 0]
    assert await status(member_session) == 200


async def test_rights_are_those_of_now(site: Site, member_session: httpx.AsyncClient, database: Database) -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"localhost:8000"),
            (b"origin", ORIGIN.encode()),
            (b"cookie", b"accord_session=" + member_session.cookies["accord_session"].encode()),
        ],
    }
    before = await site.sessions.principal(scope)
    await change(database, "update member_access set level = 'VIEWER', has_export = false")
    after = await site.sessions.principal(scope)
    assert before is not None
    assert after is not None
    assert (before.level, after.level) == (EVERYTHING.level, "VIEWER")
    assert before.rights > after.rights
    assert before.credential_id == after.credential_id is not None


async def test_a_demo_session_ends_elsewhere_and_with_the_first_real_key(site: Site, database: Database) -> None:
    await change(database, "update api_key set revoked_at = now()")
    token = await stored_key(database, is_demo=True)
    async with site.client() as client:
        response = await client.post("/sign-in", data={"key": token.text}, headers=OURS)
        assert response.status_code == 303
        assert await status(client) == 200
        forwarded = OURS | {"x-forwarded-for": "192.0.2.7"}
        assert (await client.post("/graphql", json=HELLO, headers=forwarded)).status_code == 401
        await stored_key(database)
        assert await status(client) == 401


async def test_an_ended_session_does_not_become_the_local_operator(site: Site, database: Database) -> None:
    await change(database, "update api_key set revoked_at = now()")
    async with site.client() as client:
        assert await status(client) == 200  # the local operator
        client.cookies.set("accord_session", "ended", "localhost.local", "/")
        refused = await client.post("/graphql", json=HELLO, headers=OURS)
        assert refused.status_code == 401
        assert "Sign in again" in refused.json()["errors"][0]["message"]
        page = await client.get("/graphql", headers=BROWSER)  # opening the page removes the cookie
        assert (page.status_code, "accord_session" in client.cookies) == (200, False)
        assert await status(client) == 200


async def test_the_cookie_is_for_this_host_and_no_script(
    site: Site, browser: httpx.AsyncClient, database: Database
) -> None:
    token = await stored_key(database)
    plain = await browser.post("/sign-in", data={"key": token.text}, headers=OURS)
    name, *attributes = plain.headers["set-cookie"].split("; ")
    assert name.startswith("accord_session=")
    assert attributes == ["Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Lax"]
    async with site.client(base_url="https://accord.example", peer=("192.0.2.7", 1)) as client:
        safe = await client.post("/sign-in", data={"key": token.text}, headers={"origin": "https://accord.example"})
    name, *attributes = safe.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-accord_session=")
    assert attributes == ["Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Lax", "Secure"]


async def test_a_cookie_without_the_prefix_counts_for_nothing_over_https(site: Site, database: Database) -> None:
    member_id = await stored_member(database)
    async with database.write() as session:
        token = await open_session(session, LIMITS, member_id=member_id)
    ours = {"origin": "https://accord.example"}
    async with site.client(base_url="https://accord.example", peer=("192.0.2.7", 1)) as client:
        for name, expected in (("accord_session", 401), ("__Host-accord_session", 200)):
            headers = ours | {"cookie": f"{name}={token}"}
            assert (await client.post("/graphql", json=HELLO, headers=headers)).status_code == expected


async def test_when_the_person_signed_in_is_kept(database: Database) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    async with database.write() as session:
        await open_session(session, LIMITS, member_id=await stored_member(database), signed_in_at=at)
        row = await session.row(Sql("select signed_in_at, expires_at - now() as rest, api_key_id from page_session"))
    assert row is not None
    assert (row["signed_in_at"], row["rest"], row["api_key_id"]) == (at, LIMITS.total, None)


async def test_the_token_of_a_session_is_not_logged(
    browser: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="accord"):
        await sign_in(browser, database)
        await status(browser)
    assert browser.cookies["accord_session"] not in caplog.text


async def test_an_outage_of_the_database_is_no_end_of_a_session(server: str, template: str) -> None:
    async with new_database(server, template) as dsn, Database.open(dsn) as gone:
        site = Site(gone)
        async with site.client() as client:
            await sign_in(client, gone)
    cookies = httpx.Cookies(client.cookies)
    async with site.client() as client:
        client.cookies = cookies
        for response in (
            await client.post("/graphql", json=HELLO, headers=OURS),
            await client.get("/graphql", headers=BROWSER),
            await client.get("/sign-in"),
        ):
            (error,) = response.json()["errors"]
            assert (response.status_code, error["extensions"]["code"]) == (503, "DATABASE_UNREACHABLE")
            assert "set-cookie" not in response.headers
