"""An HTTP client of a site over a small schema."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.identification import identify_local_operator
from api.web.website import build_site
from tests.web.small_schema import Mutation, Query, no_database, small_gateway


def requiring_codes(app: ASGIApp) -> ASGIApp:
    """Check that every error in a response has a code of the documented list."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        async def check(message: Message) -> None:
            body = message.get("body", b"")
            if body.startswith(b'{"errors"'):
                for error in orjson.loads(body)["errors"]:
                    assert error["extensions"]["code"] in tuple(ErrorCode)
            await send(message)

        await app(scope, receive, check)

    return checked


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a site over the small schema."""
    site = build_site(small_gateway(Query, Mutation), no_database, identify_local_operator)
    transport = httpx.ASGITransport(app=requiring_codes(site))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as opened:
        yield opened
