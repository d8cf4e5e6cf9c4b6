"""The socket that the server listens on: bound here, shared with other processes, or passed by the supervisor."""

import errno
import os
import resource
import socket

from api.errors import AccordError, ErrorCode
from api.settings import Settings

_FIRST_PASSED = 3  # as sd_listen_fds(3) defines it
_BACKLOG = 2048
_MOST_FILES = 65_536


def open_listener(settings: Settings) -> socket.socket:
    """Return the socket that a supervisor passed, or else bind one, before anything is started.

    Errors: PORT_IN_USE.
    """
    return passed_listener() or bound_listener(settings.host, settings.port, is_shared=settings.reuse_port)


def allow_many_connections() -> None:
    """Raise the limit of open files to what the system allows this process.

    Each connection is one. Most systems begin with 1,024 for programs that cannot count further; at the limit a server
    accepts nobody, and cannot connect to its database.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def passed_listener() -> socket.socket | None:
    """Return the listening socket that systemd passed to this process (`LISTEN_FDS`); None if it passed none.

    The supervisor keeps it open: while one process ends and the next one starts, connections wait in it. Errors:
    PORT_IN_USE if it passed several, or one that does not listen for TCP connections.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    number = os.environ.get("LISTEN_FDS", "")
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)  # they are not for the programs that this process starts
    if number != "1":
        raise _not_passed(f"LISTEN_FDS is {number!r}, so that it is not one")
    try:
        listener = socket.socket(fileno=_FIRST_PASSED)
        listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise _not_passed(f"the descriptor {_FIRST_PASSED} is no socket: {error.strerror}") from error
    if not listens or listener.family not in (socket.AF_INET, socket.AF_INET6) or listener.type != socket.SOCK_STREAM:
        listener.detach()
        raise _not_passed("it does not listen for TCP connections")
    listener.set_inheritable(False)
    return listener


def bound_listener(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Bind a port; with `is_shared`, beside other processes that share it. Errors: PORT_IN_USE."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        if not is_shared:  # a shared one gets its connections when the server accepts them: until then the others do
            listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> AccordError:
    if error.errno == errno.EADDRINUSE:
        return AccordError(
            ErrorCode.PORT_IN_USE,
            f"Port {port} on {host} is in use by another program.",
            f"If it is an Accord left behind, stop it with `accord stop`. Or use another port: --port {port + 1}",
        )
    message = f"Accord cannot listen on {host}:{port}: {error.strerror}."
    return AccordError(ErrorCode.PORT_IN_USE, message, "Use another address with --host and --port.")


def _not_passed(problem: str) -> AccordError:
    return AccordError(
        ErrorCode.PORT_IN_USE,
        f"The supervisor passes a socket that Accord cannot use: {problem}.",
        "Pass one listening TCP socket (`ListenStream=` with a port in the .socket unit), or none.",
    )
