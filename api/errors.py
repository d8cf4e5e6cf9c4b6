"""Expected errors: those that a user or the environment can cause. Any other exception is a bug, and masked."""

from enum import StrEnum
from typing import Self


class ErrorCode(StrEnum):
    """The codes of errors, on which clients and scripts can rely (GraphQL's `extensions.code`).

    Each has its meaning: `CODE = "CODE", "meaning"`. README.md lists them, and a test compares.
    """

    doc: str

    def __new__(cls, value: str, doc: str) -> Self:
        """Make a member whose value is the code and which carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    # The HTTP request and its document
    BAD_REQUEST = "BAD_REQUEST", "The HTTP request is malformed: no JSON, no `query`, or a member of the wrong type."
    NOT_AUTHENTICATED = "NOT_AUTHENTICATED", "The request has no credential, or one that is wrong, expired or revoked."
    NOT_ALLOWED = (
        "NOT_ALLOWED",
        "The principal may not do this, read this field, or reach this record.",
    )
    SIGN_IN_AGAIN = "SIGN_IN_AGAIN", "A signature needs a person who signed in to the pages within the last 15 minutes."
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS", "Too many wrong credentials came from this address. Wait, then try again."
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED", "The address does not support the HTTP method, or not for a mutation."
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE", "`Accept` or `Accept-Encoding` allows nothing that the server can send."
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE", "The body of a POST is not sent as JSON in UTF-8."
    HOST_NOT_ALLOWED = "HOST_NOT_ALLOWED", "The host name of the request is not a name of this server."
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED", "Pages of this origin may not send requests."
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED", "The document is not GraphQL: a syntax error."
    GRAPHQL_VALIDATION_FAILED = (
        "GRAPHQL_VALIDATION_FAILED",
        "The document does not fit the schema: an unknown field or enum value, a missing argument, a malformed date.",
    )
    OPERATION_RESOLUTION_FAILURE = (
        "OPERATION_RESOLUTION_FAILURE",
        "`operationName` does not decide which operation of the document to run, or it cannot run here.",
    )
    PERSISTED_QUERY_NOT_FOUND = (
        "PERSISTED_QUERY_NOT_FOUND",
        "The server does not hold the document of this hash. Clients send the document again by themselves.",
    )
    PERSISTED_QUERY_MISMATCH = "PERSISTED_QUERY_MISMATCH", "The hash of a persisted query is not that of its document."
    TOO_LARGE = "TOO_LARGE", "The request, its document or its response exceeds a limit."
    TOO_MANY_GROUPS = "TOO_MANY_GROUPS", "A breakdown, or `groupBy` without `first`, has more groups than the limit."
    TIMED_OUT = "TIMED_OUT", "The request, or one of its statements, took longer than the time limit."
    RATE_LIMITED = (
        "RATE_LIMITED",
        "The principal has spent its cost of the minute. Nothing was executed; `Retry-After` has the seconds to wait.",
    )
    OVERLOADED = (
        "OVERLOADED",
        "Too many requests wait already. Nothing was executed; `Retry-After` has the seconds to wait.",
    )

    BUSY = (
        "BUSY",
        "Another transaction holds a lock on the same records, or all connections are used. Nothing is written; retry.",
    )

    # Mutations
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used for another input."

    # Changes
    CURSOR_EXPIRED = "CURSOR_EXPIRED", "The changes after this cursor are not kept any more. Copy the records anew."

    # Values
    BAD_INPUT = "BAD_INPUT", "A variable, an argument, an option or a setting has a value that is not valid."
    BAD_PERIOD = "BAD_PERIOD", "A period is malformed, or does not fit the grain or the accord."
    UNKNOWN_VALUE = "UNKNOWN_VALUE", "A closed set does not have this value."
    UNKNOWN_STAGE = "UNKNOWN_STAGE", "The accord does not have this stage."
    NOT_FOUND = "NOT_FOUND", "There is nothing at this address."
    MIXED_CURRENCIES = "MIXED_CURRENCIES", "Bare amounts of several currencies are compared or sorted."
    NO_REPORTING_CURRENCY = "NO_REPORTING_CURRENCY", "No accord in force states the currency to convert amounts to."

    # The state of the data
    NO_ACCORD = "NO_ACCORD", "No accord is in force."
    NOT_EVALUATED = "NOT_EVALUATED", "The contacts are not evaluated by the accord in force."
    EVALUATING = "EVALUATING", "The requested reading or preview is being evaluated. Send the request again."
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE", "The database cannot be reached."
    DATABASE_RIGHTS = "DATABASE_RIGHTS", "The user of DATABASE_URL may not do this, or the database is read-only."
    NEEDS_DIRECT_URL = "NEEDS_DIRECT_URL", "This cannot be done through a pooler: set DATABASE_URL_DIRECT."
    DATABASE_OUTDATED = "DATABASE_OUTDATED", "The database needs `accord migrate`."
    DATABASE_NEWER = (
        "DATABASE_NEWER",
        "A newer Accord migrated the database, and this one does not run on it any more.",
    )

    DATABASE_VERSION = "DATABASE_VERSION", "The PostgreSQL server has a major version that Accord does not support."

    # The command line
    NOT_VERIFIED = (
        "NOT_VERIFIED",
        "`accord verify` found a version, a signature or a trigger that is not as it has to be.",
    )
    BAD_ACCORD = "BAD_ACCORD", "The document of an accord is not valid."
    BAD_FILE = "BAD_FILE", "A file cannot be read or written, or does not fit its preset."
    UNKNOWN_PRESET = "UNKNOWN_PRESET", "There is no preset of this name."
    SAMPLE_PRESENT = "SAMPLE_PRESENT", "The database is not empty, so no sample company can be made in it."
    MIGRATION_FAILED = "MIGRATION_FAILED", "A migration failed, and was rolled back."
    DAMAGED_BACKUP = "DAMAGED_BACKUP", "The file is no backup, is cut off, or does not have its checksum."
    NOT_EMPTY = "NOT_EMPTY", "The database to restore into is not empty."
    NO_FITTING_PROGRAMS = "NO_FITTING_PROGRAMS", "The client programs of PostgreSQL at hand do not fit the server."
    BACKUP_FAILED = "BACKUP_FAILED", "No backup was written, because pg_dump failed."
    RESTORE_FAILED = "RESTORE_FAILED", "A backup was not restored. The database is as it was."
    DATA_FOLDER = "DATA_FOLDER", "The data folder cannot be used."
    DISK_FULL = "DISK_FULL", "A disk is full."
    PORT_IN_USE = "PORT_IN_USE", "The server cannot listen on its address."
    NOT_LOOPBACK = "NOT_LOOPBACK", "Without credentials, the server listens on loopback addresses only."
    DRIFT = "DRIFT", "The stored stage entries, or the committed SDL, differ from a rebuild."

    INTERNAL = "INTERNAL", "A bug. The message has the id under which the server log records it."


class AccordError(Exception):
    """An expected error: `message` states what was wrong and where, `remedy` what to do about it."""

    def __init__(self, code: ErrorCode, message: str, remedy: str) -> None:
        if code is ErrorCode.INTERNAL:
            raise ValueError("INTERNAL is the code of a masked bug, not of an expected error")
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy


class RetryLaterError(AccordError):
    """An expected error of a request that was not executed, and that may succeed after `retry_after` seconds."""

    def __init__(self, code: ErrorCode, message: str, remedy: str, *, retry_after: int) -> None:
        super().__init__(code, message, remedy)
        self.retry_after = retry_after
