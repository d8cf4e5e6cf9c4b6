"""Measures the content codings by level on responses of a running server: `python -m tests.bench.compression URL`."""

import statistics
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial

import brotli  # type: ignore[import-untyped]
import httpx
from graphql import get_introspection_query
from isal import isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CONTACTS = """query ($first: Int!) { contacts(first: $first) { nodes {
  id email firstName lastName jobTitle createdAt company { id name } stage { title since } } } }"""
_ROUNDS = 25

# Names, levels, and functions of a body and a level.
_CODINGS: tuple[tuple[str, tuple[int, ...], Callable[[bytes, int], bytes]], ...] = (
    ("zlib", (1, 4, 6), lambda body, level: zlib.compress(body, level, wbits=31)),
    ("isal", (0, 1, 2, 3), lambda body, level: isal_zlib.compress(body, level, wbits=31)),
    ("br", (0, 1, 2, 4, 5), lambda body, level: bytes(brotli.compress(body, quality=level))),
    ("zstd", (-1, 1, 2, 3, 5), zstd.compress),
)


def main() -> None:
    """Print a table for each response: milliseconds of CPU, the share of the response's time, bytes, ratio."""
    with httpx.Client(base_url=sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000") as client:
        for first in (50, 500):
            _print_table(f"{first} contacts", client, {"query": CONTACTS, "variables": {"first": first}})
        _print_table("introspection", client, {"query": get_introspection_query()})


def _print_table(title: str, client: httpx.Client, request: dict[str, object]) -> None:
    bodies, milliseconds = [], []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        bodies.append(client.post("/graphql", json=request, headers={"accept-encoding": "identity"}).content)
        milliseconds.append((time.perf_counter() - started) * 1000)
    body, took = bodies[-1], statistics.median(milliseconds)
    print(f"\n{title}: {len(body):,} bytes in {took:.2f} ms")
    for name, levels, compress in _CODINGS:
        for level in levels:
            cpu, size = _measured(partial(compress, body, level))
            share = cpu / (took + cpu)
            print(f"  {name:5}{level:3} {cpu:7.2f} ms  {share:6.1%}  {size:9,} bytes  {len(body) / size:5.1f} : 1")


def _measured(compress: Callable[[], bytes]) -> tuple[float, int]:
    """The least CPU time of several runs in milliseconds, and the size."""
    times, compressed = [], b""
    for _ in range(_ROUNDS):
        started = time.process_time()
        compressed = compress()
        times.append((time.process_time() - started) * 1000)
    return min(times), len(compressed)


if __name__ == "__main__":
    main()
