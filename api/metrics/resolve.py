"""Resolve a KPI request: validate it, and fill in every default.

A request that the KPI does not support is rejected here, before any statement is written.
"""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.breakdowns.top_groups import require_top
from api.metrics.context import MetricContext
from api.metrics.filtering.record_filters import require_counted_records
from api.metrics.kind_of import kind_of
from api.metrics.periods.period_days import days_of, interval_of
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where, known_as_of
from api.metrics.resolved_request import ResolvedKpiRequest, TimeFrame, dimensions_of, record_filters_of, unknown_stage
from api.metrics.switches.chosen_switches import choose_switches
from schema.accord import Accord
from schema.accord_vocab import Reading
from schema.durations import LONGEST, iso_duration
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Kind, Subject
from schema.kpis.kpi import Kpi
from schema.kpis.switch_words import SQL_STAGE, CycleStart
from schema.kpis.switchboard import Switchboard
from schema.kpis.volume import STAGE_VOLUME
from schema.vocab import Anchor, Reentry, Skip

MOST_DIMENSIONS = 3
_MOST_NAMED = 12  # KPIs in a sentence
FUNNEL_SWITCHES = Switchboard(reads_stages=True)


def resolve(kpi: Kpi, request: KpiRequest, context: MetricContext) -> ResolvedKpiRequest:
    """Validate a request and fill in its defaults.

    Shapes: one KpiRequest -> one ResolvedKpiRequest. Reads nothing.
    Errors: BAD_INPUT for what the KPI does not support; UNKNOWN_STAGE; BAD_PERIOD; NOT_EVALUATED.
    """
    board, switches = kpi.switches, request.switches
    _reject_unknown_switches(f"The KPI {kpi.key}", board, switches)
    if kpi.subject is Subject.PERSON and context.has_contacts and (board.reads_stages or not context.needs_evaluation):
        _ = context.evaluation
    stages = _stages_of(kpi, request.stages, context)
    window, window_override = _window(kpi, stages, switches, context.accord)
    is_agreed = switches.window is None and not switches.has_no_window
    # A KPI without this switch counts events in the period; a duration follows those who started in the period.
    anchor = switches.anchor or board.anchor or (Anchor.COHORT if kpi.kind is Kind.DURATION else Anchor.PERIOD)
    has_own_window = board.own_window is not None
    if anchor is Anchor.PERIOD and switches.window is not None and not has_own_window:
        raise _bad(
            "The switch window has no meaning with anchor=PERIOD: numerator and denominator may be different people.",
            "Leave window out, or set anchor=COHORT.",
        )
    require_top(request.by, request.top)
    frame = _frame(request.period, switches, context)
    _require_cycle_start(kpi, switches, context)
    chosen = choose_switches(kpi, switches, request.where, anchor, context.accord)
    return ResolvedKpiRequest(
        kpi=kpi,
        context=context,
        frame=frame,
        grain=request.grain,
        by=_dimensions(f"The KPI {kpi.key}", kpi.dimensions, request.by),
        where=_checked_where(f"The KPI {kpi.key}", kpi, request.where),
        stages=stages,
        anchor=anchor,
        reentry=switches.reentry or board.reentry or Reentry.EACH,
        skip=switches.skip or board.skip or Skip.IMPLIED,
        window=window if anchor is Anchor.COHORT or has_own_window else None,
        windows=_windows(kpi, stages, context) if is_agreed and anchor is Anchor.COHORT else (),
        censoring=chosen.censoring,
        filter_scope=chosen.filter_scope,
        currency_rule=chosen.currency_rule,
        cycle_start=chosen.cycle_start,
        overrides=(*chosen.overrides, *window_override, *frame.overrides, *_of_reading(switches), *context.overrides),
    )


def resolve_funnel(request: FunnelRequest, context: MetricContext) -> ResolvedKpiRequest:
    """Validate a funnel request. A funnel reads the first entries into all stages, implied ones included.

    Shapes: one FunnelRequest -> one ResolvedKpiRequest. Reads nothing.
    Errors: as of `resolve`; BAD_INPUT for a switch that a funnel does not have.
    """
    subject = "The funnel"
    _reject_unknown_switches(subject, FUNNEL_SWITCHES, request.switches)
    _checked_where(subject, STAGE_VOLUME, request.where, PERSON_DIMENSIONS)
    by = _dimensions(subject, PERSON_DIMENSIONS, request.by)
    require_top(by, request.top)
    volume = KpiRequest(STAGE_VOLUME.key, period=request.period, by=by, where=request.where, switches=request.switches)
    return resolve(STAGE_VOLUME, volume, context)


