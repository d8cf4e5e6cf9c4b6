"""The traffic rules of a server, made from its settings."""

from dataclasses import dataclass, field
from typing import Self

from api.settings import REQUEST_SECONDS, LaneSizes, Settings
from api.traffic.deadline import Receive, RequestWatch, RunningRequest
from api.traffic.lanes import Lanes
from api.traffic.rate_limit import RateLimit


@dataclass(frozen=True, slots=True)
class Traffic:
    """The deadline of a request, the lanes, and the rate limit if there is one."""

    request_seconds: float = REQUEST_SECONDS
    lanes: Lanes = field(default_factory=lambda: Lanes(LaneSizes()))
    rate_limit: RateLimit | None = None
    watch: RequestWatch = field(default_factory=RequestWatch)

    def running(self, receive: Receive) -> RunningRequest:
        """Return a request that begins, with its deadline. `receive` is that of ASGI, after the body was read."""
        return RunningRequest(self.watch, self.request_seconds, receive)

    @classmethod
    def of(cls, settings: Settings, *, workers: int = 1) -> Self:
        """Make the rules of one of so many processes that serve the same address."""
        quota = settings.rate_limit_in_force
        rate_limit = RateLimit(quota, workers=workers) if quota else None
        return cls(settings.request_seconds, Lanes(settings.lane_sizes), rate_limit)
