"""Which groups a list has, and in which order; and amounts without a reporting currency."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.plan.grouping import MAX_GROUPS
from tests.support.graphql import answered, put, refused, uid

ANNA = uid(1)
CLOSED = datetime(2026, 5, 5, 12, tzinfo=UTC)
NAMES = "{ deals(%s) { nodes { name } } }"


def names(data: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    return [node["name"] for node in data["deals"]["nodes"]]


async def test_stages_and_words_are_sorted_by_rank(database: Database) -> None:
    async with database.write() as session:
        await put(session, "pipeline", {"id": uid(1), "name": "New"}, {"id": uid(2), "name": "Again"})
        for number, (pipeline, name, rank) in enumerate([(2, "a", 1), (1, "last", 2), (1, "first", 1), (2, "b", 2)]):
            stage = {"pipeline_id": uid(pipeline), "name": name, "rank": rank, "category": "OPEN"}
            await put(session, "pipeline_stage", {"id": uid(10 + number), **stage})
            await put(session, "deal", {"id": uid(20 + number), "name": name, "pipeline_stage_id": uid(10 + number)})
        await put(session, "deal", {"id": uid(30), "name": "c", "outcome": "WON", "closed_at": CLOSED})
        await put(session, "deal", {"id": uid(31), "name": "d", "outcome": "LOST", "closed_at": CLOSED})
    for order, expected in (
        ("", ["first", "last", "a", "b", None]),
        ("orderBy: [{key: {pipelineStage: DESC_NULLS_FIRST}}]", [None, "b", "a", "last", "first"]),
    ):
        document = "{ deals { groupBy(keys: [{pipelineStage: EACH}] %s) { key { pipelineStage { name } } } } }"
        groups = (await answered(database, document % order))["deals"]["groupBy"]
        stages = [group["key"]["pipelineStage"] for group in groups]
        assert [stage and stage["name"] for stage in stages] == expected
    by_word = "{ deals { groupBy(keys: [{outcome: EACH}]) { key { outcome } } } }"
    groups = (await answered(database, by_word))["deals"]["groupBy"]
    assert [group["key"]["outcome"] for group in groups] == ["OPEN", "WON", "LOST"]
    ordered = await answered(database, NAMES % "orderBy: [{outcome: DESC}, {name: ASC}]")
    assert names(ordered) == ["d", "c", "a", "b", "first", "last"]


async def test_all_groups_are_returned_or_their_number_is_an_error(database: Database) -> None:
    nested = "{ members { nodes { ownedDeals { groupBy(keys: [{name: EACH}]) { count } } } } }"
    document = "query ($first: Int) { deals { groupBy(keys: [{name: EACH}], first: $first) { count } %s } }"
    async with database.write() as session:
        await put(session, "member", {"id": ANNA, "name": "Anna"})
        rows = [(uid(number), f"deal {number}", ANNA) for number in range(1, MAX_GROUPS + 1)]
        await session.copy("deal", ["id", "name", "owner_id"], rows)
    assert len((await answered(database, document % ""))["deals"]["groupBy"]) == MAX_GROUPS
    async with database.write() as session:
        await session.copy(
            "deal", ["id", "name", "owner_id"], [(uid(number), f"deal {number}", ANNA) for number in (5_000, 5_001)]
        )
    for refused_document in (document % "", nested.replace("members", "members(first: 1)")):
        error = await refused(database, refused_document)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.TOO_MANY_GROUPS
        assert f"{MAX_GROUPS + 2:,} groups" in error.message
        assert "`first`" in error.remedy
    found = (await answered(database, document % "groupCount(keys: [{name: EACH}])", first=3))["deals"]
    assert (len(found["groupBy"]), found["groupCount"]) == (3, MAX_GROUPS + 2)


async def test_without_a_reporting_currency_amounts_are_not_converted(database: Database) -> None:
    async with database.write() as session:
        await put(
            session, "deal", *({"id": uid(n), "name": f"{n}", "amount": Decimal(n), "currency": "EUR"} for n in (1, 2))
        )
    assert names(await answered(database, NAMES % "orderBy: [{amount: DESC}]")) == ["2", "1"]
    for arguments in ("orderBy: [{amountConverted: DESC}]", 'where: {amountConverted: {gt: "1"}}'):
        error = await refused(database, NAMES % arguments)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.NO_REPORTING_CURRENCY
    document = "{ deals { aggregate { sum { amountConverted { amount currency unconvertedCount } } } } }"
    found = (await answered(database, document))["deals"]["aggregate"]["sum"]["amountConverted"]
    assert found == {"amount": None, "currency": None, "unconvertedCount": 2}
