"""Object types derived from dataclasses: an answer's field, its type and its meaning are declared once, there."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from api.graph.context import Info
from api.graph.declared import ObjectType, Output, Resolver, TypeRef
from api.graph.derived.naming import camel
from api.graph.derived.scalars import NAMES
from schema.vocab import Vocabulary

# GraphQL's word where it is none that Python allows, or would not read well beside `before`.
_RENAMED = {"starts_at": "from"}


def answer_types(
    roots: Iterable[type],
    special: Mapping[tuple[type, str], str],
    more: Mapping[type, tuple[Output, ...]] | None = None,
) -> Iterator[ObjectType]:
    """The types of the answers and of all that is in them.

    `special` names a field's type where Python's says less; `more` adds fields that are no part of the value.
    """
    waiting, seen = list(roots), set[type]()
    while waiting:
        answer = waiting.pop(0)
        if answer in seen:
            continue
        seen.add(answer)
        hints = get_type_hints(answer)
        fields = _in_reading_order(answer)
        yield ObjectType(
            _type_name(answer),
            (answer.__doc__ or "").strip(),
            (*(_field(answer, each, hints, special) for each in fields), *(more or {}).get(answer, ())),
        )
        waiting += [inner for each in fields if dataclasses.is_dataclass(inner := _inner(hints[each.name]))]


def _field(
    answer: type, each: "dataclasses.Field[Any]", hints: Mapping[str, Any], special: Mapping[tuple[type, str], str]
) -> Output:
    named = special.get((answer, each.name))
    doc = each.metadata["doc"]
    return Output(_RENAMED.get(each.name, camel(each.name)), doc, _ref(hints[each.name], named), _attribute(each.name))


def _in_reading_order(answer: type) -> "list[dataclasses.Field[Any]]":
    """An answer's own fields come before those it has in common with others; what goes along unsaid is none."""
    place = {
        name: place
        for place, base in reversed(tuple(enumerate(answer.__mro__)))
        for name in vars(base).get("__annotations__", ())
    }
    said = (each for each in dataclasses.fields(answer) if "doc" in each.metadata)
    return sorted(said, key=lambda each: place[each.name])


def _ref(hint: Any, named: str | None) -> TypeRef:  # noqa: ANN401 - an annotation is any object
    """The GraphQL type of an annotation: `X`, `X | None`, `tuple[X, ...]`."""
    if get_origin(hint) in (Union, UnionType):
        inner = next(each for each in get_args(hint) if each is not type(None))
        return dataclasses.replace(_ref(inner, named), is_required=False)
    if get_origin(hint) is tuple:
        return _ref(get_args(hint)[0], named).listed
    if named is not None:
        return TypeRef(named).required
    known = NAMES.get(hint)
    if known is None and not (dataclasses.is_dataclass(hint) or issubclass(hint, Vocabulary)):
        raise TypeError(f"{hint} is no type of an answer")
    return (known or TypeRef(_type_name(hint))).required


def _type_name(answer: type) -> str:
    """The GraphQL name of an answer's type: its class name, unless it declares another."""
    name: str = getattr(answer, "__graphql_name__", answer.__name__)
    return name


def _inner(hint: Any) -> type:  # noqa: ANN401 - an annotation is any object
    while get_origin(hint) is not None:
        hint = next(each for each in get_args(hint) if each is not type(None))
    found: type = hint
    return found


def _attribute(name: str) -> Resolver:
    read: Callable[[object, Info], object] = lambda source, _info: getattr(source, name)  # noqa: E731 - one expression
    return read
