"""A GraphQL request as a value, independent of the transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One GraphQL request: a document, its variables as parsed from JSON, and the name of the operation to run.

    `query_hash` is the SHA-256 of a persisted query in hexadecimal; such a request may come without its document.
    `request_id` is that of the HTTP request, as logs and the audit have it.
    """

    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    query_hash: str | None = None
    request_id: str | None = None
