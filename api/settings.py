"""The settings of a process: the data folder, the database and the address. They are read once, at the edge."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from api.errors import AccordError, ErrorCode
from api.network_names import Network, host_names, networks, origins


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
        f"{_variable(str(item['loc'][0]))}: {item['msg'].removeprefix('Value error, ').removesuffix('.')}"
        for item in error.errors(include_input=False)
    ]
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"A setting is not valid: {'; '.join(problems)}.",
        "Correct the environment variable or the command line option of that name.",
    )


def _variable(field: str) -> str:
    return field if field.isupper() else f"ACCORD_{field.upper()}"
