"""Workers: each sends reads and writes on a connection of its own, one after the other, and changes its own records."""

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from tests.bench.read.adapters import DocumentAdapter
from tests.bench.write.writes import SOURCE

BULK_ROWS = 50
_MOVABLE_DEALS = (
    "select d.id, array_agg(s.id order by s.rank) as stages from deal d"
    " join pipeline_stage present on present.id = d.pipeline_stage_id"
    " join pipeline_stage s on s.pipeline_id = present.pipeline_id"
    " where d.outcome = 'OPEN' and d.deleted_at is null and s.category = 'OPEN'"
    " group by d.id having count(*) > 1 order by d.id"
)
_CONTACTS = "select id from contact where deleted_at is null and merged_into_id is null order by id"
_UPDATE = "updateContact(input: $input) { contact { id jobTitle rowVersion stage { key } } userErrors { path code } }"
_MERGE = "mergeContacts(input: $input) { contact { id rowVersion } userErrors { path code } }"
_UNMERGE = "unmergeContacts(input: $input) { contact { id rowVersion } userErrors { path code } }"
_LOG = (
    "logTouchpoint(input: $input) { touchpoint { id occurredAt contact { stage { key } } } userErrors { path code } }"
)
_MOVE = "moveDeal(input: $input) { deal { id rowVersion } userErrors { path code } }"
_UPSERT = "upsertContacts(input: $input) { results { contact { id rowVersion } status } userErrors { path code } }"
_VERSION = "query ($id: ID!) { contact(id: $id) { rowVersion } }"
_CHANGES = (
    "query ($after: String) { changes(after: $after, first: 200) {"
    " nodes { type recordId record { ... on Contact { id jobTitle } } } pageInfo { endCursor } } }"
)


@dataclass(slots=True)
class Tally:
    """What all workers did since the last sample. Latencies are seconds."""

    reads: int = 0
    writes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Example:
    """A document with its variables."""

    query: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """The records that one worker changes: no other does, so that no version is stale."""

    contacts: Sequence[str]
    deals: Sequence[tuple[str, Sequence[str]]]


async def own_records(dsn: str, workers: int) -> list[OwnRecords]:
    """Share contacts and open deals out among the workers, as global ids."""
    connection = await asyncpg.connect(dsn)
    try:
        contacts = [f"contact_{row['id']}" for row in await connection.fetch(_CONTACTS)]
        deals = [
            (f"deal_{row['id']}", [f"pipeline_stage_{stage}" for stage in row["stages"]])
            for row in await connection.fetch(_MOVABLE_DEALS)
        ]
    finally:
        await connection.close()
    return [OwnRecords(contacts[number::workers], deals[number::workers]) for number in range(workers)]


class Worker:
    """One client of the server. What it does is random; a seed repeats it."""

    def __init__(
        self, client: httpx.AsyncClient, examples: Sequence[Example], own: OwnRecords, tally: Tally, seed: int
    ) -> None:
        self._client = client
        self._examples = examples
        self._own = own
        self._tally = tally
        self._random = random.Random(seed)
        self._after: str | None = None
        self._page = DocumentAdapter().document("one_contact")
        # Shares of all requests. A version is read before each update, and what is merged is unmerged at once.
        self._shares: Mapping[Callable[[], Awaitable[None]], int] = {
            self._read_example: 30,
            self._read_contact: 25,
            self._follow_changes: 3,
            self._update_contact: 15,
            self._log_touchpoint: 12,
            self._move_deal: 8,
            self._upsert_contacts: 4,
            self._merge_and_unmerge: 3,
        }

    async def run(self, until: float) -> None:
        """Send requests until this instant of the monotonic clock."""
        actions, shares = list(self._shares), list(self._shares.values())
        while time.monotonic() < until:
            (action,) = self._random.choices(actions, shares)
            await action()

    async def _read_example(self) -> None:
        example = self._random.choice(self._examples)
        await self._read(example.query, example.variables)

    async def _read_contact(self) -> None:
        await self._read(self._page, {"id": self._random.choice(self._own.contacts)})

    async def _follow_changes(self) -> None:
        data = await self._read(_CHANGES, {"after": self._after})
        if data:
            self._after = data["changes"]["pageInfo"]["endCursor"]

    async def _update_contact(self) -> None:
        contact = self._random.choice(self._own.contacts)
        data = await self._read(_VERSION, {"id": contact})
        if data and data["contact"]:
            version = data["contact"]["rowVersion"]
            values = {"jobTitle": f"Buyer {version}", "leadScore": version % 99}
            await self._write(_UPDATE, {"id": contact, "expectedVersion": version, **values})

    async def _log_touchpoint(self) -> None:
        contact = {"id": self._random.choice(self._own.contacts)}
        kind = self._random.choice(("CALL", "FORM", "EMAIL_CLICKED"))
        direction = "OUTBOUND" if kind == "CALL" else "INBOUND"
        await self._write(_LOG, {"contact": contact, "kind": kind, "direction": direction})

    async def _move_deal(self) -> None:
        deal, stages = self._random.choice(self._own.deals)
        await self._write(_MOVE, {"deal": {"id": deal}, "pipelineStage": {"id": self._random.choice(stages)}})

    async def _upsert_contacts(self) -> None:
        start = self._random.randrange(max(1, len(self._own.contacts) - BULK_ROWS))
        rows = [
            {
                "externalKey": {"source": SOURCE, "externalId": contact.removeprefix("contact_")},
                "jobTitle": f"Clerk {self._random.randrange(1000)}",
                "leadScore": self._random.randrange(100),
            }
            for contact in self._own.contacts[start : start + BULK_ROWS]
        ]
        await self._write(_UPSERT, {"rows": rows})

    async def _merge_and_unmerge(self) -> None:
        survivor, merged = self._random.sample(self._own.contacts, 2)
        await self._write(_MERGE, {"survivor": {"id": survivor}, "merged": [{"id": merged}]})
        await self._write(_UNMERGE, {"contact": {"id": merged}})

    async def _read(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        self._tally.reads += 1
        return await self._request(document, variables)

    async def _write(self, mutation: str, change: Mapping[str, Any]) -> None:
        """Send a mutation, every second time with an idempotency key."""
        self._tally.writes += 1
        name = mutation.partition("(")[0]
        key = {"idempotencyKey": str(uuid4())} if self._random.random() < 0.5 else {}
        document = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {mutation} }}"
        data = await self._request(document, {"input": {**change, **key}})
        for problem in data[name]["userErrors"] if data else ():
            self._tally.errors[f"{name} {problem['code']}"] += 1

    async def _request(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the data of a response, or count its error and return None."""
        began = time.monotonic()
        try:
            response = await self._client.post("/graphql", json={"query": document, "variables": variables})
            body = response.json()
        except (httpx.HTTPError, ValueError) as failure:
            self._tally.errors[type(failure).__name__] += 1
            return None
        self._tally.latencies.append(time.monotonic() - began)
        if body.get("errors"):
            error = body["errors"][0]
            self._tally.errors[f"{error.get('extensions', {}).get('code')} {error['message']:.100}"] += 1
            return None
        return dict(body["data"])
