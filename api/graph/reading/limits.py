"""The limits on one document and on what its fields select.

A document has limits on tokens, levels, aliases, directives and root fields; a selection on fields and filters. A
fragment counts as often as it is spread but is measured once: nested fragments let a short document stand for
exponentially many fields, and rejecting it must not cost more than its length.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.errors import AccordError, ErrorCode

MAX_TOKENS = 2_000
MAX_LEVELS = 12
MAX_ALIASES = 30
MAX_ALIAS_LENGTH = 100  # characters; the response repeats the alias in every record
MAX_DIRECTIVES = 50
MAX_ROOT_FIELDS = 20
# PostgreSQL plans the whole statement whatever the data, and nested fragments double a short document at each level.
MAX_FIELDS = 5_000
MAX_FILTERS = 2_000
MAX_FILTER_LEVELS = 40  # of objects within objects: a condition through one list and one link takes five

# Introspection needs more levels, and GraphQL has a rule of its own that limits it.
INTROSPECTION = frozenset({"__schema", "__type"})
# A fifth of a second of Python for each; tools read the schema once.
MAX_SCHEMAS = 1


@dataclass(slots=True)
class Usage:
    """How many fields and filters the selections of one document have so far."""

    fields: int = 0
    filters: int = 0

    def add_field(self) -> None:
        """Count a field of a record. Errors: TOO_LARGE."""
        self.fields += 1
        if self.fields > MAX_FIELDS:
            message = f"The document selects more than {MAX_FIELDS:,} fields of records, with fragments expanded."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Select fewer fields in one request.")

    def add_filter(self, argument: str, given: Mapping[str, Any]) -> None:
        """Count the objects of a filter. Errors: TOO_LARGE."""
        self.filters += _objects_in(argument, given)
        if self.filters > MAX_FILTERS:
            message = f"The filters of the document hold more than {MAX_FILTERS:,} objects."
            remedy = "Put many values into one `in`, or split the request."
            raise AccordError(ErrorCode.TOO_LARGE, message, remedy)


def _objects_in(argument: str, given: Mapping[str, Any]) -> int:
    """Count the objects of a filter, itself included. Errors: TOO_LARGE if they are nested too deeply."""
    count = 0
    level = [given]
    for _ in range(MAX_FILTER_LEVELS):
        count += len(level)
        level = [inner for outer in level for inner in _nested_objects(outer)]
        if not level:
            return count
    message = f"`{argument}` has objects nested on more than {MAX_FILTER_LEVELS} levels."
    remedy = "Put conditions that need no nesting side by side, in `and` and `or`."
    raise AccordError(ErrorCode.TOO_LARGE, message, remedy)


def _nested_objects(given: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for value in given.values():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Mapping):
                yield item


@dataclass(frozen=True, slots=True)
class _Size:
    """The size of a part of a document, with fragments expanded."""

    levels: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0  # of the part's own level
    longest_alias: int = 0
    schemas: int = 0

    def beside(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.levels, other.levels),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            max(self.longest_alias, other.longest_alias),
            self.schemas + other.schemas,
        )


_NOTHING = _Size()


def limit_errors(document: DocumentNode) -> list[GraphQLError]:
    """Return an error for each limit that an operation of the document exceeds."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(fragments, {})
    errors: list[GraphQLError] = []
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            size = walk.size(operation.selection_set).beside(_Size(directives=len(operation.directives or ())))
            for what, figure, limit in _measures(size):
                if figure > limit:
                    errors.append(_limit_error(operation, what, figure, limit))
    return errors


def too_many_tokens() -> AccordError:
    """Return the error for a document that the parser gave up on."""
    return _over_limit("tokens", f"more than {MAX_TOKENS:,}", MAX_TOKENS)


def too_many_comparisons() -> AccordError:
    """Return the error for a document whose validation was aborted: it compares all fields of one response key."""
    message = "The document repeats the same fields too often for their agreement to be validated."
    return AccordError(ErrorCode.TOO_LARGE, message, "Select each field once where you need its value.")


def as_graphql_error(error: AccordError, operation: OperationDefinitionNode | None = None) -> GraphQLError:
    """Return the error as a GraphQL error of the operation."""
    return GraphQLError(error.message, operation, original_error=error)


def _measures(size: _Size) -> Sequence[tuple[str, int, int]]:
    return (
        ("levels of fields", size.levels, MAX_LEVELS),
        ("aliases", size.aliases, MAX_ALIASES),
        ("directives", size.directives, MAX_DIRECTIVES),
        ("root fields", size.fields, MAX_ROOT_FIELDS),
        ("characters in an alias", size.longest_alias, MAX_ALIAS_LENGTH),
        ("fields `__schema`", size.schemas, MAX_SCHEMAS),
    )


def _limit_error(operation: OperationDefinitionNode, what: str, figure: int, limit: int) -> GraphQLError:
    shown = f"{figure:,}" if figure < 10**9 else "over a billion"
    return as_graphql_error(_over_limit(what, shown, limit), operation)


def _over_limit(what: str, figure: str, limit: int) -> AccordError:
    message = f"The document has {figure} {what}, with fragments expanded. The limit is {limit:,}."
    return AccordError(ErrorCode.TOO_LARGE, message, "Split the request, or select less in one.")


@dataclass(frozen=True, slots=True)
class _Walk:
    """Measures one document. The size of each fragment is computed once."""

    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, _Size]

    def size(self, selected: SelectionSetNode) -> _Size:
        total = _NOTHING
        for node in selected.selections:
            total = total.beside(_Size(directives=len(node.directives or ())))
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value))
            else:
                total = total.beside(self.size(node.selection_set))  # type: ignore[attr-defined]
        return total

    def _field(self, node: FieldNode) -> _Size:
        aliases, longest = (1, len(node.alias.value)) if node.alias else (0, 0)
        if node.selection_set is None or node.name.value in INTROSPECTION:
            return _Size(1, aliases, 0, 1, longest, int(node.name.value == "__schema"))
        inner = self.size(node.selection_set)
        return _Size(inner.levels + 1, inner.aliases + aliases, inner.directives, 1, max(longest, inner.longest_alias))

    def _fragment(self, name: str) -> _Size:
        if name not in self.known:
            self.known[name] = _NOTHING  # a fragment that spreads itself is rejected by validation
            fragment = self.fragments.get(name)
            if fragment is not None:
                self.known[name] = self.size(fragment.selection_set)
        return self.known[name]
