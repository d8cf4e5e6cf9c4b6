"""Wrong credentials, counted by the address of the client."""

from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import monotonic

from cachetools import LRUCache

AT_ONCE = 20
SECONDS_EACH = 3.0
MOST_ADDRESSES = 10_000
_IPV6_SITE = 64  # bits: a client chooses the rest of its address as it likes


class WrongAttempts:
    """Allows each client address some wrong credentials at once, and then one every few seconds.

    It is consulted for wrong credentials alone, so that whoever sends a right one is never held up, also from the same
    address. Each process counts for itself, in bounded memory: the addresses that were seen last.
    """

    def __init__(self) -> None:
        # The instant at which all attempts of an address will have been forgiven.
        self._forgiven_at: LRUCache[str, float] = LRUCache(MOST_ADDRESSES)

    def count(self, address: str) -> int:
        """Count a wrong credential. Return 0, or the seconds to wait if there were too many.

        Attempts that were refused are not counted, so that the wait does not grow.
        """
        now, key = monotonic(), _client(address)
        forgiven_at = max(self._forgiven_at.get(key, 0.0), now) + SECONDS_EACH
        wait = forgiven_at - now - AT_ONCE * SECONDS_EACH
        if wait > 0:
            return ceil(wait)
        self._forgiven_at[key] = forgiven_at
        return 0


def _client(address: str) -> str:
    """Return the client of an address: the network of an IPv6 address."""
    try:
        found = ip_address(address)
    except ValueError:  # a socket, or no address at all
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, _IPV6_SITE), strict=False))
    return address
