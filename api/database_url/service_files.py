"""Service files: the parameters of a connection, kept under a name outside of the URL.

libpq looks into the user's file first, and then into that of the machine.
"""

import configparser
from collections.abc import Mapping
from pathlib import Path

USER_FILE = ".pg_service.conf"
MACHINE_FILE = "pg_service.conf"
MACHINE_FOLDERS = ("/etc/postgresql-common", "/etc")


class ServiceFileError(ValueError):
    """Why the parameters of a service could not be read."""


def service_parameters(name: str, own_file: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a service. `own_file` is a file that was named in place of the user's.

    Errors: ServiceFileError if no file has the service, or a file cannot be read.
    """
    looked = []
    for path in _files(own_file, environment):
        if not path.is_file():
            if own_file is not None and path == Path(own_file):
                raise ServiceFileError(f"the service file {path} does not exist")
            continue
        looked.append(str(path))
        found = _sections(path)
        if found.has_section(name):
            return {key: value for key, value in found[name].items() if value}
    where = f"not in {' or '.join(looked)}" if looked else "because there is no service file"
    raise ServiceFileError(f"the service {name!r} is not defined, {where}")


def _files(own_file: str | None, environment: Mapping[str, str]) -> list[Path]:
    home = environment.get("HOME")
    own = [Path(own_file)] if own_file else [Path(home, USER_FILE)] if home else []
    folder = environment.get("PGSYSCONFDIR")
    return own + [Path(place, MACHINE_FILE) for place in ([folder] if folder else MACHINE_FOLDERS)]


def _sections(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=False, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceFileError(f"the service file {path} cannot be read") from error
    except configparser.Error:
        # Its message has the line, which may be a password.
        raise ServiceFileError(f"the service file {path} has a line that is neither [name] nor name=value") from None
    return parser
