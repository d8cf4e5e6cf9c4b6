"""Host names, origins, networks and addresses as settings write them. A malformed one is a ValueError."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


class ListeningAddress(NamedTuple):
    """A host and a port to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_IPV6 = re.compile(r"\[[0-9a-f:.]{2,45}\]")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def host_names(given: object) -> tuple[str, ...]:
    """Return host names in lower case, without ports."""
    return tuple(_host_name(item) for item in _items(given))


def origins(given: object) -> tuple[str, ...]:
    """Return origins as browsers send them: lower case, without the port that the scheme implies."""
    return tuple(_origin(item) for item in _items(given))


def networks(given: object) -> tuple[Network, ...]:
    """Return networks; an address is a network of one."""
    return tuple(_network(item) for item in _items(given))


def listening_address(given: object) -> ListeningAddress | None:
    """Return the host and the port of an address such as `127.0.0.1:9090` or `[::1]:9090`."""
    if given is None or isinstance(given, ListeningAddress):
        return given
    text = str(given).strip()
    host, _, port = text.rpartition(":")
    if not _is_host(host.lower()) or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise ValueError(f"{text!r} is not an address; write it as 127.0.0.1:9090 or [::1]:9090")
    return ListeningAddress(host.strip("[]").lower(), int(port))


def is_confidential_url(url: str) -> bool:
    """Return whether nobody else can read or change what is sent to a URL: it is https, or leads to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def issuer(given: object) -> str | None:
    """Return the URL of an OpenID Connect issuer, as the provider writes it."""
    if given is None:
        return None
    url = str(given)
    if not is_confidential_url(url):
        raise ValueError(f"{url!r} is not an https URL; write it as the provider does: https://login.example")
    if urlsplit(url).query or urlsplit(url).fragment:
        raise ValueError(f"{url!r} has a query or a fragment; write the issuer as the provider does")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _items(given: object) -> Iterator[object]:
    if isinstance(given, str):
        yield from (item for item in re.split(r"[,\s]+", given) if item)
    elif isinstance(given, tuple | list):
        yield from given
    else:
        raise ValueError("it is not a list")  # noqa: TRY004 - Pydantic reports ValueErrors


def _host_name(item: object) -> str:
    name = str(item).lower()
    if not _is_host(name):
        raise ValueError(f"{item!r} is not a host name; write it as accord.example, without scheme, port and path")
    return name


def _is_host(name: str) -> bool:
    return len(name) <= 253 and (_NAME.fullmatch(name) or _IPV6.fullmatch(name)) is not None


def _origin(item: object) -> str:
    text = str(item).lower()
    form = "write it as https://app.example or https://*.preview.example"
    if text in ("*", "null"):
        raise ValueError(f"{item!r} would allow every page; list the origins")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{item!r} is not an origin; {form}") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc or parts.netloc.endswith(":"):
        raise ValueError(f"{item!r} is not an origin; {form}")
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError(f"{item!r} has more than an origin: leave out everything after the host and the port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    parent = host.removeprefix("*.")
    if "*" in parent:
        raise ValueError(f"{item!r} has an asterisk that is not the whole first label; {form}")
    if parent != host and "." not in parent:
        raise ValueError(f"{item!r} would allow every name under {parent}; {form}")
    if not _is_host(parent):
        raise ValueError(f"{item!r} is not an origin; {form}, names of other scripts as xn--…")
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _network(item: object) -> Network:
    if isinstance(item, IPv4Network | IPv6Network):
        return item
    try:
        return ip_network(str(item))
    except ValueError as error:
        raise ValueError(f"{item!r} is not an address or a network such as 10.0.0.0/8 ({error})") from None
