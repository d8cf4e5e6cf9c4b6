"""Middleware: security headers, and a direct route to the endpoint."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.responses import RESPONSE_HEADERS, encode_headers

# Pages and static files set a content policy of their own. Any other response may load and run nothing in a browser.
_SECURITY_HEADERS = encode_headers(
    {
        **RESPONSE_HEADERS,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)


class SecurityHeadersMiddleware:
    """Adds the security headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in _SECURITY_HEADERS if name not in own),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class DirectRouteMiddleware:
    """Sends POST requests for one path directly to its endpoint, because routing is costly beside a small query."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the endpoint or to the application."""
        is_direct = scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST"
        await (self._endpoint if is_direct else self._app)(scope, receive, send)
