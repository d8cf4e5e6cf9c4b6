"""GraphiQL as a page: the built files of `api/static/graphiql`, or a page of our own that says how to build them."""

from html import escape
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent.parent / "static"
GRAPHIQL = STATIC / "graphiql" / "dist"
UNBUILT = STATIC / "unbuilt.html"

_PAGE_RULES = (
    "default-src 'none'",
    "script-src 'self'",
    # Monaco writes its theme as style elements and places its lines with style attributes; neither can carry a nonce
    # or a hash. A style cannot run code, and with no foreign host allowed it has nowhere to send anything.
    "style-src 'self' 'unsafe-inline'",
    # The style sheets of Monaco and GraphiQL hold their cursors and fonts as data: URLs.
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
PAGE_POLICY = "; ".join(_PAGE_RULES)

# A worker lives by the policy of its own script's response, not by the page's.
_ASSET_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
_FOR_GOOD = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


def graphiql_page(request: Request) -> Response:
    """GraphiQL, or what is missing where the front-end has not been built; looked up each time, so a build shows."""
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    index = GRAPHIQL / "index.html"
    if index.is_file():
        return FileResponse(index, media_type="text/html", headers=headers)
    address = escape(str(request.url.replace(query="")))
    return HTMLResponse(UNBUILT.read_text(encoding="utf-8").replace("{address}", address), headers=headers)


class _Assets(StaticFiles):
    """Built files: those with a hash in their name never change, the others are asked for again after an hour."""

    async def check_config(self) -> None:
        """Where nothing is built there is nothing to find, which is no fault of the server."""
        if not GRAPHIQL.is_dir():
            raise HTTPException(404)
        await super().check_config()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at a path, with how long it may be kept."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_GOOD if path.startswith("assets/") else _AN_HOUR
        response.headers["Content-Security-Policy"] = _ASSET_POLICY
        return response


async def _favicon(_request: Request) -> Response:
    return FileResponse(STATIC / "graphiql" / "public" / "favicon.svg", headers={"Cache-Control": _AN_HOUR})


def static_routes() -> list[BaseRoute]:
    """Routes of the built front-end and of the icon that browsers ask for on their own."""
    return [
        Route("/favicon.ico", _favicon),
        # The folder may appear while the server runs (`make assets`), so its absence is no error at start.
        Mount("/static/graphiql", app=_Assets(directory=GRAPHIQL, check_dir=False), name="graphiql"),
    ]
