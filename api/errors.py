"""Expected errors: those that a user or the environment can cause. Any other exception is a bug, and masked."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The codes of expected errors, on which clients and scripts can rely (GraphQL's `extensions.code`)."""

    BAD_INPUT = "BAD_INPUT"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN_STAGE = "UNKNOWN_STAGE"
    UNKNOWN_VALUE = "UNKNOWN_VALUE"
    BAD_PERIOD = "BAD_PERIOD"
    BAD_ACCORD = "BAD_ACCORD"
    NO_ACCORD = "NO_ACCORD"
    NOT_EVALUATED = "NOT_EVALUATED"
    UNKNOWN_PRESET = "UNKNOWN_PRESET"
    BAD_FILE = "BAD_FILE"
    SAMPLE_PRESENT = "SAMPLE_PRESENT"
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"
    DATABASE_OUTDATED = "DATABASE_OUTDATED"
    DATABASE_NEWER = "DATABASE_NEWER"
    MIGRATION_FAILED = "MIGRATION_FAILED"
    DATA_FOLDER = "DATA_FOLDER"
    DISK_FULL = "DISK_FULL"
    PORT_IN_USE = "PORT_IN_USE"
    NOT_LOOPBACK = "NOT_LOOPBACK"
    TOO_LARGE = "TOO_LARGE"
    TIMED_OUT = "TIMED_OUT"
    DRIFT = "DRIFT"
    INTERNAL = "INTERNAL"  # a masked bug; no AccordError has this code


class AccordError(Exception):
    """An expected error: `message` states what was wrong and where, `remedy` what to do about it."""

    def __init__(self, code: ErrorCode, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy
