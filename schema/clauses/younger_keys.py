"""Keys that are younger than the first signed documents.

A document that does not state such a key keeps its canonical text, and so its hash. Every key that is added to a model
of signed documents is marked with `YOUNGER`, and has a default.
"""

from typing import Any

from pydantic import BaseModel


class YoungerKey:
    """Marks a field that is left out of the canonical text while it has its default."""


YOUNGER = YoungerKey()


def leave_out_younger_defaults(model: BaseModel, body: dict[str, Any]) -> None:
    """Delete the younger keys with their defaults from a model's dump by alias, in the models within it too."""
    for name, field in type(model).model_fields.items():
        key, value = field.alias or name, getattr(model, name)
        if YOUNGER in field.metadata and value == field.default:
            body.pop(key, None)
        elif key in body:
            _leave_out_within(value, body[key])


def _leave_out_within(value: object, dumped: Any) -> None:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, BaseModel):
        leave_out_younger_defaults(value, dumped)
    elif isinstance(value, tuple):
        for item, dumped_item in zip(value, dumped, strict=True):
            _leave_out_within(item, dumped_item)
