"""Whether the stored day sums are those of the journeys, but for the days that have changed since."""

from datetime import UTC, datetime

from api.db import ScratchSession
from api.errors import AccordError, ErrorCode
from api.metrics.request import Period
from api.metrics.summing.measures import ROW, SummedMeasure, summed_measures
from api.metrics.summing.read_sums import changed_units
from api.metrics.summing.store_sums import current_context
from api.sql import Sql, join, name

_COLUMNS = join(", ", map(name, ("starts_at", *ROW)))


async def check_day_sums(session: ScratchSession, now: datetime | None = None) -> int:
    """Add all day sums up again and compare them with the stored ones; the number of measures that were compared.

    Days that have changed since are left out: no answer reads their sums.

    Shapes: journeys and day_sum -> the number of measures. Writes nothing.
    Errors: DRIFT with the KPI, and the time of the first difference.
    """
    context = await current_context(session, now or datetime.now(UTC))
    stored = context.sums
    if stored is None or not context.has_journeys:
        return 0
    compared = 0
    for measure in summed_measures(context, Period(stored.starts_on, stored.ends_on)):
        if measure.hash not in stored.measures:
            continue
        days = stored.starts_on, stored.ends_on
        changed = changed_units(stored, measure.summed, *days)
        if units := [unit for unit in measure.units(*days) if unit not in changed]:
            await _compare(session, measure, Sql("{}::timestamptz[]", [*measure.starts(units)]), measure.rows(units))
        compared += 1
    return compared


async def _compare(session: ScratchSession, measure: SummedMeasure, starts: Sql, derived: Sql) -> None:
    stored = Sql(
        "select {} from day_sum where evaluation_id = {} and measure = {} and starts_at = any ({})",
        *(_COLUMNS, measure.evaluation, measure.hash, starts),
    )
    derived = Sql("select {} from ({}) d", _COLUMNS, derived)
    [row] = await session.rows(
        Sql(
            "select count(*) as rows, min(starts_at) as first from ("
            "(({}) except all ({})) union all (({}) except all ({}))) differing",
            *(stored, derived, derived, stored),
        )
    )
    if row["rows"]:
        of = " by ".join((measure.request.kpi.key, *measure.request.by))
        message = f"The stored day sums of {of} differ from the journeys in {row['rows']:,} rows, first"
        message += f" at {row['first'].isoformat()}."
        raise AccordError(ErrorCode.DRIFT, message, "Rebuild them with `accord evaluate`.")
