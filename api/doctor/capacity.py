"""Checks of connections, memory and deadlines that the server gives Accord."""

from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.doctor.server import parameters
from api.settings import Settings
from api.sql import Sql

LEAST_SHARED_BUFFERS_MB = 64
LEAST_WORK_MEM_KB = 4_096
MOST_WORK_MEM_KB = 2**20
BESIDE_POOLS = 10
"""Connections of a process beside its three pools: for health checks, identification, notifications and jobs."""
SHORTEST_DEADLINE_SECONDS = 600
"""Imports, migrations and evaluations of everybody take minutes, in one transaction."""

_DEADLINES = (
    "statement_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
)


async def connections(examined: Examined) -> Diagnosis:
    """Whether the server, the database and the role allow the connections that all pools may open."""
    statement = Sql(
        "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
        " - coalesce(current_setting('reserved_connections', true), '0')::int as server,"
        " (select nullif(datconnlimit, -1) from pg_database where datname = current_database()) as database,"
        " (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user) as role"
    )
    async with examined.database.read() as session:
        row = await session.row(statement)
    if row is None:
        raise TypeError("a statement without FROM returned no row")
    limits = {name: row[name] for name in ("server", "database", "role") if row[name] is not None}
    narrowest = min(limits, key=lambda name: limits[name])
    allowed, needed = limits[narrowest], most_connections(examined.settings)
    found = f"The {narrowest} allows {allowed} connections; ACCORD_WORKERS and ACCORD_POOL_SIZE need up to {needed}."
    remedy = "Raise max_connections (or the limit of the database or the role), or lower ACCORD_POOL_SIZE."
    if allowed < examined.settings.workers * examined.settings.pool_size:
        return wrong(found, remedy)
    return warning(found, remedy) if allowed < needed else fine(found)


def most_connections(settings: Settings) -> int:
    """Return how many connections all processes that serve may open."""
    return settings.workers * (3 * settings.pool_size + BESIDE_POOLS)


async def memory(examined: Examined) -> Diagnosis:
    """Whether the memory of the server is neither tiny nor without bound."""
    found = await parameters(examined, "shared_buffers", "work_mem")
    buffers_mb, work_kb = int(found["shared_buffers"]) * 8 // 1_024, int(found["work_mem"])
    shown = f"shared_buffers is {buffers_mb} MB, and work_mem {work_kb:,} kB."
    if buffers_mb < LEAST_SHARED_BUFFERS_MB:
        return warning(
            f"{shown} Every read goes through few buffers.", "Set shared_buffers to a quarter of the server's memory."
        )
    if work_kb < LEAST_WORK_MEM_KB:
        return warning(f"{shown} Sorts and hashes of KPIs go to disk.", "Set work_mem to 32 MB or so.")
    if work_kb > MOST_WORK_MEM_KB:
        return warning(
            f"{shown} Each sort or hash of each connection may take as much, until the server is out of memory.",
            "Set work_mem to 32 MB or so.",
        )
    return fine(shown)


async def deadlines(examined: Examined) -> Diagnosis:
    """Whether the server ends long work of Accord, which sets the deadlines of requests itself."""
    found = await parameters(examined, *_DEADLINES)
    short = {name: int(value) // 1_000 for name, value in found.items() if value != "0"}
    short = {name: seconds for name, seconds in short.items() if seconds < SHORTEST_DEADLINE_SECONDS}
    if not short:
        return fine("The server sets no short deadlines.")
    shown = " and ".join(f"{name} of {seconds} seconds" for name, seconds in short.items())
    return warning(
        f"Sessions begin with {shown}: imports, migrations and evaluations may be ended.",
        f"Run `alter role … set {next(iter(short))} = 0` for the role of Accord, which has deadlines of its own.",
    )
