"""A number beside every exact decimal of a response: `value` is a string without loss, `valueFloat` is for charts."""

from dataclasses import replace

from api.graph.declared import Declared, ObjectType, Output, Resolver, TypeRef, from_row
from api.graph.derived.scalars import DECIMAL
from api.graph.sources import FromColumn


def with_float_fields(declared: Declared) -> Declared:
    """Return the type with a field `<name>Float` after every decimal field. Types without decimals do not change."""
    if not isinstance(declared, ObjectType):
        return declared
    fields = (beside for field in declared.fields for beside in ((field, *_float_field(field))))
    return replace(declared, fields=tuple(fields))


def _float_field(field: Output) -> tuple[Output, ...]:
    if field.type.name != DECIMAL.name or field.type.is_list:
        return ()
    # A row has the number already: PostgreSQL wrote it.
    resolve = field.resolve if field.resolve is from_row else _as_float(field.resolve)
    source = replace(field.source, is_float=True) if isinstance(field.source, FromColumn) else field.source
    return (
        replace(
            field,
            name=f"{field.name}Float",
            doc=f"`{field.name}` as the nearest 64-bit number, for charts. Do not add up money with it.",
            type=TypeRef("Float", field.type.is_required),
            resolve=resolve,
            source=source,
        ),
    )


def _as_float(resolve: Resolver) -> Resolver:
    def nearest(source: object, info: object) -> float | None:
        value = resolve(source, info)
        return None if value is None else float(value)

    return nearest
