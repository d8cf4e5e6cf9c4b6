"""Opening a connection as a connection URL says: on which host, how long, with which encryption and keepalives.

asyncpg would read the URL, too. It gives all hosts one time limit together, so that a first one that does not answer
hides the others; it takes a connection that Accord makes read-only for a server that is; and it leaves out or sends to
the server what it does not know.
"""

import asyncio
import random
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from api.database_url import DatabaseUrl, Host, parse_database_url
from api.database_url.database_url import APPLICATION_NAME
from api.db.observed import TimedConnection
from api.db.sessions import Connection

# What pgbouncer keeps for each client and sets on the connection that a transaction gets. It refuses all others.
_KEPT_BY_POOLERS = ("application_name", "timezone")
# Without prepared statements these have no effect, or each transaction says it itself.
_NEEDLESS_IN_TRANSACTIONS = ("plan_cache_mode", "application_name", "timezone")
_OF_TLS = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version"),
)
_KEEPALIVE = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
    "tcp_user_timeout": "TCP_USER_TIMEOUT",
}
# Whether a server is a standby, and whether it begins transactions read-only.
_STATE = "select pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool"
_READ_ONLY = "default_transaction_read_only"
_ABOUT_WRITING = ("read-write", "read-only")
# The next host is tried if one cannot be reached, starts, stops, or has no connection left; not if it refuses a login.
_TRY_NEXT = (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)


class OpenedConnection(TimedConnection):
    """A connection that knows its host."""

    host: Host


