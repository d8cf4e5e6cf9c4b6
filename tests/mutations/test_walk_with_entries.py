"""A walk through the mutations: after each of them the stored entries are those of a rebuild."""

from typing import Any

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.funnel.drift import check_entries
from api.sql import Sql
from schema.access.rights import Reach
from tests.funnel.small_world import ACME, ANN, BOB, DEAL, write_small_world
from tests.support.graphql import answered, executed, uid

ACME_ID, ANN_ID, BOB_ID, DEAL_ID = f"company_{ACME}", f"contact_{ANN}", f"contact_{BOB}", f"deal_{DEAL}"


class Walk:
    """Runs mutations one after another."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def run(self, mutation: str, selected: str = "replayed", **given: object) -> Any:  # noqa: ANN401 - JSON
        """Run a mutation, which must succeed, and require that no entry drifts. Return its payload."""
        type_name = mutation[0].upper() + mutation[1:]
        fields = f"{selected} userErrors {{ path code message }}"
        document = f"mutation ($input: {type_name}Input!) {{ {mutation}(input: $input) {{ {fields} }} }}"
        payload = (await answered(self.database, document, LOCAL_OPERATOR, input=given))[mutation]
        assert payload["userErrors"] == []
        async with self.database.scratch() as session:
            await check_entries(session)
        return payload

    async def stages(self, contact: str) -> set[str]:
        """The stages that a contact is or was in by their own rule."""
        document = "query ($id: ID!) { contact(id: $id) { stageEntries { nodes { stage ownAt } } } }"
        data = await answered(self.database, document, LOCAL_OPERATOR, id=contact)
        return {node["stage"] for node in data["contact"]["stageEntries"]["nodes"] if node["ownAt"] is not None}


async def test_entries_follow_each_mutation(database: Database) -> None:
    async with database.write() as session:
        await write_small_world(session)
    walk = Walk(database)
    created = await walk.run("createContact", "contact { id }", email="cy@x.example")
    assert await walk.stages(created["contact"]["id"]) == {"suspect"}

    touch: dict[str, Any] = {"contact": {"id": ANN_ID}, "kind": "FORM", "direction": "INBOUND"}
    await walk.run("logTouchpoint", **touch, occurredAt="2026-05-01T00:00:00Z")
    second = await walk.run("logTouchpoint", "touchpoint { id }", **touch, occurredAt="2026-05-02T00:00:00Z")
    assert await walk.stages(ANN_ID) == {"suspect", "warm"}
    await walk.run("voidTouchpoint", touchpoint={"id": second["touchpoint"]["id"]}, reason="Twice")
    assert await walk.stages(ANN_ID) == {"suspect"}

    await walk.run("updateContact", id=ANN_ID, expectedVersion=1, company={"id": ACME_ID})
    await walk.run("updateCompany", id=ACME_ID, expectedVersion=1, industry="steel")
    assert await walk.stages(ANN_ID) == {"suspect", "fitting"}
    await walk.run("setDealRole", deal={"id": DEAL_ID}, contact={"id": ANN_ID}, since="2026-01-01T00:00:00Z")
    await walk.run("closeDeal", deal={"id": DEAL_ID}, outcome="WON")
    assert await walk.stages(ANN_ID) == {"suspect", "fitting", "customer"}

    await walk.run("logTouchpoint", **touch | {"contact": {"id": BOB_ID}}, occurredAt="2026-05-03T00:00:00Z")
    await walk.run("mergeContacts", survivor={"id": BOB_ID}, merged=[{"id": ANN_ID}])
    assert await walk.stages(BOB_ID) == {"suspect", "warm", "fitting", "customer"}
    await walk.run("unmergeContacts", contact={"id": ANN_ID})
    # The merge filled in the company of the survivor, who had it until the merge was undone: history keeps that.
    assert await walk.stages(BOB_ID) == {"suspect", "fitting"}
    assert await walk.stages(ANN_ID) == {"suspect", "fitting", "customer"}

    await walk.run("deleteDeal", id=DEAL_ID, expectedVersion=2)
    assert await walk.stages(ANN_ID) == {"suspect", "fitting"}
    await walk.run("restoreDeal", id=DEAL_ID, expectedVersion=3)
    assert await walk.stages(ANN_ID) == {"suspect", "fitting", "customer"}
    await walk.run("reopenDeal", deal={"id": DEAL_ID})
    await walk.run("deleteContact", id=BOB_ID, expectedVersion=await _version(database, "contact", BOB))


async def test_the_data_watermark_follows_mutations(database: Database) -> None:
    async with database.write() as session:
        await write_small_world(session)
    document = '{ funnel(period: { named: "2026" }) { dataWatermark } }'
    before = (await answered(database, document))["funnel"]["dataWatermark"]
    await Walk(database).run("updateContact", id=ANN_ID, expectedVersion=1, jobTitle="CEO")
    assert (await answered(database, document))["funnel"]["dataWatermark"] > before
    # It would tell a restricted reader when something happens out of reach.
    found = await executed(database, document, Principal(Reach.TEAM, uid(99)))
    assert found.data == {"funnel": {"dataWatermark": None}}


async def _version(database: Database, table: str, record: object) -> int:
    async with database.read() as session:
        found: int = await session.value(Sql(f"select row_version from {table} where id = {{}}", record))
    return found
