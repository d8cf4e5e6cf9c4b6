"""Automatic persisted queries: a client sends the hash of a document that it sent before, in place of the document.

The protocol is Apollo's. A hash without a known document is answered with `PersistedQueryNotFound`, and the client then
sends both. Each process holds documents of its own and forgets the least recently used, which costs one more request.
"""

import hashlib
from dataclasses import replace

from cachetools import LRUCache

from api.errors import ErrorCode
from api.graph.request import GraphQLRequest
from api.web.responses import HttpError

MOST_QUERIES = 4_096
MOST_BYTES = 8 * 1024 * 1024
_LEAST_WEIGHT = MOST_BYTES // MOST_QUERIES  # so that one cache is bounded by entries and by bytes


class PersistedQueryNotFoundError(HttpError):
    """The hash has no document. Clients compare the message, which has to be this one word.

    The status is 200 because several clients read no response body of any other.
    """

    def __init__(self) -> None:
        super().__init__(
            200,
            "PersistedQueryNotFound",
            "Send the document together with its hash.",
            code=ErrorCode.PERSISTED_QUERY_NOT_FOUND,
        )

    def __str__(self) -> str:
        return self.message


class PersistedQueries:
    """The documents of persisted queries by hash, shared by all requests of the process."""

    def __init__(self) -> None:
        self._kept: LRUCache[str, str] = LRUCache(MOST_BYTES, getsizeof=_weight)

    def with_document(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with the document of its hash.

        Errors: PERSISTED_QUERY_NOT_FOUND; PERSISTED_QUERY_MISMATCH if the request has another document than its hash.
        """
        if request.query_hash is None:
            return request
        if request.query:
            if hashlib.sha256(request.query.encode()).hexdigest() != request.query_hash:
                message = "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`."
                remedy = "Hash the document as it is sent, in UTF-8."
                raise HttpError(400, message, remedy, code=ErrorCode.PERSISTED_QUERY_MISMATCH)
            return request
        text = self._kept.get(request.query_hash)
        if text is None:
            raise PersistedQueryNotFoundError
        return replace(request, query=text)

    def keep(self, request: GraphQLRequest) -> None:
        """Keep the document of a request under its hash, if it has one. The document has to be valid."""
        if request.query_hash is not None and request.query_hash not in self._kept:
            self._kept[request.query_hash] = request.query

    def __len__(self) -> int:
        return len(self._kept)


def _weight(text: str) -> int:
    return max(len(text.encode()), _LEAST_WEIGHT)
