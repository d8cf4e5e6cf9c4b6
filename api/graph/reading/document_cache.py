"""Documents by their text: parsed, measured and validated once, however often they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import strawberry
from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from graphql.language import Token, TokenKind
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.schema import validate_document

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared
from api.graph.reading.limits import MAX_TOKENS, as_error, over_limits, too_many_tokens, too_much_to_compare
from api.graph.reading.variables import Operation, structural_variables

# Syntax trees take about a kilobyte a token: so many tokens of documents are kept, whoever asks.
KEPT_TOKENS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class ValidatedDocument:
    """A document that may run, or what is wrong with it."""

    document: DocumentNode = field(default_factory=DocumentNode)
    errors: tuple[GraphQLError, ...] = ()
    weight: int = 1
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    operations: Mapping[str | None, Operation] = field(default_factory=dict)  # by name; the only one under None too

    def operation(self, name: str | None) -> Operation:
        """The operation to run; BAD_INPUT where that is not clear."""
        found = self.operations.get(name)
        if found is None:
            what = f"operation `{name}`" if name else "operation, or several"
            message = f"The document has no {what}."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Name the one to run with `operationName`.")
        return found


class Documents:
    """The documents asked lately. What is wrong with one is kept too: it stays wrong."""

    def __init__(self, schema: strawberry.Schema, types: Mapping[str, Declared]) -> None:
        self._schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public way to the schema it builds
        self._types = types
        self._kept: LRUCache[str, ValidatedDocument] = LRUCache(
            KEPT_TOKENS, getsizeof=lambda validated: validated.weight
        )

    def validated(self, text: str) -> ValidatedDocument:
        """The document of a text."""
        try:
            return self._kept[text]
        except KeyError:
            found = self._kept[text] = self._check(text)
            return found

    def _check(self, text: str) -> ValidatedDocument:
        # A text longer than its tokens explain, by comments and spaces, weighs what it holds.
        weight = 1 + len(text) // 64
        try:
            document = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_TOKENS)
        except GraphQLError as error:
            # Where it was raised is forgotten: the parser there holds a kilobyte for each token it has read.
            return ValidatedDocument(errors=(_told(error).with_traceback(None),), weight=weight)
        weight += _tokens(document)
        errors = over_limits(document) or validate_document(self._schema, document, tuple(specified_rules))
        if errors:
            return ValidatedDocument(errors=tuple(map(_told, errors)), weight=weight)
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        return ValidatedDocument(document, (), weight, fragments, self._operations(document))

    def _operations(self, document: DocumentNode) -> dict[str | None, Operation]:
        structural = structural_variables(self._schema, self._types, document)
        nodes = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        found = {node.name.value if node.name else None: Operation(self._schema, node, structural) for node in nodes}
        if len(found) == 1:
            (found[None],) = found.values()
        return found


def _told(error: GraphQLError) -> GraphQLError:
    """GraphQL's words, but for its limits, which are ours to tell."""
    if f"more than {MAX_TOKENS} " in error.message:
        return as_error(too_many_tokens())
    if isinstance(error, ValidationAbortedError):
        return as_error(too_much_to_compare())
    return error


def _tokens(document: DocumentNode) -> int:
    count = 0
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None and token.kind is not TokenKind.EOF:
        count += 1
        token = token.next
    return count
