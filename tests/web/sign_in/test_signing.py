"""A member signs a version of the accord over HTTP, in a session of the pages; nobody else signs, and nothing else."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.access.credentials.grants import Grant
from api.db import Database
from api.graph.contract import gateway
from api.sample.demo_people import demo_people
from api.sql import Sql
from api.workflows.access.create_demo_keys import create_demo_keys
from schema.access.rights import AccessLevel, Reach
from tests.support.api_keys import stored_access, stored_key
from tests.support.signers import MARKETING, MIA, SALES, SAM, adopt, propose, version
from tests.web.sign_in.conftest import ORIGIN, Site

OURS = {"origin": ORIGIN}
CONTRIBUTOR = Grant(AccessLevel.CONTRIBUTOR, Reach.ALL, frozenset())
PREVIEW = '{ accordPreview(version: 2, period: { named: "2026-Q1" }) { id } accord(version: 2) { hash } }'
SIGN = """mutation ($input: SignAccordInput!) { signAccord(input: $input) {
  accord { status missingSignatures } userErrors { code path } } }"""


@pytest.fixture
async def site(database: Database) -> Site:
    """A site over Accord's own schema, with version 2 of the accord in review."""
    async with database.write() as session:
        await adopt(session)
    assert await propose(database, "Another") == 2
    return Site(database, gateway=gateway())


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


async def key_of(database: Database, member: UUID) -> str:
    """Return a key of a member's own."""
    await stored_access(database, member, CONTRIBUTOR)
    return (await stored_key(database, CONTRIBUTOR, member_id=member)).text


async def sign_in(client: httpx.AsyncClient, key: str) -> None:
    """Sign in with a key at the form."""
    response = await client.post("/sign-in", data={"key": key}, headers=OURS)
    assert (response.status_code, "accord_session" in client.cookies) == (303, True)


async def previewed(client: httpx.AsyncClient, **headers: str) -> dict[str, Any]:
    """Preview version 2 as it is now. Return the input of its signature."""
    response = await client.post("/graphql", json={"query": PREVIEW}, headers=OURS | headers)
    data = response.json()["data"]
    return {"version": 2, "hash": data["accord"]["hash"], "previewId": data["accordPreview"]["id"]}


async def sign(client: httpx.AsyncClient, given: dict[str, Any], **headers: str) -> httpx.Response:
    """Sign as a script of a page does, or with other headers."""
    return await client.post("/graphql", json={"query": SIGN, "variables": {"input": given}}, headers=headers or OURS)


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


async def signatures(database: Database) -> list[dict[str, Any]]:
    async with database.read() as session:
        rows = await session.rows(
            Sql(
                "select s.*, p.id as page_session_id, p.signed_in_at as session_since from accord_signature s"
                " left join page_session p on p.id = s.session_id order by s.signed_at"
            )
        )
    return [dict(row) for row in rows]


async def test_members_of_both_teams_sign_in_their_sessions(site: Site, database: Database) -> None:
    for member, missing in ((MIA, ["SALES"]), (SAM, [])):
        async with site.client() as browser:
            await sign_in(browser, await key_of(database, member))
            response = await sign(browser, await previewed(browser))
            payload = response.json()["data"]["signAccord"]
            assert payload["userErrors"] == []
            assert payload["accord"]["missingSignatures"] == missing
    rows = await signatures(database)
    assert [(row["member_id"], row["team"]) for row in rows] == [(MIA, "MARKETING"), (SAM, "SALES")]
    assert (await version(database, 2))["status"] == "SIGNED"


async def test_a_signature_names_its_session_its_document_and_its_preview(
    browser: httpx.AsyncClient, database: Database
) -> None:
    await sign_in(browser, await key_of(database, MIA))
    given = await previewed(browser)
    await sign(browser, given)
    [row] = await signatures(database)
    assert row["session_id"] == row["page_session_id"] is not None
    assert (row["sign_in_method"], row["signed_in_at"]) == ("API_KEY", row["session_since"])
    assert row["content_hash"] == given["hash"] == (await version(database, 2))["content_hash"]
    assert row["base_hash"] == (await version(database, 1))["content_hash"]
    assert f"accord_preview_{row['preview_id']}" == given["previewId"]


