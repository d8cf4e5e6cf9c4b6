"""What the environment decides: where the data is, which database, which address. Read once, at the edge."""

import ipaddress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import AccordError, ErrorCode


class Settings(BaseSettings):
    """The settings of one process, from `ACCORD_…` variables and `DATABASE_URL`; command line options win over them."""

    model_config = SettingsConfigDict(
        env_prefix="ACCORD_", env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="A PostgreSQL to use in place of the private one.",
    )
    data_dir: Path = Field(default=Path(".accord"), description="The folder of the private PostgreSQL and of reports.")
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")

    @classmethod
    def load(cls, **said: Any) -> Self:  # noqa: ANN401 - fields by name, validated here
        """Read the environment, under what the command line said (None: nothing); AccordError where it is senseless."""
        try:
            settings = cls(**{name: value for name, value in said.items() if value is not None})
        except ValidationError as error:
            raise _unreadable(error) from error
        if settings.database_url is not None:
            _require_postgresql(settings.database_url.get_secret_value())
        return settings

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address we listen on."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def database_shown(self) -> str:
        """The database as messages name it, without its password."""
        if self.database_url is None:
            return f"private PostgreSQL in {self.data_dir}"
        return masked(self.database_url.get_secret_value())


def masked(url: str) -> str:
    """Return a connection address that may be shown: without password, and without parameters that may hold one."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an unreadable address"
    user = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"


def _require_postgresql(url: str) -> None:
    """Refuse here what the driver would refuse later, in words that show nothing of the address but its scheme."""
    scheme = url.partition("://")[0] if "://" in url else ""
    wrong = "" if scheme in ("postgresql", "postgres") else f"its scheme is {scheme or 'missing'!r}"
    try:
        _ = urlsplit(url).port
    except ValueError:
        wrong = wrong or "its host or port is malformed"
    if wrong:
        raise AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            f"DATABASE_URL is not a PostgreSQL address ({wrong}).",
            "Write it as postgresql://user:password@host:5432/database, or unset it to use Accord's own server.",
        )


def _unreadable(error: ValidationError) -> AccordError:
    wrong = [f"{_variable(str(item['loc'][0]))}: {item['msg']}" for item in error.errors(include_input=False)]
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"A setting cannot be read: {'; '.join(wrong)}.",
        "Correct the variable or the command line option of that name.",
    )


def _variable(field: str) -> str:
    return field if field.isupper() else f"ACCORD_{field.upper()}"
