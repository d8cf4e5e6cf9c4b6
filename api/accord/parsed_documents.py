"""Documents of stored versions, parsed once and kept: a content hash never changes its meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cachetools import LRUCache

from api.accord.documents import read_document
from schema.accord import Accord

KEPT_CHARACTERS = 16_000_000  # of canonical text; a document has about 10,000


@dataclass(frozen=True)
class ParsedDocument:
    """The canonical text of a stored version, and the number of the format that it is written in."""

    text: str
    format: int

    @cached_property
    def accord(self) -> Accord:
        """The document as a model. It is parsed at the first use. Errors: those of `read_document`."""
        return read_document(self.text, self.format)


class KeptDocuments:
    """The documents that were read last, by their `document_key`, up to a number of characters."""

    def __init__(self, characters: int = KEPT_CHARACTERS) -> None:
        self._kept: LRUCache[str, ParsedDocument] = LRUCache(characters, getsizeof=lambda document: len(document.text))

    def present(self) -> Mapping[str, ParsedDocument]:
        """Return a snapshot of the cached documents. Later reads do not change it."""
        return dict(self._kept)

    def keep(self, key: str, document: ParsedDocument) -> ParsedDocument:
        """Keep a document, unless it is larger than all that may be kept. Return it, or the one kept already."""
        found = self._kept.get(key)
        if found is not None:
            return found
        if len(document.text) <= self._kept.maxsize:
            self._kept[key] = document
        return document


KEPT_DOCUMENTS = KeptDocuments()


def document_key(format_number: int, content_hash: str) -> str:
    """Return what names a document: the same text means the same only in the same format."""
    return f"{format_number}:{content_hash}"
