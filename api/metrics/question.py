"""A request made definite: every switch has its value, every name is known, every date is an instant.

What a request may not ask is refused here, before any statement is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.ground import Ground
from api.metrics.periods import Stretch, dated, stretch
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where
from schema.accord import Accord, ContactPolicy
from schema.durations import format_duration
from schema.kpis.kinds import (
    PERSON_DIMENSIONS,
    Conversion,
    Count,
    Duration,
    Entries,
    Kind,
    Kpi,
    OverPolicy,
    Response,
    Stay,
    Subject,
    Switchboard,
)
from schema.kpis.volume import STAGE_VOLUME
from schema.vocab import Anchor, Dimension, Grain, Reentry, Skip

LONGEST_WINDOW = timedelta(days=36_525)
MOST_DIMENSIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """When a question is asked about, and as seen when."""

    as_of: datetime
    is_past: bool  # whether the question names `asOf`: what was undone since must then be read from history
    zone: ZoneInfo
    days: Period
    stretch: Stretch
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One definite question about one KPI."""

    kpi: Kpi
    ground: Ground
    frame: Frame
    grain: Grain | None
    by: tuple[Dimension, ...]
    where: Where
    stages: tuple[str, ...]  # what is counted: one stage, all of them, or base and target
    anchor: Anchor
    reentry: Reentry
    skip: Skip
    window: timedelta | None
    overrides: tuple[str, ...]

    @property
    def is_about_people(self) -> bool:
        """Whether its rows are people."""
        return self.kpi.subject is Subject.PERSON


def settle(kpi: Kpi, request: KpiRequest, ground: Ground) -> Question:
    """Make a request definite.

    Errors: BAD_INPUT for what the KPI cannot be asked; UNKNOWN_STAGE; BAD_PERIOD; NOT_EVALUATED.
    """
    if kpi.subject is Subject.PERSON and ground.has_people:
        _ = ground.evaluation
    if isinstance(kpi.measure, OverPolicy) and ground.has_people:
        _ = policy_of(ground.accord)
    board, asked = kpi.switches, request.switches
    _refuse_foreign_switches(f"The KPI {kpi.key}", board, asked)
    stages = _stages_of(kpi, request.stages, ground)
    window, window_override = _window(kpi, stages, asked, ground.accord)
    # What has no such switch counts in its period; a duration is told of the people who set out in it.
    anchor = asked.anchor or board.anchor or (Anchor.COHORT if kpi.kind is Kind.DURATION else Anchor.PERIOD)
    if anchor is Anchor.PERIOD and asked.window is not None:
        raise _bad(
            "A window has no meaning with anchor=PERIOD: the two numbers may be about different people.",
            "Leave the window away, or ask with anchor=COHORT.",
        )
    if kpi.kind is Kind.COUNT and asked.skip is Skip.REACHED_OR_BEYOND:
        raise _bad(
            f"skip=REACHED_OR_BEYOND asks about two stages, and {kpi.key} has one.", "Ask with IMPLIED or EXCLUDE."
        )
    settled = _frame(request.period, asked, ground)
    chosen = (
        ("anchor", asked.anchor, board.anchor),
        ("reentry", asked.reentry, board.reentry),
        ("skip", asked.skip, board.skip),
    )
    overrides = tuple(
        f"{name}={value.value}" for name, value, default in chosen if value is not None and value is not default
    )
    return Question(
        kpi=kpi,
        ground=ground,
        frame=settled,
        grain=request.grain,
        by=_dimensions(kpi, request.by),
        where=_checked_where(f"The KPI {kpi.key}", kpi.dimensions, request.where),
        stages=stages,
        anchor=anchor,
        reentry=asked.reentry or board.reentry or Reentry.EACH,
        skip=asked.skip or board.skip or Skip.IMPLIED,
        window=window if anchor is Anchor.COHORT else None,
        overrides=(*overrides, *window_override, *settled.overrides),
    )


def _frame(period: Period, asked: Switches, ground: Ground) -> Frame:
    """Find the instants of a period, under `asOf` and `timezone`."""
    agreed = ground.accord.reporting.timezone
    zone = _zone(asked.timezone or agreed)
    as_of = asked.as_of or ground.now
    if as_of.tzinfo is None or not 1000 <= as_of.year < 9000:
        raise _bad(
            f"asOf={as_of.isoformat()} is no usable instant.", "Write one with its zone, like 2026-04-01T00:00:00Z."
        )
    days = dated(period, zone, as_of)
    overrides = []
    if asked.as_of is not None:
        overrides.append(f"asOf={as_of.isoformat().replace('+00:00', 'Z')}")
    if zone.key != agreed:
        overrides.append(f"timezone={zone.key}")
    return Frame(
        as_of=as_of,
        is_past=asked.as_of is not None,
        zone=zone,
        days=days,
        stretch=stretch(days, zone),
        overrides=tuple(overrides),
    )


def _refuse_foreign_switches(who: str, board: Switchboard, asked: Switches) -> None:
    """Refuse a switch that is not there: silently ignoring it would answer another question."""
    window = asked.window is not None or asked.has_no_window
    if asked.window is not None and asked.has_no_window:
        raise _bad("The switch window has a length and is none at once.", "Give one of the two.")
    named = (("anchor", asked.anchor), ("reentry", asked.reentry), ("skip", asked.skip), ("window", window))
    for name, value in named:
        if value and name not in board.names:
            raise _bad(f"{who} has no switch {name}.", f"Its switches are {', '.join(board.names)}.")


