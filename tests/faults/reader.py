"""A client that keeps a copy: it follows the changes of records across every fault, and misses none."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tests.faults.writers import RETRIED

CHANGES = """
query ($after: String) {
  changes(after: $after, first: 500) {
    nodes { type recordType recordId stage }
    pageInfo { hasNextPage endCursor }
  }
}
"""
Change = tuple[str, str, UUID, str | None]


@dataclass
class Reader:
    """The changes that it got so far, in their order."""

    address: str
    cursor: str | None = None
    changes: list[Change] = field(default_factory=list)

    async def follow(self, is_over: asyncio.Event) -> None:
        """Read page after page until the fault is over."""
        async with httpx.AsyncClient(base_url=self.address, timeout=60) as client:
            while not is_over.is_set():
                await self._read_page(client)
                await asyncio.sleep(0.1)

    async def catch_up(self) -> None:
        """Read all that there is."""
        async with httpx.AsyncClient(base_url=self.address, timeout=60) as client:
            while await self._read_page(client):
                pass

    async def _read_page(self, client: httpx.AsyncClient) -> bool:
        """Read a page. Return whether to read on: there is more, or the server could not answer."""
        given = {"query": CHANGES, "variables": {"after": self.cursor}}
        try:
            body: Any = (await client.post("/graphql", json=given)).json()
        except httpx.TransportError:
            return True
        if errors := body.get("errors"):
            assert {error["extensions"]["code"] for error in errors} <= RETRIED, body
            return True
        page = body["data"]["changes"]
        self.cursor = page["pageInfo"]["endCursor"]
        self.changes += [
            (node["type"], node["recordType"], UUID(node["recordId"].rpartition("_")[2]), node["stage"])
            for node in page["nodes"]
        ]
        return bool(page["pageInfo"]["hasNextPage"])
