"""Content negotiation: the media type of a response by the request's `Accept`, and how such headers are read."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

LONGEST_CACHED = 1_000  # bytes; a browser's `Accept` has about 150


class MediaType(StrEnum):
    """The media types of a GraphQL response, as the GraphQL-over-HTTP specification names them."""

    GRAPHQL = "application/graphql-response+json"
    JSON = "application/json"


def cached_by_header(parse: Callable[[bytes | None], T]) -> Callable[[bytes | None], T]:
    """Cache the results for recent headers. A longer header than any client sends is parsed and not cached."""
    cached = lru_cache(1_000)(parse)
    return lambda accept: (parse if accept is not None and len(accept) > LONGEST_CACHED else cached)(accept)


@cached_by_header
def negotiate(accept: bytes | None) -> MediaType | None:
    """The media type of the response to a request with this `Accept` header; None if the client accepts neither.

    A wildcard, or no header at all, gets `application/json`, which every client can read. A client that names the
    newer type gets it, unless it gives the older one a higher weight.
    """
    if accept is None or not accept.strip():
        return MediaType.JSON
    ranges = list(weighted_values(accept))
    named = {media_type: weight for media_type, weight in ranges if media_type in tuple(MediaType)}
    accepted = [MediaType(name) for name, weight in named.items() if weight > 0]
    if accepted:
        # Equal weights: the newer type, which distinguishes a GraphQL response from one of a proxy.
        return max(accepted, key=lambda media_type: (named[media_type], media_type is MediaType.GRAPHQL))
    wildcards = ("*/*", "application/*")
    if any(media_type in wildcards and weight > 0 for media_type, weight in ranges):
        return next((offered for offered in (MediaType.JSON, MediaType.GRAPHQL) if offered not in named), None)
    return None


@cached_by_header
def wants_page(accept: bytes | None) -> bool:
    """Whether the client is a browser that displays a page: it accepts HTML, which no GraphQL client names."""
    return any(media_type == "text/html" and weight > 0 for media_type, weight in weighted_values(accept or b""))


def weighted_values(header: bytes) -> Iterator[tuple[str, float]]:
    """The values of an `Accept…` header in lower case, with their weights: 1 if none is given, 0 if it is malformed."""
    for part in header.decode("latin-1").split(","):
        value, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if value:
            yield value, _weight(parameters)


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
