"""The syntax of a connection URL, which is that of libpq and not that of a web address.

The first `@` before a slash ends user and password, a comma separates hosts, and `+` is no blank. Problems are told
without the text that they are in: it may have a password.
"""

import re
from urllib.parse import quote, unquote_to_bytes

_SCHEMES = ("postgresql", "postgres")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\[\]:@]*)(?::(?P<port>[0-9]*))?")


class UriSyntaxError(ValueError):
    """What is wrong with the text of a URL, without the text."""


def parse_uri(uri: str) -> dict[str, str]:
    """Return the parameters of a URL by their names in libpq. `host` and `port` may be lists with commas.

    Errors: UriSyntaxError.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _SCHEMES:
        raise UriSyntaxError(f"its scheme is {scheme!r}" if separator else "it has no scheme")
    authority, slash, path = _split_authority(rest)
    path, _, query = path.partition("?") if slash else ("", "", path)
    found = {**_credentials(authority), **_hosts(authority.rpartition("@")[2])}
    if path:
        found["dbname"] = _decoded(path)
    for item in filter(None, query.split("&")):
        name, equals, value = item.partition("=")
        if not equals:
            raise UriSyntaxError("a parameter has no '='")
        found[_decoded(name)] = _decoded(value)
    return {name: value for name, value in found.items() if value}


def _split_authority(rest: str) -> tuple[str, str, str]:
    """Split into user, password and hosts; a slash if there is a path; and what follows."""
    user, at, _ = rest.partition("@")
    start = len(user) + 1 if at and "/" not in user else 0
    end = next((place for place, sign in enumerate(rest) if place >= start and sign in "/?"), len(rest))
    is_path = rest[end : end + 1] == "/"
    return rest[:end], "/" if is_path else "", rest[end + 1 :]


def _credentials(authority: str) -> dict[str, str]:
    credentials, at, hosts = authority.partition("@")
    if not at:
        return {}
    if "@" in hosts:
        raise UriSyntaxError("it has two '@': write one in a password as %40")
    user, _, password = credentials.partition(":")
    return {"user": _decoded(user), "password": _decoded(password)}


def _hosts(text: str) -> dict[str, str]:
    hosts, ports = [], []
    for item in text.split(","):
        found = _HOST.fullmatch(item)
        if found is None:
            raise UriSyntaxError("its host or port is malformed: write / : @ in a password as %2F %3A %40")
        hosts.append(_decoded(found["host"].strip("[]")))
        ports.append(found["port"] or "")
    return {"host": ",".join(hosts), "port": ",".join(ports) if any(ports) else ""}


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise UriSyntaxError("a '%' in it does not begin an escape such as %40: write it as %25")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise UriSyntaxError("an escape in it is not UTF-8") from error


def with_parameter(uri: str, name: str, value: str) -> str:
    """A URL with one parameter more, which comes before others of that name."""
    rest = uri.partition("://")[2]
    authority, _, _ = _split_authority(rest)
    return f"{uri}{'&' if '?' in rest[len(authority) :] else '?'}{name}={quote(value, safe='')}"
