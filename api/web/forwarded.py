"""What trusted proxies say of a request: `Forwarded` (RFC 7239), or `X-Forwarded-For`, `-Proto` and `-Host`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import zip_longest

from starlette.types import ASGIApp, Receive, Scope, Send

from api.network_names import Network
from api.web.responses import HttpError, http_error_response

_FORWARDED_HEADERS = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})
_SCHEMES = ("http", "https")
_LONGEST = 2_000  # bytes of one header; twenty proxies need less
# A pair of `Forwarded`: a token, and a token or a quoted text. Nodes such as [2001:db8::1]:80 are quoted.
_PAIR = re.compile(r'\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",;]*)\s*(;|,|$)')


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says of the request that it received: the address it came from, its scheme and its host."""

    client: str | None = None
    scheme: str | None = None
    host: str | None = None


class ForwardedMiddleware:
    """Replaces client, scheme and host of a request by what trusted proxies say. Others may say what they like.

    The last proxy adds the last entry. Entries are read backwards as long as they come from trusted proxies, so that
    a client can write entries of its own before them to no effect.
    """

    def __init__(self, app: ASGIApp, proxies: Iterable[Network]) -> None:
        self._app = app
        self._proxies = tuple(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its original client, scheme and host if it came through a trusted proxy."""
        peer = scope.get("client") if scope["type"] == "http" else None
        if peer is not None and self._is_trusted(peer[0]):
            try:
                scope = self._original(scope)
            except HttpError as error:
                await http_error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _original(self, scope: Scope) -> Scope:
        values: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in _FORWARDED_HEADERS:
                values.setdefault(name, []).append(value.decode("latin-1"))
        if not values:
            return scope
        joined = {name: ", ".join(parts) for name, parts in values.items()}
        if any(len(value) > _LONGEST for value in joined.values()):
            raise _malformed("is too long")
        standard = joined.pop(b"forwarded", None)
        if standard is not None and joined:
            # A proxy writes one kind and passes the other on as the client sent it; nothing shows which.
            message = "The proxy sends both `Forwarded` and `X-Forwarded-…`, of which the client may have written one."
            raise HttpError(400, message, "Have the proxy remove the kind that it does not write itself.")
        hops = _standard_hops(standard) if standard is not None else _customary_hops(joined)
        return self._replaced(scope, self._outermost(hops))

    def _outermost(self, hops: Sequence[Hop]) -> Hop:
        """What the outermost trusted proxy says. A proxy that leaves the scheme or the host out passed it on."""
        client = scheme = host = None
        for hop in reversed(hops):
            client, scheme, host = hop.client, hop.scheme or scheme, hop.host or host
            if client is None or not self._is_trusted(client):
                break
        return Hop(client, scheme, host)

    def _replaced(self, scope: Scope, hop: Hop) -> Scope:
        replaced = dict(scope)
        if hop.client is not None:
            replaced["client"] = (hop.client, 0)
        if hop.scheme is not None:
            if hop.scheme not in _SCHEMES:
                raise _malformed(f"has the scheme {hop.scheme!a}")
            replaced["scheme"] = hop.scheme
        if hop.host is not None:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            replaced["headers"] = [*others, (b"host", hop.host.encode("latin-1"))]
        return replaced

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:  # a name such as `unknown`, or the path of a socket
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in network for network in self._proxies)


def _standard_hops(header: str) -> list[Hop]:
    """The entries of `Forwarded`. Errors: BAD_REQUEST if it is malformed."""
    hops: list[Hop] = []
    pairs: dict[str, str] = {}
    position = 0
    while position < len(header):
        found = _PAIR.match(header, position)
        if found is None:
            raise _malformed("is malformed")
        value = found[2]
        pairs[found[1].lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        position = found.end()
        if found[3] != ";" or position == len(header):
            hops.append(Hop(_address(pairs.get("for")), pairs.get("proto", "").lower() or None, pairs.get("host")))
            pairs = {}
    return hops


def _customary_hops(headers: dict[bytes, str]) -> list[Hop]:
    """The entries of `X-Forwarded-…`, whose lists are aligned at their ends: the last proxy is sure to have its own."""
    clients, schemes, hosts = (
        [part.strip() for part in headers.get(name, "").split(",") if part.strip()][::-1]
        for name in (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
    )
    hops = [
        Hop(_address(client), scheme.lower() if scheme else None, host)
        for client, scheme, host in zip_longest(clients, schemes, hosts)
    ]
    return hops[::-1]


def _address(node: str | None) -> str | None:
    """The address of a node without its port: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1`."""
    if not node:
        return None
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


def _malformed(problem: str) -> HttpError:
    return HttpError(400, f"What the proxy forwards {problem}.", "Correct the proxy's `Forwarded` header.")
