"""Queries for the records that a figure counts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.errors import AccordError, ErrorCode
from api.metrics.counted_rows import keyed_rows
from api.metrics.dimensions import RECORD_OF, key_name
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.periods.period_days import Interval
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, name
from schema.clauses.contact_policy import ContactPolicy
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import RecordSide

_NO_RECORDS = Sql(
    "select null::uuid as id, null::timestamptz as at, '' as tie, null::numeric as value, null::bigint as touches,"
    " null::timestamptz as first_touch_at, null::timestamptz as last_touch_at where false"
)


@dataclass(frozen=True, slots=True)
class FigureDrillDown:
    """The records of a figure: of the whole answer, of a group (`keys`), of a bucket, or of a bucket of a group."""

    request: ResolvedKpiRequest
    keys: tuple[object, ...] | None = None
    starts_at: datetime | None = None
    before: datetime | None = None
    kept_currency: str | None = None  # without a reporting currency, that of the answer: amounts in it have a value
    part: str | None = None  # of a formula: the name of the part; None for the first one

    @property
    def table(self) -> str:
        """The table of the records."""
        kind = self._kind
        return (None if kind is None else kind.record_table) or RECORD_OF[self.request.kpi.subject]

    @property
    def known_at(self) -> datetime | None:
        """The instant at which the facts were known; None for all facts."""
        return self.request.context.known_at

    def in_bucket(self, starts_at: datetime, before: datetime) -> "FigureDrillDown":
        """The same for one bucket."""
        return replace(self, starts_at=starts_at, before=before)

    def of_part(self, part: str) -> "FigureDrillDown":
        """The same for a part of the formula."""
        return replace(self, part=part)

    @property
    def contact_policy(self) -> ContactPolicy | None:
        """The policy that the people are measured against; None if the KPI does not count touches against it."""
        kind = self._kind
        is_measured = kind is not None and kind.contact_pressure(self.request) is not None
        return self.request.context.accord.contact_policy if is_measured else None

    def rows(self, side: RecordSide, *, has_pressure: bool = False) -> Sql:
        """A select of the records of one side: `id, at, tie, value`; with `has_pressure` also a `ContactPressure`.

        Shapes: BASE: as many rows as the figure's n. CONVERTED: as many as its numerator.
        Errors: BAD_INPUT if the numerator counts no records. ValueError for `has_pressure` without a `contact_policy`.
        """
        request, kind = self._of_bucket(), self._kind
        if self.request.lacks_contacts or kind is None:
            return _NO_RECORDS
        counted = kind.contact_pressure(request) if has_pressure else kind.counted(request)
        if counted is None:
            raise ValueError(f"{request.kpi.key} does not count touches against the contact policy")
        test = counted.is_base if side is RecordSide.BASE else counted.is_converted
        if test is None:
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"{request.kpi.key} has no records on the side CONVERTED: its numerator does not count records.",
                "Use the side BASE, which has the records that n counts.",
            )
        conditions = [test, *self._conditions(side)]
        # Without keys to select, the joins of the dimensions are left out.
        keyed = keyed_rows(request if self.keys is not None else replace(request, by=()), counted.rows, ())
        record, value = name(f"{self.table}_id"), counted.value
        if counted.is_by_currency:
            kept = self.kept_currency
            value = Sql("case when c.unconverted_currency is not distinct from {}::text then {} end", kept, value)
        return Sql(
            "select c.{} as id, c.at, {} as tie, ({})::numeric as value{} from ({}) c where {}",
            record,
            counted.tie,
            value,
            Sql(", c.touches, c.first_touch_at, c.last_touch_at" if has_pressure else ""),
            keyed,
            all_of(conditions),
        )

    def _conditions(self, side: RecordSide) -> Iterator[Sql]:
        """The conditions that a row is in the group. The denominator of every reject reason is all decisions."""
        request, keys = self.request, self.keys or ()
        is_of_all = side is RecordSide.BASE and Dimension.REJECT_REASON in request.by
        for place, key in enumerate(keys, start=1):
            is_last = place > len(request.by)  # with `top`: whether the row is in the group Other
            is_value = not is_last and not request.is_other(keys)
            if is_value and is_of_all:
                is_value = request.by[place - 1] is not Dimension.REJECT_REASON
            if is_value or (is_last and not is_of_all):
                column = Sql("c.{}", key_name(place))
                yield Sql("{} is null", column) if key is None else Sql("{} = {}", column, key)

    @property
    def _kind(self) -> KpiKind | None:
        return kind_of(self.request.kpi.measure).kind_of_part(self.part)

    def _of_bucket(self) -> ResolvedKpiRequest:
        """The same request for the bucket's time alone: a bucket counts what its own period would."""
        if self.starts_at is None:
            return self.request
        within = Interval(self.starts_at, self.before)
        whole = self.request.whole_interval
        return replace(self.request, frame=replace(self.request.frame, interval=within), whole=whole)


@dataclass(frozen=True, slots=True)
class StepDrillDown:
    """The people of a funnel's cohort who reached a stage."""

    cohort: FigureDrillDown
    rank: int

    @property
    def table(self) -> str:
        """The table of the records."""
        return self.cohort.table

    @property
    def known_at(self) -> datetime | None:
        """The instant at which the facts were known; None for all facts."""
        return self.cohort.known_at

    @property
    def contact_policy(self) -> None:
        """None: a funnel does not count touches."""
        return

    def rows(self, side: RecordSide, *, has_pressure: bool = False) -> Sql:
        """A select of the people who reached the stage, with that instant: `id, at, tie, value`.

        Shapes: BASE: as many rows as the step's `reached`. CONVERTED: those of them who reached the next stage.
        Errors: BAD_INPUT for CONVERTED of the last stage. ValueError for `has_pressure`.
        """
        if has_pressure:
            raise ValueError("a funnel does not count touches against the contact policy")
        request = self.cohort.request
        stages = request.context.accord.stages
        if side is RecordSide.CONVERTED and self.rank == len(stages):
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"{stages[-1].key} is the last stage: there is no next one to reach.",
                "Use the side BASE.",
            )
        if request.lacks_contacts:
            return _NO_RECORDS
        first = replace(self.cohort, request=replace(request, stages=request.stages[:1]))
        reached = Sql(
            "e.evaluation_id = {} and e.occurrence = 1 and e.entered_at < {}",
            request.context.evaluation,
            request.frame.until,
        )
        # A version without a stage of the ladder has no entries into it: then an entry into a higher one counts.
        order = Sql("=" if request.has_one_ladder else ">=")
        rows = Sql(
            "select c.id, e.entered_at as at, '' as tie, 1::numeric as value from ({}) c"
            " join stage_entry e on e.contact_id = c.id where {} and {} {} {}",
            *(first.rows(RecordSide.BASE), reached, request.rank("e"), order, self.rank),
        )
        if not request.has_one_ladder:
            rows = Sql("select r.id, min(r.at) as at, '' as tie, 1::numeric as value from ({}) r group by r.id", rows)
        if side is RecordSide.BASE:
            return rows
        is_next = Sql("{} {} {}", request.rank("e"), order, self.rank + 1)
        on = Sql("select from stage_entry e where e.contact_id = b.id and {} and {}", reached, is_next)
        return Sql("select b.* from ({}) b where exists ({})", rows, on)
