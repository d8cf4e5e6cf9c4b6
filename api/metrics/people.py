"""What the kinds about people's time, handoffs, touches and reported stages count."""

from datetime import datetime

from api.metrics.handed import handoff_rows
from api.metrics.integrity import compared_rows
from api.metrics.pressure import pressed_rows, trailing_rows
from api.metrics.question import Question
from api.metrics.shape import Counted
from api.metrics.stays import response_rows, stay_rows
from api.sql import Sql
from schema.kpis.kinds import Agreement, Decisions, Kpi, OverPolicy, Ratio, Response, Stay, Trailing

_MANY = Sql("count(*)")


def is_of_parts(kpi: Kpi) -> bool:
    """Whether its buckets are no parts of the whole, so that its rows say by `part` which of them they are of."""
    return isinstance(kpi.measure, Trailing | OverPolicy | Agreement)


def counted_people(question: Question, boundaries: tuple[datetime, ...]) -> Counted:
    """The rows of a question about what people did, and what was done to them."""
    match question.kpi.measure:
        case Stay():
            rank = Sql("to_char(c.rank, 'FM000000')")
            return Counted(rows=stay_rows(question), is_base=Sql("c.target_at is not null"), tie=rank)
        case Response():
            return Counted(rows=response_rows(question), is_base=Sql("c.target_at is not null"))
        case Ratio(part=Decisions() as part, whole=Decisions() as whole):
            is_part = Sql("coalesce(c.status = any ({}::text[]), false)", [each.value for each in part.statuses])
            pending = {"waiting": Sql("count(*) filter (where c.status is null)")}
            measures = {"n": _MANY, "numerator": _of_these(is_part), **pending}
            tie = Sql("c.handoff_id::text")
            return Counted(rows=handoff_rows(question, whole), measures=measures, is_converted=is_part, tie=tie)
        case Trailing(within=within):
            touches = Sql("c.touches::double precision")
            measures = {"n": _MANY, "mean": Sql("avg({})", touches), "most": Sql("max(c.touches)")}
            return Counted(rows=trailing_rows(question, within, boundaries), measures=measures, spread=touches)
        case OverPolicy():
            return _share_of(pressed_rows(question, boundaries), Sql("c.is_over"))
        case Agreement():
            return _share_of(compared_rows(question, boundaries), Sql("c.agrees"))
        case measure:
            raise AssertionError(measure)


def _share_of(rows: Sql, is_part: Sql) -> Counted:
    return Counted(rows=rows, measures={"n": _MANY, "numerator": _of_these(is_part)}, is_converted=is_part)


def _of_these(condition: Sql) -> Sql:
    return Sql("count(*) filter (where {})", condition)
