"""Reading accord documents: the ones that ship by name, others by path."""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from api.accord.validation import describe_errors
from api.errors import AccordError, ErrorCode
from schema.accord import Accord


def built_in_accords() -> tuple[str, ...]:
    """The names of the accords that ship."""
    shipped = files("schema").joinpath("accords").iterdir()
    return tuple(sorted(each.name.removesuffix(".toml") for each in shipped if each.name.endswith(".toml")))


def read_accord(name_or_path: str) -> Accord:
    """Read an accord that ships (`standard`) or a TOML file.

    Errors: BAD_FILE if there is none or it cannot be read; BAD_ACCORD with file, key and remedy if it is malformed.
    """
    if name_or_path in built_in_accords():
        text = files("schema").joinpath("accords", f"{name_or_path}.toml").read_text("utf-8")
    else:
        text = _text_of(Path(name_or_path))
    return parse_accord(text, origin=name_or_path)


def parse_accord(text: str, *, origin: str) -> Accord:
    """Read an accord from TOML text; `origin` names it in errors."""
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        remedy = "Say the rule more plainly."
        raise AccordError(ErrorCode.BAD_ACCORD, f"{origin} is nested too deep to be read.", remedy) from error
    except tomllib.TOMLDecodeError as error:
        remedy = "Correct the line; TOML is explained on https://toml.io."
        raise AccordError(ErrorCode.BAD_ACCORD, f"{origin} is no valid TOML: {error}.", remedy) from error
    try:
        return Accord.model_validate(document)
    except ValidationError as error:
        raise _malformed(error, document, origin) from error


def _text_of(path: Path) -> str:
    names = ", ".join(built_in_accords())
    remedy = f"Name a TOML file, or one of the accords that ship: {names}."
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise AccordError(ErrorCode.BAD_FILE, f"There is no accord '{path}'.", remedy) from error
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8 (byte {error.start})."
        raise AccordError(ErrorCode.BAD_FILE, message, "Save it as UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AccordError(ErrorCode.BAD_FILE, f"'{path}' cannot be read: {reason}.", remedy) from error


def _malformed(error: ValidationError, document: object, origin: str) -> AccordError:
    remedy = "Correct the file and try again; schema/accords/standard.toml shows every part."
    return AccordError(
        ErrorCode.BAD_ACCORD, f"{origin} is no valid accord. {describe_errors(error, document)}.", remedy
    )