def _frame(period: Period, switches: Switches, context: MetricContext) -> TimeFrame:
    """Find the instants of a period, under `asOf` and `timezone`."""
    reporting = context.accord.reporting
    zone = _zone(switches.timezone or reporting.timezone)
    requested = switches.as_of or context.now
    if requested.tzinfo is None or not 1000 <= requested.year < 9000:
        raise _bad(
            f"asOf={requested.isoformat()} has no time zone, or its year is not between 1000 and 8999.",
            "Write an instant with its zone, like 2026-04-01T00:00:00Z.",
        )
    as_of = known_as_of(switches, context.now)
    days = days_of(period, zone, as_of, reporting)
    overrides = []
    if switches.as_of is not None:
        overrides.append(f"asOf={_instant(requested)}")
    if zone.key != reporting.timezone:
        overrides.append(f"timezone={zone.key}")
    return TimeFrame(
        as_of=as_of,
        is_past=switches.as_of is not None,
        ahead=requested if requested > as_of else None,
        zone=zone,
        days=days,
        interval=interval_of(days, zone),
        overrides=tuple(overrides),
    )


def reject_unknown_switches(request: KpiRequest | FunnelRequest, kpi: Kpi | None = None) -> None:
    """Reject a switch that the KPI, or without one the funnel, does not have. Errors: BAD_INPUT."""
    subject = "The funnel" if kpi is None else f"The KPI {kpi.key}"
    _reject_unknown_switches(subject, FUNNEL_SWITCHES if kpi is None else kpi.switches, request.switches)


def _of_reading(switches: Switches) -> tuple[str, ...]:
    """The overrides to report of a reading that is not the one in force, or of facts known at an instant."""
    overrides = []
    if switches.reading not in (None, Reading.IN_FORCE):
        overrides.append(f"reading={switches.reading.value}")
    if switches.accord_version is not None:
        overrides.append(f"accordVersion={switches.accord_version}")
    if switches.known_at is not None:
        overrides.append(f"knownAt={_instant(switches.known_at)}")
    return tuple(overrides)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _reject_unknown_switches(subject: str, board: Switchboard, switches: Switches) -> None:
    """Reject a switch that the KPI does not have: ignoring it would return the value of another request."""
    window = switches.window is not None or switches.has_no_window
    if switches.window is not None and switches.has_no_window:
        raise _bad("The switch window has both a length and `none`.", "Give one of the two.")
    named = (
        ("anchor", switches.anchor),
        ("reentry", switches.reentry),
        ("skip", switches.skip),
        ("window", window),
        ("censoring", switches.censoring),
        ("filterScope", switches.filter_scope),
        ("currencyRule", switches.currency_rule),
        ("cycleStart", switches.cycle_start),
        ("reading", switches.reading),
        ("accordVersion", switches.accord_version is not None),
    )
    for name, value in named:
        if value and name not in board.names:
            is_of_reading = name in ("reading", "accordVersion") and switches.cycle_start is not CycleStart.SQL
            why = " because no clause of the accord but [reporting] defines it" if is_of_reading else ""
            raise _bad(
                f"{subject} has no switch {name}{why}.",
                f"Its switches are {', '.join(board.names)}. {_having(name)}",
            )


def _having(switch: str) -> str:
    """The sentence that says which KPIs have a switch."""
    keys = [kpi.key for kpi in CATALOGUE.values() if switch in kpi.switches.names]
    more = f" and {len(keys) - _MOST_NAMED:,} more" if len(keys) > _MOST_NAMED else ""
    return f"The switch {switch} is one of {', '.join(keys[:_MOST_NAMED])}{more}."


def _stages_of(kpi: Kpi, pair: StagePair | None, context: MetricContext) -> tuple[str, ...]:
    """The stages whose entries are read.

    Errors: UNKNOWN_STAGE; BAD_INPUT for a pair that is missing, not supported, or in the wrong order.
    """
    accord = context.accord
    known = tuple(stage.key for stage in accord.stages)
    stages = kind_of(kpi.measure).stages(known)
    if stages is None:
        if pair is None:
            raise _bad(
                f"{kpi.key} needs two stages, and the request names none.",
                f"Name them, such as {known[0]} and {known[-1]}; the stages are {', '.join(known)}.",
            )
        return _checked_pair(pair, accord, known)
    if pair is not None:
        raise _bad(
            f"{kpi.key} takes no pair of stages.",
            "Use stage_conversion or time_to_convert for a pair of your own.",
        )
    for stage in stages:
        # Without contacts the value is null, and NO_CONTACTS explains that better than a missing stage.
        if stage not in known and context.has_contacts:
            raise AccordError(
                ErrorCode.UNKNOWN_STAGE,
                f"{kpi.key} reads the stage '{stage}', which the accord '{accord.title}' does not have.",
                f"Its stages are {', '.join(known)}: use stage_volume or stage_conversion with these.",
            )
    return stages


