"""The reading of a request: the context with its versions of the accord, its stage entries and its facts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from api.access.evaluation import RequestedReading
from api.access.principal import Principal
from api.accord.in_force import AccordInForce
from api.db import Database, ReadSession
from api.funnel.readings.applied_reading import AppliedReading, apply_reading, in_force_at
from api.funnel.readings.kept_evaluations import find_kept
from api.funnel.readings.prepare_readings import WAIT, prepare_readings
from api.metrics.context import MetricContext, read_context, with_exclusions
from api.metrics.readings.known_session import facts_session
from api.metrics.request import FunnelRequest, KpiRequest, Switches, known_as_of
from schema.accord_vocab import Reading
from schema.kpis import CATALOGUE
from schema.kpis.switch_words import CycleStart


def requested_reading(switches: Switches) -> RequestedReading:
    """The reading that the switches of a request name."""
    return RequestedReading(switches.reading or Reading.IN_FORCE, switches.accord_version, switches.known_at)


async def prepare_requests(
    database: Database, requests: Iterable[KpiRequest | FunnelRequest], *, wait: timedelta | None = WAIT
) -> None:
    """Have the readings evaluated that requests for stages name, see `prepare_readings`.

    Called before the snapshot that answers the requests is opened. It does nothing for the reading in force.
    """
    readings = (
        requested_reading(switches)
        for request in requests
        if _reads_entries(request)
        for switches in (request.switches, *_compared_version(request))
    )
    await prepare_readings(database, readings, wait=wait)


def _reads_entries(request: KpiRequest | FunnelRequest) -> bool:
    if isinstance(request, FunnelRequest) or (kpi := CATALOGUE.get(request.key)) is None:
        return True
    return kpi.switches.reads_stages or request.switches.cycle_start is CycleStart.SQL


def version_switches(switches: Switches, accord_version: int | None) -> Switches:
    """The same switches with every stage as a version of the accord decides it."""
    return replace(switches, reading=Reading.PINNED, accord_version=accord_version)


def _compared_version(request: KpiRequest | FunnelRequest) -> Iterator[Switches]:
    """The switches of the version of the accord that the answer is compared with, if it is."""
    compared_to = request.compare_to if isinstance(request, KpiRequest) else None
    if compared_to is not None and compared_to.accord_version is not None:
        yield version_switches(request.switches, compared_to.accord_version)


@dataclass(frozen=True, slots=True)
class ContextReader:
    """Reads the contexts of the requests of one snapshot, each of them once."""

    session: ReadSession
    plain: MetricContext  # of the reading in force
    found: dict[tuple[RequestedReading, datetime | None], MetricContext] = field(default_factory=dict)

    @classmethod
    async def of(cls, session: ReadSession, principal: Principal, now: datetime) -> "ContextReader":
        """Read the context of the reading in force, which most requests name. Errors: NO_ACCORD."""
        return cls(session, await read_context(session, principal, now))

    async def context(self, switches: Switches) -> MetricContext:
        """Return the context of a request.

        Shapes: one statement to seven, none for the reading in force while one version alone was ever in force.
        Errors: those of `apply_reading`; EVALUATING for a reading that is not evaluated yet.
        """
        context = await self._of_reading(switches)
        if switches.exclusions is None:
            return context
        session = facts_session(self.session, context.known_at)
        return await with_exclusions(session, context, [exclusion.value for exclusion in switches.exclusions])

    async def _of_reading(self, switches: Switches) -> MetricContext:
        requested = requested_reading(switches)
        if requested.is_current and not self.plain.has_former_versions:
            return self.plain
        key = requested, switches.as_of
        if key not in self.found:
            self.found[key] = await self._read(requested, switches)
        return self.found[key]

    async def _read(self, requested: RequestedReading, switches: Switches) -> MetricContext:
        applied = await apply_reading(self.session, requested, self.plain.now)
        context = self.plain
        if applied.known_at is not None:
            known = facts_session(self.session, applied.known_at)
            # Nothing is known of what comes after that instant: it is the present of the context.
            context = await read_context(known, context.principal, applied.known_at)
            context = replace(context, watermark=_earlier(context.watermark, applied.known_at))
        at = known_as_of(switches, context.now)
        accord = _accord(applied, at)
        context = replace(context, in_force=accord, versions=applied.versions, known_at=applied.known_at)
        if applied.key is None:
            return context
        kept = await find_kept(self.session, applied.key)
        if kept is None:
            # Without it a KPI that reads no stage has its value all the same.
            return replace(context, evaluation_id=None, needs_evaluation=True)
        return replace(
            context,
            evaluation_id=kept.id,
            evaluated_at=kept.made_at,
            is_outdated=not kept.is_fresh,
            watermark=context.watermark if kept.is_fresh else _earlier(context.watermark, kept.made_at),
        )


def _earlier(one: datetime | None, other: datetime) -> datetime | None:
    return None if one is None else min(one, other)


def _accord(applied: AppliedReading, at: datetime) -> AccordInForce:
    """The version whose stages an answer shows: of several, the one in force at `asOf`, with today's reporting."""
    shown = in_force_at(applied.versions, at) if len(applied.versions) > 1 else applied.versions[0]
    accord = shown.accord
    if len(applied.versions) > 1:
        accord = accord.model_copy(update={"reporting": applied.versions[-1].accord.reporting})
    return AccordInForce(
        id=shown.id,
        number=shown.number,
        content_hash=shown.content_hash,
        is_signed=shown.signed_at is not None,
        starts_at=shown.in_force_from,
        accord=accord,
    )
