"""Clients that write under idempotency keys, repeat each request until it is acknowledged, and remember what was."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

PATIENCE_SECONDS = 120
MEAN_STAY_SECONDS = 0.02
BULK = 20
# What a caller may get while processes die: a code that says that the same request can be sent again.
RETRIED = {"DATABASE_UNREACHABLE", "BUSY", "TIMED_OUT"}


@dataclass(frozen=True)
class Write:
    """An acknowledged mutation: its input with the key, what it returned, and how many records it changed."""

    mutation: str
    selected: str
    given: Mapping[str, Any]
    payload: Mapping[str, Any]
    changes: int

    @property
    def key(self) -> str:
        """The idempotency key."""
        return str(self.given["idempotencyKey"])


@dataclass
class Writer:
    """One client. Its name marks all that it writes, and its random choices are those of the seed.

    One that `leaves` closes every second connection a moment after it has sent its request.
    """

    client: httpx.AsyncClient
    name: str
    chooser: random.Random
    stages: list[str]
    writes: list[Write] = field(default_factory=list)
    contacts: dict[str, int] = field(default_factory=dict)  # versions by id
    titles: dict[str, str] = field(default_factory=dict)
    deals: dict[str, str] = field(default_factory=dict)  # outcomes by id
    touches: set[str] = field(default_factory=set)
    bulk_rows: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    leaves: bool = False

    async def write(self, count: int) -> None:
        """Carry out so many mutations."""
        for _ in range(count):
            await self._next()

    async def _next(self) -> None:
        choice = self.chooser.random()
        if not self.contacts or choice < 0.25:
            await self._create_contact()
        elif choice < 0.45:
            await self._update_contact()
        elif choice < 0.75:
            await self._log_touchpoint()
        elif choice < 0.8:
            await self._upsert_contacts()
        elif choice < 0.85:
            await self._upsert_by_natural_key()
        elif open_deals := [deal for deal, outcome in self.deals.items() if outcome == "OPEN"]:
            await self._close_deal(self.chooser.choice(open_deals))
        else:
            await self._create_deal()

    async def _create_contact(self) -> None:
        # Without a key of its own only the idempotency key prevents a second one.
        tag = f"{self.name}-{len(self.writes)}"
        given = {"lastName": tag, "email": f"{tag}@faults.example", "jobTitle": "new"}
        contact = (await self.send("createContact", "contact { id rowVersion }", given))["contact"]
        self.contacts[contact["id"]] = contact["rowVersion"]
        self.titles[contact["id"]] = "new"

    async def _update_contact(self) -> None:
        id_ = self.chooser.choice(list(self.contacts))
        title = f"title {len(self.writes)}"
        given = {"id": id_, "expectedVersion": self.contacts[id_], "jobTitle": title}
        contact = (await self.send("updateContact", "contact { id rowVersion }", given))["contact"]
        self.contacts[id_], self.titles[id_] = contact["rowVersion"], title

    async def _log_touchpoint(self) -> None:
        given = {
            "contact": {"id": self.chooser.choice(list(self.contacts))},
            "kind": "FORM",
            "direction": "INBOUND",
            "member": None,
        }
        touchpoint = (await self.send("logTouchpoint", "touchpoint { id }", given))["touchpoint"]
        self.touches.add(touchpoint["id"])

    async def _upsert_contacts(self) -> None:
        await self.send("upsertContacts", "results { status }", {"rows": self._next_rows()}, changes=BULK)

    async def _upsert_by_natural_key(self) -> None:
        # Without an idempotency key, only the keys of the rows prevent second ones.
        await self.acknowledged("upsertContacts", "results { status }", {"rows": self._next_rows()})

    def _next_rows(self) -> list[Mapping[str, Any]]:
        first = self.bulk_rows
        self.bulk_rows += BULK
        keys = [{"source": "faults", "externalId": f"{self.name}-{first + number}"} for number in range(BULK)]
        return [{"externalKey": key, "lastName": f"{self.name}-bulk"} for key in keys]

    async def _create_deal(self) -> None:
        given = {
            "name": self.name,
            "amount": {"amount": "100.00", "currency": "EUR"},
            "pipelineStage": {"id": self.stages[0]},
        }
        deal = (await self.send("createDeal", "deal { id }", given))["deal"]["id"]
        self.deals[deal] = "OPEN"
        contact = self.chooser.choice(list(self.contacts))
        await self.send(
            "setDealRole", "userErrors { code }", {"deal": {"id": deal}, "contact": {"id": contact}, "isPrimary": True}
        )
        await self.send("moveDeal", "deal { id }", {"deal": {"id": deal}, "pipelineStage": {"id": self.stages[1]}})

    async def _close_deal(self, deal: str) -> None:
        await self.send("closeDeal", "deal { id }", {"deal": {"id": deal}, "outcome": "WON"})
        self.deals[deal] = "WON"

    async def send(
        self, mutation: str, selected: str, given: Mapping[str, Any], *, changes: int = 1
    ) -> Mapping[str, Any]:
        """Send one mutation until it is acknowledged, and remember it."""
        keyed = {**given, "idempotencyKey": str(uuid.UUID(int=self.chooser.getrandbits(128)))}
        payload = await self.acknowledged(mutation, selected, keyed)
        self.writes.append(Write(mutation, selected, keyed, payload, changes))
        return payload

    async def acknowledged(self, mutation: str, selected: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a request until it is acknowledged. The test fails on any error that does not invite a repetition."""
        type_name = mutation[0].upper() + mutation[1:]
        document = (
            f"mutation ($input: {type_name}Input!)"
            f" {{ {mutation}(input: $input) {{ {selected} userErrors {{ path code message }} replayed }} }}"
        )
        deadline = monotonic() + PATIENCE_SECONDS
        while monotonic() < deadline:
            leaves = self.leaves and self.chooser.random() < 0.5
            try:
                async with asyncio.timeout(self.chooser.expovariate(1 / MEAN_STAY_SECONDS) if leaves else None):
                    response = await self.client.post(
                        "/graphql", json={"query": document, "variables": {"input": given}}
                    )
                body = response.json()
            except TimeoutError:
                self.failures["left"] += 1
            except httpx.TransportError as error:  # the server is dead, or died before it answered
                self.failures[type(error).__name__] += 1
            else:
                errors = body.get("errors", [])
                if not errors:
                    payload: Mapping[str, Any] = body["data"][mutation]
                    assert payload["userErrors"] == [], (mutation, given, payload)
                    return payload
                codes = {error["extensions"]["code"] for error in errors}
                assert codes <= RETRIED, (mutation, body)
                assert all(error["extensions"]["remedy"] for error in errors)
                self.failures.update(codes)
            await asyncio.sleep(self.chooser.uniform(0.01, 0.1))
        raise TimeoutError(f"{mutation} was not acknowledged within {PATIENCE_SECONDS} seconds: {self.failures}")

    async def repeat(self, write: Write) -> None:
        """Send an acknowledged mutation once more: it says that it is a replay, and returns the same records."""
        again = await self.acknowledged(write.mutation, write.selected, write.given)
        assert again["replayed"] is True, write
        assert _ids(again) == _ids(write.payload)


def _ids(payload: Mapping[str, Any]) -> list[str]:
    return [value["id"] for value in payload.values() if isinstance(value, Mapping) and "id" in value]
