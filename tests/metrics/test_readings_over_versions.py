"""Readings while two versions of the accord were in force, one after the other."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readings.reading_contexts import prepare_requests
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.accord_vocab import Reading
from schema.vocab import RecordSide, Reentry, Skip
from tests.support.accords import activate_document
from tests.support.graphql import put

ACTIVATED = datetime(2026, 2, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PAIR = StagePair("lead", "buyer")


def accord(title: str, window: str, *stages: tuple[str, int]) -> Accord:
    """An accord whose stages take so many touches; all of them have the window."""
    return Accord.model_validate(
        {
            "title": title,
            "stages": [
                {
                    "key": key,
                    "title": f"{key} of {title}",
                    "group": "All",
                    "owner": "SALES",
                    "meaning": "Made up.",
                    "rule": {"touches": {"at_least": touches}},
                    **({"window": window} if key != stages[-1][0] else {}),
                }
                for key, touches in stages
            ],
        }
    )


FIRST = accord("first", "14 days", ("lead", 1), ("buyer", 2))
# A stage comes between the two, so the window of the pair is 8 days.
SECOND = accord("second", "4 days", ("lead", 1), ("trial", 3), ("buyer", 4))
# The days since 1 January on which people were touched.
TOUCHES: Mapping[str, tuple[int, ...]] = {
    "early": (5, 15),  # lead and buyer by the first version, within 14 days
    "late": (5, 25),  # the same, after 14 days
    "across": (28, 38),  # lead by the first version, touched again under the second, which takes more
    "second": (40, 41, 42, 43),  # lead, trial and buyer by the second version, within 8 days
    "slow": (50, 51, 52, 60),  # the same, after 8 days
}
IDS = {who: UUID(int=number) for number, who in enumerate(TOUCHES, start=1)}


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, FIRST)
        for who, days in TOUCHES.items():
            since = datetime(2026, 1, 1, tzinfo=UTC)
            await put(session, "contact", {"id": IDS[who], "email": f"{who}@x.example", "effective_at": since})
            for place, day in enumerate(days):
                touch = {"id": UUID(int=IDS[who].int * 100 + place), "contact_id": IDS[who], "kind": "FORM"}
                at = since + timedelta(days=day)
                await put(session, "touchpoint", touch | {"occurred_at": at, "direction": "INBOUND"})
        await activate_document(session, SECOND, ACTIVATED)
        await evaluate(session)
    return module_database


async def kpi(database: Database, switches: Switches, key: str = "stage_conversion") -> KpiAnswer:
    pair = PAIR if key in ("stage_conversion", "time_to_convert") else None
    request = KpiRequest(key, stages=pair, switches=switches)
    await prepare_requests(database, [request], wait=None)
    async with database.read() as session:
        now = NOW if request.switches.known_at is None else request.switches.known_at
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=now)
    assert isinstance(answer, KpiAnswer), answer
    return answer


async def funnel(database: Database, switches: Switches) -> FunnelAnswer:
    request = FunnelRequest(switches=switches)
    await prepare_requests(database, [request], wait=None)
    async with database.read() as session:
        return await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)


def share(answer: KpiAnswer) -> tuple[int, int]:
    assert answer.numerator is not None
    assert answer.denominator is not None
    return int(answer.numerator), int(answer.denominator)


@pytest.mark.parametrize("reentry", [None, Reentry.EACH, Reentry.LAST])
async def test_the_window_is_that_of_the_version_of_the_base_entry(ready: Database, reentry: Reentry | None) -> None:
    # Within 14 days by the first version: early. Within 8 days by the second one: second.
    assert share(await kpi(ready, Switches(reentry=reentry))) == (2, 5)
    assert share(await kpi(ready, Switches(reentry=reentry, window=timedelta(days=90)))) == (4, 5)
    took = await kpi(ready, Switches(reentry=reentry), "time_to_convert")
    assert took.n == 2
    assert took.value == (10 + 3) * 86_400 // 2


async def test_a_person_is_stalled_by_the_window_of_the_version_that_they_entered_by(ready: Database) -> None:
    # The person "across" became a lead on day 28, by a window of 14 days; those of the second version have 4 days.
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = {day: await kpi(ready, Switches(as_of=start + timedelta(days=day)), "stalled_rate") for day in (35, 44)}
    assert {day: share(answer) for day, answer in found.items()} == {35: (0, 1), 44: (1, 1)}


@pytest.mark.parametrize(
    ("switches", "numerator"),
    [
        (Switches(reading=Reading.RESTATED), 1),  # buyers by four touches, within 8 days: second
        (Switches(reading=Reading.PINNED, accord_version=2), 1),
        # Buyers by two touches, within 14 days: early, across, second, slow.
        (Switches(reading=Reading.PINNED, accord_version=1), 4),
    ],
)
async def test_one_version_over_the_whole_history(ready: Database, switches: Switches, numerator: int) -> None:
    answer = await kpi(ready, switches)
    assert share(answer) == (numerator, 5)
    assert [used.version for used in answer.accords] == [switches.accord_version or 2]
    assert answer.evaluated_at is not None


async def test_an_answer_lists_the_versions_that_judged_what_it_counts(ready: Database) -> None:
    async def versions(period: Period, as_of: datetime | None = None) -> list[int]:
        request = KpiRequest("stage_volume", period=period, switches=Switches(as_of=as_of))
        async with ready.read() as session:
            [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
        assert isinstance(answer, KpiAnswer), answer
        return [used.version for used in answer.accords]

    day = ACTIVATED.date()
    assert await versions(Period()) == [1, 2]
    assert await versions(Period(day + timedelta(days=1), None)) == [2]
    assert await versions(Period(), ACTIVATED - timedelta(days=1)) == [1]


async def test_the_ladder_of_the_funnel_is_that_of_the_version_in_force_at_the_instant(ready: Database) -> None:
    then = await funnel(ready, Switches(as_of=ACTIVATED - timedelta(days=1)))
    assert [(stage.title, stage.reached) for stage in then.stages] == [("lead of first", 3), ("buyer of first", 2)]
    now = await funnel(ready, Switches())
    # early and late became buyers when there was no trial: they are beyond it, and entered it by implication at most.
    assert [(stage.key, stage.reached, stage.implied) for stage in now.stages] == [
        ("lead", 5, 0),
        ("trial", 4, 2),
        ("buyer", 4, 0),
    ]
    assert [stage.title for stage in now.stages] == ["lead of second", "trial of second", "buyer of second"]
    async with ready.read() as session:
        for stage in now.stages:
            assert stage.drill_down is not None
            page = await read_page(session, stage.drill_down, RecordSide.BASE, size=9, needs_total=True)
            assert page.total == stage.reached


async def test_own_entries_alone_are_counted_by_stage(ready: Database) -> None:
    answer = await kpi(ready, Switches(skip=Skip.EXCLUDE), "stage_volume")
    assert answer.n == 5 + 2 + 4


async def test_what_was_known_before_the_second_version(ready: Database) -> None:
    async with ready.read() as session:
        at = await session.value(Sql("select clock_timestamp()"))
    answer = await kpi(ready, Switches(known_at=at, as_of=NOW))
    assert share(answer) == (2, 5)
    assert answer.overrides[-1].startswith("knownAt=")
    assert [used.version for used in answer.accords] == [1, 2]
