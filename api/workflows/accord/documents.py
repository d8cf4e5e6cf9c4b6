"""The document of a proposed version: read from TOML or JSON, and refused with all that is wrong in it."""

import json
from dataclasses import dataclass

from pydantic import ValidationError

from api.accord.documents import parse_accord
from api.accord.validation import describe_errors
from api.errors import AccordError, ErrorCode
from api.plan.value_checks.storable_text import require_storable
from api.workflows.unit_of_work import UnitOfWork
from schema.accord import FORMAT, Accord
from schema.writes.user_errors import UserErrorCode

MAX_CHARACTERS = 500_000
FIELD = "document"


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A valid document: the model, its canonical text and its hash."""

    accord: Accord
    text: str
    content_hash: str

    @classmethod
    def of(cls, accord: Accord) -> "ReadDocument":
        """The document as a version stores it."""
        return cls(accord, accord.canonical(), accord.content_hash())

    @property
    def columns(self) -> dict[str, object]:
        """The columns of a version that the document fills."""
        return {
            "format": FORMAT,
            "document": self.text,
            "body": json.loads(self.text),
            "content_hash": self.content_hash,
        }


def read_given_document(work: UnitOfWork, given: str | Accord) -> ReadDocument | None:
    """Return the document of a command; None if it is not valid, with each of its mistakes noted.

    Shapes: TOML, or JSON if it begins with a brace, or an accord that was read before -> one document.
    """
    if isinstance(given, Accord):
        return ReadDocument.of(given)
    if len(given) > MAX_CHARACTERS:
        message = f"The document has {len(given):,} characters. The limit is {MAX_CHARACTERS:,}."
        work.reject((FIELD,), UserErrorCode.TOO_LONG, message)
        return None
    try:
        require_storable(given, "of the document")
        accord = _parsed(given)
    except AccordError as error:
        work.reject((FIELD,), UserErrorCode.INVALID, str(error))
        return None
    return ReadDocument.of(accord)


def _parsed(text: str) -> Accord:
    if not text.lstrip().startswith("{"):
        return parse_accord(text, origin="The document")
    try:
        found = json.loads(text)
        return Accord.model_validate(found)
    except ValidationError as error:
        message = f"The document is not a valid accord. {describe_errors(error, found)}."
        raise AccordError(ErrorCode.BAD_ACCORD, message, "Correct it and try again.") from error
    except (ValueError, RecursionError) as error:
        message = f"The document is not valid JSON: {error}."
        raise AccordError(ErrorCode.BAD_ACCORD, message, "Correct it and try again.") from error
