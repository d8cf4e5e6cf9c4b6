"""The parameters of a connection, and what becomes of each: it is honoured, harmless, or named as a problem."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

# With the values that there are, where these are few.
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
TARGETS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
HONOURED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("host", "port", "user", "password", "dbname", "passfile", "service", "servicefile"), ()),
    "sslmode": SSL_MODES,
    **dict.fromkeys(("sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl"), ()),
    "sslnegotiation": ("postgres", "direct"),
    **dict.fromkeys(
        ("ssl_min_protocol_version", "ssl_max_protocol_version"), ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    ),
    **dict.fromkeys(("krbsrvname", "gsslib", "application_name", "fallback_application_name", "options"), ()),
    "target_session_attrs": TARGETS,
    "load_balance_hosts": ("disable", "random"),
    "keepalives": ("0", "1"),
    "pgbouncer": ("true", "false"),
}
NUMBERS = (
    "connect_timeout",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A parameter of libpq that cannot be honoured, except for values that ask for nothing."""

    harmless: tuple[str, ...]
    reason: str
    is_warning: bool = False


_DRIVER = "Accord's driver does not support it"
UNSUPPORTED: Mapping[str, Unsupported] = {
    "channel_binding": Unsupported(
        ("prefer", "disable"),
        f"{_DRIVER}; use sslmode=verify-full in its place, which also finds a server in the middle "
        "(sslrootcert=system takes the authorities of the machine)",
    ),
    "hostaddr": Unsupported((), f"{_DRIVER}; write the address as host"),
    "client_encoding": Unsupported(("UTF8", "utf8", "UTF-8", "utf-8", "auto"), "Accord talks UTF-8 only"),
    "gssencmode": Unsupported(("disable", "prefer"), f"{_DRIVER}; use sslmode"),
    "gssdelegation": Unsupported(("0",), _DRIVER),
    "replication": Unsupported(("false", "off", "no", "0"), "Accord sends ordinary statements"),
    "require_auth": Unsupported((), f"{_DRIVER}; let the server allow that method only"),
    "requirepeer": Unsupported((), _DRIVER),
    "sslcertmode": Unsupported(("allow",), f"{_DRIVER}; set or leave out sslcert"),
    "sslcrldir": Unsupported((), f"{_DRIVER}; use sslcrl"),
    "sslkeylogfile": Unsupported((), _DRIVER),
    "min_protocol_version": Unsupported(("3.0",), "Accord's driver has version 3.0 of the protocol"),
    "max_protocol_version": Unsupported(("3.0", "3.2", "latest"), "Accord's driver has version 3.0 of the protocol"),
    "scram_client_key": Unsupported((), _DRIVER),
    "scram_server_key": Unsupported((), _DRIVER),
    "oauth_issuer": Unsupported((), _DRIVER),
    "oauth_client_id": Unsupported((), _DRIVER),
    "oauth_client_secret": Unsupported((), _DRIVER),
    "oauth_scope": Unsupported((), _DRIVER),
    "sslcompression": Unsupported(("0",), "connections are never compressed", is_warning=True),
    "sslsni": Unsupported(("1",), "the name of the host is sent in any case", is_warning=True),
    # Parameters of other programs, which hosters hand out with their URLs.
    "connection_limit": Unsupported((), "set ACCORD_POOL_SIZE", is_warning=True),
    "pool_timeout": Unsupported((), "a request waits for a connection for ten seconds", is_warning=True),
    "socket_timeout": Unsupported((), "set ACCORD_REQUEST_SECONDS", is_warning=True),
    "statement_cache_size": Unsupported((), "behind a pooler, set ACCORD_POOLER=transaction", is_warning=True),
    "prepareThreshold": Unsupported((), "behind a pooler, set ACCORD_POOLER=transaction", is_warning=True),
    "uselibpqcompat": Unsupported((), "parameters have the meaning that libpq gives them anyway", is_warning=True),
    "supa": Unsupported((), "it has no meaning for PostgreSQL", is_warning=True),
    "schema": Unsupported((), "write options=-c%20search_path%3DNAME"),
    "currentSchema": Unsupported((), "write options=-c%20search_path%3DNAME"),
    "search_path": Unsupported((), "write options=-c%20search_path%3DNAME"),
}

ENVIRONMENT_VARIABLES: Mapping[str, str] = {
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGPASSFILE": "passfile",
    "PGSERVICE": "service",
    "PGSERVICEFILE": "servicefile",
    "PGOPTIONS": "options",
    "PGAPPNAME": "application_name",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
    "PGSSLCRL": "sslcrl",
    "PGSSLCRLDIR": "sslcrldir",
    "PGSSLSNI": "sslsni",
    "PGSSLCERTMODE": "sslcertmode",
    "PGSSLNEGOTIATION": "sslnegotiation",
    "PGSSLMINPROTOCOLVERSION": "ssl_min_protocol_version",
    "PGSSLMAXPROTOCOLVERSION": "ssl_max_protocol_version",
    "PGCONNECT_TIMEOUT": "connect_timeout",
    "PGTARGETSESSIONATTRS": "target_session_attrs",
    "PGLOADBALANCEHOSTS": "load_balance_hosts",
    "PGCHANNELBINDING": "channel_binding",
    "PGCLIENTENCODING": "client_encoding",
    "PGGSSENCMODE": "gssencmode",
    "PGKRBSRVNAME": "krbsrvname",
    "PGGSSLIB": "gsslib",
    "PGREQUIREAUTH": "require_auth",
    "PGREQUIREPEER": "requirepeer",
    "PGMINPROTOCOLVERSION": "min_protocol_version",
    "PGMAXPROTOCOLVERSION": "max_protocol_version",
}
"""The variables that libpq reads, and the parameters that they are in place of."""


@dataclass(frozen=True, slots=True)
class Problems:
    """What cannot be honoured: parameters without which Accord must not connect, and others."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def find_problems(parameters: Mapping[str, str]) -> Problems:
    """Name what is wrong with parameters, or cannot be honoured. Values are never shown."""
    errors, warnings = [], []
    for name, value in parameters.items():
        problem = _problem(name, value)
        unsupported = UNSUPPORTED.get(name)
        if problem is None:
            continue
        # Only a server with the certificate of that name is connected to: what `require` is to make sure of.
        is_verified = name == "channel_binding" and parameters.get("sslmode") == "verify-full"
        if (unsupported is not None and unsupported.is_warning) or (is_verified and value == "require"):
            warnings.append("channel_binding=require is left to sslmode=verify-full" if is_verified else problem)
        else:
            errors.append(problem)
    return Problems(tuple(errors), tuple(warnings))


def _problem(name: str, value: str) -> str | None:
    if name in NUMBERS:
        is_number = value.removeprefix("-").isascii() and value.removeprefix("-").isdigit()
        return None if is_number else f"{name} has to be a whole number"
    if name in HONOURED:
        values = HONOURED[name]
        return f"{name} has to be one of {', '.join(values)}" if values and value not in values else None
    if name in UNSUPPORTED:
        found = UNSUPPORTED[name]
        return None if value in found.harmless else f"{name} cannot be honoured ({found.reason})"
    near = get_close_matches(name, [*HONOURED, *NUMBERS, *UNSUPPORTED], 1, 0.75)
    if near:
        return f"the parameter {name!r} is not known (perhaps {near[0]}?)"
    return f"the parameter {_shown(name)} is not known"


def _shown(name: str) -> str:
    is_plain = name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40
    return repr(name) if is_plain else "of a strange name"
