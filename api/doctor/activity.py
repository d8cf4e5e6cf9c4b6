"""Checks of transactions, locks, jobs and clocks at the moment."""

from api.access.credentials.key_lookup import count_real_keys
from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong
from api.jobs.backlog import MOST_SKEW_SECONDS, read_backlog
from api.sql import Sql

LONG_TRANSACTION_SECONDS = 600
LONG_WAIT_SECONDS = 10
LONG_OUTBOX_LAG_SECONDS = 60
MANY_WAKE_UPS = 1_000


async def long_transactions(examined: Examined) -> Diagnosis:
    """Whether a transaction is open for so long that dead rows pile up. Prepared ones and replication slots count."""
    statement = Sql(
        "select format('session %s (%s) for %s minutes', pid, coalesce(nullif(application_name, ''), backend_type),"
        " round(extract(epoch from clock_timestamp() - xact_start) / 60)) as found from pg_stat_activity"
        " where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()"
        " and clock_timestamp() - xact_start > make_interval(secs => {})"
        " union all select format('the prepared transaction %s since %s', gid, prepared) from pg_prepared_xacts"
        " where database = current_database() and clock_timestamp() - prepared > make_interval(secs => {})"
        " union all select format('the unused replication slot %s', slot_name) from pg_replication_slots"
        " where not active and (xmin is not null or restart_lsn is not null)",
        LONG_TRANSACTION_SECONDS,
        LONG_TRANSACTION_SECONDS,
    )
    async with examined.database.read() as session:
        found = [str(row["found"]) for row in await session.rows(statement)]
    if not found:
        return fine("No transaction has been open for long.")
    return warning(
        f"Dead rows cannot be removed because of {'; '.join(found)}.",
        "End it: `select pg_terminate_backend(…)`, `rollback prepared …`, or `select pg_drop_replication_slot(…)`.",
    )


async def waiting_locks(examined: Examined) -> Diagnosis:
    """Whether sessions wait for locks that others hold."""
    statement = Sql(
        "select pid, pg_blocking_pids(pid) as holders from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
        " and clock_timestamp() - query_start > make_interval(secs => {})",
        LONG_WAIT_SECONDS,
    )
    async with examined.database.read() as session:
        rows = await session.rows(statement)
    if not rows:
        return fine("No session waits for a lock.")
    shown = "; ".join(f"session {row['pid']} for {', '.join(map(str, row['holders'])) or 'nobody'}" for row in rows)
    return warning(
        f"Sessions have waited for locks for more than {LONG_WAIT_SECONDS} seconds: {shown}.",
        "Look at the holders in pg_stat_activity; `select pg_terminate_backend(…)` ends one.",
    )


async def jobs(examined: Examined) -> Diagnosis:
    """Whether the background jobs keep up: events without a position, and contacts whose evaluation is due."""
    backlog = await read_backlog(examined.database)
    found = (
        f"{backlog.outbox_waiting:,} events wait for a position, the oldest for {backlog.outbox_lag_seconds:,.0f}"
        f" seconds; {backlog.wake_ups_due:,} contacts are due."
    )
    if (backlog.outbox_lag_seconds or 0) > LONG_OUTBOX_LAG_SECONDS or (backlog.wake_ups_due or 0) > MANY_WAKE_UPS:
        return warning(
            f"The background jobs do not keep up: {found}",
            "Start `accord serve` or `accord worker`; if one runs, its log says what its jobs wait for.",
        )
    return fine(found)


async def clock(examined: Examined) -> Diagnosis:
    """Whether the clocks of this machine and of the database agree."""
    skew = (await read_backlog(examined.database)).clock_skew_seconds or 0.0
    if abs(skew) <= MOST_SKEW_SECONDS:
        return fine("The clocks of this machine and of the database agree.")
    order = "ahead of" if skew > 0 else "behind"
    return warning(
        f"The clock of the database is {abs(skew):,.0f} seconds {order} that of this machine: facts have wrong times.",
        "Let both keep their time by NTP.",
    )


async def credentials(examined: Examined) -> Diagnosis:
    """Whether whoever reaches the server needs a credential."""
    settings = examined.settings
    keys = await count_real_keys(examined.database)
    if keys or settings.oidc is not None:
        sign_in = f", and members sign in at {settings.oidc.issuer}" if settings.oidc is not None else ""
        return fine(f"There are {keys} API keys{sign_in}.")
    if settings.is_loopback:
        return fine("There is no credential: programs of this machine are served as the local operator.")
    return wrong(
        f"There is no credential, so that `accord serve` does not listen on {settings.host}.",
        "Create a key with `accord key create NAME`, or set ACCORD_OIDC_ISSUER.",
    )
