"""Content negotiation: which of the media types we offer a client likes best."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

LONGEST_KEPT = 1_000  # bytes; a browser's `Accept` has some 150


class MediaType(StrEnum):
    """The media types of a GraphQL response, by the names of the GraphQL-over-HTTP specification."""

    GRAPHQL = "application/graphql-response+json"
    JSON = "application/json"


def _kept(read: Callable[[bytes | None], T]) -> Callable[[bytes | None], T]:
    """Reads a header once for each of the values met lately; one that is longer than any client's is not kept."""
    known = lru_cache(1_000)(read)
    return lambda accept: (read if accept is not None and len(accept) > LONGEST_KEPT else known)(accept)


@_kept
def negotiate(accept: bytes | None) -> MediaType | None:
    """The response type for an `Accept` header, or None if the client takes neither.

    A wildcard or no header at all is answered with `application/json`, which every client can read; the client that
    names the newer type gets it, unless it prefers the older one by its weight.
    """
    if accept is None or not accept.strip():
        return MediaType.JSON
    ranges = list(_ranges(accept))
    named = {media_type: weight for media_type, weight in ranges if media_type in tuple(MediaType)}
    liked = [MediaType(name) for name, weight in named.items() if weight > 0]
    if liked:
        # Equal weights: the newer type, which tells a GraphQL answer from a proxy's.
        return max(liked, key=lambda media_type: (named[media_type], media_type is MediaType.GRAPHQL))
    wildcards = ("*/*", "application/*")
    if any(media_type in wildcards and weight > 0 for media_type, weight in ranges):
        return next((offered for offered in (MediaType.JSON, MediaType.GRAPHQL) if offered not in named), None)
    return None


@_kept
def wants_page(accept: bytes | None) -> bool:
    """Whether the client is a browser that shows a page: it names HTML, which no GraphQL client does."""
    return any(media_type == "text/html" and weight > 0 for media_type, weight in _ranges(accept or b""))


def _ranges(accept: bytes) -> Iterator[tuple[str, float]]:
    for part in accept.decode("latin-1").split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if media_type:
            yield media_type, _weight(parameters)


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
