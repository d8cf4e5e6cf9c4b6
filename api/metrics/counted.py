"""What each kind counts: one row for each counted record, before anything is added up.

The figures of an answer and the records behind them are made of the same rows, so that a drill always finds exactly
what was counted. The package's docstring says what a new kind has to give.
"""

from datetime import datetime

from api.metrics.deals import counted_deals
from api.metrics.dimensions import AXES, is_dated_by_version, joins, key_name
from api.metrics.entries import converts, counted_entries, pair_rows
from api.metrics.filters import condition
from api.metrics.people import counted_people
from api.metrics.question import Question, dimensions_of
from api.metrics.shape import Counted
from api.sql import Sql, join
from schema.kpis.kinds import Conversion, Count, Duration, Entries, Subject
from schema.vocab import Anchor

RECORD_OF = {Subject.PERSON: "contact", Subject.DEAL: "deal"}  # the table of the records that a subject's rows name


def counted(question: Question, boundaries: tuple[datetime, ...] = ()) -> Counted:
    """The rows of a question; of a state, one for each bucket's end. What cannot be asked was refused before."""
    if question.kpi.subject is Subject.DEAL:
        return counted_deals(question, boundaries)
    match question.kpi.measure:
        case Count(of=Entries()):
            return _entered(question)
        case Conversion() | Duration():
            return _paired(question)
        case _:
            return counted_people(question, boundaries)


def _entered(question: Question) -> Counted:
    implied = Sql("count(*) filter (where c.is_implied)")
    # Who skips stages enters several at one instant.
    return Counted(
        rows=counted_entries(question, question.stages),
        measures={"n": Sql("count(*)"), "implied": implied},
        tie=Sql("to_char(c.rank, 'FM000000')"),
    )


def _paired(question: Question) -> Counted:
    """Both stages' entries, or a cohort, whose measures its own statement has."""
    if question.anchor is Anchor.PERIOD:
        measures = {
            "n": Sql("count(*) filter (where c.is_base)"),
            "numerator": Sql("count(*) filter (where not c.is_base)"),
            "implied": Sql("count(*) filter (where c.is_base and c.is_implied)"),
        }
        return Counted(
            rows=pair_rows(question), measures=measures, is_base=Sql("c.is_base"), is_converted=Sql("not c.is_base")
        )
    converted = converts(question.window)
    if isinstance(question.kpi.measure, Duration):
        return Counted(rows=pair_rows(question), is_base=converted)
    return Counted(rows=pair_rows(question), is_converted=converted)


def placed_rows(question: Question, rows: Sql, boundaries: tuple[datetime, ...], more: Sql | None = None) -> Sql:
    """The counted rows `c`, filtered, each with its keys (`key_1`, `key_2`, as many as asked) and bucket (from 1)."""
    subject = question.kpi.subject
    filtering = condition(question.where, subject, question.ground.accord)
    dimensions = [*dimensions_of(question.where), *question.by]
    keys = (
        Sql(", {} as {}", AXES[subject][each].value, key_name(place)) for place, each in enumerate(question.by, start=1)
    )
    bucket = Sql("width_bucket(c.at, {}::timestamptz[])", list(boundaries)) if boundaries else Sql("null::int")
    undated = Sql("v.id is null") if is_dated_by_version(subject, question.by) else Sql("false")
    return Sql(
        "select c.*{}, {} as bucket, {} as is_undated{} from ({}) c{}{}",
        join("", keys),
        bucket,
        undated,
        more or Sql(""),
        rows,
        joins(subject, dimensions, question.ground),
        Sql(" where {}", filtering) if filtering is not None else Sql(""),
    )
