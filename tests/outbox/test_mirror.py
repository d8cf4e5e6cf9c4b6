"""A copy that follows `changes` equals the original, whatever is written meanwhile, for every reach."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import discard_former_entries, evaluate
from api.importers.run_import import run_import
from api.outbox.prune import prune_events
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import AccessLevel, Reach
from tests.support.databases import delete_all_rows
from tests.support.examples import examples
from tests.support.followed_changes import end
from tests.support.graphql import answered, executed, put, uid
from tests.support.mutations import run
from tests.support.random_choices import RandomChoices
from tests.support.small_export import write_small_export

INBOUND, SALES = uid(1), uid(2)
ANNA, BEN, EVE = uid(11), uid(12), uid(13)
# Not `mergedInto`: whether a link is visible depends on the reach of its target, which changes with that record alone.
_CONTACT = "id jobTitle owner { id } stage { key }"
_FACTS = "touchpoints(first: 100) { nodes { id contact { id } } }"
CHANGES = f"""
query ($after: String) {{
  changes(after: $after, first: 7) {{
    nodes {{
      type recordType recordId
      record {{ id ... on Contact {{ {_CONTACT} {_FACTS} }} ... on Touchpoint {{ contact {{ id }} }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
ORIGINAL = f"""
{{
  contacts(first: 200, includeMerged: true) {{ nodes {{ {_CONTACT} }} }}
  touchpoints(first: 200) {{ nodes {{ id contact {{ id }} }} }}
}}
"""


class Mirror:
    """A copy of the contacts and touchpoints that a principal reaches."""

    def __init__(self, database: Database, who: Principal) -> None:
        self.database, self.who = database, who
        self.cursor = ""
        self.contacts: dict[str, Any] = {}
        self.facts: dict[str, str] = {}

    async def begin(self) -> None:
        """Take the cursor first, then copy: what changes in between is applied again."""
        self.cursor = await end(self.database, self.who)
        self.contacts, self.facts = await self.original()

    async def original(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Read the records that a copy should have."""
        found = await answered(self.database, ORIGINAL, self.who)
        contacts = {contact["id"]: contact for contact in found["contacts"]["nodes"]}
        facts = {fact["id"]: fact["contact"]["id"] for fact in found["touchpoints"]["nodes"] if fact["contact"]}
        return contacts, facts

    async def follow(self) -> None:
        """Apply all changes so far. A copy whose cursor has expired begins anew."""
        has_more = True
        while has_more:
            result = await executed(self.database, CHANGES, self.who, after=self.cursor)
            if result.errors is not None:
                [error] = result.errors
                assert isinstance(error.original_error, AccordError)
                assert error.original_error.code is ErrorCode.CURSOR_EXPIRED
                await self.begin()
                continue
            for change in result.data["changes"]["nodes"]:
                self.apply(change)
            page = result.data["changes"]["pageInfo"]
            self.cursor, has_more = page["endCursor"], page["hasNextPage"]

    def apply(self, change: Any) -> None:  # noqa: ANN401 - JSON
        """Apply one change, as the description of `changes` says."""
        id_, record = change["recordId"], change["record"]
        # By its type alone, a deletion may be undone again since.
        is_gone = record is None
        if change["recordType"] == "TOUCHPOINT":
            self.facts.pop(id_, None)
            if record is not None and record["contact"] is not None:
                self.facts[id_] = record["contact"]["id"]
        elif change["recordType"] == "CONTACT" and is_gone:
            self.contacts.pop(id_, None)
            self.facts = {fact: contact for fact, contact in self.facts.items() if contact != id_}
        elif change["recordType"] == "CONTACT":
            if id_ not in self.contacts:
                own = (fact for fact in record["touchpoints"]["nodes"] if fact["contact"])
                self.facts |= {fact["id"]: fact["contact"]["id"] for fact in own}
            self.contacts[id_] = {key: value for key, value in record.items() if key != "touchpoints"}

    async def require_equal(self) -> None:
        """Require that the copy is what a principal would read now."""
        await self.follow()
        assert (self.contacts, self.facts) == await self.original(), self.who


class Writers:
    """Random writes, by several writers at once."""

    def __init__(self, database: Database, choices: RandomChoices, folder: Path) -> None:
        self.database, self.choices, self.folder = database, choices, folder
        self.contacts: list[str] = []
        self.facts: list[str] = []
        self.imported = 0

    async def _run(self, mutation: str, selected: str, given: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
        result = await run(self.database, mutation, selected, given)
        return result if result["userErrors"] == [] else None

    def step(self) -> Callable[[], Awaitable[None]]:
        """Choose what to write."""
        choices = self.choices
        kind = choices.integer(0, 11)
        if kind <= 1 or not self.contacts:
            return self._creation(choices.one((None, ANNA, BEN, EVE)))
        contact = choices.one(self.contacts)
        match kind:
            case 2 | 3:
                owner = choices.one((None, ANNA, BEN, EVE))
                return self._versioned("updateContact", contact, owner=owner and {"id": f"member_{owner}"})
            case 4:
                return self._versioned("updateContact", contact, jobTitle=f"{choices.integer(0, 3)}")
            case 5:
                return self._versioned("deleteContact", contact)
            case 6:
                return self._versioned("restoreContact", contact)
            case 7:
                return self._merge(choices.one(self.contacts), contact)
            case 8:
                return self._simple("unmergeContacts", "contact { id }", {"contact": {"id": contact}})
            case 9 | 10:
                return self._touch(contact)
            case _:
                if not self.facts:
                    return self._rolled_back(contact)
                fact = choices.one(self.facts)
                return self._simple("voidTouchpoint", "contact { id }", {"touchpoint": {"id": fact}, "reason": "r"})

    def _creation(self, owner: object) -> Callable[[], Awaitable[None]]:
        async def create() -> None:
            given: dict[str, object] = {"jobTitle": "new", "email": f"{len(self.contacts)}@acme.example"}
            if owner is not None:
                given["owner"] = {"id": f"member_{owner}"}
            made = await self._run("createContact", "contact { id }", given)
            if made is not None:
                self.contacts.append(made["contact"]["id"])

        return create

    def _versioned(self, mutation: str, contact: str, **values: object) -> Callable[[], Awaitable[None]]:
        async def change() -> None:
            async with self.database.read() as session:
                id_ = contact.removeprefix("contact_")
                version = await session.value(Sql("select row_version from contact where id = {}::text::uuid", id_))
            selected = "deletedId" if mutation == "deleteContact" else "contact { id }"
            await self._run(mutation, selected, {"id": contact, "expectedVersion": version, **values})

        return change

    def _merge(self, survivor: str, merged: str) -> Callable[[], Awaitable[None]]:
        given: dict[str, object] = {"survivor": {"id": survivor}, "merged": [{"id": merged}]}
        return self._simple("mergeContacts", "contact { id }", given)

    def _simple(self, mutation: str, selected: str, given: dict[str, object]) -> Callable[[], Awaitable[None]]:
        async def change() -> None:
            await self._run(mutation, selected, given)

        return change

    def _touch(self, contact: str) -> Callable[[], Awaitable[None]]:
        async def touch() -> None:
            given: dict[str, object] = {"contact": {"id": contact}, "kind": "FORM", "direction": "INBOUND"}
            made = await self._run("logTouchpoint", "touchpoint { id }", given)
            if made is not None and made["touchpoint"] is not None:
                self.facts.append(made["touchpoint"]["id"])

        return touch

    def _rolled_back(self, contact: str) -> Callable[[], Awaitable[None]]:
        return self._simple("updateContact", "contact { id }", {"id": contact, "expectedVersion": 0, "jobTitle": "no"})

    async def move_member(self) -> None:
        """Move a member to another team: records come into reach and leave it without a change of their own."""
        async with self.database.read() as session:
            row = await session.row(Sql("select row_version, team_id from member where id = {}", BEN))
        assert row is not None
        team = SALES if row["team_id"] == INBOUND else INBOUND
        given = {"id": f"member_{BEN}", "expectedVersion": row["row_version"], "team": {"id": f"team_{team}"}}
        assert await self._run("updateMember", "member { id }", given)

    async def import_people(self) -> None:
        """Import a few people with forms, some of them new, changed, merged or moved."""
        choices = self.choices
        people = [
            f"{number},p{number}@x.example,{choices.one(('CEO', 'CTO', ''))},{choices.one(('', '', '0'))},2026-01-01"
            for number in range(choices.integer(3, 8))
        ]
        forms = [f"f{number},{choices.integer(0, len(people) - 1)},2026-01-02" for number in range(6)]
        preset = write_small_export(self.folder, people, forms, ["d1,OPEN,1,"])
        await run_import(self.database, preset, self.folder, accept_changes=True, accept_loss=True)


async def _begin(database: Database) -> None:
    async with database.write() as session:
        await delete_all_rows(session)
        for id_, kind in ((INBOUND, "MARKETING"), (SALES, "SALES")):
            await put(session, "team", {"id": id_, "name": kind, "kind": kind})
        for id_, team in ((ANNA, INBOUND), (BEN, INBOUND), (EVE, SALES)):
            await put(session, "member", {"id": id_, "name": str(id_.int), "team_id": team})
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)


def _mirrors(database: Database) -> list[Mirror]:
    members = [(Reach.TEAM, ANNA), (Reach.TEAM, EVE), (Reach.OWN, BEN), (Reach.OWN, EVE)]
    readers = [Principal(reach, member, AccessLevel.VIEWER, ALL_RIGHTS) for reach, member in members]
    return [Mirror(database, who) for who in (LOCAL_OPERATOR, *readers)]


async def _run_steps(database: Database, choices: RandomChoices, folder: Path, steps: int) -> None:
    """Write at random, with mirrors that follow now and then, and compare at the end."""
    await _begin(database)
    writers, mirrors = Writers(database, choices, folder), _mirrors(database)
    for mirror in mirrors:
        await mirror.begin()
    for _ in range(steps):
        at_once: list[Callable[[], Awaitable[None]]] = [writers.step() for _ in range(choices.integer(1, 3))]
        at_once += [mirror.follow for mirror in choices.some(mirrors)]
        await asyncio.gather(*(run_now() for run_now in at_once))
    for mirror in mirrors:
        await mirror.require_equal()


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_a_mirror_equals_the_original_after_random_writes(
    module_database: Database, tmp_path: Path, data: st.DataObject
) -> None:
    await _run_steps(module_database, RandomChoices.of_hypothesis(data), tmp_path, 8)


@pytest.mark.parametrize("seed", range(3))
async def test_a_mirror_follows_long_histories_imports_rebuilds_and_moves(
    module_database: Database, tmp_path: Path, seed: int
) -> None:
    database, choices = module_database, RandomChoices.of_seed(seed)
    await _begin(database)
    writers, mirrors = Writers(database, choices, tmp_path), _mirrors(database)
    for mirror in mirrors:
        await mirror.begin()
    for number in range(24):
        at_once = [writers.step()() for _ in range(3)] + [mirror.follow() for mirror in choices.some(mirrors)]
        await asyncio.gather(*at_once)
        if number % 8 == 3:
            await writers.import_people()
        if number % 8 == 5:
            await writers.move_member()
        if number % 8 == 7:
            async with database.write() as session:
                await evaluate(session)
                await discard_former_entries(session)
            await prune_events(database)
            for mirror in mirrors:
                await mirror.require_equal()
