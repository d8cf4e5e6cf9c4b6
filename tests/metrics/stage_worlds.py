"""Made-up people with entries, exits, rejected handoffs and owners, and an independent count over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from api.db import WriteSession
from api.sql import Sql
from tests.sample.handoff_books import office_time
from tests.support.random_choices import RandomChoices

START = datetime(2026, 3, 2, tzinfo=UTC)
NOW = START + timedelta(days=400)
STAGES = ("inquiry", "mql", "sal", "sql", "opportunity", "customer")
WINDOWS = {"inquiry": 90, "mql": 14, "sal": 14, "sql": 30, "opportunity": 180}  # days
EVALUATION, ADA, DEE = UUID(int=7), UUID(int=21), UUID(int=22)
LEFT_AT = START + timedelta(days=20, hours=11)  # when Dee was deactivated
DAY, HOUR, MOMENT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
RECYCLED = timedelta(days=180)
RECYCLING = ("NO_TIMING", "NO_BUDGET")  # as the standard accord has them


@dataclass(frozen=True)
class Stay:
    stage: str
    entered: datetime
    exited: datetime | None
    kind: str | None


@dataclass(frozen=True)
class Somebody:
    """A person: their stays, the rejections of their handoffs, and their owners since an instant."""

    stays: tuple[Stay, ...]
    rejections: tuple[tuple[datetime, str], ...]
    owners: tuple[tuple[datetime, UUID | None], ...]
    is_test: bool


@dataclass(frozen=True)
class Counted:
    """One counted row: when, whether it is part of the numerator, what it gives, and whether it can still convert."""

    at: datetime
    is_part: bool = False
    hours: float = 0
    is_waiting: bool = False
    stage: str | None = None


def made_up(choices: RandomChoices) -> list[Somebody]:
    """Some people; few different instants, so that some coincide."""
    return [_somebody(choices) for _ in range(14)]


def _instant(choices: RandomChoices) -> datetime:
    # Half a year apart, so that some come back within 180 days, at their end, and after it.
    return START + choices.integer(0, 40) * 12 * HOUR + choices.one((0, 0, 0, 165, 180)) * DAY


def _somebody(choices: RandomChoices) -> Somebody:
    stays = list[Stay]()
    for stage in STAGES:
        instants = sorted({_instant(choices) for _ in range(choices.integer(0, 4))})
        for entered, exited in zip(instants[::2], [*instants[1::2], None], strict=False):
            kind = choices.one(("ADVANCED", "HANDOFF_REJECTED", "HANDOFF_REJECTED", "DEAL_LOST"))
            stays.append(Stay(stage, entered, exited, kind if exited else None))
    ends = [stay.exited for stay in stays if stay.kind == "HANDOFF_REJECTED" and stay.exited is not None]
    rejections = [(at, choices.one(("NO_TIMING", "NO_BUDGET", "NO_FIT", "ODD"))) for at in sorted({*ends})]
    kept = tuple(rejection for rejection in rejections if not choices.happens(5))
    changes = sorted({_instant(choices) + choices.integer(0, 12) * HOUR for _ in range(choices.integer(0, 3))})
    owners = tuple((at, choices.one((None, ADA, DEE))) for at in (START - DAY, *changes))
    return Somebody(tuple(stays), kept, owners, choices.happens(9))


async def prepare(session: WriteSession, version_id: UUID) -> None:
    """Write the members and the evaluation that the entries are of."""
    await session.copy("member", ["id", "name", "deactivated_at"], [(ADA, "Ada", None), (DEE, "Dee", LEFT_AT)])
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, finished_at, watermark, is_current)"
            " values ({}, 'IN_FORCE', {}, now(), now(), now(), true)",
            EVALUATION,
            version_id,
        )
    )


async def load(session: WriteSession, people: list[Somebody], version_id: UUID) -> None:
    """Replace the contacts in the database, with all their facts."""
    await session.script(
        "delete from stage_entry; delete from handoff; delete from contact_version; delete from contact;"
        "delete from contact_version; set local accord.history_is_given = on"
    )
    ids = [UUID(int=1000 + place) for place in range(len(people))]
    owned = [(key, somebody.is_test, somebody.owners[-1][1]) for key, somebody in zip(ids, people, strict=True)]
    await session.copy("contact", ["id", "is_test", "owner_id"], owned)
    versions, entries, handoffs = [], [], []
    for key, somebody in zip(ids, people, strict=True):
        ends = [at for at, _ in somebody.owners[1:]] + [None]
        flags = (False, False, somebody.is_test, False, False)
        versions += [(key, at, end, owner, *flags) for (at, owner), end in zip(somebody.owners, ends, strict=True)]
        for stage in STAGES:
            of_stage = [stay for stay in somebody.stays if stay.stage == stage]
            entries += [
                (
                    *(key, EVALUATION, stage, place, STAGES.index(stage) + 2),
                    *(stay.entered, stay.entered, stay.exited, stay.kind, version_id, False),
                )
                for place, stay in enumerate(of_stage, start=1)
            ]
        handoffs += [
            (key, UUID(int=(key.int << 8) + place), at - DAY, at, "REJECTED", reason)
            for place, (at, reason) in enumerate(somebody.rejections)
        ]
    kept = ["contact_id", "valid_from", "valid_to", "owner_id", "email_opt_out", "do_not_call", "is_test"]
    await session.copy("contact_version", [*kept, "is_internal", "is_assumed"], versions)
    entered = ["contact_id", "evaluation_id", "stage", "occurrence", "rank", "entered_at", "own_at", "exited_at"]
    await session.copy("stage_entry", [*entered, "exit_kind", "accord_version_id", "is_implied"], entries)
    handed = ["contact_id", "id", "handed_at", "decided_at", "status", "reject_reason"]
    await session.copy("handoff", handed, handoffs)


def rows(key: str, somebody: Somebody, start: datetime | None, end: datetime, until: datetime) -> Iterator[Counted]:
    """The counted rows of a person over `[start, end)`, of which nothing is known from `until` on."""
    match key:
        case "stalled_rate":
            yield from _standing(somebody, end)
        case "recycle_rate":
            yield from (
                Counted(at, is_part=_is_recycled(somebody, at))
                for at in _leaving(somebody, until)
                if at < end and (start is None or at >= start)
            )
        case "recycled_reconversion":
            yield from _returning(somebody, start, end, until)
        case "orphan_hours":
            yield from _orphaned(somebody, start, end)


def _is_open(stay: Stay, at: datetime) -> bool:
    return stay.entered <= at and (stay.exited is None or stay.exited > at)


def _standing(somebody: Somebody, end: datetime) -> Iterator[Counted]:
    last = end - MOMENT
    standing = [stay for stay in somebody.stays if _is_open(stay, last)]
    highest = max(standing, key=lambda stay: STAGES.index(stay.stage), default=None)
    if highest is not None and highest.stage in WINDOWS:
        is_part = highest.entered + WINDOWS[highest.stage] * DAY < last
        yield Counted(last, is_part=is_part, stage=highest.stage)


def _leaving(somebody: Somebody, until: datetime) -> list[datetime]:
    between = [stay for stay in somebody.stays if stay.stage in ("mql", "sal")]
    ends = {stay.exited for stay in between if stay.exited is not None and stay.exited < until}
    return sorted(at for at in ends if not any(_is_open(stay, at) for stay in between))


def _is_recycled(somebody: Somebody, at: datetime) -> bool:
    ended = [stay for stay in somebody.stays if stay.stage in ("mql", "sal") and stay.exited == at]
    is_rejected = any(stay.kind == "HANDOFF_REJECTED" for stay in ended)
    return is_rejected and any(when == at and why in RECYCLING for when, why in somebody.rejections)


def _returning(somebody: Somebody, start: datetime | None, end: datetime, until: datetime) -> Iterator[Counted]:
    recycled = [at for at in _leaving(somebody, until) if _is_recycled(somebody, at)]
    for at, following in zip(recycled, [*recycled[1:], None], strict=False):
        if at >= end or (start is not None and at < start):
            continue
        entered = [stay.entered for stay in somebody.stays if stay.stage == "sql" and at < stay.entered < until]
        back = min((one for one in entered if following is None or one <= following), default=None)
        may = back is None and following is None and at + RECYCLED >= until
        yield Counted(at, is_part=back is not None and back <= at + RECYCLED, is_waiting=may)


def _orphaned(somebody: Somebody, start: datetime | None, end: datetime) -> Iterator[Counted]:
    edges = {LEFT_AT, end, *(at for at, _ in somebody.owners), *([start] if start else [])}
    edges |= {at for stay in somebody.stays for at in (stay.entered, stay.exited) if at is not None}
    marks = sorted(at for at in edges if at <= end and (start is None or at >= start))
    total, first = timedelta(0), None
    for since, before in pairwise(marks):
        is_qualified = any(_is_open(stay, since) for stay in somebody.stays if stay.stage in STAGES[1:5])
        owner = [who for at, who in somebody.owners if at <= since][-1:]
        if is_qualified and owner and (owner[0] is None or (owner[0] == DEE and since >= LEFT_AT)):
            total += office_time(since, before)
            first = first or since
    if total and first is not None:
        yield Counted(first, hours=total / HOUR)
