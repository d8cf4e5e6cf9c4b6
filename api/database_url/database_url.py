"""A connection URL that is read: hosts, credentials, parameters, and what of it is not honoured."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from api.database_url.server_options import ServerOptions, parse_options
from api.database_url.service_files import ServiceFileError, service_parameters
from api.database_url.uri_syntax import UriSyntaxError, parse_uri
from api.database_url.vocabulary import ENVIRONMENT_VARIABLES, UNSUPPORTED, find_problems
from api.errors import AccordError, ErrorCode

APPLICATION_NAME = "accord"
CONNECT_SECONDS = 5.0
"""How long one host has to answer unless `connect_timeout` says so. libpq would wait for ever."""
SYSTEM_AUTHORITIES = "system"

_DEFAULT_PORT = 5432
# The kernel ends a connection whose other side is gone without a word, such as behind a router that was restarted.
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_TRUE = ("true", "1", "on", "yes")
# Accord sets these for its own statements, so that they mean the same on every server.
OWN_SETTINGS = ("jit", "timezone", "plan_cache_mode", "default_transaction_read_only", "default_transaction_isolation")
_LIMITS = ("statement_timeout", "lock_timeout")


class Host(NamedTuple):
    """A host name, an address or the folder of a socket (empty: the usual folders of this machine), and a port."""

    name: str
    port: int

    @property
    def is_socket(self) -> bool:
        """Whether it is a Unix socket, which has no TLS and no keepalives."""
        return self.name.startswith("/")

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where and how to connect. Nothing of it shows a password when it is printed."""

    hosts: tuple[Host, ...]
    user: str | None
    database: str | None
    password: str | None = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler is between, which gives each transaction another connection to PostgreSQL."""
        return self.parameters.get("pgbouncer") == "true"

    @property
    def connect_seconds(self) -> float:
        """How long one host has to answer: as libpq, at least two seconds."""
        seconds = int(self.parameters.get("connect_timeout", 0))
        return float(max(seconds, 2)) if seconds > 0 else CONNECT_SECONDS

    @property
    def target(self) -> str:
        """Which servers to connect to: `target_session_attrs`."""
        return self.parameters.get("target_session_attrs", "any")

    @property
    def is_shuffled(self) -> bool:
        """Whether the order of the hosts is random for each connection."""
        return self.parameters.get("load_balance_hosts") == "random"

    @property
    def application_name(self) -> str | None:
        """The name of the program for PostgreSQL, if one is set."""
        return self.parameters.get("application_name") or self.parameters.get("fallback_application_name")

    @property
    def options(self) -> ServerOptions:
        """The settings of the server in `options`."""
        return parse_options(self.parameters.get("options", ""))

    @property
    def keepalive(self) -> Mapping[str, int] | None:
        """The seconds and counts of TCP keepalives by the names of their parameters; None to send none."""
        if self.parameters.get("keepalives") == "0":
            return None
        return {name: int(self.parameters.get(name, default)) for name, default in _KEEPALIVE.items()}

    @property
    def verifies_by_system(self) -> bool:
        """Whether the certificate authorities of the machine vouch for the server."""
        return self.parameters.get("sslrootcert") == SYSTEM_AUTHORITIES

    @property
    def shown(self) -> str:
        """The URL for messages: without password and parameters."""
        user = f"{self.user}@" if self.user else ""
        hosts = ",".join(_shown(host) for host in self.hosts)
        if any(host.is_socket for host in self.hosts):
            return f"postgresql://{user}/{self.database or ''}?host={hosts}"
        return f"postgresql://{user}{hosts}/{self.database or ''}"

    def require_files(self) -> None:
        """Check that the files of certificates and keys can be read. Errors: BAD_INPUT."""
        missing = [
            f"{name} ({self.parameters[name]})"
            for name in _FILES
            if name in self.parameters
            and not (name == "sslrootcert" and self.verifies_by_system)
            and not _is_readable(Path(self.parameters[name]))
        ]
        if missing:
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"A file of the database's connection cannot be read: {', '.join(missing)}.",
                "Correct the path, or let the account of Accord read the file.",
            )


def parse_database_url(
    url: str, name: str = "DATABASE_URL", environment: Mapping[str, str] = os.environ
) -> DatabaseUrl:
    """Read a connection URL. The URL comes first, then its service, then the variables PG… of the environment.

    `name` is what messages call it.

    Errors: DATABASE_UNREACHABLE if it is not a PostgreSQL address; BAD_INPUT, with all of its problems, if its service
            is not defined or it has parameters that cannot be honoured.
    """
    try:
        given = parse_uri(url)
    except UriSyntaxError as error:
        raise AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            f"{name} is not a PostgreSQL address ({error}).",
            "Write it as postgresql://user:password@host:5432/database, or unset it to use Accord's private server.",
        ) from None
    try:
        merged = _merged(given, environment)
        parameters = _canonical(merged)
        hosts = _hosts(parameters)
    except ValueError as error:
        raise _refused(name, (str(error),)) from None
    problems = find_problems(parameters)
    errors = [*problems.errors, *_conflicts(parameters, hosts)]
    if errors:
        raise _refused(name, errors)
    rest = {key: value for key, value in parameters.items() if key not in ("host", "port", *_CREDENTIALS)}
    return DatabaseUrl(
        hosts,
        parameters.get("user"),
        parameters.get("dbname"),
        parameters.get("password"),
        {key: value for key, value in rest.items() if key not in UNSUPPORTED or key == "channel_binding"},
        tuple(f"{name}: {warning}" for warning in (*problems.warnings, *_overridden(parameters))),
    )


_CREDENTIALS = ("user", "password", "dbname", "service", "servicefile")


def shown_url(url: str) -> str:
    """A connection URL for messages: without its password, and without parameters, which may contain one."""
    try:
        return parse_database_url(url).shown
    except AccordError:
        return "an invalid URL"


def _merged(given: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """All parameters, each from the first place that has it. Errors: ServiceFileError."""
    by_variable = {key: environment[name] for name, key in ENVIRONMENT_VARIABLES.items() if environment.get(name)}
    service = given.get("service") or by_variable.get("service")
    if service is None:
        return _first((given, by_variable))
    own_file = given.get("servicefile") or by_variable.get("servicefile")
    of_service = service_parameters(service, own_file, environment)
    if "service" in of_service:
        raise ServiceFileError(f"the service {service!r} names another service")
    return _first((given, of_service, by_variable))


def _first(places: tuple[Mapping[str, str], ...]) -> dict[str, str]:
    """Merge; a host takes no port from a later place, as ports belong to hosts."""
    merged: dict[str, str] = {}
    for place in places:
        has_hosts = "host" in merged
        merged |= {
            key: value
            for key, value in place.items()
            if key not in merged and not (has_hosts and key in ("port", "hostaddr"))
        }
    return merged


def _canonical(parameters: dict[str, str]) -> dict[str, str]:
    """Replace the other names that parameters have."""
    found = dict(parameters)
    # `ssl` is JDBC's name, `requiressl` a former one; libpq knows both.
    if found.pop("ssl", "").lower() in _TRUE or found.pop("requiressl", "") == "1":
        found.setdefault("sslmode", "require")
    if found.get("pgbouncer", "").lower() in _TRUE:
        found["pgbouncer"] = "true"
    if found.get("sslrootcert") == SYSTEM_AUTHORITIES:
        found.setdefault("sslmode", "verify-full")
    return found


def _hosts(parameters: Mapping[str, str]) -> tuple[Host, ...]:
    """Return the hosts with their ports. Errors: ValueError."""
    names = parameters.get("host", "").split(",")
    texts = parameters.get("port", "").split(",")
    if len(texts) == 1:
        texts *= len(names)
    if len(texts) != len(names):
        raise ValueError(f"it has {len(names)} hosts and {len(texts)} ports")
    return tuple(_host(name, text) for name, text in zip(names, texts, strict=True))


def _host(name: str, port: str) -> Host:
    host, colon, own_port = name.rpartition(":")
    if colon and ":" not in host and not name.startswith("/"):
        name, port = host, own_port  # host=name:port, as asyncpg reads it
    if name.startswith("@"):
        raise ValueError("a socket in the abstract namespace cannot be used: name the folder of a socket")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError("a port has to be a number from 1 to 65535")
    return Host(name, int(port or _DEFAULT_PORT))


def _conflicts(parameters: Mapping[str, str], hosts: tuple[Host, ...]) -> list[str]:
    """Name parameters that cannot be honoured together."""
    found = []
    mode = parameters.get("sslmode", "prefer")
    if parameters.get("sslrootcert") == SYSTEM_AUTHORITIES and mode != "verify-full":
        found.append("sslrootcert=system needs sslmode=verify-full")
    if parameters.get("sslnegotiation") == "direct" and mode not in ("require", "verify-ca", "verify-full"):
        found.append("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    if parameters.get("sslkey") and not parameters.get("sslcert"):
        found.append("sslkey needs sslcert")
    return found if any(not host.is_socket for host in hosts) else []


def _overridden(parameters: Mapping[str, str]) -> list[str]:
    """Warn of settings in `options` that Accord sets itself."""
    names = {name for name, _ in parse_options(parameters.get("options", "")).settings}
    own = [name for name in (*OWN_SETTINGS, *_LIMITS) if name in names]
    return [f"options has {', '.join(own)}, which Accord sets itself for requests"] if own else []


def _refused(name: str, problems: tuple[str, ...] | list[str]) -> AccordError:
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"{name} cannot be used as it is: {'; '.join(problems)}.",
        "Correct or remove it in the URL, its service file, or the variable PG… of the environment.",
    )


def _shown(host: Host) -> str:
    return host.name if host.port == _DEFAULT_PORT else str(host)


def _is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)
