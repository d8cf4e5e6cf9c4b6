"""Previews on request: the stored one while nothing that it was computed from has changed, or else a new one."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter

from api.access.principal import Principal
from api.accord.verification import PREVIEW_KEPT
from api.db import Database, ReadSession, Session, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.readings.kept_evaluations import BASIS_NOW
from api.metrics.context import MetricContext, read_context
from api.metrics.preview.compared_versions import ComparedVersions, version_by_number
from api.metrics.preview.compute import compute_preview
from api.metrics.preview.figures import Preview
from api.metrics.preview.people_pages import LISTS_KEPT
from api.metrics.preview.preview_frame import LAST_THREE_MONTHS, PreviewFrame, preview_frame
from api.metrics.preview.running_previews import WAIT, computed_once
from api.metrics.request import Period
from api.progress import Progress
from api.sql import Sql
from schema.access.rights import Reach
from schema.base import new_id

_FIGURES: TypeAdapter[Preview] = TypeAdapter(Preview)


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """Which version to preview, compared to which one (None: the one in force), over which days."""

    version: int
    compare_to: int | None = None
    period: Period = LAST_THREE_MONTHS


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A request with everything that a stored preview has to agree with."""

    versions: ComparedVersions
    frame: PreviewFrame
    context: MetricContext
    basis: str  # changes with every write, so also with one that moves no watermark: an exchange rate, an exclusion

    @property
    def key(self) -> Hashable:
        """What two requests for the same preview have in common."""
        before, after, days = self.versions.before, self.versions.after, self.frame.days
        hashes = before.content_hash, after.content_hash
        return before.id, after.id, *hashes, days.starts_on, days.before, self.basis


async def requested_preview(
    database: Database,
    principal: Principal,
    request: PreviewRequest,
    *,
    now: datetime | None = None,
    wait: timedelta | None = WAIT,
    progress: Progress | None = None,
) -> Preview:
    """Return the stored preview of a request, or compute and store one.

    One that takes longer than `wait` goes on and is stored all the same; None waits for its end.

    Writes accord_preview (1) and accord_preview_person, if no stored one has the same two documents and days, is of the
    records as they are now, and is at most 7 days old.
    Errors: NOT_ALLOWED without the reach ALL; NO_ACCORD; UNKNOWN_VALUE for a version that does not exist; BAD_PERIOD;
            EVALUATING.
    """
    if principal.reach is not Reach.ALL:
        message = f"A preview is about everybody, so it needs the reach {Reach.ALL}; yours is {principal.reach}."
        raise AccordError(ErrorCode.NOT_ALLOWED, message, f"Use a credential with the reach {Reach.ALL}.")
    database.require_primary()
    at = now or datetime.now(UTC)
    async with database.read() as reading:
        prepared = await _prepared(reading, principal, request, at)
        stored = await _stored(reading, prepared)
    if stored is not None:
        return stored

    async def compute() -> Preview:
        return await _computed(database, principal, request, at, progress)

    return await computed_once(database, prepared.key, compute, wait)


async def _computed(
    database: Database, principal: Principal, request: PreviewRequest, now: datetime, progress: Progress | None
) -> Preview:
    async with database.write() as session:
        # One snapshot, so that all figures are of the same facts, whoever writes meanwhile.
        await session.script("set transaction isolation level repeatable read; set local statement_timeout = '1h'")
        prepared = await _prepared(ReadSession(session.connection), principal, request, now)
        preview = await compute_preview(
            session, new_id(), prepared.versions, prepared.frame, prepared.context, progress
        )
        await _store(session, principal, prepared, preview)
    async with database.write() as session:
        await _forget_lists(session, preview, prepared)
    return preview


async def _prepared(session: ReadSession, principal: Principal, request: PreviewRequest, now: datetime) -> _Prepared:
    context = await read_context(session, principal, now)
    after = await version_by_number(session, request.version)
    before = context.in_force if request.compare_to is None else await version_by_number(session, request.compare_to)
    basis = str(await session.value(Sql("select {}", BASIS_NOW)))
    frame = preview_frame(request.period, after.accord.reporting, now)
    return _Prepared(ComparedVersions(before, after), frame, context, basis)


async def _stored(session: Session, prepared: _Prepared) -> Preview | None:
    days = prepared.frame.days
    found = await session.value(
        Sql(
            """select figures from accord_preview
where accord_version_id = {} and content_hash = {} and compared_hash = {} and compared_to_id = {}
  and starts_on = {} and before = {} and basis = {} and computed_at > {}
order by computed_at desc limit 1""",
            prepared.versions.after.id,
            prepared.versions.after.content_hash,
            prepared.versions.before.content_hash,
            prepared.versions.before.id,
            days.starts_on,
            days.before,
            prepared.basis,
            prepared.frame.as_of - PREVIEW_KEPT,
        )
    )
    return None if found is None else _FIGURES.validate_python(found)


async def _store(session: WriteSession, principal: Principal, prepared: _Prepared, preview: Preview) -> None:
    """Store a preview with its people."""
    days, figures = prepared.frame.days, _FIGURES.dump_python(preview, mode="json")
    await session.run(
        Sql(
            """insert into accord_preview (id, accord_version_id, content_hash, compared_to_id, compared_hash,
  starts_on, before, computed_at, computed_by_id, watermark, basis, figures)
values ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})""",
            *(preview.id, prepared.versions.after.id, preview.hash, prepared.versions.before.id, preview.compared_hash),
            *(days.starts_on, days.before, preview.computed_at, principal.member_id),
            *(preview.data_watermark, prepared.basis, figures),
        )
    )
    await session.run(
        Sql(
            "insert into accord_preview_person (preview_id, stage, change, listed_at, contact_id, before_at, after_at)"
            " select {}::uuid, stage, change, at, contact_id, instant_before, instant_after"
            " from preview_change order by stage, change, at, contact_id",
            preview.id,
        )
    )


async def _forget_lists(session: WriteSession, preview: Preview, prepared: _Prepared) -> None:
    """Delete the people of previews that have expired, and of those that this one replaces.

    In a transaction of its own: in the snapshot of the preview, rows that another one has deleted are an error.
    """
    before, after, days = prepared.versions.before, prepared.versions.after, prepared.frame.days
    await session.run(
        Sql(
            """delete from accord_preview_person where preview_id in (
  select p.id from accord_preview p where p.computed_at <= {} or p.computed_at < {} and p.accord_version_id = {}
    and p.compared_to_id = {} and p.starts_on = {} and p.before = {})""",
            *(preview.computed_at - PREVIEW_KEPT, preview.computed_at - LISTS_KEPT),
            *(after.id, before.id, days.starts_on, days.before),
        )
    )
