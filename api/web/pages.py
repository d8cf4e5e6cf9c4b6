"""GraphiQL as a page: the built files of `api/static/graphiql`, or a page that explains how to build them."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, partial
from html import escape
from pathlib import Path

import orjson
from cachetools import LRUCache
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.web.compression import (
    LEAST_BYTES,
    ContentCoding,
    accept_encoding,
    coded_headers,
    is_compressible,
    negotiate_coding,
)
from schema.accord_schema import accord_json_schema

STATIC = Path(__file__).parent.parent / "static"
GRAPHIQL = STATIC / "graphiql" / "dist"
UNBUILT = STATIC / "unbuilt.html"

_PAGE_DIRECTIVES = (
    "default-src 'none'",
    "script-src 'self'",
    # Monaco writes its theme as style elements and positions its lines by style attributes; neither can carry a nonce
    # or a hash. A style cannot run code, and without an allowed foreign host it cannot send anything either.
    "style-src 'self' 'unsafe-inline'",
    # The style sheets of Monaco and GraphiQL contain their cursors and fonts as data: URLs.
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
PAGE_POLICY = "; ".join(_PAGE_DIRECTIVES)

# A worker follows the policy of its own script's response, not that of the page.
_ASSET_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
_IMMUTABLE = "public, max-age=31536000, immutable"
_ONE_HOUR = "public, max-age=3600"
_MOST_COMPRESSED = 16 * 1024 * 1024  # bytes of compressed files in memory


def graphiql_page(request: Request) -> Response:
    """GraphiQL, or build instructions if the front-end is not built.

    The file is looked up on each request, so that a build takes effect without a restart.
    """
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    index = GRAPHIQL / "index.html"
    if index.is_file():
        return FileResponse(index, media_type="text/html", headers=headers)
    address = escape(str(request.url.replace(query="")))
    return HTMLResponse(UNBUILT.read_text(encoding="utf-8").replace("{address}", address), headers=headers)


PageHandler = Callable[[Request], Awaitable[Response]]
"""Responds to a browser that opens the address of the endpoint."""


async def serve_graphiql(request: Request) -> Response:
    """Return GraphiQL to everybody: a `PageHandler` of a server without credentials."""
    return graphiql_page(request)


class _Assets(StaticFiles):
    """Built files. Names with a hash are cached for a year, all others for an hour. Each is compressed once."""

    def __init__(self, directory: Path) -> None:
        # The folder may appear while the server runs (`make assets`), so that it may be missing at the start.
        super().__init__(directory=directory, check_dir=False)
        self._compressed: LRUCache[tuple[str, str, ContentCoding], bytes] = LRUCache(_MOST_COMPRESSED, getsizeof=len)

    async def check_config(self) -> None:
        """Return 404 if nothing is built; StaticFiles would raise a server error."""
        if not GRAPHIQL.is_dir():
            raise HTTPException(404)
        await super().check_config()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path, with its cache and content policies."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _IMMUTABLE if path.startswith("assets/") else _ONE_HOUR
        response.headers["Content-Security-Policy"] = _ASSET_POLICY
        if not isinstance(response, FileResponse) or not _may_be_coded(response, scope):
            return response
        coding = negotiate_coding(accept_encoding(scope)) or ContentCoding.IDENTITY
        return response if coding is ContentCoding.IDENTITY else await self._coded(path, response, coding)

    async def _coded(self, path: str, file: FileResponse, coding: ContentCoding) -> Response:
        """The file in a coding. Its weak ETag is compared with that of the file, so that both get a 304."""
        key = (path, file.headers["ETag"], coding)
        body = self._compressed.get(key)
        if body is None:
            content = await asyncio.to_thread(Path(file.path).read_bytes)
            body = self._compressed[key] = await asyncio.to_thread(partial(coding.compress, content, is_kept=True))
        response = Response(body)
        response.raw_headers = coded_headers(file.raw_headers, coding, len(body))
        return response


def _may_be_coded(file: FileResponse, scope: Scope) -> bool:
    is_whole = scope["method"] == "GET" and not any(name == b"range" for name, _ in scope["headers"])
    return is_whole and int(file.headers["Content-Length"]) >= LEAST_BYTES and is_compressible(file.raw_headers)


async def _favicon(_request: Request) -> Response:
    return FileResponse(STATIC / "graphiql" / "public" / "favicon.svg", headers={"Cache-Control": _ONE_HOUR})


async def _accord_schema(_request: Request) -> Response:
    """The JSON schema of accord documents, which editors load by its address."""
    return Response(_schema_text(), media_type="application/schema+json", headers={"Cache-Control": _ONE_HOUR})


@cache
def _schema_text() -> bytes:
    return orjson.dumps(accord_json_schema())


def static_routes() -> list[BaseRoute]:
    """The routes of the built front-end, of the icon that browsers request on their own, and of the JSON schema."""
    return [
        Route("/favicon.ico", _favicon),
        Route("/accord.schema.json", _accord_schema),
        Mount("/static/graphiql", app=_Assets(GRAPHIQL), name="graphiql"),
    ]
