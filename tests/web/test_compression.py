"""Compression: which responses are compressed, and how the client chooses."""

import gzip
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from api.web import pages
from api.web.compression import (
    LEAST_BYTES,
    MOST_BYTES_IN_LOOP,
    ContentCoding,
    negotiate_coding,
    requires_coding,
)
from api.web.identification import identify_local_operator
from api.web.responses import GraphQLResponse
from api.web.website import build_site
from tests.web.small_schema import Query, no_database, small_gateway

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstd.decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "": bytes,
}
LONG = "x" * 5_000


async def raw(client: httpx.AsyncClient, path: str, accept_encoding: str | None, **headers: str) -> httpx.Response:
    """A response whose `content` is not decoded."""
    sent = {"accept-encoding": accept_encoding or "", **headers}
    request = client.build_request("GET", path, headers=sent)
    if accept_encoding is None:
        del request.headers["accept-encoding"]
    response = await client.send(request, stream=True)
    response._content = b"".join([part async for part in response.aiter_raw()])
    return response


def coding(response: httpx.Response) -> str:
    found = response.headers.get("content-encoding", "")
    assert int(response.headers["content-length"]) == len(response.content)
    return str(found)


def site_with(*routes: Route) -> httpx.AsyncClient:
    site = build_site(small_gateway(Query), no_database, identify_local_operator, routes=routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


def hello(length: int = 5_000) -> str:
    return f'/graphql?query={{hello(name:"{"x" * length}")}}'


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        (None, ""),
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("deflate, gzip;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=0.8", "br"),
        ("zstd;q=0, br;q=0, gzip;q=0.001", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0, *;q=0.5", "zstd"),
        ("identity, gzip;q=0.5", ""),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("deflate", ""),
        ("gzip;q=0", ""),
        ("gzip;q=x", ""),
    ],
)
async def test_the_coding_is_the_one_that_the_client_prefers(
    client: httpx.AsyncClient, accept_encoding: str | None, expected: str
) -> None:
    response = await raw(client, hello(), accept_encoding)
    assert (response.status_code, coding(response)) == (200, expected)
    assert DECODERS[expected](response.content) == b'{"data":{"hello":"hello %b"}}' % LONG.encode()
    assert "Accept-Encoding" in response.headers["vary"]


@pytest.mark.parametrize("accept_encoding", ["identity;q=0", "*;q=0", "deflate, identity;q=0", "br;q=0, *;q=0"])
async def test_a_client_that_accepts_nothing_gets_406(client: httpx.AsyncClient, accept_encoding: str) -> None:
    response = await raw(client, hello(), accept_encoding)
    assert response.status_code == 406
    assert b"NOT_ACCEPTABLE" in response.content


async def test_a_small_response_is_compressed_only_if_the_client_excludes_others(client: httpx.AsyncClient) -> None:
    frame = len('{"data":{"hello":"hello "}}')
    assert coding(await raw(client, hello(LEAST_BYTES - frame - 1), "zstd, gzip")) == ""
    assert coding(await raw(client, hello(LEAST_BYTES - frame), "zstd, gzip")) == "zstd"
    assert coding(await raw(client, hello(1), "gzip, identity;q=0")) == "gzip"
    assert coding(await raw(client, hello(1), "gzip, *;q=0")) == "gzip"


@given(
    st.dictionaries(
        st.sampled_from(["gzip", "br", "zstd", "identity", "*", "deflate"]), st.sampled_from([0.0, 0.3, 0.7, 1.0])
    )
)
def test_the_chosen_coding_is_always_one_of_the_best_acceptable(weights: dict[str, float]) -> None:
    header = ", ".join(f"{name};q={weight}" for name, weight in weights.items()).encode()

    def weight(name: str) -> float | None:
        return weights.get(name, weights.get("*"))

    chosen = negotiate_coding(header)
    offered = {name: weight(name) or 0.0 for name in ("gzip", "br", "zstd")}
    if chosen is None:
        assert weight("identity") == 0
        assert max(offered.values()) == 0
    elif chosen is ContentCoding.IDENTITY:
        assert not requires_coding(header)
        assert max(offered.values()) <= weights.get("identity", 0.0)
    else:
        assert offered[chosen] == max(offered.values()) > 0
        assert offered[chosen] >= weights.get("identity", 0.0)


async def test_post_responses_are_compressed_too(client: httpx.AsyncClient) -> None:
    body = {"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": LONG}}
    response = await client.post("/graphql", json=body, headers={"accept-encoding": "zstd"})
    assert response.headers["content-encoding"] == "zstd"
    assert int(response.headers["content-length"]) < 200


