"""The database: connections, read, scratch and write sessions, and the only place that commits.

A `ReadSession` is one snapshot in a read-only transaction. A `WriteSession` is one unit of work: it commits at the end
of its block, and rolls back if the block raises. The two are distinct types, so that mypy rejects a write session on a
read path. A `ScratchSession` is a snapshot that may use temporary tables, and never commits.

    sessions.py         one snapshot, or one unit of work
    connections.py      connections that stay open, with the settings of readers and writers
    opening.py          one connection: which host, which settings
    database.py         the pools, and who commits
    outages.py          whether the database can be reached, and the deadlines of waiting for it
    read_replica.py     when reads may go to a read replica
    replica_database.py a read replica as a database that is only read
    wal_positions.py    how far a commit is, and a replica
    observed.py         the time of statements, and who waits for a connection
    server_version.py   the versions of PostgreSQL that Accord runs on
    failures.py         what connecting and executing can raise
    expected_errors.py  the errors that users see for these failures
"""

from api.db.connections import LONGEST_PREPARED, SERVER_SETTINGS, STATEMENT_TIMEOUT_MS, WaitLimits, prepare
from api.db.database import Database
from api.db.expected_errors import DiskFullError, expected_error
from api.db.failures import DATABASE_FAILURES, LOST_CONNECTION, PrimaryNeededError, UnreachableError, connecting
from api.db.opening import OpenedConnection, connect, host_of
from api.db.outages import Outage, is_gone
from api.db.read_replica import ReadReplica, ReplicaOptions
from api.db.replica_database import ReplicaDatabase
from api.db.server_version import SUPPORTED_VERSIONS, require_supported_version, supported_versions_text
from api.db.sessions import (
    IS_EVALUATING,
    AdvisoryLock,
    Connection,
    ReadSession,
    ScratchSession,
    Session,
    WriteSession,
)
from api.db.wal_positions import NOWHERE, WalPosition, read_watermark, watermark_text

__all__ = [
    "DATABASE_FAILURES",
    "IS_EVALUATING",
    "LONGEST_PREPARED",
    "LOST_CONNECTION",
    "NOWHERE",
    "SERVER_SETTINGS",
    "STATEMENT_TIMEOUT_MS",
    "SUPPORTED_VERSIONS",
    "AdvisoryLock",
    "Connection",
    "Database",
    "DiskFullError",
    "OpenedConnection",
    "Outage",
    "PrimaryNeededError",
    "ReadReplica",
    "ReadSession",
    "ReplicaDatabase",
    "ReplicaOptions",
    "ScratchSession",
    "Session",
    "UnreachableError",
    "WaitLimits",
    "WalPosition",
    "WriteSession",
    "connect",
    "connecting",
    "expected_error",
    "host_of",
    "is_gone",
    "prepare",
    "read_watermark",
    "require_supported_version",
    "supported_versions_text",
    "watermark_text",
]
