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
from api.funnel.evaluate import discard_former_entries, evaluate
from api.importers.run_import import run_import
from api.outbox.prune import prune_events
from api.sql import Sql, name
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import AccessLevel, Reach
from tests.outbox.mirror import Mirror
from tests.support.databases import delete_all_rows
from tests.support.examples import examples
from tests.support.graphql import answered, put, uid
from tests.support.mutations import run
from tests.support.random_choices import RandomChoices
from tests.support.small_export import write_small_export

INBOUND, SALES = uid(1), uid(2)
ANNA, BEN, EVE = uid(11), uid(12), uid(13)
LAST_IMPORT = "{ imports(first: 1, where: {undoneAt: {isNull: true}}, orderBy: [{finishedAt: DESC}]) { nodes { id } } }"


class Writers:
    """Random writes, by several writers at once."""

    def __init__(self, database: Database, choices: RandomChoices, folder: Path) -> None:
        self.database, self.choices, self.folder = database, choices, folder
        self.contacts: list[str] = []
        self.deals: list[str] = []
        self.facts: list[str] = []
        self.imported = 0

    async def _run(self, mutation: str, selected: str, given: dict[str, object]) -> Any:  # noqa: ANN401 - JSON
        result = await run(self.database, mutation, selected, given)
        return result if result["userErrors"] == [] else None

    def step(self) -> Callable[[], Awaitable[None]]:
        """Choose what to write."""
        choices = self.choices
        kind = choices.integer(0, 17)
        if kind <= 1 or not self.contacts:
            return self._creation(choices.one((None, ANNA, BEN, EVE)))
        if kind >= 13:
            return self._deal_step(kind)
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
            case 11:
                return self._simple("erasePerson", "contact { id }", {"contact": {"id": contact}})
            case _:
                if not self.facts:
                    return self._rolled_back(contact)
                fact = choices.one(self.facts)
                return self._simple("voidTouchpoint", "contact { id }", {"touchpoint": {"id": fact}, "reason": "r"})

    def _deal_step(self, kind: int) -> Callable[[], Awaitable[None]]:
        """Choose what to write of a deal and its roles."""
        choices = self.choices
        owner = choices.one((None, ANNA, BEN, EVE))
        if kind == 13 or not self.deals:
            return self._deal_creation(owner)
        deal = choices.one(self.deals)
        match kind:
            case 14:
                return self._versioned("updateDeal", deal, owner=owner and {"id": f"member_{owner}"})
            case 15:
                return self._versioned(choices.one(("deleteDeal", "restoreDeal")), deal)
            case _:
                role: dict[str, object] = {"deal": {"id": deal}, "contact": {"id": choices.one(self.contacts)}}
                if choices.happens(4):
                    return self._simple("removeDealRole", "deal { id }", role)
                role |= {"role": choices.one(("decides", "asks")), "isPrimary": choices.happens(2)}
                return self._simple("setDealRole", "deal { id }", role)

    def _deal_creation(self, owner: object) -> Callable[[], Awaitable[None]]:
        async def create() -> None:
            given: dict[str, object] = {"name": "deal", "owner": None if owner is None else {"id": f"member_{owner}"}}
            made = await self._run("createDeal", "deal { id }", given)
            if made is not None:
                self.deals.append(made["deal"]["id"])

        return create

    def _creation(self, owner: object) -> Callable[[], Awaitable[None]]:
        async def create() -> None:
            given: dict[str, object] = {"jobTitle": "new", "email": f"{len(self.contacts)}@acme.example"}
            if owner is not None:
                given["owner"] = {"id": f"member_{owner}"}
            made = await self._run("createContact", "contact { id }", given)
            if made is not None:
                self.contacts.append(made["contact"]["id"])

        return create

    def _versioned(self, mutation: str, record: str, **values: object) -> Callable[[], Awaitable[None]]:
        async def change() -> None:
            table, _, id_ = record.partition("_")
            async with self.database.read() as session:
                read = Sql("select row_version from {} where id = {}::text::uuid", name(table), id_)
                version = await session.value(read)
            selected = "deletedId" if mutation.startswith("delete") else f"{table} {{ id }}"
            await self._run(mutation, selected, {"id": record, "expectedVersion": version, **values})

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

    async def undo_import(self) -> None:
        """Undo the last import that is not undone."""
        found = await answered(self.database, LAST_IMPORT)
        for job in found["imports"]["nodes"]:
            assert await self._run("undoImport", "removedKeys", {"importJob": {"id": job["id"]}})

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
        if number % 8 == 6 and choices.happens(2):
            await writers.undo_import()
        if number % 8 == 7:
            async with database.write() as session:
                await evaluate(session)
                await discard_former_entries(session)
            await prune_events(database)
            for mirror in mirrors:
                await mirror.require_equal()
