"""Words of a newer release in a stored document: they are kept as they are, and what has them is not read.

A new document has the words of this release alone: any other one is a mistake.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, core_schema

from schema.vocab import Vocabulary

STORED = "stored"  # the context in which a stored document is validated: it is not compared with today's catalogue


class NewerWord(str):
    """A word of a stored document that no vocabulary of this release has."""

    __slots__ = ()


@dataclass(frozen=True)
class OrNewer:
    """Marks a field with a word of a vocabulary, or in a stored document a `NewerWord`."""

    vocabulary: type[Vocabulary]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the vocabulary, whose errors and JSON schema are those of the field."""
        return core_schema.with_info_wrap_validator_function(
            _word,
            handler.generate_schema(self.vocabulary),
            serialization=core_schema.plain_serializer_function_ser_schema(_as_it_is),
        )


def is_stored(info: ValidationInfo) -> bool:
    """Return whether a value of a stored document is validated."""
    return info.context == STORED


def _as_it_is(word: str) -> str:
    return word


def _word(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:  # noqa: ANN401 - as it was written
    try:
        return handler(value)
    except ValidationError:
        if is_stored(info) and isinstance(value, str):
            return NewerWord(value)
        raise
