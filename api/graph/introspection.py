"""Introspection beside the event loop: what a document asks of the schema alone is the same for everybody, and kept.

The whole schema takes a fifth of a second of Python. In the event loop, no other request and no health check would be
served meanwhile.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import ExecutionResult, FieldNode, GraphQLSchema, OperationDefinitionNode, execute_sync

from api.graph.reading.document_cache import ValidatedDocument
from api.graph.reading.limits import INTROSPECTION

KEPT_BYTES = 16_000_000  # the schema takes 1.5 MB
_NAMES = frozenset({*INTROSPECTION, "__typename"})


class Introspection:
    """Answers documents that select nothing but the schema. One thread computes, one answer after another."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="accord-introspection")
        self._kept: LRUCache[tuple[str, bytes], bytes] = LRUCache(KEPT_BYTES, getsizeof=len)

    async def answer(
        self, validated: ValidatedDocument, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> bytes | None:
        """Return the data as JSON; None if the document selects anything else, or has an error to report."""
        if not is_introspection(operation):
            return None
        name = operation.name.value if operation.name else None
        key = (validated.text_hash, orjson.dumps([name, variables], option=orjson.OPT_SORT_KEYS))
        kept = self._kept.get(key)
        if kept is None:
            loop = asyncio.get_running_loop()
            kept = await loop.run_in_executor(self._thread, self._data, validated, name, variables)
            if kept is not None and len(kept) + len(key[1]) <= KEPT_BYTES // 4:
                self._kept[key] = kept
        return kept

    def _data(self, validated: ValidatedDocument, name: str | None, variables: Mapping[str, Any]) -> bytes | None:
        result = execute_sync(self._schema, validated.document, variable_values=dict(variables), operation_name=name)
        return None if not isinstance(result, ExecutionResult) or result.errors else orjson.dumps(result.data)


def is_introspection(operation: OperationDefinitionNode) -> bool:
    """Whether the root fields are the schema, types of it, or the name of the root type: at least one of the first."""
    names = [node.name.value for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    is_all = len(names) == len(operation.selection_set.selections)
    return is_all and _NAMES.issuperset(names) and not INTROSPECTION.isdisjoint(names)
