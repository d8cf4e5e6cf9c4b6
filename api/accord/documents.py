"""Reading accord documents: the built-in ones by name, others by path or from text, and those that are stored."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import ValidationError

from api.accord.toml_lines import line_of, toml_lines
from api.accord.validation import DocumentMistake, describe_errors, mistakes_of
from api.errors import AccordError, ErrorCode
from schema.accord import FORMAT, Accord
from schema.clauses.newer_words import STORED

DocumentForm: TypeAlias = Literal["TOML", "JSON"]
_REMEDY = "Correct the document and try again; schema/accords/standard.toml shows every section."


class InvalidAccordError(AccordError):
    """The text of an accord has mistakes: all of them, with their paths."""

    def __init__(self, message: str, remedy: str, mistakes: tuple[DocumentMistake, ...]) -> None:
        super().__init__(ErrorCode.BAD_ACCORD, message, remedy)
        self.mistakes = mistakes


def built_in_accords() -> tuple[str, ...]:
    """The names of the accords that Accord comes with."""
    shipped = files("schema").joinpath("accords").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in shipped if file.name.endswith(".toml")))


def read_accord(name_or_path: str) -> Accord:
    """Load a built-in accord (`standard`), or a file with TOML or JSON.

    Shapes: a name or path -> one Accord.
    Errors: BAD_FILE if the file does not exist or cannot be read; BAD_ACCORD with the file, the key and the remedy if
            it is not a valid accord.
    """
    if name_or_path in built_in_accords():
        text = files("schema").joinpath("accords", f"{name_or_path}.toml").read_text("utf-8")
    else:
        text = _text_of(Path(name_or_path))
    return parse_accord(text, origin=name_or_path, form=document_form(text))


def document_form(text: str) -> DocumentForm:
    """Return the form of a document as a person gives it: JSON if it begins with a brace, or else TOML."""
    return "JSON" if text.lstrip().startswith("{") else "TOML"


def parse_accord(text: str, *, origin: str, form: DocumentForm = "TOML") -> Accord:
    """Parse an accord from text as a person wrote it; `origin` names the text in errors.

    Errors: BAD_ACCORD, as `InvalidAccordError` with all mistakes at once.
    """
    try:
        document = _READERS[form](text)
    except RecursionError as error:
        mistake = DocumentMistake("", "the document is nested too deep to be read; simplify the rule")
        raise InvalidAccordError(
            f"{origin} is nested too deep to be read.", "Simplify the rule.", (mistake,)
        ) from error
    except ValueError as error:
        remedy = "Correct the line; https://toml.io explains TOML." if form == "TOML" else "Correct the text."
        mistake = DocumentMistake("", f"the document is not valid {form}: {error}")
        raise InvalidAccordError(f"{origin} is not valid {form}: {error}.", remedy, (mistake,)) from error
    try:
        return Accord.model_validate(document)
    except ValidationError as error:
        mistakes = mistakes_of(error, document, Accord)
        lines = "\n".join(_mistake_lines(text, form, mistakes))
        raise InvalidAccordError(f"{origin} is not a valid accord.\n{lines}", _REMEDY, mistakes) from error


def _mistake_lines(text: str, form: DocumentForm, mistakes: tuple[DocumentMistake, ...]) -> Iterator[str]:
    """Every mistake as a line of text, with the number of its line in the document where that is TOML."""
    lines = toml_lines(text) if form == "TOML" else {}
    for mistake in mistakes:
        number = line_of(lines, mistake.path)
        sentence = _sentence(mistake.line)
        yield sentence if number is None else f"Line {number}: {sentence}"


def _sentence(words: str) -> str:
    return words if words.endswith("?") else f"{words}."


def document_mistakes(text: str, form: DocumentForm = "TOML") -> tuple[DocumentMistake, ...]:
    """Everything that is wrong with the text of an accord; empty if it is valid."""
    try:
        parse_accord(text, origin="The document", form=form)
    except InvalidAccordError as error:
        return error.mistakes
    return ()


@lru_cache(maxsize=64)
def read_document(text: str, format_number: int) -> Accord:
    """Read a document from its stored text, which is never written again: hashes and signatures are over that text.

    Shapes: the stored text and the number of its format -> one Accord, the same object for the same text.
    Errors: BAD_ACCORD if a newer Accord wrote it.
    """
    remedy = "Run that release of Accord or a later one."
    if format_number > FORMAT:
        message = (
            f"A newer Accord wrote this version of the accord: its format is {format_number}, and {FORMAT} is known."
        )
        raise AccordError(ErrorCode.BAD_ACCORD, message, remedy)
    document = _json_document(text)
    try:
        return Accord.model_validate(document, context=STORED)
    except ValidationError as error:
        reason = _sentence(describe_errors(error, document, Accord))
        message = f"A newer Accord wrote this version of the accord, with content that this one cannot read. {reason}"
        raise AccordError(ErrorCode.BAD_ACCORD, message, remedy) from error


def _json_document(text: str) -> object:
    """Parse JSON with exact numbers; ValueError for a key that stands twice in a table, and for NaN and Infinity."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_table)


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice} appears twice in one table")
    return table


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is not a number")


def _toml_document(text: str) -> object:
    return tomllib.loads(text, parse_float=Decimal)


_READERS: Mapping[DocumentForm, Callable[[str], object]] = {"TOML": _toml_document, "JSON": _json_document}


def _text_of(path: Path) -> str:
    names = ", ".join(built_in_accords())
    remedy = f"Name a TOML or JSON file, or one of the built-in accords: {names}."
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
