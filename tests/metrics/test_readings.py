"""KPIs and the funnel by other readings: today's version, or a named one, over the whole history."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from api.access.evaluation import RequestedReading
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import discard_former_entries, evaluate
from api.funnel.readings import prepare_readings as preparing
from api.funnel.readings.evaluate_reading import evaluate_reading
from api.funnel.readings.kept_evaluations import give_up
from api.funnel.readings.prepare_readings import prepare_readings, renew_readings
from api.settings import KeptLimits
from api.sql import Sql
from schema.accord import Accord
from schema.accord_vocab import Reading
from tests.golden import world
from tests.support.accords import add_version, replace_document
from tests.support.graphql import answered, executed, refused

QUARTER = {"range": {"from": "2026-01-01", "before": "2026-04-01"}}
PINNED = {"reading": "PINNED", "accordVersion": 2}
KPI = """query ($key: KpiKey!, $period: PeriodInput, $switches: KpiSwitches) {
  kpi(key: $key, period: $period, switches: $switches) {
    value isCanonical overrides evaluatedAt knownAt warnings { code }
    accords { version isSigned signedAt }
    records { edges { node { ... on Contact { email } } } }
  }
}"""


def strict() -> Accord:
    """The accord of the example, but for a qualified lead that takes three touches within 90 days."""
    document = world.accord().model_dump(mode="json")
    mql = next(stage for stage in document["stages"] if stage["key"] == "mql")
    touches = {"direction": "INBOUND", "at_least": 3, "within": "90 days"}
    mql["rule"] = {"touches": touches}
    return Accord.model_validate(document | {"title": "Three touches"})


@pytest.fixture
async def example(database: Database) -> Database:
    async with database.write() as session:
        await world.load(session)
        await add_version(session, strict(), 2)
        await evaluate(session)
    return database


async def mqls(database: Database, **switches: object) -> Mapping[str, Any]:
    """The answer for the leads of the quarter that qualified by facts of their own."""
    chosen = {"skip": "EXCLUDE", **switches}
    found: Mapping[str, Any] = (await answered(database, KPI, key="MQLS", period=QUARTER, switches=chosen))["kpi"]
    return found


async def kept(database: Database) -> int:
    async with database.read() as session:
        count: int = await session.value(Sql("select count(*) from evaluation where last_read_at is not null"))
    return count


async def test_a_draft_can_be_read_over_the_whole_history(example: Database) -> None:
    in_force = await mqls(example)
    assert (in_force["value"], in_force["evaluatedAt"]) == ("6", None)
    assert in_force["accords"] == [{"version": 1, "isSigned": False, "signedAt": None}]
    pinned = await mqls(example, **PINNED)
    assert pinned["value"] == "1"
    emails = [edge["node"]["email"] for edge in pinned["records"]["edges"]]
    assert emails == ["c6@example.com"]  # after the exit of c3, two touches are left
    assert pinned["overrides"] == ["skip=EXCLUDE", "reading=PINNED", "accordVersion=2"]
    assert [used["version"] for used in pinned["accords"]] == [2]
    assert pinned["evaluatedAt"] is not None
    # Nothing of it is seen by the reading in force, and a rebuild keeps it.
    async with example.write() as session:
        await evaluate(session)
        await discard_former_entries(session)
    assert (await mqls(example))["value"] == "6"
    assert await kept(example) == 1


async def test_the_funnel_is_that_of_the_reading(example: Database) -> None:
    document = "query ($s: KpiSwitches) { funnel(switches: $s) { stages { key reached implied } overrides } }"
    in_force = (await answered(example, document))["funnel"]
    pinned = (await answered(example, document, s=PINNED))["funnel"]
    reached = {stage["key"]: (stage["reached"], stage["implied"]) for stage in in_force["stages"]}
    assert reached["mql"] == (8, 1)
    # All but c5 got further, and only c6 by three touches.
    reached = {stage["key"]: (stage["reached"], stage["implied"]) for stage in pinned["stages"]}
    assert reached["mql"] == (7, 6)
    assert pinned["overrides"] == ["reading=PINNED", "accordVersion=2"]


@pytest.mark.parametrize("switches", [{"reading": "RESTATED"}, {"reading": "PINNED", "accordVersion": 1}])
async def test_the_only_version_that_was_ever_in_force_is_read_at_no_cost(
    example: Database, switches: dict[str, object]
) -> None:
    answer = await mqls(example, **switches)
    assert (answer["value"], answer["evaluatedAt"], await kept(example)) == ("6", None, 0)
    assert answer["overrides"][1:] == [f"{key}={value}" for key, value in switches.items()]
    assert not answer["isCanonical"]


@pytest.mark.parametrize(
    ("switches", "code", "message"),
    [
        ({"accordVersion": 2}, ErrorCode.BAD_INPUT, "accordVersion=2 needs reading=PINNED"),
        ({"reading": "RESTATED", "accordVersion": 2}, ErrorCode.BAD_INPUT, "needs reading=PINNED"),
        ({"reading": "PINNED"}, ErrorCode.BAD_INPUT, "names no version"),
        ({"reading": "PINNED", "accordVersion": 9}, ErrorCode.UNKNOWN_VALUE, "no version 9 of the accord"),
        ({"knownAt": "2999-01-01T00:00:00Z"}, ErrorCode.BAD_INPUT, "lies in the future"),
    ],
)
async def test_a_reading_that_means_nothing_is_refused(
    example: Database, switches: dict[str, object], code: ErrorCode, message: str
) -> None:
    error = await refused(example, KPI, key="MQLS", switches=switches)
    assert isinstance(error, AccordError)
    assert error.code is code
    assert message in error.message
    assert await kept(example) == 0


@pytest.mark.parametrize("key", ["WIN_RATE", "SALES_VELOCITY", "RESPONSE_RATE", "OPEN_PIPELINE"])
async def test_a_kpi_that_no_clause_but_reporting_defines_has_no_reading(example: Database, key: str) -> None:
    error = await refused(
        example, KPI.replace("records { edges { node { ... on Contact { email } } } }", ""), key=key, switches=PINNED
    )
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert "has no switch reading because no clause of the accord but [reporting] defines it" in error.message


async def test_a_period_before_all_data_has_no_value(example: Database) -> None:
    period = {"range": {"from": "2020-01-01", "before": "2021-01-01"}}
    answer = (await answered(example, KPI, key="MQLS", period=period, switches=PINNED))["kpi"]
    assert answer["value"] is None
    assert [warning["code"] for warning in answer["warnings"]] == ["PERIOD_BEFORE_DATA"]


async def test_requests_at_once_evaluate_once(example: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated = []

    async def counted(*arguments: Any) -> Any:  # noqa: ANN401 - passed on
        evaluated.append(arguments)
        return await unpatched(*arguments)

    unpatched = evaluate_reading
    monkeypatch.setattr(preparing, "evaluate_reading", counted)
    first, second = await asyncio.gather(mqls(example, **PINNED), mqls(example, **PINNED))
    assert first == second
    assert len(evaluated) == 1
    # Another process, which shares no tasks with this one.
    reading = RequestedReading(Reading.PINNED, 2)
    await prepare_readings(example, [reading], wait=None)
    assert len(evaluated) == 1


async def test_facts_that_change_are_seen_by_the_next_request(example: Database) -> None:
    before = await mqls(example, **PINNED)
    async with example.write() as session:
        for number in (1, 2):
            await session.run(
                Sql(
                    "insert into touchpoint (contact_id, id, occurred_at, kind, direction)"
                    " values ({}, {}, {}, 'FORM', 'INBOUND')",
                    world.contact_id("c4"),
                    world.contact_id(f"c{90 + number}"),
                    world.day("02-05") + timedelta(days=number),
                )
            )
        await session.script(
            "insert into outbox_event (id, change_type, record_type, record_id)"
            " select gen_random_uuid(), 'CREATED', 'touchpoint', gen_random_uuid()"
        )
    after = await mqls(example, **PINNED)
    assert (before["value"], after["value"]) == ("1", "2")
    assert after["evaluatedAt"] > before["evaluatedAt"]
    assert await kept(example) == 1


async def note_a_change(database: Database) -> None:
    """Write the event of a change, which makes every kept evaluation one of former facts."""
    async with database.write() as session:
        await session.script(
            "insert into outbox_event (id, change_type, record_type, record_id)"
            " select gen_random_uuid(), 'CREATED', 'touchpoint', gen_random_uuid()"
        )


async def test_a_slow_reading_is_answered_as_it_was_and_made_again_in_the_background(
    example: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "QUICK", timedelta(seconds=-1))
    before = await mqls(example, **PINNED)
    await note_a_change(example)
    async with example.write() as session:
        await session.script("update evaluation set finished_at = started_at where last_read_at is not null")
    after = await mqls(example, **PINNED)
    assert after["evaluatedAt"] == before["evaluatedAt"]
    assert "READING_OUTDATED" in [warning["code"] for warning in after["warnings"]]
    assert await renew_readings(example) == 1
    renewed = await mqls(example, **PINNED)
    assert renewed["evaluatedAt"] > before["evaluatedAt"]
    assert "READING_OUTDATED" not in [warning["code"] for warning in renewed["warnings"]]


async def test_a_request_waits_so_long_and_the_evaluation_goes_on(
    example: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_let_go = asyncio.Event()

    async def slow(*arguments: Any) -> Any:  # noqa: ANN401 - passed on
        await is_let_go.wait()
        return await unpatched(*arguments)

    unpatched = evaluate_reading
    monkeypatch.setattr(preparing, "evaluate_reading", slow)
    monkeypatch.setattr("api.metrics.readings.reading_contexts.WAIT", timedelta(seconds=0.1))
    error = await refused(example, KPI, key="MQLS", switches=PINNED)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.EVALUATING
    is_let_go.set()
    await prepare_readings(example, [RequestedReading(Reading.PINNED, 2)], wait=None)
    assert (await mqls(example, **PINNED))["value"] == "1"


async def test_an_edited_draft_is_another_reading(example: Database) -> None:
    assert (await mqls(example, **PINNED))["value"] == "1"
    async with example.write() as session:
        await replace_document(session, world.accord())
    assert (await mqls(example, **PINNED))["value"] == "6"
    assert await kept(example) == 1


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (KeptLimits(), 2),
        (KeptLimits(evaluations=1), 1),
        (KeptLimits(entries=40), 1),
        (KeptLimits(entries=1), 1),
        (KeptLimits(unread=timedelta(seconds=-120)), 0),
    ],
)
async def test_what_is_kept_is_bounded(example: Database, limits: KeptLimits, left: int) -> None:
    async with example.write() as session:
        await add_version(session, world.accord(), 3)
    await mqls(example, **PINNED)
    await mqls(example, reading="PINNED", accordVersion=3)
    async with example.write() as session:
        assert await give_up(session, limits) == 2 - left
        await discard_former_entries(session)
        entries = await session.value(Sql("select count(distinct evaluation_id) from stage_entry"))
    assert await kept(example) == left
    assert entries == 1 + left


ENTRIES = """query ($id: ID!, $reading: Reading, $version: Int, $known: DateTime) {
  contact(id: $id) {
    stage { key }
    stageEntries(reading: $reading, accordVersion: $version, knownAt: $known) { nodes { stage isImplied } totalCount }
  }
}"""


async def stages(database: Database, name: str, **arguments: object) -> list[tuple[str, bool]]:
    found = (await answered(database, ENTRIES, id=f"contact_{world.contact_id(name)}", **arguments))["contact"]
    assert found["stage"]["key"] == "opportunity"  # the current stage is that of the reading in force
    nodes = found["stageEntries"]["nodes"]
    assert len(nodes) == found["stageEntries"]["totalCount"]
    return [(node["stage"], node["isImplied"]) for node in nodes]


async def test_stage_entries_are_read_by_a_reading(example: Database) -> None:
    own = [(stage, False) for stage in ("inquiry", "mql", "opportunity", "sal", "sql")]
    assert await stages(example, "c6") == own
    assert await stages(example, "c6", reading="RESTATED") == own
    assert await stages(example, "c6", reading="PINNED", version=1) == own
    assert await kept(example) == 0
    assert await stages(example, "c6", reading="PINNED", version=2) == own
    assert await kept(example) == 1
    document = (
        '{ stageEntries(reading: PINNED, accordVersion: 2, where: {stage: {eq: "mql"}}) { nodes { isImplied } } }'
    )
    pinned = (await answered(example, document))["stageEntries"]["nodes"]
    in_force = (await answered(example, document.replace("reading: PINNED, accordVersion: 2, ", "")))["stageEntries"]
    assert [node["isImplied"] for node in pinned].count(False) == 1
    assert [node["isImplied"] for node in in_force["nodes"]].count(False) == 8


OF_READING = """query ($asOf: DateTime, $reading: Reading, $version: Int, $known: DateTime, $whole: Boolean! = false) {
  stageEntries(asOf: $asOf, reading: $reading, accordVersion: $version, knownAt: $known, where: {stage: {eq: "mql"}}) {
    nodes { accordVersion enteredAt exitedAt }
  }
  viewer @include(if: $whole) { reach }
}"""


@pytest.mark.parametrize("with_executor", [False, True])
async def test_a_list_of_a_reading_says_when_its_entries_were_evaluated(example: Database, with_executor: bool) -> None:
    plain = await executed(example, OF_READING, whole=with_executor)
    assert "readings" not in plain.extensions
    assert "warnings" not in plain.extensions
    assert {node["accordVersion"] for node in plain.data["stageEntries"]["nodes"]} == {1}

    pinned = await executed(example, OF_READING, reading="PINNED", version=2, whole=with_executor)
    assert pinned.is_json != with_executor
    assert {node["accordVersion"] for node in pinned.data["stageEntries"]["nodes"]} == {2}
    [reading] = pinned.extensions["readings"]
    answer = await mqls(example, **PINNED)
    assert reading["evaluatedAt"] == answer["evaluatedAt"]
    assert (reading["reading"], reading["accordVersion"], reading["knownAt"]) == ("PINNED", 2, None)
    assert "warnings" not in pinned.extensions

    # With one version ever in force, its entries over the whole history are those that follow every write.
    restated = await executed(example, OF_READING, reading="RESTATED", whole=with_executor)
    assert [reading["evaluatedAt"] for reading in restated.extensions["readings"]] == [None]


async def test_a_list_of_a_reading_warns_as_a_kpi_does(example: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    known = "2026-02-01T00:00:00Z"
    result = await executed(example, OF_READING, known=known)
    assert result.extensions["readings"][0]["knownAt"] == known
    assert [warning["code"] for warning in result.extensions["warnings"]] == ["KNOWN_AT_LIMITS"]

    await executed(example, OF_READING, reading="PINNED", version=2)
    monkeypatch.setattr(preparing, "QUICK", timedelta(seconds=-1))
    await note_a_change(example)
    result = await executed(example, OF_READING, reading="PINNED", version=2)
    assert [warning["code"] for warning in result.extensions["warnings"]] == ["READING_OUTDATED"]


async def test_stage_entries_as_of_an_instant_are_those_that_had_begun(example: Database) -> None:
    at = "2026-02-15T00:00:00Z"
    for chosen in ({}, {"reading": "PINNED", "version": 2}):
        entries = (await answered(example, OF_READING, **chosen))["stageEntries"]["nodes"]
        begun = [node for node in entries if node["enteredAt"] <= at]
        assert 0 < len(begun) < len(entries)
        expected = [
            {**node, "exitedAt": node["exitedAt"] if node["exitedAt"] and node["exitedAt"] <= at else None}
            for node in begun
        ]
        assert (await answered(example, OF_READING, asOf=at, **chosen))["stageEntries"]["nodes"] == expected


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"version": 2}, ErrorCode.BAD_INPUT),
        ({"reading": "PINNED", "version": 9}, ErrorCode.UNKNOWN_VALUE),
        ({"known": "2999-01-01T00:00:00Z"}, ErrorCode.BAD_INPUT),
    ],
)
async def test_entries_of_a_reading_that_means_nothing_are_refused(
    example: Database, arguments: dict[str, object], code: ErrorCode
) -> None:
    error = await refused(example, ENTRIES, id=f"contact_{world.contact_id('c6')}", **arguments)
    assert isinstance(error, AccordError)
    assert error.code is code


async def test_entries_that_are_not_evaluated_in_time_are_no_empty_list(
    example: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_let_go = asyncio.Event()

    async def slow(*arguments: Any) -> Any:  # noqa: ANN401 - passed on
        await is_let_go.wait()
        return await evaluate_reading(*arguments)

    monkeypatch.setattr(preparing, "evaluate_reading", slow)
    monkeypatch.setattr(preparing, "WAIT", timedelta(seconds=0.1))
    arguments: dict[str, object] = {"reading": "PINNED", "version": 2}
    error = await refused(example, ENTRIES, id=f"contact_{world.contact_id('c6')}", **arguments)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.EVALUATING
    is_let_go.set()
    await prepare_readings(example, [RequestedReading(Reading.PINNED, 2)], wait=None)
    assert await stages(example, "c6", **arguments)


async def test_entries_known_at_an_instant(example: Database) -> None:
    async with example.read() as session:
        before = await session.value(Sql("select min(recorded_at) - interval '1 second' from contact_version"))
        at = await session.value(Sql("select clock_timestamp()"))
    assert len(await stages(example, "c6", known=at.isoformat())) == 5
    assert await stages(example, "c6", known=before.isoformat()) == []
    answer = await mqls(example, knownAt=before.isoformat())
    assert answer["value"] is None
    assert [warning["code"] for warning in answer["warnings"]] == ["NO_CONTACTS", "KNOWN_AT_LIMITS"]
    assert answer["knownAt"] is not None
