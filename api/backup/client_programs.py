"""PostgreSQL's client programs: the ones that fit a server, and how they connect.

pg_dump reads servers of its own major version and older ones. Accord's own programs are built without TLS, so a server
that is reached by TLS needs the programs of the machine.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from api.backup.backup_file import CHUNK_BYTES
from api.database_url import ENVIRONMENT_VARIABLES, Host, parse_database_url
from api.database_url.database_url import APPLICATION_NAME
from api.embedded.programs import ENVIRONMENT, PostgresPrograms, installed
from api.errors import AccordError, ErrorCode

_NEGOTIATING = 17  # the first version whose programs know `sslnegotiation`, which saves a round trip
_PARAMETERS = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_min_protocol_version", "ssl_max_protocol_version"),
    *("channel_binding", "krbsrvname", "gsslib", "passfile", "options", "connect_timeout"),
    *("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
)


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """What decides which programs fit a server: its major version, and whether the connection to it is encrypted."""

    major: int
    uses_tls: bool


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """A connection URL without its password, for arguments, which all users see; and the environment with it."""

    url: str
    environment: Mapping[str, str]


def fitting_programs(server: PostgresServer, *, is_private: bool, at_least: int = 0) -> PostgresPrograms:
    """Return programs that fit the server and read dumps of the major version `at_least`.

    The private server has those of Accord. For others, the machine's are preferred. Errors: NO_FITTING_PROGRAMS.
    """
    if is_private:
        return installed()
    needed = max(server.major, at_least)
    of_machine = _programs_of_machine()
    if of_machine is not None and of_machine.major >= needed:
        return of_machine
    own = installed()
    if own.major >= needed and not server.uses_tls:
        return own
    reason = (
        "Accord's own programs are built without TLS, by which this server is reached"
        if own.major >= needed
        else f"Accord has those of PostgreSQL {own.major}"
    )
    found = f"; those on PATH are of PostgreSQL {of_machine.major}" if of_machine else ""
    raise AccordError(
        ErrorCode.NO_FITTING_PROGRAMS,
        f"This needs pg_dump, pg_restore and psql of PostgreSQL {needed} or newer: {reason}{found}.",
        f"Install them (on Debian, postgresql-client-{needed} of apt.postgresql.org), and put their folder on PATH.",
    )


def client_connection(dsn: str, host: Host, *, is_private: bool, major: int) -> ClientConnection:
    """Return how programs of a major version connect to the database of a connection URL, on one of its hosts.

    A snapshot, or a database that was found to be empty, is that of one server. Service files and variables are read
    already. Errors: BAD_INPUT for a key with a password.
    """
    if is_private:
        return ClientConnection(dsn, ENVIRONMENT)
    url = parse_database_url(dsn)
    if "sslpassword" in url.parameters:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            "PostgreSQL's programs take the password of a key (sslpassword) only as an argument, which all users see.",
            "Use a key without a password, which only the account of Accord can read.",
        )
    given = {
        "host": host.name,
        "port": str(host.port),
        "user": url.user,
        "dbname": url.database,
        "application_name": url.application_name or APPLICATION_NAME,
        **{name: url.parameters.get(name) for name in _PARAMETERS},
    }
    if major >= _NEGOTIATING:
        given["sslnegotiation"] = url.parameters.get("sslnegotiation")
    if url.keepalive is None:
        given["keepalives"] = "0"
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT_VARIABLES}
    environment |= {"PGPASSWORD": url.password} if url.password else {}
    query = urlencode({name: value for name, value in given.items() if value}, quote_via=quote)
    return ClientConnection(f"postgresql://?{query}", environment)


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Kill a program unless it has ended, and wait for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            # Not `process.kill()`, which would take the status that asyncio waits for, if it has just ended.
            os.kill(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        while await process.stdout.read(CHUNK_BYTES):  # asyncio waits for the end of its output, too
            pass
    await process.wait()


def _programs_of_machine() -> PostgresPrograms | None:
    """Return the programs on PATH; None unless all are there, of one folder."""
    found = shutil.which("pg_dump")
    if found is None or any(shutil.which(name) is None for name in ("pg_restore", "psql")):
        return None
    shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - of PATH
    version = re.search(r"\) (\d+)", shown.stdout)
    return PostgresPrograms(int(version[1]), Path(found).parent) if version else None
