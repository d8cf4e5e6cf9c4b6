"""What a check returns, what it is given, and what it needs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from api.db import Database
from api.settings import Settings


class Severity(StrEnum):
    """How bad it is. `accord doctor` exits with 1 if there is an ERROR."""

    OK = "OK"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a check found, in sentences, and what to do about it unless it is fine."""

    severity: Severity
    found: str
    remedy: str = ""


def fine(found: str) -> Diagnosis:
    """A diagnosis that needs nothing to be done."""
    return Diagnosis(Severity.OK, found)


def warning(found: str, remedy: str) -> Diagnosis:
    """A diagnosis that makes Accord slow or unsafe, or that will become an error."""
    return Diagnosis(Severity.WARNING, found, remedy)


def wrong(found: str, remedy: str) -> Diagnosis:
    """A diagnosis with which Accord does not work, or loses data."""
    return Diagnosis(Severity.ERROR, found, remedy)


class Needs(IntEnum):
    """What has to be there for a check to be made."""

    SETTINGS = 1
    DATABASE = 2
    TABLES = 3


@dataclass(frozen=True, slots=True)
class Examined:
    """The set-up that is examined: its settings and, for checks that need it, its database."""

    settings: Settings
    open_database: Database | None = None

    @property
    def database(self) -> Database:
        """The database, which is open where a check needs it."""
        if self.open_database is None:
            raise TypeError("a check that needs the database says so in the list of checks")
        return self.open_database

    @property
    def is_private(self) -> bool:
        """Whether the database is the private one."""
        return self.settings.database_url is None


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a name that stays, what it needs, and the function that makes it."""

    name: str
    needs: Needs
    find: Callable[[Examined], Awaitable[Diagnosis]]


@dataclass(frozen=True, slots=True)
class Result:
    """The diagnosis of a check."""

    name: str
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class Report:
    """All diagnoses about a set-up, and the names of checks that could not be made without what is missing."""

    results: Sequence[Result]
    not_made: Sequence[str]

    def count(self, severity: Severity) -> int:
        """Return the number of diagnoses of a severity."""
        return sum(result.diagnosis.severity is severity for result in self.results)
