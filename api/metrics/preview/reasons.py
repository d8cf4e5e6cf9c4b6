"""Why two versions count a person differently in a stage, as a sentence: which part of a rule decides.

At the earlier of the two first moments one version counts the person and the other one does not. The parts of the other
one's rule that do not hold at that moment are the reason. They are found by the reference evaluator, on the facts of
the people of one page; so the reasons of a page cost a few statements, and none is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from api.accord.in_force import AccordInForce
from api.db import Session
from api.funnel.reference import unmet_parts
from api.funnel.reference_facts import CompanyHistories, ContactHistory
from api.metrics.preview.compared_versions import version_by_id
from api.metrics.preview.figures import ChangedPeople
from api.metrics.preview.people_pages import ChangedPerson
from api.metrics.preview.person_facts import read_facts
from api.sql import Sql
from schema.sentences.rule_sentences import rule_sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a person is counted differently: the version whose rule decides, and the sentence."""

    version: int
    clause: str
    sentence: str


async def reasons_of(session: Session, listed: ChangedPeople, people: Sequence[ChangedPerson]) -> Mapping[UUID, Reason]:
    """Find the reasons of the people of one page.

    Shapes: n people -> {id: Reason}. Reads the preview's row, the two versions, and the facts of the people.
    """
    if not people:
        return {}
    before, after = await _versions(session, listed.preview_id)
    facts, companies = await read_facts(session, [person.id for person in people])
    return {person.id: _reason(before, after, listed.stage, person, facts[person.id], companies) for person in people}


async def _versions(session: Session, preview_id: UUID) -> tuple[AccordInForce, AccordInForce]:
    row = await session.row(
        Sql("select compared_to_id, accord_version_id from accord_preview where id = {}", preview_id)
    )
    if row is None:
        raise LookupError(f"preview {preview_id} is not stored")
    return await version_by_id(session, row[0]), await version_by_id(session, row[1])


def _reason(
    before: AccordInForce,
    after: AccordInForce,
    stage: str,
    person: ChangedPerson,
    contact: ContactHistory,
    companies: CompanyHistories,
) -> Reason:
    """Explain one person by the rule of the version that does not count them at the earlier moment."""
    is_first_before = person.instant_after is None or (
        person.instant_before is not None and person.instant_before <= person.instant_after
    )
    at = person.instant_before if is_first_before else person.instant_after
    counting, other = (before, after) if is_first_before else (after, before)
    if at is None:
        raise ValueError(f"{person.id} is counted by neither version")
    zone, clause = after.accord.reporting.timezone, f"stages.{stage}.rule"
    later = _later(person, zone, is_first_before=is_first_before)
    met = f"At {_minute(at, zone)} version {counting.number} counts the person; version {other.number} does not"
    if stage not in {declared.key for declared in other.accord.stages}:
        return Reason(other.number, f"stages.{stage}", f"{met}: it has no such stage.")
    if person.instant_before == person.instant_after:
        return Reason(other.number, "reporting.exclude", f"{met}: one version never counts people like this one.")
    unmet = unmet_parts(contact, companies, other.accord, stage, at)
    if not unmet:
        why = "its rule holds as well, but no fact that it reads changed then"
        return Reason(other.number, clause, f"{met}: {why}{later}.")
    parts = "; and ".join(rule_sentence(part, other.accord) for part in unmet)
    return Reason(other.number, clause, f"{met}, because this is not so: {parts}{later}.")


def _later(person: ChangedPerson, zone: str, *, is_first_before: bool) -> str:
    """When the other version counts the person, if it does."""
    later: datetime | None = person.instant_after if is_first_before else person.instant_before
    return "" if later is None else f". It counts the person at {_minute(later, zone)}"


def _minute(at: datetime, zone: str) -> str:
    """An instant in a time zone, which is that of the previewed version, as for the days of the preview."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