def settle_funnel(request: FunnelRequest, ground: Ground) -> Question:
    """Make a question about the funnel definite: first entries into all stages, those skipped past included.

    Errors: as of `settle`; BAD_INPUT for a switch that would make it another thing than a funnel.
    """
    who = "The funnel"
    _refuse_foreign_switches(who, Switchboard(), request.switches)
    _checked_where(who, PERSON_DIMENSIONS, request.where)
    by = (request.by,) if request.by is not None else ()
    for each in by:
        _check_dimension(who, PERSON_DIMENSIONS, each)
    asked = KpiRequest(STAGE_VOLUME.key, period=request.period, by=by, where=request.where, switches=request.switches)
    return settle(STAGE_VOLUME, asked, ground)


def policy_of(accord: Accord) -> ContactPolicy:
    """The agreed contact policy; BAD_INPUT where none was agreed."""
    if accord.contact_policy is None:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"The accord '{accord.title}' has no contact policy, by which touches would be too many.",
            "Agree on one: a section [contact_policy] with at_most and within, as in schema/accords/standard.toml.",
        )
    return accord.contact_policy


def unknown_stage(key: str, accord: Accord) -> AccordError:
    """Say that the accord has no such stage."""
    stages = ", ".join(stage.key for stage in accord.stages)
    return AccordError(
        ErrorCode.UNKNOWN_STAGE, f"The accord '{accord.title}' has no stage '{key}'.", f"Its stages are {stages}."
    )


def _stages_of(kpi: Kpi, asked: StagePair | None, ground: Ground) -> tuple[str, ...]:
    """The stages whose entries are read.

    Errors: UNKNOWN_STAGE; BAD_INPUT for a pair that is missing, uncalled for, or upside down.
    """
    accord = ground.accord
    known = [stage.key for stage in accord.stages]
    match kpi.measure:
        case Conversion(base=None) | Duration(base=None):
            if asked is None:
                raise _bad(
                    f"{kpi.key} needs the two stages between which it looks.",
                    f"Name them, such as {known[0]} and {known[-1]}; the stages are {', '.join(known)}.",
                )
            return _checked_pair(asked, accord, known)
        case _ if asked is not None:
            raise _bad(
                f"{kpi.key} takes no pair of stages.", "Ask stage_conversion or time_to_convert for a pair of your own."
            )
        case Count(of=Entries(stage=None)) | Stay():
            return tuple(known)
        case Count(of=Entries(stage=str(stage))) | Response(base=stage):
            own: tuple[str, ...] = (stage,)
        case Conversion(base=str(base), target=str(target)) | Duration(base=str(base), target=str(target)):
            own = (base, target)
        case _:
            return ()
    for stage in own:
        # Where nobody is known, that says more than the stage that nobody can be in.
        if stage not in known and ground.has_people:
            raise AccordError(
                ErrorCode.UNKNOWN_STAGE,
                f"{kpi.key} reads the stage '{stage}', which the accord '{accord.title}' does not have.",
                f"Its stages are {', '.join(known)}: ask stage_volume or stage_conversion about these.",
            )
    return own


def _checked_pair(asked: StagePair, accord: Accord, known: list[str]) -> tuple[str, ...]:
    for key in (asked.base, asked.target):
        if key not in known:
            raise unknown_stage(key, accord)
    if accord.rank(asked.base) >= accord.rank(asked.target):
        raise _bad(
            f"The stages go up, from a lower to a higher one, and {asked.target} is not above {asked.base}.",
            f"The order is {', '.join(known)}.",
        )
    return (asked.base, asked.target)


def _window(
    kpi: Kpi, stages: tuple[str, ...], asked: Switches, accord: Accord
) -> tuple[timedelta | None, tuple[str, ...]]:
    """The window that holds, and how it differs from the accord's."""
    if not kpi.switches.has_window or not {*stages} <= {stage.key for stage in accord.stages}:
        return None, ()
    agreed = accord.window(stages[0], stages[1])
    if asked.has_no_window:
        return None, () if agreed is None else ("window=none",)
    if asked.window is None or asked.window == agreed:
        return agreed, ()
    if not timedelta(0) < asked.window <= LONGEST_WINDOW:
        raise _bad(
            f"The window {asked.window} is not between a moment and a hundred years.",
            "Write one like '30 days', or none.",
        )
    return asked.window, (f"window={format_duration(asked.window)}",)


def _dimensions(kpi: Kpi, by: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    for each in by:
        _check_dimension(f"The KPI {kpi.key}", kpi.dimensions, each)
    if len(by) > MOST_DIMENSIONS:
        raise _bad(
            f"{kpi.key} can be broken down by two dimensions at once, not by the {len(by)} of {', '.join(by)}.",
            "Ask by two of them, and choose one value of each other with `where`.",
        )
    if len(set(by)) < len(by):
        raise _bad(f"{kpi.key} is asked by {by[0]} twice.", "Name each dimension once.")
    return by


def _checked_where(who: str, allowed: tuple[Dimension, ...], where: Where) -> Where:
    for dimension in dimensions_of(where):
        _check_dimension(who, allowed, dimension)
    return where


def dimensions_of(where: Where) -> Iterator[Dimension]:
    """The dimensions that a filter tests, in the order written."""
    yield from (dimension for dimension, _ in where.tests)
    for part in (*where.all_of, *where.any_of, *where.none_of):
        yield from dimensions_of(part)


def _check_dimension(who: str, allowed: tuple[Dimension, ...], asked: Dimension) -> None:
    if asked not in allowed:
        raise _bad(f"{who} has no dimension {asked}.", f"It has {', '.join(allowed)}.")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise _bad(f"'{name}' is no IANA time zone.", "Write one like Europe/Berlin or UTC.") from error


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)