async def test_what_must_not_be_compressed_is_sent_as_it_is() -> None:
    async def secret(_request: Request) -> Response:
        return GraphQLResponse(LONG.encode(), 200, is_secret=True)

    async def forbidden(_request: Request) -> Response:
        return PlainTextResponse(LONG, headers={"Cache-Control": "no-cache, no-transform"})

    async def coded(_request: Request) -> Response:
        return PlainTextResponse(LONG, headers={"Content-Encoding": "other"})

    async def binary(_request: Request) -> Response:
        return Response(LONG, media_type="image/png")

    async def part(_request: Request) -> Response:
        return PlainTextResponse(LONG, 206, headers={"Content-Range": "bytes 0-4999/9999"})

    async def stream(_request: Request) -> Response:
        return StreamingResponse(iter([LONG, LONG]), media_type="text/plain")

    handlers = {"secret": secret, "forbidden": forbidden, "coded": coded, "binary": binary, "part": part,
                "stream": stream}  # fmt: skip
    async with site_with(*(Route(f"/{name}", handler) for name, handler in handlers.items())) as client:
        for name in handlers:
            response = await raw(client, f"/{name}", "gzip, br, zstd")
            assert response.content in (LONG.encode(), 2 * LONG.encode()), name
        assert (await client.get("/secret")).headers["cache-control"] == "no-store, no-transform"


async def test_a_compressed_response_has_a_weak_etag() -> None:
    async def tagged(request: Request) -> Response:
        return JSONResponse(LONG, headers={"ETag": request.query_params["tag"]})

    async with site_with(Route("/tagged", tagged)) as client:
        for given_tag, plain, compressed in (('"a"', '"a"', 'W/"a"'), ('W/"a"', 'W/"a"', 'W/"a"')):
            path = f"/tagged?tag={given_tag}"
            assert (await raw(client, path, None)).headers["etag"] == plain
            assert (await raw(client, path, "br")).headers["etag"] == compressed


async def test_a_large_body_is_compressed_in_a_thread_and_a_small_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sized(request: Request) -> Response:
        return PlainTextResponse("x" * int(request.query_params["size"]))

    threads: list[threading.Thread] = []
    compress = ContentCoding.compress

    def noted(self: ContentCoding, body: bytes, *, is_kept: bool = False) -> bytes:
        threads.append(threading.current_thread())
        return compress(self, body, is_kept=is_kept)

    monkeypatch.setattr(ContentCoding, "compress", noted)
    async with site_with(Route("/sized", sized)) as client:
        for size in (MOST_BYTES_IN_LOOP, MOST_BYTES_IN_LOOP + 1):
            response = await raw(client, f"/sized?size={size}", "zstd")
            assert zstd.decompress(response.content) == b"x" * size
    assert [thread is threading.current_thread() for thread in threads] == [True, False]


async def test_a_built_file_is_compressed_once_and_revalidated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = tmp_path / "graphiql" / "dist" / "assets"
    assets.mkdir(parents=True)
    (assets / "a.js").write_text(LONG)
    (assets / "a.woff2").write_text(LONG)
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    compressed: list[str] = []
    compress = ContentCoding.compress

    def noted(self: ContentCoding, body: bytes, *, is_kept: bool = False) -> bytes:
        compressed.append(self.value)
        return compress(self, body, is_kept=is_kept)

    async with site_with() as site:
        monkeypatch.setattr(ContentCoding, "compress", noted)
        path = "/static/graphiql/assets/a.js"
        for accepted in ("br", "br", "zstd", "gzip, br;q=0.5"):
            response = await raw(site, path, accepted)
            assert DECODERS[coding(response)](response.content) == LONG.encode()
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers["content-type"].startswith("text/javascript")
        assert compressed == ["br", "zstd", "gzip"]
        tag = (await raw(site, path, "br")).headers["etag"]
        unchanged = await raw(site, path, "br", **{"if-none-match": tag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert "Accept-Encoding" in unchanged.headers["vary"]
        (assets / "a.js").write_text(2 * LONG)
        assert DECODERS["br"]((await raw(site, path, "br")).content) == 2 * LONG.encode()
        ranged = await raw(site, path, "br", range="bytes=0-9")
        assert (ranged.status_code, ranged.content) == (206, b"x" * 10)
        assert coding(await raw(site, "/static/graphiql/assets/a.woff2", "br")) == ""
        assert (await site.head(path, headers={"accept-encoding": "br"})).headers["content-length"] == "10000"
