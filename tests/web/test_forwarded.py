"""Client, scheme and host of requests that came through proxies."""

from ipaddress import ip_network

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from api.web.forwarded import ForwardedMiddleware
from api.web.identification import identify_local_operator
from api.web.website import NetworkAccess, build_site, no_credentials
from tests.web.small_schema import Query, no_database, small_gateway, with_credentials

PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("192.0.2.1")]
DIRECT = ["10.0.0.1", "http", "localhost"]


async def seen(headers: dict[str, str], peer: str = "10.0.0.1") -> list[str]:
    """The client, scheme and host that the application sees of a request; else the code of the error."""

    async def show(scope: Scope, receive: object, send: object) -> None:
        request = Request(scope)
        assert request.client is not None
        found = [request.client.host, request.url.scheme, request.headers["host"]]
        await JSONResponse(found)(scope, receive, send)  # type: ignore[arg-type]

    transport = httpx.ASGITransport(app=ForwardedMiddleware(show, PROXIES), client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        found = (await client.get("/", headers=headers)).json()
    return found if isinstance(found, list) else [found["errors"][0]["extensions"]["code"]]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, DIRECT),
        ({"forwarded": "for=203.0.113.7;proto=https;host=accord.example"}, ["203.0.113.7", "https", "accord.example"]),
        ({"forwarded": 'FOR="[2001:db8::7]:4711"; Proto=HTTPS'}, ["2001:db8::7", "https", "localhost"]),
        ({"forwarded": 'for=203.0.113.7;host="accord.example:8443";'}, ["203.0.113.7", "http", "accord.example:8443"]),
        ({"forwarded": "for=unknown"}, ["unknown", "http", "localhost"]),
        # the entry before the one of the trusted proxy is the client's own word
        (
            {"forwarded": "for=10.9.9.9;host=evil.example, for=203.0.113.7;host=accord.example"},
            ["203.0.113.7", "http", "accord.example"],
        ),
        # two trusted proxies: the outer one says more
        (
            {"forwarded": "for=203.0.113.7;proto=https;host=accord.example, for=10.0.0.2;proto=http;host=inner"},
            ["203.0.113.7", "https", "accord.example"],
        ),
        (
            {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https", "x-forwarded-host": "accord.example"},
            ["203.0.113.7", "https", "accord.example"],
        ),
        ({"x-forwarded-for": "9.9.9.9, 203.0.113.7, 10.0.0.2"}, ["203.0.113.7", "http", "localhost"]),
        ({"x-forwarded-for": "203.0.113.7, 10.0.0.2", "x-forwarded-proto": "https"},
         ["203.0.113.7", "https", "localhost"]),
        ({"x-forwarded-for": "9.9.9.9, 203.0.113.7", "x-forwarded-host": "evil.example, accord.example"},
         ["203.0.113.7", "http", "accord.example"]),
        ({"x-forwarded-for": "203.0.113.7:4711"}, ["203.0.113.7", "http", "localhost"]),
        ({"x-forwarded-proto": "https"}, ["10.0.0.1", "https", "localhost"]),
        ({"x-forwarded-proto": "javascript"}, ["BAD_REQUEST"]),
        ({"forwarded": "for="}, DIRECT),
        ({"forwarded": 'for="unclosed'}, ["BAD_REQUEST"]),
        ({"forwarded": "nonsense"}, ["BAD_REQUEST"]),
        ({"forwarded": "for=1.2.3.4," * 1_000}, ["BAD_REQUEST"]),
        ({"forwarded": "for=1.2.3.4", "x-forwarded-for": "1.2.3.4"}, ["BAD_REQUEST"]),
    ],
)  # fmt: skip
async def test_a_trusted_proxy_is_believed(headers: dict[str, str], expected: list[str]) -> None:
    assert await seen(headers) == expected


@pytest.mark.parametrize("peer", ["203.0.113.9", "192.0.2.2", "::2", "testclient"])
async def test_others_are_not_believed(peer: str) -> None:
    headers = {"forwarded": "for=1.2.3.4;proto=https;host=evil.example", "x-forwarded-for": "1.2.3.4"}
    assert await seen(headers, peer) == [peer, "http", "localhost"]


async def test_a_proxy_may_connect_by_an_ipv4_address_in_ipv6() -> None:
    assert await seen({"forwarded": "for=203.0.113.7"}, "::ffff:10.0.0.1") == ["203.0.113.7", "http", "localhost"]


async def test_the_forwarded_host_is_the_one_that_has_to_be_allowed() -> None:
    async def shown(request: Request) -> Response:
        return JSONResponse([request.url.scheme, request.url.hostname])

    for has_credentials, expected in ((no_credentials, 421), (with_credentials, 200)):
        access = NetworkAccess(["accord.example"], proxies=PROXIES, has_credentials=has_credentials)
        routes = [Route("/shown", shown)]
        site = build_site(small_gateway(Query), no_database, identify_local_operator, routes=routes, access=access)
        transport = httpx.ASGITransport(app=site, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"forwarded": "for=203.0.113.7;host=accord.example;proto=https"}
            response = await client.get("/shown", headers=headers)
            foreign = await client.get("/shown", headers={"x-forwarded-host": "evil.example"})
        assert (response.status_code, foreign.status_code) == (expected, 421)
        if expected == 200:
            assert response.json() == ["https", "accord.example"]