async def test_a_key_without_a_session_does_not_sign(site: Site, database: Database) -> None:
    """Not even the member's own, which would sign in a session that it opened."""
    authorization = f"Bearer {await key_of(database, MIA)}"
    async with site.client() as program:
        given = await previewed(program, authorization=authorization)
        response = await sign(program, given, authorization=authorization)
    assert code(response) == "SIGN_IN_AGAIN"
    assert await signatures(database) == []


async def test_a_key_of_a_machine_does_not_sign_in_a_session_either(
    browser: httpx.AsyncClient, database: Database
) -> None:
    await sign_in(browser, (await stored_key(database)).text)
    assert code(await sign(browser, await previewed(browser))) == "NOT_ALLOWED"
    assert await signatures(database) == []


async def test_an_old_sign_in_does_not_sign_until_the_member_signs_in_again(
    browser: httpx.AsyncClient, database: Database
) -> None:
    key = await key_of(database, MIA)
    await sign_in(browser, key)
    given = await previewed(browser)
    async with database.write() as session:
        await session.run(Sql("update page_session set signed_in_at = signed_in_at - interval '16 minutes'"))
    response = await sign(browser, given)
    assert code(response) == "SIGN_IN_AGAIN"
    assert "You signed in 16 minutes ago." in response.json()["errors"][0]["message"]
    await sign_in(browser, key)
    assert (await sign(browser, given)).json()["data"]["signAccord"]["userErrors"] == []
    assert len(await signatures(database)) == 1


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example"])
async def test_another_site_does_not_sign_with_the_cookie_of_a_member(
    browser: httpx.AsyncClient, database: Database, origin: str
) -> None:
    await sign_in(browser, await key_of(database, MIA))
    response = await sign(browser, await previewed(browser), origin=origin)
    assert response.status_code in (401, 403)
    assert await signatures(database) == []


async def test_who_signed_out_or_lost_access_does_not_sign(browser: httpx.AsyncClient, database: Database) -> None:
    key = await key_of(database, MIA)
    await sign_in(browser, key)
    given = await previewed(browser)
    cookie = f"accord_session={browser.cookies['accord_session']}"
    await browser.post("/sign-out", headers=OURS)
    assert (await sign(browser, given, cookie=cookie, **OURS)).status_code == 401
    await sign_in(browser, key)
    async with database.write() as session:
        await session.run(Sql("update member set deactivated_at = now() where id = {}", MIA))
    assert (await sign(browser, given)).status_code == 401
    assert await signatures(database) == []


async def test_the_heads_of_the_sample_company_sign_with_their_demo_keys(site: Site, database: Database) -> None:
    heads = {"head of marketing": MARKETING, "head of sales": SALES}
    async with database.write() as session:
        for number, person in enumerate(demo_people()):
            team = heads.get(person.title)
            columns = (UUID(int=900 + number), person.name, team)
            await session.run(Sql("insert into member (id, name, team_id) values ({}, {}, {})", *columns))
        await create_demo_keys(session)
    for person in demo_people():
        async with site.client() as browser:
            await sign_in(browser, person.token.text)
            if person.title in heads:
                response = await sign(browser, await previewed(browser))
                assert response.json()["data"]["signAccord"]["userErrors"] == []
            else:
                anything = {"version": 2, "hash": "0" * 64, "previewId": f"accord_preview_{UUID(int=1)}"}
                assert code(await sign(browser, anything)) == "NOT_ALLOWED"
    assert [row["team"] for row in await signatures(database)] == ["MARKETING", "SALES"]
