"""From a document's fields to the figures that they ask of all rows of a list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from graphql import FieldNode

from api.graph.declared import Declared, ObjectType
from api.graph.document import Document
from api.graph.sources import FromMoney
from api.plan.selection import Aggregate, Figure, Figures, FigureValue, Function, Member, Typename
from schema.base import TableShape

_TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class FigureReader:
    """Reads figures. `members` reads the parts of an object that is no record, `met` counts what is asked."""

    document: Document
    types: Mapping[str, Declared]
    members: Callable[[Sequence[FieldNode], str], tuple[Member | Typename, ...]]
    met: Callable[[], None]

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
