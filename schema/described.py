"""Dataclass fields with a description, from which other layers derive theirs."""

from dataclasses import MISSING, field
from typing import Any


def described(doc: str, *, default: Any = MISSING) -> Any:  # noqa: ANN401 - dataclasses.field is typed so
    """Declare a field with its description. A field without one is not part of the GraphQL contract."""
    return field(default=default, metadata={"doc": doc})
