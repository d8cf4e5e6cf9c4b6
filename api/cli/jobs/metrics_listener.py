"""The socket of the metrics, bound before anything is started, so that an address in use is an error at once."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

from api.errors import AccordError, ErrorCode
from api.settings import Settings


@contextmanager
def metrics_listener(settings: Settings) -> Iterator[socket.socket | None]:
    """A socket bound to ACCORD_METRICS_ADDRESS; None if it is not set. Errors: PORT_IN_USE.

    It is shared as the port of the server is, so that a new server can start before the old one stops.
    """
    address = settings.metrics_address
    if address is None:
        yield None
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, reuse_port=settings.reuse_port)
    except OSError as error:
        raise AccordError(
            ErrorCode.PORT_IN_USE,
            f"The metrics cannot be served at {address}: {error.strerror}.",
            "Set ACCORD_METRICS_ADDRESS to another address of this machine. Each process needs one of its own.",
        ) from error
    with closing(listener):
        yield listener
