"""Groups of settings that are handed on together, and their defaults."""

import os
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """How people and programs prove who they are at an OpenID Connect provider.

    Bearer tokens need the `audience`, the sign-in of pages needs the `client_id`; one of them is always there. A client
    without a secret is public: PKCE alone protects its sign-in.
    """

    issuer: str
    audience: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class KeptLimits:
    """How many evaluations of readings other than IN_FORCE are kept, with how many entries, and how long unread."""

    evaluations: int = 12
    entries: int = 60_000_000
    unread: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class LaneSizes:
    """How many light, medium and heavy requests and mutations run at once, and how many wait for how long.

    A request is medium from `medium_cost` on, and heavy from `heavy_cost` on.
    """

    light: int = 6
    medium: int = 2
    heavy: int = 2
    mutations: int = 4
    queue: int = 100
    wait_seconds: float = 10
    medium_cost: int = 10
    heavy_cost: int = 100


REQUEST_SECONDS = 30.0
# What background jobs, evaluations of readings and previews use of a pool beside the lanes.
BACKGROUND_CONNECTIONS = 6
DEFAULT_RATE_LIMIT = 60_000  # one processor of the database, all the time
# As many medium requests as half of the processors, and as many heavy ones: more at once take the processors from light
# requests, and from the server itself, where PostgreSQL is on the same machine.
MOST_BY_PROCESSORS = 4


def processors() -> int:
    """The number of processors that this process may use, where the system knows it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
