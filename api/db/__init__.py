"""The database: connections, read, scratch and write sessions, and the only place that commits.

A `ReadSession` is one snapshot in a read-only transaction. A `WriteSession` is one unit of work: it commits at the end
of its block, and rolls back if the block raises. The two are distinct types, so that mypy rejects a write session on a
read path. A `ScratchSession` is a snapshot that may use temporary tables, and never commits.

    sessions.py         one snapshot, or one unit of work
    connections.py      connections that stay open, with the settings of readers and writers
    opening.py          one connection: which host, which settings
    database.py         the pools, and who commits
    outages.py          whether the database can be reached, and the deadlines of waiting for it
    observed.py         the time of statements, and who waits for a connection
    failures.py         what connecting and executing can raise
    expected_errors.py  the errors that users see for these failures
"""

from api.db.connections import LONGEST_PREPARED, SERVER_SETTINGS, STATEMENT_TIMEOUT_MS, WaitLimits, prepare
from api.db.database import Database
from api.db.expected_errors import DiskFullError, expected_error
from api.db.failures import DATABASE_FAILURES, LOST_CONNECTION, UnreachableError, connecting
from api.db.opening import OpenedConnection, connect, host_of
from api.db.outages import Outage, is_gone
from api.db.sessions import (
    IS_EVALUATING,
    AdvisoryLock,
    Connection,
    ReadSession,
    ScratchSession,
    Session,
    WriteSession,
)

__all__ = [
    "DATABASE_FAILURES",
    "IS_EVALUATING",
    "LONGEST_PREPARED",
    "LOST_CONNECTION",
    "SERVER_SETTINGS",
    "STATEMENT_TIMEOUT_MS",
    "AdvisoryLock",
    "Connection",
    "Database",
    "DiskFullError",
    "OpenedConnection",
    "Outage",
    "ReadSession",
    "ScratchSession",
    "Session",
    "UnreachableError",
    "WaitLimits",
    "WriteSession",
    "connect",
    "connecting",
    "expected_error",
    "host_of",
    "is_gone",
    "prepare",
]
