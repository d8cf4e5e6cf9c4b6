"""The servers that are compared, each on a database of its own: a copy of the same company."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.bench.read.peers import Peer, peers
from tests.bench.write.writers import AccordWriter, EndpointWriter, PostGraphileWriter
from tests.bench.write.writes import SOURCE

_READ_PEERS = {peer.name: peer for peer in peers()}
_RAW = (*_READ_PEERS["raw"].command[:-1], "tests.bench.write.raw_server")
_ACCORD, _POSTGRAPHILE = _READ_PEERS["accord"], _READ_PEERS["postgraphile"]
_NO_ENTRIES = ("truncate evaluation cascade",)
BASELINE = "history"


@dataclass(frozen=True, slots=True)
class WritePeer:
    """A server, the form of its requests, and the statements that make its database of a copy of the company.

    `without_history`: the copy loses its history triggers.
    """

    peer: Peer
    writer: EndpointWriter
    statements: Sequence[str] = ()
    without_history: bool = False

    @property
    def name(self) -> str:
        """The name of the peer, and of its database."""
        return self.peer.name

    def dsn(self, company: str) -> str:
        """Return the address of the peer's database, on the server of the company."""
        before, _, after = company.partition("/accord?")
        return f"{before}/{self.name}?{after}"


def _named(name: str, peer: Peer, command: Sequence[str] | None = None) -> Peer:
    return Peer(name, command or peer.command, peer.adapter, peer.environment)


def write_peers() -> Mapping[str, WritePeer]:
    """Return all peers by name."""
    raw = _READ_PEERS["raw"]
    every = (
        WritePeer(_named("bare", raw, _RAW), EndpointWriter(), _NO_ENTRIES, without_history=True),
        WritePeer(_named(BASELINE, raw, _RAW), EndpointWriter(), _NO_ENTRIES),
        WritePeer(_named("no_entries", _ACCORD), AccordWriter(), _NO_ENTRIES),
        WritePeer(_named("entries", _ACCORD), AccordWriter()),
        WritePeer(_named("repeatable", _ACCORD), AccordWriter(is_repeatable=True)),
        WritePeer(_named("postgraphile", _POSTGRAPHILE), PostGraphileWriter(), _NO_ENTRIES),
    )
    return {peer.name: peer for peer in every}


async def give_keys(company: str) -> None:
    """Give all contacts of the company a key of another system."""
    connection = await asyncpg.connect(company)
    try:
        await connection.execute(
            "insert into external_key (entity, source, external_id, record_id)"
            f" select 'contact', '{SOURCE}', id::text, id from contact on conflict do nothing"
        )
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()


async def create_databases(company: str, used: Sequence[WritePeer]) -> None:
    """Copy the database of the company for every peer."""
    await give_keys(company)
    server = await asyncpg.connect(company.replace("/accord?", "/postgres?"))
    try:
        for peer in used:
            await server.execute(f"drop database if exists {peer.name}")
            await server.execute(f"create database {peer.name} template accord strategy file_copy")
    finally:
        await server.close()
    for peer in used:
        await _prepare(peer.dsn(company), peer)


async def drop_databases(company: str, used: Sequence[WritePeer]) -> None:
    """Drop the copies."""
    server = await asyncpg.connect(company.replace("/accord?", "/postgres?"))
    try:
        for peer in used:
            await server.execute(f"drop database if exists {peer.name} with (force)")
    finally:
        await server.close()


async def _prepare(dsn: str, peer: WritePeer) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in peer.statements:
            await connection.execute(statement)
        if peer.without_history:
            triggers = await connection.fetch(
                "select tgname as name, tgrelid::regclass::text as relation from pg_trigger"
                " where not tgisinternal and tgname like '%\\_history\\_%'"
            )
            for trigger in triggers:
                await connection.execute(f"drop trigger {trigger['name']} on {trigger['relation']}")
        await connection.execute("analyze")
    finally:
        await connection.close()


def folder_of(scratch: Path, peer: WritePeer) -> Path:
    """Return the folder of a peer, which is made: two servers do not share one."""
    folder = scratch / peer.name
    folder.mkdir()
    return folder
