"""Requests of this machine, which the local operator and demo keys serve."""

from functools import lru_cache
from ipaddress import ip_address

from starlette.types import Scope

from api.web.host_names import LONGEST_HOST, is_loopback_name

_FORWARDING_HEADERS = frozenset(
    {b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip", b"fly-client-ip"}
)
_FORWARDING_PREFIXES = (b"x-forwarded-", b"x-original-", b"cf-")


def is_local(scope: Scope) -> bool:
    """Return whether a request comes from this machine itself, and was not passed on by a proxy.

    Its peer and its host name are loopback, and it has no forwarding header: a proxy on this machine is a loopback
    peer, too, but speaks for others.
    """
    peer = scope.get("client")
    if peer is None or not _is_loopback(peer[0]):
        return False
    host = b""
    for name, value in scope["headers"]:
        if name in _FORWARDING_HEADERS or name.startswith(_FORWARDING_PREFIXES):
            return False
        if name == b"host":
            host = value
    return len(host) <= LONGEST_HOST and _is_loopback_name(host)


_is_loopback_name = lru_cache(1_000)(is_loopback_name)


@lru_cache(1_000)
def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:  # the path of a socket
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
