"""What a key may do, over HTTP: a key without the right gets a coded error, and nothing is written."""

from typing import Any

import httpx
import pytest

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.grants import Grant
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.tokens import Token
from api.db import Database
from api.graph.contract import gateway
from api.sql import Sql
from api.web.identification import ApiKeyTokens, Identification
from api.web.website import build_site
from schema.access.rights import AccessLevel, Reach
from tests.support.api_keys import EVERYTHING, stored_key

VIEWER = Grant(AccessLevel.VIEWER, Reach.ALL)


async def answer(database: Database, token: Token, document: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """The response of Accord's own site to a document."""
    uses, keys = KeyUses(lambda: database), ApiKeys(lambda: database, AccessCache())
    identify = Identification(ApiKeyTokens(keys, uses, WrongAttempts(), keys.are_real), keys.are_real)
    site = build_site(gateway(), lambda: database, identify)
    transport = httpx.ASGITransport(app=site, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        headers = {"authorization": f"Bearer {token.text}"}
        response = await client.post("/graphql", json={"query": document}, headers=headers)
    await uses.finish()
    return response.json()


async def test_a_key_says_what_it_may(database: Database) -> None:
    token = await stored_key(database, VIEWER)
    assert await answer(database, token, "{ viewer { name level member { id } } }") == {
        "data": {"viewer": {"name": "a test", "level": "VIEWER", "member": None}}
    }


@pytest.mark.parametrize(
    "document",
    [
        'mutation { createApiKey(input: {name: "x"}) { token } }',
        'mutation { createContact(input: {firstName: "x"}) { contact { id } } }',
        "{ apiKeys { totalCount } }",
        "{ audit { totalCount } }",
    ],
)
async def test_a_key_without_the_right_is_refused_with_a_code(database: Database, document: str) -> None:
    token = await stored_key(database, VIEWER)
    response = await answer(database, token, document)
    [error] = response["errors"]
    assert error["extensions"]["code"] == "NOT_ALLOWED"
    assert "access level" in error["message"]
    async with database.read() as session:
        written = "select (select count(*) from api_key) + (select count(*) from contact)"
        assert await session.value(Sql(written)) == 1


async def test_the_secret_of_a_key_is_no_field(database: Database) -> None:
    token = await stored_key(database, EVERYTHING)
    for field in ("secretHash", "secret_hash", "token"):
        response = await answer(database, token, f"{{ apiKeys {{ nodes {{ {field} }} }} }}")
        assert response["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
