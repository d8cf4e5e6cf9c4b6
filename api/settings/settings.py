"""The settings of a process: the data folder, the database and the address. They are read once, at the edge."""

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.database_url import DatabaseUrl, parse_database_url, shown_url, with_parameter
from api.errors import AccordError, ErrorCode
from api.network_names import ListeningAddress, Network, host_names, issuer, listening_address, networks, origins
from api.settings.groups import (
    BACKGROUND_CONNECTIONS,
    DEFAULT_RATE_LIMIT,
    MOST_BY_PROCESSORS,
    KeptLimits,
    LaneSizes,
    OidcSettings,
    processors,
)

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
    database_url_direct: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL_DIRECT",
        description="The URL of the same database without a pooler between: for migrations, backups, locks and "
        "notifications.",
    )
    pooler: Literal["none", "transaction"] = Field(
        default="none",
        description="Whether `DATABASE_URL` leads to a pooler such as PgBouncer that gives each `transaction` another "
        "connection. `pgbouncer=true` in the URL says the same.",
    )
    database_url_read: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL_READ",
        description="The URL of a streaming standby of that PostgreSQL, a read replica, to which queries go.",
    )
    read_lag_seconds: float = Field(
        default=60,
        ge=2,
        le=86_400,
        description="The seconds that the read replica may be behind. While it is further behind, queries go to the "
        "primary.",
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
        default=_LANES.light + 2 * MOST_BY_PROCESSORS + _LANES.mutations + BACKGROUND_CONNECTIONS,
        ge=1,
        le=1_000,
        description="The connections of each of the three pools of a process: for single reads, snapshots and writes. "
        "They are opened when they are needed.",
    )
    light_lane: int = Field(default=_LANES.light, ge=1, description="How many light requests run at once.")
    medium_lane: int | None = Field(
        default=None,
        ge=1,
        description="How many requests of medium cost run at once. Without it: half of the processors of this machine, "
        f"divided among the workers; from 1 to {MOST_BY_PROCESSORS}.",
    )
    heavy_lane: int | None = Field(
        default=None,
        ge=1,
        description="How many heavy requests run at once; about as many as the database has processors to spare. "
        "Without it: as many as of medium cost.",
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
    medium_cost: int = Field(
        default=_LANES.medium_cost, ge=1, description="The cost from which on a request is not light."
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
        lanes = self.lane_sizes
        needed = lanes.light + lanes.medium + lanes.heavy + lanes.mutations + BACKGROUND_CONNECTIONS
        if needed > self.pool_size:
            raise ValueError(
                f"ACCORD_POOL_SIZE is {self.pool_size}, and the lanes need {needed}: ACCORD_LIGHT_LANE,"
                " ACCORD_MEDIUM_LANE, ACCORD_HEAVY_LANE and ACCORD_MUTATION_LANE together, and"
                f" {BACKGROUND_CONNECTIONS} for jobs"
            )
        return self

    @model_validator(mode="after")
    def _has_a_database_of_others(self) -> Self:
        if self.database_url is None and (self.database_url_direct is not None or self.pooler != "none"):
            raise ValueError("DATABASE_URL is missing, which ACCORD_POOLER and DATABASE_URL_DIRECT belong to")
        if self.database_url is None and self.database_url_read is not None:
            raise ValueError("DATABASE_URL_READ needs DATABASE_URL: the private PostgreSQL has no read replica")
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
        settings.require_usable_urls()
        return settings

    def require_usable_urls(self) -> tuple[str, ...]:
        """Check the URLs of databases, and return what is not honoured of them.

        Errors: BAD_INPUT; DATABASE_UNREACHABLE if one is not a PostgreSQL address.
        """
        warnings: list[str] = []
        for name, url in self.database_urls.items():
            url.require_files()
            warnings += url.warnings
            if name == "DATABASE_URL_DIRECT" and url.is_pooled:
                raise AccordError(
                    ErrorCode.BAD_INPUT,
                    "DATABASE_URL_DIRECT has pgbouncer=true, and is there for what a pooler cannot do.",
                    "Name PostgreSQL itself there.",
                )
        return tuple(warnings)

    @property
    def database_urls(self) -> dict[str, DatabaseUrl]:
        """The URLs of databases that are set, by their variables. Errors: DATABASE_UNREACHABLE for a malformed one."""
        urls = {
            "DATABASE_URL": self.database_url,
            "DATABASE_URL_DIRECT": self.database_url_direct,
            "DATABASE_URL_READ": self.database_url_read,
        }
        return {name: parse_database_url(url.get_secret_value(), name) for name, url in urls.items() if url is not None}

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
        by_processors = min(MOST_BY_PROCESSORS, max(1, processors() // 2 // self.workers))
        return LaneSizes(
            light=self.light_lane,
            medium=self.medium_lane or by_processors,
            heavy=self.heavy_lane or self.medium_lane or by_processors,
            mutations=self.mutation_lane,
            queue=self.lane_queue,
            wait_seconds=self.lane_wait_seconds,
            medium_cost=self.medium_cost,
            heavy_cost=self.heavy_cost,
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
        return shown_url(self.database_url.get_secret_value())

    @property
    def connection_url(self) -> str | None:
        """`DATABASE_URL`, with `pgbouncer=true` if a pooler is between; None if it is not set.

        It may have a password.
        """
        if self.database_url is None:
            return None
        url = self.database_url.get_secret_value()
        is_said = self.pooler == "none" or parse_database_url(url).is_pooled
        return url if is_said else with_parameter(url, "pgbouncer", "true")

    @property
    def direct_url(self) -> str | None:
        """The URL of the database without a pooler between, if one is set. It may have a password."""
        return None if self.database_url_direct is None else self.database_url_direct.get_secret_value()


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
