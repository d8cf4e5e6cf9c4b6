"""Documents by their text: each is parsed, measured and validated once, and kept for later requests."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

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
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.schema import validate_document

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared
from api.graph.reading.limits import (
    MAX_TOKENS,
    as_graphql_error,
    limit_errors,
    too_many_comparisons,
    too_many_tokens,
)
from api.graph.reading.refused_values import with_way
from api.graph.reading.variables import Operation, structural_variables

# The size of the cache over all callers. A syntax tree takes about a kilobyte a token.
KEPT_TOKENS = 100_000
# How much graphql-core compares before it gives up: at its own limit, a document of 2,000 tokens takes a second.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class ValidatedDocument:
    """A document that can be executed, or its errors."""

    document: DocumentNode = field(default_factory=DocumentNode)
    errors: tuple[GraphQLError, ...] = ()
    weight: int = 1
    text_hash: str = ""  # the SHA-256 of its text, by which logs name it; of one with errors, none
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    operations: Mapping[str | None, Operation] = field(default_factory=dict)  # by name; the only one under None too

    def operation(self, name: str | None) -> Operation:
        """Return the operation of that name, or the only one. Errors: OPERATION_RESOLUTION_FAILURE."""
        found = self.operations.get(name)
        if found is None:
            message = (
                f"The document has no operation `{name}`."
                if name
                else "The document does not have exactly one operation."
            )
            remedy = "Name the operation to run in `operationName`."
            raise AccordError(ErrorCode.OPERATION_RESOLUTION_FAILURE, message, remedy)
        return found


class DocumentCache:
    """The documents of recent requests. Invalid ones are kept too, with their errors."""

    def __init__(self, schema: GraphQLSchema, types: Mapping[str, Declared]) -> None:
        self._schema = schema
        self._types = types
        self._kept: LRUCache[str, ValidatedDocument] = LRUCache(KEPT_TOKENS, getsizeof=lambda kept: kept.weight)

    def validated(self, text: str) -> ValidatedDocument:
        """Return the document of a text, parsed and validated."""
        try:
            return self._kept[text]
        except KeyError:
            found = self._kept[text] = self._validate(text)
            return found

    def _validate(self, text: str) -> ValidatedDocument:
        # The text itself is kept as the key: comments and white space make it longer than its tokens suggest.
        weight = 1 + len(text) // 64
        try:
            document = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_TOKENS)
        except GraphQLError as error:
            # The traceback refers to the parser, which holds a kilobyte for each token that it has read.
            return ValidatedDocument(errors=(_own_limit(error).with_traceback(None),), weight=weight)
        weight += _token_count(document)
        errors = limit_errors(document) or validate_document(self._schema, document, tuple(specified_rules))
        if errors:
            return ValidatedDocument(errors=tuple(map(_own_limit, errors)), weight=weight)
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        text_hash = hashlib.sha256(text.encode()).hexdigest()
        return ValidatedDocument(document, (), weight, text_hash, fragments, self._operations(document))

    def _operations(self, document: DocumentNode) -> dict[str | None, Operation]:
        structural = structural_variables(self._schema, self._types, document)
        nodes = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        found = {node.name.value if node.name else None: Operation(self._schema, node, structural) for node in nodes}
        if len(found) == 1:
            (found[None],) = found.values()
        return found


def _own_limit(error: GraphQLError) -> GraphQLError:
    """Replace graphql-core's errors about the limits that we set, and about known mistakes: ours say what to do."""
    if f"more than {MAX_TOKENS} " in error.message:
        return as_graphql_error(too_many_tokens())
    if isinstance(error, ValidationAbortedError):
        return as_graphql_error(too_many_comparisons())
    return with_way(error)


def _token_count(document: DocumentNode) -> int:
    count = 0
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None and token.kind is not TokenKind.EOF:
        count += 1
        token = token.next
    return count
