"""From a document's fields to the figures that they ask of all rows of a list, together or in groups."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import FieldNode

from api.graph.declared import Declared, ObjectType
from api.graph.derived.group_types import read_group_order, read_having, read_keys, read_size
from api.graph.reading.document import Document
from api.graph.sources import FromLink, FromMoney
from api.plan.selection import (
    Aggregate,
    Field,
    Figure,
    Figures,
    FigureValue,
    Function,
    Groups,
    Having,
    KeyValues,
    Member,
    ToOne,
    Typename,
    Value,
)
from schema.base import TableShape

_TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class FigureReader:
    """Reads figures. `record` reads what is asked of a record of a table, `members` the parts of any other object;
    `met` counts what is asked, `measured` the objects in filters.
    """

    document: Document
    types: Mapping[str, Declared]
    record: Callable[[Sequence[FieldNode], str], tuple[Field, ...]]
    members: Callable[[Sequence[FieldNode], str], tuple[Member | Typename, ...]]
    met: Callable[[], None]
    measured: Callable[[str, Mapping[str, Any]], None]

    def aggregate(self, key: str, nodes: Sequence[FieldNode], shape: TableShape) -> Aggregate:
        """The figures asked of rows, from the field whose value they are."""
        name = f"{shape.type_name}Aggregate"
        declared = self.declared(name)
        parts: list[FigureValue | Figures | Typename] = []
        for own, selected in self.document.fields(nodes, name).items():
            self.met()
            match selected[0].name.value:
                case "__typename":
                    parts.append(Typename(own, name))
                case "count":
                    parts.append(FigureValue(own, Figure("count")))
                case function:
                    columns = declared.field(function).type.name
                    parts.append(Figures(own, self._values(selected, columns, cast("Function", function))))
        return Aggregate(key, tuple(parts))

    def groups(self, key: str, nodes: Sequence[FieldNode], shape: TableShape) -> Groups:
        """The groups asked of rows. Errors: BAD_INPUT and TOO_LARGE for arguments that cannot be."""
        arguments = self.document.arguments(f"{shape.type_name}Connection", nodes[0])
        keys, having = read_keys(shape, arguments["keys"]), arguments.get("having")
        if having is not None:
            self.measured("having", having)
        return Groups(
            key,
            keys,
            self._group(nodes, shape),
            read_size(arguments.get("first")),
            Having() if having is None else read_having(shape, having),
            read_group_order(shape, keys, arguments.get("orderBy") or ()),
        )

    def _group(
        self, nodes: Sequence[FieldNode], shape: TableShape
    ) -> tuple[FigureValue | KeyValues | Aggregate | Typename, ...]:
        name = f"{shape.type_name}Group"
        parts: list[FigureValue | KeyValues | Aggregate | Typename] = []
        for key, selected in self.document.fields(nodes, name).items():
            self.met()
            match selected[0].name.value:
                case "key":
                    parts.append(KeyValues(key, self._key(selected, shape)))
                case "count":
                    parts.append(FigureValue(key, Figure("count")))
                case "aggregate":
                    parts.append(self.aggregate(key, selected, shape))
                case _:
                    parts.append(Typename(key, name))
        return tuple(parts)

    def _key(self, nodes: Sequence[FieldNode], shape: TableShape) -> tuple[Value | ToOne | Typename, ...]:
        name = f"{shape.type_name}Key"
        parts: list[Value | ToOne | Typename] = []
        for key, selected in self.document.fields(nodes, name).items():
            self.met()
            if selected[0].name.value == _TYPENAME:
                parts.append(Typename(key, name))
                continue
            source = self.declared(name).field(selected[0].name.value).source
            if isinstance(source, FromLink):
                link = source.link
                parts.append(ToOne(key, link.column, link.target, self.record(selected, link.target)))
            else:
                parts.append(Value(key, column_of(source)))
        return tuple(parts)

    def declared(self, name: str) -> ObjectType:
        """The object type of that name."""
        found = self.types[name]
        if not isinstance(found, ObjectType):
            raise TypeError(f"{name} is no object type")
        return found

    def _values(
        self, nodes: Sequence[FieldNode], type_name: str, function: Function
    ) -> tuple[FigureValue | Typename, ...]:
        declared = self.declared(type_name)
        parts: list[FigureValue | Typename] = []
        for key, selected in self.document.fields(nodes, type_name).items():
            self.met()
            if selected[0].name.value == _TYPENAME:
                parts.append(Typename(key, type_name))
                continue
            source = declared.field(selected[0].name.value).source
            members = self.members(selected, "Money") if isinstance(source, FromMoney) else ()
            parts.append(FigureValue(key, Figure(function, column_of(source)), members))
        return tuple(parts)


def column_of(source: object) -> str:
    """The column that a field of a derived type is read from; TypeError if it is none."""
    column = getattr(source, "column", None)
    if not isinstance(column, str):
        raise TypeError(f"{source} is no column")
    return column
