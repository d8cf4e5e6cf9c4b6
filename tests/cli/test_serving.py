"""How the server listens and stops: a shared or passed socket, no connection reset, gone in time."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.cli.serving.listening import allow_many_connections, bound_listener, passed_listener
from api.cli.serving.stopping import StoppingServer
from api.errors import AccordError, ErrorCode
from api.web.http_protocol import CoalescingProtocol


async def slow(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer after the seconds that the path states."""
    await asyncio.sleep(float(scope["path"][1:]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving(
    *, grace: float = 5, listener: socket.socket | None = None
) -> AsyncIterator[tuple[StoppingServer, int, "asyncio.Task[None]"]]:
    """A server of the application above, and the task that ends with it."""
    listener, started = listener or bound_listener("127.0.0.1", 0), asyncio.Event()
    config = uvicorn.Config(slow, http=CoalescingProtocol, ws="none", lifespan="off", log_level="warning")
    server = StoppingServer(config, grace_seconds=grace, on_started=started.set, on_stopping=lambda: None)
    port = listener.getsockname()[1]
    running = asyncio.create_task(server._serve([listener]))
    await asyncio.wait_for(started.wait(), 10)
    try:
        yield server, port, running
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, 20)


async def ask(port: int, path: str, *, wait: float = 0.0) -> tuple[str, str]:
    """Send a request on a new connection, in two halves if `wait` is given; the status line and `Connection`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(wait)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    answered = (await reader.read(65536)).decode()
    assert await reader.read() == b"" or "connection: close" not in answered
    writer.close()
    return answered.partition("\r\n")[0], "close" if "connection: close" in answered else "keep-alive"


async def test_requests_of_all_connections_that_were_opened_before_the_stop_are_served() -> None:
    async with serving() as (server, port, running):
        running_request = asyncio.create_task(ask(port, "/0.6"))
        # Opened before the stop; its request comes while the server stops.
        late = asyncio.create_task(ask(port, "/0", wait=0.45))
        await asyncio.sleep(0.1)
        server.should_exit = True
        await asyncio.sleep(0.15)
        # Opened while the server stops.
        new = asyncio.create_task(ask(port, "/0"))
        assert set(await asyncio.gather(running_request, late, new)) == {("HTTP/1.1 200 OK", "close")}
        await asyncio.wait_for(running, 5)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_connections_that_wait_to_be_accepted_are_served() -> None:
    listener = bound_listener("127.0.0.1", 0)
    async with serving(listener=listener) as (server, port, running):
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]  # the event loop does not run
        for client in waiting:
            client.sendall(b"GET /0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await server._stop_accepting([listener], time.monotonic() + 5)
        server.should_exit = True
        await asyncio.wait_for(running, 10)
        for client in waiting:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
            client.close()


async def test_an_idle_connection_is_closed_without_a_reset() -> None:
    async with serving() as (server, port, running):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (await reader.read(65536)).startswith(b"HTTP/1.1 200 OK")
        began = time.monotonic()
        server.should_exit = True
        assert await reader.read() == b""  # a reset raises ConnectionResetError
        await asyncio.wait_for(running, 5)
        assert time.monotonic() - began < 2
        writer.close()


async def test_a_request_that_outlasts_the_grace_period_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(grace=0.3) as (server, port, running):
        request = asyncio.create_task(ask(port, "/60"))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        server.should_exit = True
        await asyncio.wait_for(running, 5)
        assert time.monotonic() - began < 3
        assert await request == ("HTTP/1.1 503 Service Unavailable", "close")
    assert not [record for record in caplog.records if record.exc_info]


def test_a_shared_port_can_be_taken_over_and_an_unshared_one_cannot() -> None:
    with bound_listener("127.0.0.1", 0, is_shared=True) as first:
        first.listen()
        port = first.getsockname()[1]
        with bound_listener("127.0.0.1", port, is_shared=True):
            for _ in range(20):  # a server that only starts gets none of them
                socket.create_connection(("127.0.0.1", port)).close()
                first.accept()[0].close()
        with pytest.raises(AccordError) as refused:
            bound_listener("127.0.0.1", port)
    assert refused.value.code is ErrorCode.PORT_IN_USE


def test_a_socket_that_the_supervisor_passes_is_used() -> None:
    code = "from api.cli.serving.listening import passed_listener; print(passed_listener().getsockname()[1])"
    with bound_listener("127.0.0.1", 0) as listener:
        result = run_with_passed(listener, code)
        assert result.stdout.strip() == str(listener.getsockname()[1]), result.stderr


def test_a_passed_socket_that_does_not_listen_is_an_error() -> None:
    code = (
        "from api.cli.serving.listening import passed_listener\n"
        "try: passed_listener()\nexcept Exception as error: print(error)"
    )
    with socket.socket() as unbound:
        assert "does not listen" in run_with_passed(unbound, code).stdout


def run_with_passed(passed: socket.socket, code: str) -> "subprocess.CompletedProcess[str]":
    """Run a program as systemd does: the socket is descriptor 3, and LISTEN_PID is the id of the program."""
    start = (
        f"import os, sys; os.dup2({passed.fileno()}, 3);"
        " os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()));"
        f" os.execv(sys.executable, [sys.executable, '-c', {code!r}])"
    )
    return subprocess.run(
        [sys.executable, "-c", start], pass_fds=[passed.fileno()], capture_output=True, text=True, check=False
    )


def test_without_a_passed_socket_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))  # it is for another process
    assert passed_listener() is None


def test_the_last_resort_ends_a_process_that_hangs() -> None:
    code = (
        "import time\nfrom api.cli.serving.stopping import last_resort\n"
        "with last_resort(0.2) as resort:\n resort.start()\n time.sleep(60)"
    )
    began = time.monotonic()
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 1
    assert time.monotonic() - began < 30


def test_the_last_resort_spares_a_process_that_stops_in_time() -> None:
    code = (
        "import time\nfrom api.cli.serving.stopping import last_resort\n"
        "with last_resort(0.2) as resort:\n resort.start()\ntime.sleep(0.6)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_server_may_open_as_many_files_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        allow_many_connections()
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536))
