"""Which day sums are stored for an evaluation, and what has changed since."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self, TypedDict

from api.funnel.journeys.small_tables import SMALL_TABLES
from api.metrics.day_sums.summed_rows import SummedRows
from api.sql import Sql

_MOST_CHANGES = 5_000
_LONG_AGO, _FAR = "timestamptz '0100-01-01'", "timestamptz '9000-01-01'"


@dataclass(frozen=True, slots=True)
class ChangedDays:
    """The days from `first` to `last`, whose journeys changed. `part` is None for all parts of the source."""

    source: str
    part: str | None
    first: date
    last: date

    def is_of(self, summed: SummedRows) -> bool:
        """Whether sums of such rows are outdated by the change."""
        if self.source != summed.source:
            return self.source in SMALL_TABLES
        return self.part is None or not summed.parts or self.part in summed.parts


class FoundSums(TypedDict):
    """The JSON object that `stored_sums` returns."""

    as_of: str
    starts_on: str
    ends_on: str
    measures: list[int]
    changes: list[tuple[str, str | None, str, str]]


@dataclass(frozen=True, slots=True)
class StoredSums:
    """The sums of an evaluation: of the days `[starts_on, ends_on)` in a time zone, as of an instant, and of what."""

    as_of: datetime
    starts_on: date
    ends_on: date
    measures: frozenset[int]
    changes: tuple[ChangedDays, ...]

    @classmethod
    def read(cls, found: FoundSums | None) -> Self | None:
        """Read what `stored_sums` returned; None without sums, and if more has changed than is worth reading."""
        if found is None or len(found["changes"]) > _MOST_CHANGES:
            return None
        return cls(
            datetime.fromisoformat(found["as_of"]),
            date.fromisoformat(found["starts_on"]),
            date.fromisoformat(found["ends_on"]),
            frozenset(found["measures"]),
            tuple(
                ChangedDays(source, part, date.fromisoformat(first), date.fromisoformat(last))
                for source, part, first, last in found["changes"]
            ),
        )


def stored_sums(evaluation: Sql, zone: str) -> Sql:
    """A query for the sums of an evaluation, as a JSON object: one row, null without sums."""
    day = f"(least(greatest({{}}, {_LONG_AGO}), {_FAR}) at time zone {{{{}}}})::date"
    return Sql(
        "select jsonb_build_object('as_of', r.computed_at, 'starts_on', r.starts_on, 'ends_on', r.ends_on,"
        " 'measures', to_jsonb(r.measures), 'changes', (select coalesce(jsonb_agg(c.change), '[]') from ("
        f"select distinct jsonb_build_array(j.source, j.part, {day.format('j.starts_at')}, {day.format('j.ends_at')})"
        " as change from journey_change j where j.evaluation_id = r.evaluation_id limit {}) c))"
        " from day_sum_run r where r.evaluation_id = {}",
        *(zone, zone, _MOST_CHANGES + 1, evaluation),
    )
