"""The share of people who are in a stage for longer than its window."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.contact_facts import counts
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.snapshot_instants import part_and_instant, part_ends, parts_between
from api.metrics.kinds.stage_entries import elapsed, first_entry
from api.metrics.population import excluded_person
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, join
from schema.accord import Accord


@dataclass(frozen=True, slots=True)
class StalledShare(KpiKind):
    """The share of the people in a stage with a window who entered it longer ago than the window is.

    Shapes: one row per person and part (bucket or total), in the highest stage that is open at the end of the part.
    Source: the stage entries of the current evaluation; the windows of the version that judged each of them.
    """

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """All stages."""
        return known

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into any stage."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at, stage, is_stalled`."""
        is_stalled = Sql("c.is_stalled")
        return CountedRows(
            rows=_standing(request, boundaries),
            aggregates=Aggregates(numerator=count_where(is_stalled)),
            is_converted=is_stalled,
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """Those past the window divided by all who are in such a stage."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody is in such a stage."""
        return "Nobody was in a stage with a window at that time, so there is nothing to divide by."


def _standing(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
    """One row per person and part, in the highest open stage, if that has a window."""
    ends = part_ends(request, boundaries)
    rank = request.rank("e")
    unranked = Sql("" if request.has_one_ladder else " nulls last")
    conditions = [
        Sql("e.evaluation_id = {}", request.context.evaluation),
        Sql("e.entered_at < {}", ends[-1]),
        *excluded_person(request, Sql("e.contact_id")),
    ]
    highest = Sql(
        "select distinct on (e.contact_id, place) e.contact_id, place, e.stage, e.entered_at + {} as due_at"
        " from stage_entry e cross join lateral {} place where {} order by e.contact_id, place, {} desc{}",
        _window(request),
        parts_between(ends, Sql("e.entered_at"), Sql("coalesce(e.exited_at, 'infinity')")),
        all_of(conditions),
        rank,
        unranked,
    )
    return Sql(
        "select p.*, p.due_at < p.at as is_stalled from (select h.contact_id, h.stage, h.due_at, {} from ({}) h"
        " where h.due_at is not null) p where {}",
        part_and_instant(ends, Sql("h.place")),
        highest,
        counts(request, Sql("p.contact_id")),
    )


def _window(request: ResolvedKpiRequest) -> Sql:
    """The window of the stage of the entry `e`, by the version that judged it; null if it has none."""
    versions = request.context.versions
    if len(versions) < 2:
        return _windows_of(request.context.accord)
    cases = (Sql(" when {}::uuid then {}", version.id, _windows_of(version.accord)) for version in versions)
    return Sql("case e.accord_version_id{} end", join("", cases))


def _windows_of(accord: Accord) -> Sql:
    windows = [(stage.key, stage.window) for stage in accord.stages if stage.window is not None]
    cases = [Sql(" when {}::text then {}", key, elapsed(window)) for key, window in windows]
    return Sql("case e.stage{} end", join("", cases)) if cases else Sql("null::interval")
