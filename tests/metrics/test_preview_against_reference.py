"""Previews of generated histories under pairs of generated accords, held equal to two evaluations by the reference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from api.access.evaluation import RequestedReading
from api.db import Database
from api.funnel.evaluate import evaluate
from api.funnel.readings.prepare_readings import prepare_readings
from api.funnel.reference import entries_of
from api.funnel.reference_facts import CompanyHistories, ContactHistory
from api.metrics.preview.compared_versions import ComparedVersions, version_by_number
from api.metrics.preview.figures import Preview
from api.metrics.preview.people_pages import read_people
from api.metrics.preview.reasons import reasons_of
from api.metrics.preview.sides import STORED, derive_sides
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.accord_vocab import PersonChange, Reading
from tests.funnel import histories
from tests.funnel.stored_facts import write_facts
from tests.support.accords import activate_document
from tests.support.previews import add_draft, preview_of, stage_of
from tests.support.random_choices import RandomChoices

AS_OF = datetime.fromisoformat("2026-12-31T00:00:00+00:00")
FIRST, BEFORE = "2026-01-04", "2026-01-11"
_START, _END = (datetime.fromisoformat(f"{text}T00:00:00+00:00") for text in (FIRST, BEFORE))
_ACTIVATION = datetime.fromisoformat("2026-01-08T00:00:00+00:00")

Moments = Mapping[UUID, datetime]


def changed(choices: RandomChoices, accord: Accord) -> Accord:
    """Another version: with a stage whose rule is another, one more or less, or with other exits."""
    other = histories.accord(choices)
    kind = choices.integer(0, 4)
    if kind == 0:
        return other
    keys = {stage.key for stage in accord.stages}
    if kind == 1 and {leaving.closes_from for leaving in other.exits} | {x.closes_to for x in other.exits} <= keys:
        return accord.model_copy(update={"exits": other.exits})
    place = choices.integer(0, len(accord.stages) - 1)
    stage = accord.stages[place]
    rule = histories.rule(choices, tuple(lower.key for lower in accord.stages[:place]), 3)
    stages = (*accord.stages[:place], stage.model_copy(update={"rule": rule}), *accord.stages[place + 1 :])
    return accord.model_copy(update={"stages": stages})


def first_moments(
    people: Mapping[UUID, ContactHistory], companies: CompanyHistories, accord: Accord, stage: str
) -> Moments:
    """The first moment, ever, at which the stage's own rule is met, by person."""
    found = {}
    for key, contact in people.items():
        entries = entries_of(contact, companies, accord, AS_OF)
        moments = [entry.own_at for entry in entries if entry.stage == stage and entry.own_at is not None]
        if moments:
            found[key] = min(moments)
    return found


def counted(moments: Moments) -> Moments:
    return {key: at for key, at in moments.items() if _START <= at < _END}


def figures(preview: Preview) -> object:
    """Everything in a preview but for its own id and the watermark of the evaluation."""
    (found,) = TypeAdapter(tuple[Preview]).dump_python((preview,), exclude={0: {"id", "data_watermark"}})
    for stage in found["stages"]:
        stage["people"] = [bucket.pop("people")["stage"] for bucket in stage["buckets"]]
    return found


async def without_stored_entries(database: Database) -> Preview:
    """Compute the preview anew, with every entry of both versions derived."""
    async with database.write() as session:
        await session.script("update evaluation set is_current = false")
    return await preview_of(database, FIRST, BEFORE)