def _require_cycle_start(kpi: Kpi, switches: Switches, context: MetricContext) -> None:
    """Reject `cycleStart: SQL` where nothing says who entered that stage. Errors: UNKNOWN_STAGE, NOT_EVALUATED."""
    if switches.cycle_start is not CycleStart.SQL:
        return
    known = [stage.key for stage in context.accord.stages]
    if SQL_STAGE not in known:
        raise AccordError(
            ErrorCode.UNKNOWN_STAGE,
            f"cycleStart=SQL reads the stage '{SQL_STAGE}', which the accord '{context.accord.title}' does not have.",
            f"Its stages are {', '.join(known)}: measure {kpi.key} from OPENED or FIRST_TOUCH.",
        )
    _ = context.evaluation


def _checked_pair(pair: StagePair, accord: Accord, known: tuple[str, ...]) -> tuple[str, ...]:
    for key in (pair.base, pair.target):
        if key not in known:
            raise unknown_stage(key, accord)
    if accord.rank(pair.base) >= accord.rank(pair.target):
        raise _bad(
            f"The second stage must be above the first one, and {pair.target} is not above {pair.base}.",
            f"The order is {', '.join(known)}.",
        )
    return (pair.base, pair.target)


def _window(
    kpi: Kpi, stages: tuple[str, ...], switches: Switches, accord: Accord
) -> tuple[timedelta | None, tuple[str, ...]]:
    """The window to use, and the override to report if it is not the accord's, or the KPI's own."""
    own = kpi.switches.own_window
    if own is not None:
        if switches.has_no_window:
            raise _bad(f"{kpi.key} has a window always: without one, nobody's time would be over.", "Give a length.")
        return _chosen_window(switches, own)
    if not kpi.switches.has_window or not {*stages} <= {stage.key for stage in accord.stages}:
        return None, ()
    agreed = accord.window(stages[0], stages[1])
    if switches.has_no_window:
        return None, () if agreed is None else ("window=none",)
    return _chosen_window(switches, agreed)


def _chosen_window(switches: Switches, agreed: timedelta | None) -> tuple[timedelta | None, tuple[str, ...]]:
    if switches.window is None or switches.window == agreed:
        return agreed, ()
    if not timedelta(0) < switches.window <= LONGEST:
        message = "The window is not longer than 0 seconds, or is longer than 100 years."
        raise _bad(message, "Give one of more than 0 seconds and at most 100 years, or none.")
    return switches.window, (f"window={iso_duration(switches.window)}",)


def _windows(kpi: Kpi, stages: tuple[str, ...], context: MetricContext) -> tuple[tuple[UUID, timedelta | None], ...]:
    """The windows of the versions that judge; empty if all of them have the same.

    A version without one of the stages has no window.
    """
    if not kpi.switches.has_window or len(context.versions) < 2:
        return ()
    windows = tuple(
        (version.id, version.accord.window(*stages) if {*stages} <= _keys(version.accord) else None)
        for version in context.versions
    )
    return windows if len({window for _, window in windows}) > 1 else ()


def _keys(accord: Accord) -> set[str]:
    return {stage.key for stage in accord.stages}


def _dimensions(subject: str, allowed: tuple[Dimension, ...], by: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    for dimension in by:
        _check_dimension(subject, allowed, dimension)
    if len(by) > MOST_DIMENSIONS:
        raise _bad(
            f"A breakdown has at most {MOST_DIMENSIONS} dimensions, and the request names {len(by)}: {', '.join(by)}.",
            f"Use {MOST_DIMENSIONS} of them, and select one value of every other with `where`.",
        )
    twice = next((dimension for place, dimension in enumerate(by) if dimension in by[:place]), None)
    if twice is not None:
        raise _bad(f"The request names the dimension {twice} twice.", "Name every dimension once.")
    return by


def _checked_where(subject: str, kpi: Kpi, where: Where, allowed: tuple[Dimension, ...] | None = None) -> Where:
    for dimension in dimensions_of(where):
        _check_dimension(subject, kpi.dimensions if allowed is None else allowed, dimension)
    require_counted_records(subject, kpi.subject, where)
    if not kpi.dimensions and any(record_filters_of(where)):
        raise _bad(
            f"{subject} divides costs of the whole firm, which no record has: it cannot be filtered.",
            "Leave where out, or filter its parts, such as new_customers.",
        )
    return where


def _check_dimension(subject: str, allowed: tuple[Dimension, ...], dimension: Dimension) -> None:
    if dimension not in allowed:
        remedy = f"It has {', '.join(allowed)}." if allowed else "It has none: leave by and where out."
        raise _bad(f"{subject} has no dimension {dimension}.", remedy)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _bad(f"'{name}' is not an IANA time zone.", "Write one like Europe/Berlin or UTC.") from error


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)
