"""What questions about deals count: closings, openings, what stands open, and what it is all worth."""

from dataclasses import replace
from datetime import datetime

from api.metrics.closings import closing_amounts, closing_rows, first_wins
from api.metrics.money import converted
from api.metrics.pipeline import opening_rows, standing_rows
from api.metrics.question import Question
from api.metrics.shape import EVERY, Counted
from api.sql import Sql
from schema.kpis.kinds import Average, Closings, Count, Cycle, Openings, Ratio, Snapshot, Sum


def counted_deals(question: Question, boundaries: tuple[datetime, ...]) -> Counted:
    """The rows of a question about deals; of a state, one for each bucket's end."""
    match question.kpi.measure:
        case Count(of=facts):
            return _count(question, facts)
        case Ratio(part=Closings() as part, whole=Closings() as whole):
            is_part = Sql("c.outcome = any ({}::text[])", [each.value for each in part.outcomes])
            measures = {"n": Sql("count(*)"), "numerator": _how_many(is_part), **_told()}
            return Counted(rows=closing_rows(question, whole), measures=measures, is_converted=is_part)
        case Cycle(of=closings):
            return _cycles(question, closings)
        case Sum(of=Openings()):
            opened, is_dated = opening_rows(question, has_amounts=True), Sql("not c.is_unopened")
            return _amounts(converted(question, opened), is_dated, Sql("c.is_unopened"))
        case Sum(of=Closings() as closings):
            return _amounts(converted(question, closing_amounts(question, closings)))
        case Average(of=closings):
            closed = _amounts(converted(question, closing_amounts(question, closings)))
            return replace(closed, spread=Sql("c.worth::double precision"))
        case Snapshot(is_weighted=is_weighted):
            chance = Sql("r.chance") if is_weighted else None
            standing = converted(question, standing_rows(question, boundaries), chance)
            return _amounts(standing, Sql("c.is_standing"), Sql("c.is_unopened"))
        case other:
            raise AssertionError(other)


def _count(question: Question, facts: object) -> Counted:
    if isinstance(facts, Openings):
        is_dated = Sql("not c.is_unopened")
        measures = {"n": _how_many(is_dated), "unopened": _how_many(Sql("c.is_unopened")), **_told()}
        return Counted(rows=opening_rows(question, has_amounts=False), measures=measures, is_base=is_dated)
    rows = closing_rows(question, facts) if isinstance(facts, Closings) else first_wins(question)
    return Counted(rows=rows, measures={"n": Sql("count(*)"), **_told()})


def _told() -> dict[str, Sql]:
    """When the newest of the deals was told; people have the watermark of their evaluation."""
    return {"told_at": Sql("max(c.updated_at)")}


def _amounts(rows: Sql, is_counted: Sql = EVERY, is_unopened: Sql | None = None) -> Counted:
    """Sums of what is known, converted, and apart what could not be; which deals have no opening, if it matters."""
    known = Sql("{} and c.worth is not null", is_counted)
    measures = {
        "n": _how_many(known),
        "amount": Sql("sum(c.worth) filter (where {})", is_counted),
        "left_out": _how_many(Sql("{} and c.worth is null", is_counted)),
        **({"unopened": _how_many(is_unopened)} if is_unopened is not None else {}),
        **_told(),
    }
    return Counted(rows=rows, measures=measures, is_base=known, apart=("kept",))


def _cycles(question: Question, closings: Closings) -> Counted:
    """The time from opening to closing. A deal that was closed before it was opened has no known opening."""
    took = Sql("case when c.opened_at <= c.at then extract(epoch from c.at - c.opened_at)::double precision end")
    is_known = Sql("coalesce(c.opened_at <= c.at, false)")
    measures = {
        "n": _how_many(is_known),
        "unopened": _how_many(Sql("not {}", is_known)),
        "mean": Sql("avg({})", took),
        **_told(),
    }
    return Counted(rows=closing_rows(question, closings), measures=measures, is_base=is_known, spread=took)


def _how_many(condition: Sql) -> Sql:
    return Sql("count(*) filter (where {})", condition)