@pytest.mark.parametrize("seed", range(10))
async def test_people_are_those_of_two_evaluations(database: Database, seed: int) -> None:
    choices = RandomChoices.of_seed(seed)
    companies = histories.companies(choices)
    contacts = [histories.contact(choices) for _ in range(40)]
    before = histories.accord(choices)
    after = changed(choices, before)
    async with database.write() as session:
        await adopt_accord(session, before)
        people = dict(zip(await write_facts(session, contacts, companies), contacts, strict=True))
        await evaluate(session, as_of=AS_OF)
        await add_draft(session, after)
    preview = await preview_of(database, FIRST, BEFORE)
    assert figures(preview) == figures(await without_stored_entries(database))
    keys = {stage.key for accord in (before, after) for stage in accord.stages}
    assert {stage.key for stage in preview.stages} == keys
    for key in keys:
        ever_before, ever_after = (
            first_moments(people, companies, accord, key) if key in {stage.key for stage in accord.stages} else {}
            for accord in (before, after)
        )
        was, is_ = counted(ever_before), counted(ever_after)
        expected = {
            PersonChange.GAINED: {person for person in is_ if person not in was},
            PersonChange.LOST: {person for person in was if person not in is_},
            PersonChange.MOVED: {person for person in is_ if person in was and was[person] != is_[person]},
        }
        stage = stage_of(preview, key)
        assert (stage.count_before or 0, stage.count_after or 0) == (len(was), len(is_))
        assert (stage.gained, stage.lost, stage.moved) == tuple(len(found) for found in expected.values())
        for change, found in expected.items():
            async with database.read() as session:
                listed = (await read_people(session, stage.people, change, size=100)).people
                reasons = await reasons_of(session, stage.people, listed)
            assert {person.id for person in listed} == found
            for person in listed:
                assert (person.instant_before, person.instant_after) == (
                    ever_before.get(person.id),
                    ever_after.get(person.id),
                )
                assert reasons[person.id].sentence.endswith(".")
        for bucket in stage.buckets:
            inside = [at for at in is_.values() if bucket.starts_at <= at < bucket.before]
            assert (bucket.count_after or 0) == len(inside)
        assert sum(bucket.count_before or 0 for bucket in stage.buckets) == len(was)


@dataclass(frozen=True, slots=True)
class TwoVersions:
    """Generated people, and the documents of version 2, which replaced another one, and of version 3, a draft."""

    people: Mapping[UUID, ContactHistory]
    companies: CompanyHistories
    second: Accord
    draft: Accord


async def two_versions_and_a_draft(database: Database, seed: int) -> TwoVersions:
    """Write generated people, adopt an accord, replace it, evaluate, and add a draft."""
    choices = RandomChoices.of_seed(seed)
    companies = histories.companies(choices)
    contacts = [histories.contact(choices) for _ in range(30)]
    first = histories.accord(choices)
    second = changed(choices, first)
    draft = changed(choices, second)
    async with database.write() as session:
        await adopt_accord(session, first)
        people = dict(zip(await write_facts(session, contacts, companies), contacts, strict=True))
        await activate_document(session, second, _ACTIVATION)
        await evaluate(session, as_of=AS_OF)
        await add_draft(session, draft, number=3)
    return TwoVersions(people, companies, second, draft)


@pytest.mark.parametrize("seed", range(4))
async def test_a_version_that_replaced_another_is_compared_as_if_it_had_always_been_in_force(
    database: Database, seed: int
) -> None:
    history = await two_versions_and_a_draft(database, seed)
    people, companies = history.people, history.companies
    before, after = history.second, history.draft
    preview = await preview_of(database, FIRST, BEFORE, version=3)
    assert (preview.version, preview.compared_version) == (3, 2)
    for key in {stage.key for accord in (before, after) for stage in accord.stages}:
        was, is_ = (
            counted(first_moments(people, companies, accord, key)) if key in {s.key for s in accord.stages} else {}
            for accord in (before, after)
        )
        stage = stage_of(preview, key)
        assert (stage.count_before or 0, stage.count_after or 0) == (len(was), len(is_))
        assert (stage.gained, stage.lost) == (len(is_.keys() - was.keys()), len(was.keys() - is_.keys()))
        assert stage.moved == sum(is_[person] != was[person] for person in is_.keys() & was.keys())


async def is_first_side_stored(database: Database) -> bool:
    """Whether a preview of version 3 reads the entries of version 2 from an evaluation."""
    async with database.scratch() as session:
        versions = ComparedVersions(await version_by_number(session, 2), await version_by_number(session, 3))
        return (await derive_sides(session, versions, AS_OF)).before.table == STORED


async def computed_anew(database: Database) -> Preview:
    async with database.write() as session:
        await session.script("delete from accord_preview")
    return await preview_of(database, FIRST, BEFORE, version=3)


@pytest.mark.parametrize("seed", range(4))
async def test_a_fresh_kept_evaluation_stands_for_the_version_that_is_compared_to(
    database: Database, seed: int
) -> None:
    await two_versions_and_a_draft(database, seed)
    derived = await computed_anew(database)
    assert not await is_first_side_stored(database)
    await prepare_readings(database, [RequestedReading(Reading.PINNED, 2)], wait=None)
    assert await is_first_side_stored(database)
    assert figures(await computed_anew(database)) == figures(derived)
    async with database.write() as session:
        await session.script(
            "insert into outbox_event (id, change_type, record_type, record_id)"
            " select gen_random_uuid(), 'CREATED', 'touchpoint', gen_random_uuid()"
        )
    assert not await is_first_side_stored(database)
    assert figures(await computed_anew(database)) == figures(derived)
