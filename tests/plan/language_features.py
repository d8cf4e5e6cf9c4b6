"""The features of the query language for records and lists, and those that a document uses, whatever the table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    EnumValueNode,
    FieldNode,
    GraphQLType,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from tests.plan.oracle.executor import contract

Feature = tuple[str, str]  # a kind of type and its field, argument or enum value; or a directive

KINDS = (
    "Connection",
    "Edge",
    "PageInfo",
    "Aggregate",
    "ListFilter",
    "ListOrder",
    "Filter",
    "Group",
    "Where",
    "GroupKey",
    "GroupOrder",
    "Having",
)


def used_features(documents: Iterable[str]) -> set[Feature]:
    """Return the features that documents use."""
    info = TypeInfo(contract())
    collector = _FeatureCollector(info)
    for document in documents:
        visit(parse(document), TypeInfoVisitor(info, collector))
    return collector.found


def all_features() -> set[Feature]:
    """Return the features that the schema has for records and lists."""
    return set(_schema_features())


def _schema_features() -> Iterator[Feature]:
    types: Mapping[str, Any] = contract().type_map
    for kind in ("ContactConnection", "ContactEdge", "PageInfo", "ContactAggregate"):
        yield from ((_kind_of(types[kind]), field) for field in types[kind].fields)
    for kind in ("StringFilter", "DateTimeFilter", "DealListFilter", "DealListOrder"):
        yield from ((_kind_of(types[kind]), field) for field in types[kind].fields)
    yield from (("arguments of Connection", argument) for argument in types["Query"].fields["contacts"].args)
    yield from (("arguments of Group", argument) for argument in types["DealConnection"].fields["groupBy"].args)
    yield from (("Where", field) for field in ("and", "or", "not"))
    yield from (("Having", field) for field in ("and", "or", "not", "count", "sum"))
    yield from (("GroupOrder", field) for field in ("count", "key", "sum", "max"))
    yield from (("SortDirection", value) for value in types["SortDirection"].values)
    yield from (("directive", name) for name in ("skip", "include"))
    yield from (("arguments of Connection", argument) for argument in types["Query"].fields["search"].args)
    yield from (("Query", field) for field in ("node", "nodes", "search"))


class _FeatureCollector(Visitor):
    """Collects the features that a document uses: fields and arguments by kind of type, enum values, directives."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.found: set[Feature] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.found.add((_kind_of(self.info.get_parent_type()), node.name.value))
        for argument in node.arguments or ():
            self.found.add((f"arguments of {_kind_of(self.info.get_type())}", argument.name.value))

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        self.found.add((_kind_of(self.info.get_parent_input_type()), node.name.value))

    def enter_enum_value(self, node: EnumValueNode, *_: object) -> None:
        self.found.add((str(get_named_type(self.info.get_input_type())), node.value))

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.found.add(("directive", node.name.value))


def _kind_of(of_type: object) -> str:
    """Return the kind of a type: its name without the name of a table."""
    name = str(get_named_type(of_type)) if isinstance(of_type, GraphQLType) else ""
    return next((kind for kind in KINDS if name.endswith(kind)), name)
