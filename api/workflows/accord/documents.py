"""The document of a proposed version: read from TOML or JSON, and refused with all that is wrong in it."""

import json
from dataclasses import dataclass

from api.accord.documents import InvalidAccordError, document_form, parse_accord
from api.accord.stated_holidays import with_stated_holidays
from api.errors import AccordError
from api.plan.value_checks.storable_text import require_storable
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import DocumentStep
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


def read_given_document(work: UnitOfWork, text: str) -> ReadDocument | None:
    """Return the document of a command with its holidays stated; None if it is not valid, with its mistakes noted.

    Shapes: TOML, or JSON if it begins with a brace -> one document.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"The document has {len(text):,} characters. The limit is {MAX_CHARACTERS:,}."
        work.reject((FIELD,), UserErrorCode.TOO_LONG, message)
        return None
    try:
        require_storable(text, "of the document")
        accord = parse_accord(text, origin="The document", form=document_form(text))
    except InvalidAccordError as error:
        for mistake in error.mistakes:
            path = map(DocumentStep, mistake.path.split(".") if mistake.path else ())
            work.reject((FIELD, *path), UserErrorCode.INVALID, mistake.message)
        return None
    except AccordError as error:
        work.reject((FIELD,), UserErrorCode.INVALID, str(error))
        return None
    return ReadDocument.of(with_stated_holidays(accord, work.started_at.date()))
