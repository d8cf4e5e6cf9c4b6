"""The settings of a process: the data folder, the database and the address. They are read once, at the edge."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.errors import AccordError, ErrorCode
from api.network_names import ListeningAddress, Network, host_names, issuer, listening_address, networks, origins


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
    """How many light requests, heavy requests and mutations run at once, and how many wait for how long.

    A request is heavy from `heavy_cost` on.
    """

    light: int = 6
    heavy: int = 2
    mutations: int = 4
    queue: int = 100
    wait_seconds: float = 10
    heavy_cost: int = 100


REQUEST_SECONDS = 30.0
# What background jobs, evaluations of readings and previews use of a pool beside the lanes.
BACKGROUND_CONNECTIONS = 6
DEFAULT_RATE_LIMIT = 60_000  # one processor of the database, all the time

_KEPT = KeptLimits()
_LANES = LaneSizes()

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Settings from the variables `ACCORD_…` and `DATABASE_URL`; command line options take precedence."""

    model_config = SettingsConfigDict(
        env_prefix="ACCORD_", env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="The URL of a PostgreSQL to use instead of the private one.",
    )
    data_dir: Path = Field(
        default=Path(".accord"), description="The folder of the private PostgreSQL, logs and reports."
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0 takes a free port.")
    reuse_port: bool = Field(
        default=False,
        description="Whether other servers may listen on the same port (`SO_REUSEPORT`), so that a new one can start "
        "before the old one stops.",
    )
    stop_seconds: float = Field(
        default=10,
        ge=0,
        le=3_600,
        description="The seconds that requests have to end when the server is told to stop. All else takes 25 seconds "
        "more at most.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="The number of processes that serve; best the number of cores. Each may open three "
        "times ACCORD_POOL_SIZE connections to PostgreSQL, and ten more.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(host_names)] = Field(
        default=(),
        description="Host names of the server beside loopback, with commas: `accord.example`. They are served once "
        "there are credentials.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(origins)] = Field(
        default=(),
        description="Origins of pages that may use the server beside those of this machine, with commas: "
        "`https://app.example, https://*.preview.example`. An asterisk stands for one label.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(networks)] = Field(
        default=(),
        description="Addresses or networks of proxies, with commas: `10.0.0.0/8, ::1`. `Forwarded` and `X-Forwarded-…` "
        "headers of others are ignored.",
    )
    oidc_issuer: Annotated[str | None, BeforeValidator(issuer)] = Field(
        default=None,
        description="The URL of the OpenID Connect provider whose people may sign in, as the provider writes it: "
        "`https://login.example`. A person is the member with the same verified e-mail address.",
    )
    oidc_audience: str | None = Field(
        default=None,
        description="The audience of the provider's bearer tokens that programs send to Accord. Without it, such "
        "tokens are refused.",
    )
    oidc_client_id: str | None = Field(
        default=None,
        description="The client id of Accord at the provider, for the sign-in of its pages. The provider has to know "
        "the redirect URI `https://accord.example/sign-in/oidc/callback`.",
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The secret of that client. Without one it is a public client, which PKCE protects."
    )
    session_idle_hours: float = Field(
        default=12, gt=0, le=8_760, description="The hours after which a session of a page ends unless it is used."
    )
    session_hours: float = Field(
        default=168, gt=0, le=8_760, description="The hours after which a session of a page ends in any case."
    )

    log_format: LogFormat = Field(
        default="text",
        description="How log lines are written to the standard error: as `text`, or as `json`.",
    )
    log_level: LogLevel = Field(
        default="info", description="The least level that is logged: `debug`, `info`, `warning` or `error`."
    )
    slow_ms: int = Field(
        default=1_000, ge=1, description="The milliseconds from which the log warns of a request as slow."
    )
    slow_plans: bool = Field(
        default=False,
        description="Whether the log has PostgreSQL's plan of the slowest statement of a slow request, without values.",
    )
    metrics_address: Annotated[ListeningAddress | None, NoDecode, BeforeValidator(listening_address)] = Field(
        default=None,
        description="An address of its own for `/metrics`, as `host:port`: `10.0.0.5:9090`. Whoever reaches it may "
        "read them. Without it, `/metrics` is at the address of the server.",
    )

    kept_readings: int = Field(
        default=_KEPT.evaluations,
        ge=1,
        description="How many evaluations of other readings than IN_FORCE are kept; those read last stay.",
    )
    kept_reading_entries: int = Field(
        default=_KEPT.entries,
        ge=1,
        description="How many stage entries these may have together.",
    )
    kept_reading_days: float = Field(
        default=_KEPT.unread / timedelta(days=1),
        gt=0,
        le=365,
        description="The days after which one of them is deleted unless it is read.",
    )

    request_seconds: float = Field(
        default=30,
        ge=1,
        le=3_600,
        description="The seconds after which a request ends, however many statements it has.",
    )
    pool_size: int = Field(
        default=_LANES.light + _LANES.heavy + _LANES.mutations + BACKGROUND_CONNECTIONS,
        ge=1,
        le=1_000,
        description="The connections of each of the three pools of a process: for single reads, snapshots and writes. "
        "They are opened when they are needed.",
    )
    light_lane: int = Field(default=_LANES.light, ge=1, description="How many light requests run at once.")
    heavy_lane: int = Field(
        default=_LANES.heavy,
        ge=1,
        description="How many heavy requests run at once; about as many as the database has processors to spare.",
    )
    mutation_lane: int = Field(
        default=_LANES.mutations, ge=1, description="How many requests with mutations run at once."
    )
    lane_queue: int = Field(
        default=_LANES.queue, ge=0, description="How many requests wait for a place in each lane; others get 503."
    )
    lane_wait_seconds: float = Field(
        default=_LANES.wait_seconds, gt=0, le=3_600, description="How long one of them waits before it gets 503."
    )
    heavy_cost: int = Field(default=_LANES.heavy_cost, ge=1, description="The cost from which on a request is heavy.")
    rate_limit: int | None = Field(
        default=None,
        ge=0,
        description="The cost that a principal may spend in a minute; 0 for no limit. Without it: "
        f"{DEFAULT_RATE_LIMIT:,}, or no limit where the server listens on loopback only.",
    )

    @model_validator(mode="after")
    def _have_lanes_connections(self) -> Self:
        needed = self.light_lane + self.heavy_lane + self.mutation_lane + BACKGROUND_CONNECTIONS
        if needed > self.pool_size:
            raise ValueError(
                f"ACCORD_POOL_SIZE is {self.pool_size}, and the lanes need {needed}: ACCORD_LIGHT_LANE,"
                f" ACCORD_HEAVY_LANE and ACCORD_MUTATION_LANE together, and {BACKGROUND_CONNECTIONS} for jobs"
            )
        return self

    @model_validator(mode="after")
    def _is_oidc_complete(self) -> Self:
        others = (self.oidc_audience, self.oidc_client_id, self.oidc_client_secret)
        if self.oidc_issuer is None and any(value is not None for value in others):
            raise ValueError("ACCORD_OIDC_ISSUER is missing, which the other ACCORD_OIDC_… variables belong to")
        if self.oidc_issuer is not None and self.oidc_audience is None and self.oidc_client_id is None:
            raise ValueError("ACCORD_OIDC_ISSUER needs ACCORD_OIDC_CLIENT_ID for pages, ACCORD_OIDC_AUDIENCE, or both")
        return self

    @classmethod
    def load(cls, **options: Any) -> Self:  # noqa: ANN401 - fields by name, validated here
        """Read the environment. `options` that are not None take precedence.

        Errors: BAD_INPUT for an invalid value; DATABASE_UNREACHABLE if DATABASE_URL is not a PostgreSQL address.
        """
        try:
            settings = cls(**{name: value for name, value in options.items() if value is not None})
        except ValidationError as error:
            raise _invalid(error) from error
        if settings.database_url is not None:
            _require_postgresql(settings.database_url.get_secret_value())
        return settings

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address that the server listens on."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def oidc(self) -> OidcSettings | None:
        """The OpenID Connect provider; None if none is configured."""
        if self.oidc_issuer is None:
            return None
        return OidcSettings(self.oidc_issuer, self.oidc_audience, self.oidc_client_id, self.oidc_client_secret)

    @property
    def lane_sizes(self) -> LaneSizes:
        """How much runs at once, and how much waits."""
        return LaneSizes(
            self.light_lane,
            self.heavy_lane,
            self.mutation_lane,
            self.lane_queue,
            self.lane_wait_seconds,
            self.heavy_cost,
        )

    @property
    def rate_limit_in_force(self) -> int | None:
        """The cost that a principal may spend in a minute; None if there is no limit."""
        if self.rate_limit is not None:
            return self.rate_limit or None
        return None if self.is_loopback else DEFAULT_RATE_LIMIT

    @property
    def kept_limits(self) -> KeptLimits:
        """How much is kept of readings other than IN_FORCE."""
        return KeptLimits(self.kept_readings, self.kept_reading_entries, timedelta(days=self.kept_reading_days))

    @property
    def database_shown(self) -> str:
        """The name of the database in messages, without its password."""
        if self.database_url is None:
            return f"private PostgreSQL in {self.data_dir}"
        return masked_url(self.database_url.get_secret_value())


def masked_url(url: str) -> str:
    """A connection URL without its password, and without parameters, which may contain one."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an invalid URL"
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _require_postgresql(url: str) -> None:
    """Reject an address that the driver would reject, with a message that shows nothing but its scheme."""
    scheme = url.partition("://")[0] if "://" in url else ""
    problem = "" if scheme in ("postgresql", "postgres") else f"its scheme is {scheme or 'missing'!r}"
    try:
        _ = urlsplit(url).port
    except ValueError:
        problem = problem or "its host or port is malformed"
    if problem:
        raise AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            f"DATABASE_URL is not a PostgreSQL address ({problem}).",
            "Write it as postgresql://user:password@host:5432/database, or unset it to use Accord's private server.",
        )


def _invalid(error: ValidationError) -> AccordError:
    problems = [
        f"{_variable(item['loc'])}{item['msg'].removeprefix('Value error, ').removesuffix('.')}"
        for item in error.errors(include_input=False)
    ]
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"A setting is not valid: {'; '.join(problems)}.",
        "Correct the environment variable or the command line option of that name.",
    )


def _variable(location: tuple[int | str, ...]) -> str:
    """The variable that a problem is about, as the start of its sentence; empty if it is about several."""
    if not location:
        return ""
    field = str(location[0])
    return f"{field if field.isupper() else f'ACCORD_{field.upper()}'}: "
