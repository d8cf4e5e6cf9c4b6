"""The parts of a document, found also where others of its parts are wrong."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from schema.clauses.rules import AccordModel, rule_kind, rule_model
from schema.nearest_words import suggestion

Location = tuple[int | str, ...]
"""Where a part is, as Pydantic writes it: keys, places in lists, and after the place of a rule its kind."""

_DEEPEST = 100  # steps; below that a document has errors enough


def models_in(annotation: object) -> tuple[type[BaseModel], ...]:
    """The models in the annotation of a field, such as those of a tuple or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in models_in(argument))


def valid_parts(model: type[AccordModel], document: object) -> Iterator[tuple[Location, AccordModel]]:
    """Yield every valid model within a document with its location.

    Shapes: the document's model, and the document as an object of that model or as it was written, valid or not
            -> pairs, in the order of the models' fields.
    """
    if isinstance(document, AccordModel):
        yield from _of_model(document, ())
    elif isinstance(document, Mapping):
        yield from _of_fields(model, document, ())


def _of_value(annotation: object, value: object, location: Location) -> Iterator[tuple[Location, AccordModel]]:
    if len(location) > _DEEPEST:
        return
    if isinstance(value, AccordModel):
        yield from _of_model(value, location)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _of_value(annotation, item, (*location, place))
    elif isinstance(value, Mapping):
        yield from _of_table(models_in(annotation), value, location)


def _of_model(model: AccordModel, location: Location) -> Iterator[tuple[Location, AccordModel]]:
    kind = rule_kind(model)
    location = location if kind is None else (*location, kind)
    yield location, model
    for name, field in type(model).model_fields.items():
        yield from _of_value(field.annotation, getattr(model, name), (*location, field.alias or name))


def _of_table(
    models: tuple[type[BaseModel], ...], table: Mapping[str, Any], location: Location
) -> Iterator[tuple[Location, AccordModel]]:
    """Yield the table as a model and what is in it if it is valid, else its valid parts."""
    kind = rule_kind(table) if len(models) > 1 else None
    model = rule_model(kind) if kind is not None else models[0] if len(models) == 1 else None
    if model is None:
        return
    try:
        part = model.model_validate(table)
    except ValidationError:
        yield from _of_fields(model, table, location if kind is None else (*location, kind))
    else:
        yield from _of_value(model, part, location)


def _of_fields(
    model: type[BaseModel], table: Mapping[str, Any], location: Location
) -> Iterator[tuple[Location, AccordModel]]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in table:
            yield from _of_value(field.annotation, table[key], (*location, key))


def not_known(word: str, noun: str, known: Iterable[str]) -> str:
    """That a word is not known, with what it may have meant: a sentence without a full stop.

    Keys that are empty, because they are missing in the document, are left out.
    """
    return f"'{word}' is not a {noun}. {suggestion(word, [key for key in known if key], f'{noun}s')}".rstrip(".")
