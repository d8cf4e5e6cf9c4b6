"""An HTTP client of a site over a small schema."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.web.identification import identify_everyone
from api.web.website import build_site
from tests.web.small_schema import Mutation, Query, no_database, small_gateway


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a site over the small schema."""
    site = build_site(small_gateway(Query, Mutation), no_database, identify_everyone)
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as opened:
        yield opened