def host_of(connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | Connection") -> Host:
    """The host of a connection that `connect` opened."""
    found = getattr(connection, "host", None)  # also through the proxy of a pool
    if not isinstance(found, Host):
        raise TypeError("the connection was not opened by `connect`")
    return found


class PooledConnection(OpenedConnection):
    """A connection to a pooler. It leaves nothing to reset: all that it changes ends with the transaction."""

    def get_reset_query(self) -> str:
        """No statement: it would run on the connection of somebody else."""
        return ""


async def connect(
    address: str,
    settings: Mapping[str, str],
    *,
    seconds: float | None = None,
    **options: Any,  # noqa: ANN401 - asyncpg's
) -> OpenedConnection:
    """Connect with settings of the server, to the first host that fits. `seconds` is in place of `connect_timeout`.

    Errors: those of asyncpg; ConnectionError if no host of several can be used, or none is as `target_session_attrs`
            says; AccordError if the URL cannot be used.
    """
    url = parse_database_url(address)
    limit = url.connect_seconds if seconds is None else seconds
    hosts = random.sample(url.hosts, len(url.hosts)) if url.is_shuffled else url.hosts
    wanted = ("standby", "any") if url.target == "prefer-standby" else (url.target,)
    failures: list[str] = []
    for target in wanted:
        for host in hosts:
            try:
                return await _connect_host(url, host, target, settings, limit, options)
            except _TRY_NEXT as error:
                if len(hosts) == len(wanted) == 1 and not isinstance(error, _OtherServerError):
                    raise
                failures.append(f"{host}: {str(error) or type(error).__name__}")
    raise ConnectionError(f"no host can be used ({'; '.join(dict.fromkeys(failures))})")


async def connect_anywhere(address: str, settings: Mapping[str, str]) -> None:
    """Connect to any host that fits and disconnect. All hosts are tried at once, so that none holds up the others."""
    url = parse_database_url(address)
    target = "any" if url.target == "prefer-standby" else url.target
    tries = [asyncio.create_task(_probe(url, host, target, settings)) for host in url.hosts]
    failure: Exception = ConnectionError("there is no host")
    try:
        for ended in asyncio.as_completed(tries):
            try:
                await ended
            except _TRY_NEXT as error:
                failure = error
            else:
                return
        raise failure
    finally:
        for task in tries:
            task.cancel()
        await asyncio.gather(*tries, return_exceptions=True)


class _OtherServerError(ConnectionError):
    """The server is not as `target_session_attrs` says."""


async def _probe(url: DatabaseUrl, host: Host, target: str, settings: Mapping[str, str]) -> None:
    # A statement would wait for a connection of the pooler: one that is busy would look like one that is away.
    wanted = "any" if url.is_pooled else target
    (await _connect_host(url, host, wanted, settings, url.connect_seconds, {})).terminate()


async def _connect_host(
    url: DatabaseUrl, host: Host, target: str, settings: Mapping[str, str], seconds: float, options: dict[str, Any]
) -> OpenedConnection:
    """Connect to one host. Errors: those of asyncpg; _OtherServerError."""
    async with asyncio.timeout(seconds):
        # Ours would hide what the server itself says.
        later = {_READ_ONLY: settings[_READ_ONLY]} if target in _ABOUT_WRITING and _READ_ONLY in settings else {}
        first = {name: value for name, value in settings.items() if name not in later}
        if url.is_pooled:  # which keeps no prepared statement
            options = {**options, "statement_cache_size": 0}
        arguments: dict[str, Any] = {**_where(url, host), **options}
        connection = await asyncpg.connect(
            **arguments,
            server_settings=startup_settings(url, first),
            target_session_attrs=SessionAttribute.any,
            connection_class=PooledConnection if url.is_pooled else OpenedConnection,
        )
        try:
            _keep_alive(connection, url.keepalive)
            connection.host = host
            if target != "any":
                await _require_target(connection, target)
            if later and not url.is_pooled:
                await connection.execute(f"set {_READ_ONLY} = {later[_READ_ONLY]}")
        except BaseException:
            connection.terminate()
            raise
        return connection


def _where(url: DatabaseUrl, host: Host) -> dict[str, Any]:
    """The arguments of asyncpg that say where to connect, as whom and with which encryption."""
    found: dict[str, Any] = {
        "host": host.name or None,
        "port": host.port,
        "user": url.user,
        "password": url.password,
        "database": url.database,
        "passfile": url.parameters.get("passfile"),
        "krbsrvname": url.parameters.get("krbsrvname"),
        "gsslib": url.parameters.get("gsslib"),
    }
    if host.is_socket:
        return {**found, "ssl": False}
    if url.verifies_by_system:
        return {**found, "ssl": _context(url), "direct_tls": url.parameters.get("sslnegotiation") == "direct"}
    given = {name: url.parameters[name] for name in _OF_TLS if name in url.parameters}
    # asyncpg takes these in a URL only.
    return {**found, "dsn": f"postgresql://?{urlencode(given, quote_via=quote)}" if given else None}


def _context(url: DatabaseUrl) -> ssl.SSLContext:
    """TLS with a server that one of the machine's certificate authorities vouches for."""
    context, parameters = ssl.create_default_context(cafile=url.parameters.get("sslcrl")), url.parameters
    if "sslcrl" in parameters:
        context.load_default_certs()
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if "sslcert" in parameters:
        context.load_cert_chain(
            parameters["sslcert"], parameters.get("sslkey"), lambda: parameters.get("sslpassword", "")
        )
    least, most = parameters.get("ssl_min_protocol_version"), parameters.get("ssl_max_protocol_version")
    context.minimum_version = ssl.TLSVersion[(least or "TLSv1.2").replace(".", "_")]
    if most:
        context.maximum_version = ssl.TLSVersion[most.replace(".", "_")]
    return context


def startup_settings(url: DatabaseUrl, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings to connect with. Those of Accord come before those in `options`, save for the program's name."""
    found = {**settings, "application_name": _application(url, settings)}
    if not url.is_pooled:
        return {**found, "options": url.parameters["options"]} if "options" in url.parameters else found
    found = {name: value for name, value in found.items() if name in _KEPT_BY_POOLERS}
    return {**found, "options": url.options.others} if url.options.others else found


def transaction_settings(address: str, settings: Mapping[str, str]) -> str:
    """Statements that give one transaction its settings, where a pooler keeps none for a connection; else none."""
    url = parse_database_url(address)
    if not url.is_pooled:
        return ""
    wanted = {**dict(url.options.settings), **settings}
    return "".join(
        # The default for transactions comes too late for this one.
        f"set local {_assigned(name.removeprefix('default_'), value)}; "
        for name, value in wanted.items()
        if name not in _NEEDLESS_IN_TRANSACTIONS
    )


def _application(url: DatabaseUrl, settings: Mapping[str, str]) -> str:
    own = settings.get("application_name", APPLICATION_NAME)
    return url.application_name or own


async def _require_target(connection: Connection, target: str) -> None:
    found = await connection.fetchrow(_STATE)
    if found is None:
        raise TypeError("a statement without FROM returned no row")
    is_standby, is_read_only = found
    fits = {
        "primary": not is_standby,
        "standby": is_standby,
        "read-write": not is_standby and not is_read_only,
        "read-only": is_standby or is_read_only,
    }
    if not fits[target]:
        raise _OtherServerError(f"it is not {target}, as target_session_attrs requires")


def _keep_alive(connection: Connection, values: Mapping[str, int] | None) -> None:
    transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001 - asyncpg shows the socket nowhere else
    found: socket.socket = transport.get_extra_info("socket")
    if found.family == socket.AF_UNIX:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(values is not None))
    for name, value in (values or {}).items():
        option = getattr(socket, _KEEPALIVE[name], None)  # not every system has all of them
        if option is not None and value > 0:  # 0 is the default of the system
            found.setsockopt(socket.IPPROTO_TCP, option, value)


def _assigned(name: str, value: str) -> str:
    """`name = value` of a SET. The names of a search path are values of their own."""
    names = [part.strip().strip('"') for part in value.split(",")] if name == "search_path" else [value]
    quoted_name = ".".join(f'"{part}"' for part in name.replace('"', "").split("."))
    return f"{quoted_name} = {', '.join(_quoted(part) for part in names)}"


def _quoted(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'" if "\\" not in value else " E'" + doubled.replace("\\", "\\\\") + "'"


def longest_wait(address: str) -> float:
    """How long connecting takes at most, if every host is silent."""
    url = parse_database_url(address)
    return url.connect_seconds * len(url.hosts)
