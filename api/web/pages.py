"""The front-ends as pages: GraphiQL and the page of the accord, or a page that explains how to build them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
UNBUILT = STATIC / "unbuilt.html"
FAVICON = STATIC / "graphiql" / "public" / "favicon.svg"
ENDPOINT = "/graphql"

_OWN_FILES_ONLY = (
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_GRAPHIQL_DIRECTIVES = (
    *_OWN_FILES_ONLY,
    # Monaco writes its theme as style elements and positions its lines by style attributes; neither can carry a nonce
    # or a hash. A style cannot run code, and without an allowed foreign host it cannot send anything either.
    "style-src 'self' 'unsafe-inline'",
    # The style sheets of Monaco and GraphiQL contain their cursors and fonts as data: URLs.
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self'",
)
_ACCORD_DIRECTIVES = (*_OWN_FILES_ONLY, "style-src 'self'", "img-src 'self'", "font-src 'self'")
# The page of missing files has its style inside. It has no script and loads nothing.
_UNBUILT_DIRECTIVES = (*_OWN_FILES_ONLY, "style-src 'unsafe-inline'", "img-src 'self'")

# A worker follows the policy of its own script's response, not that of the page.
_ASSET_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
_IMMUTABLE = "public, max-age=31536000, immutable"
_ONE_HOUR = "public, max-age=3600"
_MOST_COMPRESSED = 16 * 1024 * 1024  # bytes of compressed files in memory


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A front-end that is built into the folder `dist` of its sources, and the content policy of its page."""

    name: str
    directives: tuple[str, ...]

    @property
    def built(self) -> Path:
        """The folder of the built files; it is missing until `make assets` has run."""
        return STATIC / self.name / "dist"

    def page(self, request: Request) -> Response:
        """The page, or build instructions if it is not built.

        The file is looked up on each request, so that a build takes effect without a restart.
        """
        index = self.built / "index.html"
        if index.is_file():
            return FileResponse(index, media_type="text/html", headers=_page_headers(self.directives))
        endpoint = escape(str(request.url.replace(path=ENDPOINT, query="")))
        text = UNBUILT.read_text(encoding="utf-8").replace("{endpoint}", endpoint)
        return HTMLResponse(text, headers=_page_headers(_UNBUILT_DIRECTIVES))


GRAPHIQL = FrontEnd("graphiql", _GRAPHIQL_DIRECTIVES)
ACCORD = FrontEnd("accord", _ACCORD_DIRECTIVES)


PageHandler = Callable[[Request], Awaitable[Response]]
"""Responds to a browser that opens the address of a page."""

PageGuard = Callable[[Request, FrontEnd], Awaitable[Response]]
"""Responds to a browser with a page, or with the way to the sign-in."""


async def serve_to_everybody(request: Request, front_end: FrontEnd) -> Response:
    """Return a page to everybody: a `PageGuard` of a server without credentials."""
    return front_end.page(request)


def _page_headers(directives: tuple[str, ...]) -> dict[str, str]:
    return {"Content-Security-Policy": "; ".join(directives), "Cache-Control": "no-cache"}


class _Assets(StaticFiles):
    """Built files. Names with a hash are cached for a year, all others for an hour. Each is compressed once."""

    def __init__(self, front_end: FrontEnd) -> None:
        # The folder may appear while the server runs (`make assets`), so that it may be missing at the start.
        super().__init__(directory=front_end.built, check_dir=False)
        self._built = front_end.built
        self._compressed: LRUCache[tuple[str, str, ContentCoding], bytes] = LRUCache(_MOST_COMPRESSED, getsizeof=len)

    async def check_config(self) -> None:
        """Return 404 if nothing is built; StaticFiles would raise a server error."""
        if not self._built.is_dir():
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
    return FileResponse(FAVICON, headers={"Cache-Control": _ONE_HOUR})


async def _accord_schema(_request: Request) -> Response:
    """The JSON schema of accord documents, which editors load by its address."""
    return Response(_schema_text(), media_type="application/schema+json", headers={"Cache-Control": _ONE_HOUR})


@cache
def _schema_text() -> bytes:
    return orjson.dumps(accord_json_schema())


def static_routes() -> list[BaseRoute]:
    """The routes of the built front-ends, of the icon that browsers request on their own, and of the JSON schema."""
    return [
        Route("/favicon.ico", _favicon),
        Route("/accord.schema.json", _accord_schema),
        *(
            Mount(f"/static/{front_end.name}", app=_Assets(front_end), name=front_end.name)
            for front_end in (GRAPHIQL, ACCORD)
        ),
    ]
