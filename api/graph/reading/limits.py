"""How much one document may hold, whatever it says: tokens, depth, aliases and their length, directives, root fields.

Fragments count as often as they are spread, yet each is walked once: a short document of fragments within fragments
means exponentially many fields, and must cost no more than its length to refuse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
MAX_ALIAS_LENGTH = 100  # characters; an answer repeats it with each record
MAX_DIRECTIVES = 50
MAX_ROOT_FIELDS = 20

# What the document says of the schema is bounded by GraphQL's own rule, and needs more levels.
_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class _Size:
    """What a part of a document comes to, its fragments written out."""

    levels: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0  # of its own level
    longest: int = 0  # alias

    def beside(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.levels, other.levels),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            max(self.longest, other.longest),
        )


_NOTHING = _Size()


def over_limits(document: DocumentNode) -> list[GraphQLError]:
    """The limits that an operation of the document passes, each with the document's figure; none is fine."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    walk = _Walk(fragments, {})
    errors: list[GraphQLError] = []
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            size = walk.of(operation.selection_set).beside(_Size(directives=len(operation.directives or ())))
            errors += [_over(operation, *each) for each in _figures(size) if each[1] > each[2]]
    return errors


def too_many_tokens() -> AccordError:
    """The refusal of a document that the parser gave up."""
    return _refusal("tokens", f"more than {MAX_TOKENS:,}", MAX_TOKENS)


def too_much_to_compare() -> AccordError:
    """The refusal of a document whose validation was given up: the same keys, each to be compared with all others."""
    message = "The question names the same fields so often that it takes too long to see whether they agree."
    return AccordError(ErrorCode.TOO_LARGE, message, "Name each field once where its value is wanted.")


def as_error(refusal: AccordError, operation: OperationDefinitionNode | None = None) -> GraphQLError:
    """A refusal as an error of the document."""
    return GraphQLError(refusal.message, operation, original_error=refusal)


def _figures(size: _Size) -> Sequence[tuple[str, int, int]]:
    return (
        ("levels of fields", size.levels, MAX_LEVELS),
        ("aliases", size.aliases, MAX_ALIASES),
        ("directives", size.directives, MAX_DIRECTIVES),
        ("root fields", size.fields, MAX_ROOT_FIELDS),
        ("characters in an alias", size.longest, MAX_ALIAS_LENGTH),
    )


def _over(operation: OperationDefinitionNode, what: str, figure: int, limit: int) -> GraphQLError:
    shown = f"{figure:,}" if figure < 10**9 else "over a thousand million"
    return as_error(_refusal(what, shown, limit), operation)


def _refusal(what: str, figure: str, limit: int) -> AccordError:
    message = f"The question has {figure} {what}, fragments written out, and may have {limit:,}."
    return AccordError(ErrorCode.TOO_LARGE, message, "Ask in several requests, or for less in one.")


@dataclass(frozen=True, slots=True)
class _Walk:
    """One document: each fragment is measured when it is first met."""

    fragments: Mapping[str, FragmentDefinitionNode]
    known: dict[str, _Size]

    def of(self, selected: SelectionSetNode) -> _Size:
        total = _NOTHING
        for node in selected.selections:
            total = total.beside(_Size(directives=len(node.directives or ())))
            if isinstance(node, FieldNode):
                total = total.beside(self._field(node))
            elif isinstance(node, FragmentSpreadNode):
                total = total.beside(self._fragment(node.name.value))
            else:
                total = total.beside(self.of(node.selection_set))  # type: ignore[attr-defined]
        return total

    def _field(self, node: FieldNode) -> _Size:
        aliases, longest = (1, len(node.alias.value)) if node.alias else (0, 0)
        if node.selection_set is None or node.name.value in _INTROSPECTION:
            return _Size(1, aliases, 0, 1, longest)
        within = self.of(node.selection_set)
        longest = max(longest, within.longest)
        return _Size(within.levels + 1, within.aliases + aliases, within.directives, 1, longest)

    def _fragment(self, name: str) -> _Size:
        if name not in self.known:
            self.known[name] = _NOTHING  # spread within itself: validation says so
            fragment = self.fragments.get(name)
            if fragment is not None:
                self.known[name] = self.of(fragment.selection_set)
        return self.known[name]
