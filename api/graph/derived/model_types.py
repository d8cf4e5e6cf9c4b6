"""Object types derived from dataclasses and Pydantic models, where each field is declared once.

A field without a description is not part of the contract. A type has the name of its class, unless that has a
`__graphql_name__`, and the first paragraph of its docstring as its description.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from api.graph.declared import ObjectType, Output, Resolver, TypeRef
from api.graph.derived.naming import camel
from api.graph.derived.scalars import SCALAR_NAMES
from api.graph.sources import FromAttribute
from schema.vocab import Vocabulary

# Names that Python does not allow, or that would not read well beside `before`.
_RENAMED = {"starts_at": "from", "starts_on": "from"}


def attribute(name: str) -> Resolver:
    """Return the resolver of an attribute."""
    read: Callable[[object, object], object] = lambda source, _info: getattr(source, name)  # noqa: E731 - one expression
    return read


@dataclasses.dataclass(frozen=True, kw_only=True)
class Derivation:
    """How the types of some models differ from what their declarations imply.

    `names` has GraphQL names that the models do not declare; `types` the type of a field where Python's annotation is
    wider; `left_out` described fields that are not shown; `properties` the properties that are shown, which their
    docstrings describe. `additions` returns computed fields of a model, `resolver` the resolver of an attribute;
    `interfaces` has those that a model's type implements.
    """

    names: Mapping[type, str] = dataclasses.field(default_factory=dict)
    types: Mapping[tuple[type, str], str] = dataclasses.field(default_factory=dict)
    left_out: frozenset[tuple[type, str]] = frozenset()
    properties: Mapping[type, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    additions: Callable[[type], tuple[Output, ...]] = lambda _model: ()
    resolver: Callable[[str], Resolver] = attribute
    interfaces: Mapping[type, tuple[str, ...]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _ModelField:
    """A described field or property of a model."""

    name: str
    annotation: Any
    doc: str


def model_types(roots: Iterable[type], derivation: Derivation) -> Iterator[ObjectType]:
    """Yield the object types of the models, and of the models in their fields."""
    waiting, seen = list(roots), set[type]()
    while waiting:
        model = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        fields = [field for field in _fields(model) if (model, field.name) not in derivation.left_out]
        fields += _properties(model, derivation.properties.get(model, ()))
        yield ObjectType(
            _type_name(model, derivation),
            (model.__doc__ or "").strip().partition("\n\n")[0],
            (*(_output(model, field, derivation) for field in fields), *derivation.additions(model)),
            derivation.interfaces.get(model, ()),
        )
        waiting += [inner for field in fields if _is_model(inner := _inner(field.annotation))]


def _fields(model: type) -> list[_ModelField]:
    if issubclass(model, BaseModel):
        infos = model.model_fields.items()
        return [_ModelField(name, info.annotation, info.description) for name, info in infos if info.description]
    if not dataclasses.is_dataclass(model):
        raise TypeError(f"{model.__name__} is neither a dataclass nor a Pydantic model")
    hints = get_type_hints(model)
    described = [field for field in dataclasses.fields(model) if "doc" in field.metadata]
    # A class's own fields come before those of its bases.
    place = {
        name: place
        for place, base in reversed(tuple(enumerate(model.__mro__)))
        for name in vars(base).get("__annotations__", ())
    }
    described.sort(key=lambda field: place[field.name])
    return [_ModelField(field.name, hints[field.name], field.metadata["doc"]) for field in described]


def _properties(model: type, names: Iterable[str]) -> Iterator[_ModelField]:
    for name in names:
        read = vars(model)[name].fget
        yield _ModelField(name, get_type_hints(read)["return"], read.__doc__)


def _output(model: type, field: _ModelField, derivation: Derivation) -> Output:
    name = _RENAMED.get(field.name, camel(field.name))
    shown = _type_ref(field.annotation, derivation.types.get((model, field.name)), derivation)
    return Output(name, field.doc, shown, derivation.resolver(field.name), source=FromAttribute(field.name))


def _type_name(model: type, derivation: Derivation) -> str:
    name: str = getattr(model, "__graphql_name__", model.__name__)
    return derivation.names.get(model, name)


def _type_ref(annotation: Any, named: str | None, derivation: Derivation) -> TypeRef:  # noqa: ANN401 - an annotation is any object
    """Return the GraphQL type of an annotation: `X`, `X | None`, `tuple[X, ...]`."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        inner = next(argument for argument in get_args(annotation) if argument is not type(None))
        return dataclasses.replace(_type_ref(inner, named, derivation), is_required=False)
    if origin is tuple:
        return _type_ref(get_args(annotation)[0], named, derivation).listed
    if named is not None:
        return TypeRef(named).required
    plain = _inner(annotation)
    known = SCALAR_NAMES.get(plain)
    if known is None and not (_is_model(plain) or issubclass(plain, Vocabulary)):
        raise TypeError(f"{annotation} has no GraphQL type")
    return (known or TypeRef(_type_name(plain, derivation))).required


def _inner(annotation: Any) -> type:  # noqa: ANN401 - an annotation is any object
    """Return the class within `X | None`, `tuple[X, ...]` and `Annotated[X, …]`; `str` for a literal of strings."""
    while (origin := get_origin(annotation)) is not None:
        if origin is Literal:
            return type(get_args(annotation)[0])
        arguments = get_args(annotation)[:1] if origin is Annotated else get_args(annotation)
        annotation = next(argument for argument in arguments if argument is not type(None))
    found: type = annotation
    return found


def _is_model(found: type) -> bool:
    return dataclasses.is_dataclass(found) or issubclass(found, BaseModel)
