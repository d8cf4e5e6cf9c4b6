"""Reading the fields `aggregate` and `groupBy`: what is selected of the figures of many rows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import FieldNode

from api.graph.declared import Declared, object_type
from api.graph.derived.money_types import CONVERTED_MONEY
from api.graph.derived.record_types import MONEY
from api.graph.derived.stage_types import STAGE_KEY
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.group_values import read_group_limit, read_group_order, read_having, read_keys
from api.graph.reading.limits import Usage
from api.graph.sources import FieldSource, FromColumn, FromConverted, FromLink, FromMoney, FromStage
from api.plan.list_arguments import AggregateCall, AggregateFunction, Having
from api.plan.selection import (
    Aggregate,
    AggregateField,
    ColumnValue,
    Field,
    FunctionFields,
    GroupCount,
    Groups,
    KeyValues,
    ObjectMember,
    PresentStage,
    ToOne,
    Typename,
)
from schema.base import TableShape

TYPENAME = "__typename"


@dataclass(frozen=True, slots=True)
class AggregateReader(ABC):
    """Reads figures of many rows. The selection of a single record, which a group's key may link to, is left abstract.

    `usage` counts what was read so far against the limits.
    """

    collector: FieldCollector
    types: Mapping[str, Declared]
    usage: Usage = field(default_factory=Usage)

    @abstractmethod
    def record(self, nodes: Sequence[FieldNode], table: str) -> tuple[Field, ...]:
        """Return what is selected of a record of the table, the value of `nodes`."""

    def aggregate(self, key: str, nodes: Sequence[FieldNode], shape: TableShape) -> Aggregate:
        """Return the figures selected in the field `aggregate` of a list or a group."""
        name = f"{shape.type_name}Aggregate"
        declared = object_type(self.types, name)
        parts: list[AggregateField | FunctionFields | Typename] = []
        for own, selected in self.collector.collect(nodes, name).items():
            self.usage.add_field()
            match selected[0].name.value:
                case "__typename":
                    parts.append(Typename(own, name))
                case "count":
                    parts.append(AggregateField(own, AggregateCall("count")))
                case function:
                    columns = declared.field(function).type.name
                    parts.append(
                        FunctionFields(own, self._values(selected, columns, cast("AggregateFunction", function)))
                    )
        return Aggregate(key, tuple(parts))

    def groups(self, key: str, nodes: Sequence[FieldNode], shape: TableShape) -> Groups:
        """Return what the field `groupBy` selects. Errors: BAD_INPUT and TOO_LARGE for its arguments."""
        arguments = self.collector.arguments(f"{shape.type_name}Connection", nodes[0])
        keys = read_keys("groupBy", shape, arguments["keys"])
        return Groups(
            key,
            keys,
            self._group(nodes, shape),
            read_group_limit(arguments.get("first")),
            self._having(shape, arguments.get("having")),
            read_group_order(shape, keys, arguments.get("orderBy") or ()),
        )

    def group_count(self, key: str, nodes: Sequence[FieldNode], shape: TableShape) -> GroupCount:
        """Return which groups the field `groupCount` counts. Errors: BAD_INPUT and TOO_LARGE for its arguments."""
        arguments = self.collector.arguments(f"{shape.type_name}Connection", nodes[0])
        keys = read_keys("groupCount", shape, arguments["keys"])
        return GroupCount(key, keys, self._having(shape, arguments.get("having")))

    def members(self, nodes: Sequence[FieldNode], type_name: str) -> tuple[ObjectMember | Typename, ...]:
        """Return what is selected of an object that is part of a row, such as `Money` or `PageInfo`."""
        fields = self.collector.collect(nodes, type_name).items()
        named = ((key, selected[0].name.value) for key, selected in fields)
        return tuple(Typename(key, type_name) if name == TYPENAME else ObjectMember(key, name) for key, name in named)

    def _having(self, shape: TableShape, given: Mapping[str, Any] | None) -> Having:
        if given is None:
            return Having()
        self.usage.add_filter("having", given)
        return read_having(shape, given)

    def _group(
        self, nodes: Sequence[FieldNode], shape: TableShape
    ) -> tuple[AggregateField | KeyValues | Aggregate | Typename, ...]:
        name = f"{shape.type_name}Group"
        parts: list[AggregateField | KeyValues | Aggregate | Typename] = []
        for key, selected in self.collector.collect(nodes, name).items():
            self.usage.add_field()
            match selected[0].name.value:
                case "key":
                    parts.append(KeyValues(key, self._key(selected, shape)))
                case "count":
                    parts.append(AggregateField(key, AggregateCall("count")))
                case "aggregate":
                    parts.append(self.aggregate(key, selected, shape))
                case _:
                    parts.append(Typename(key, name))
        return tuple(parts)

    def _key(
        self, nodes: Sequence[FieldNode], shape: TableShape
    ) -> tuple[ColumnValue | ToOne | PresentStage | Typename, ...]:
        name = f"{shape.type_name}Key"
        declared = object_type(self.types, name)
        parts: list[ColumnValue | ToOne | PresentStage | Typename] = []
        for key, selected in self.collector.collect(nodes, name).items():
            self.usage.add_field()
            if selected[0].name.value == TYPENAME:
                parts.append(Typename(key, name))
                continue
            source = declared.field(selected[0].name.value).source
            if isinstance(source, FromLink):
                link = source.link
                parts.append(ToOne(key, link.column, link.target, self.record(selected, link.target)))
            elif isinstance(source, FromStage):
                parts.append(PresentStage(key, self.members(selected, STAGE_KEY)))
            else:
                parts.append(ColumnValue(key, _column(source)))
        return tuple(parts)

    def _values(
        self, nodes: Sequence[FieldNode], type_name: str, function: AggregateFunction
    ) -> tuple[AggregateField | Typename, ...]:
        declared = object_type(self.types, type_name)
        parts: list[AggregateField | Typename] = []
        for key, selected in self.collector.collect(nodes, type_name).items():
            self.usage.add_field()
            if selected[0].name.value == TYPENAME:
                parts.append(Typename(key, type_name))
                continue
            source = declared.field(selected[0].name.value).source
            if isinstance(source, FromConverted):
                call = AggregateCall(function, source.column, is_converted=True)
                parts.append(AggregateField(key, call, self.members(selected, CONVERTED_MONEY)))
                continue
            members = self.members(selected, MONEY) if isinstance(source, FromMoney) else ()
            is_float = isinstance(source, FromColumn) and source.is_float
            parts.append(AggregateField(key, AggregateCall(function, _column(source)), members, is_float))
        return tuple(parts)


def _column(source: FieldSource | None) -> str:
    if not isinstance(source, FromColumn | FromMoney):
        raise TypeError(f"{source} is not a column")
    return source.column
