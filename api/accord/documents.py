"""Loading accord documents: the built-in ones by name, others by path."""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from api.accord.validation import describe_errors
from api.errors import AccordError, ErrorCode
from schema.accord import Accord


def built_in_accords() -> tuple[str, ...]:
    """The names of the accords that Accord comes with."""
    shipped = files("schema").joinpath("accords").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in shipped if file.name.endswith(".toml")))


def read_accord(name_or_path: str) -> Accord:
    """Load a built-in accord (`standard`) or a TOML file.

    Shapes: a name or path -> one Accord.
    Errors: BAD_FILE if the file does not exist or cannot be read; BAD_ACCORD with the file, the key and the remedy if
            it is not a valid accord.
    """
    if name_or_path in built_in_accords():
        text = files("schema").joinpath("accords", f"{name_or_path}.toml").read_text("utf-8")
    else:
        text = _text_of(Path(name_or_path))
    return parse_accord(text, origin=name_or_path)


def parse_accord(text: str, *, origin: str) -> Accord:
    """Parse an accord from TOML text; `origin` names the text in errors.

    Errors: BAD_ACCORD, as in `read_accord`.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        remedy = "Simplify the rule."
        raise AccordError(ErrorCode.BAD_ACCORD, f"{origin} is nested too deep to be read.", remedy) from error
    except tomllib.TOMLDecodeError as error:
        remedy = "Correct the line; https://toml.io explains TOML."
        raise AccordError(ErrorCode.BAD_ACCORD, f"{origin} is not valid TOML: {error}.", remedy) from error
    try:
        return Accord.model_validate(document)
    except ValidationError as error:
        raise _invalid(error, document, origin) from error


def _text_of(path: Path) -> str:
    names = ", ".join(built_in_accords())
    remedy = f"Name a TOML file, or one of the built-in accords: {names}."
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise AccordError(ErrorCode.BAD_FILE, f"There is no accord '{path}'.", remedy) from error
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start})."
        raise AccordError(ErrorCode.BAD_FILE, message, "Save the file as UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AccordError(ErrorCode.BAD_FILE, f"'{path}' cannot be read: {reason}.", remedy) from error


def _invalid(error: ValidationError, document: object, origin: str) -> AccordError:
    message = f"{origin} is not a valid accord. {describe_errors(error, document)}."
    remedy = "Correct the file and try again; schema/accords/standard.toml shows every section."
    return AccordError(ErrorCode.BAD_ACCORD, message, remedy)
