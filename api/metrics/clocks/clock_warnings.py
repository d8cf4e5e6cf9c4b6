"""What an answer says of clocks: records that are dated after `asOf`, and a server and a database that disagree."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.source_gaps import tables_behind
from api.sql import Sql
from schema.accord import Accord
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import DealOutcome

CLOCK_DIFFERENCE = timedelta(minutes=1)
"""By how much clocks may differ before an answer says so."""
_MOST_COUNTED = 1_000

# Each reads the end of an index. Touchpoints are left out: an appointment is dated ahead, and rightly so.
_DATED_AHEAD: Mapping[str, str] = {
    "deal": "select d.id from deal d where d.opened_at > {0} union select d.id from deal d"
    f" where d.outcome in ('{DealOutcome.WON}', '{DealOutcome.LOST}') and d.closed_at > {{0}}",
    "handoff": "select h.id from handoff h where h.handed_at > {0}",
}


@dataclass(frozen=True, slots=True)
class Clocks:
    """How many records of a table are dated ahead, and how far the database's clock is ahead of the server's.

    `is_detailed`: the reader reaches every record, so may know how many they are.
    """

    dated_ahead: Mapping[str, int] = field(default_factory=dict)
    skew: timedelta = timedelta()
    is_detailed: bool = True


def dated_ahead(now: datetime) -> Sql:
    """An expression for the numbers of records, by table, that are dated after an instant by more than clocks differ.

    Shapes: a JSON object. Reads deal and handoff, at most a thousand rows of each.
    """
    after = now + CLOCK_DIFFERENCE
    counts = [
        f"'{table}', (select count(*) from ({rows.format('{0}')} limit {_MOST_COUNTED + 1}) x)"
        for table, rows in _DATED_AHEAD.items()
    ]
    text = f"jsonb_build_object({', '.join(counts)})"
    return Sql(text.replace("{0}", "{}"), *[after] * text.count("{0}"))


def clock_warnings(clocks: Clocks, reads: Collection[str], accord: Accord) -> Iterator[AnswerWarning]:
    """CLOCK_SKEW and DATED_AHEAD, for an answer as of now."""
    if abs(clocks.skew) > CLOCK_DIFFERENCE:
        seconds = round(clocks.skew.total_seconds())
        order = "ahead of" if seconds > 0 else "behind"
        message = (
            f"The clock of the database is {abs(seconds):,} seconds {order} that of the server. Facts of about the last"
            " moments may be missing, or count too early. Synchronise both clocks."
        )
        yield AnswerWarning(code=WarningCode.CLOCK_SKEW, message=message, count=None)
    count = sum(clocks.dated_ahead.get(table, 0) for table in tables_behind(reads, accord))
    if not count:
        return
    if not clocks.is_detailed:
        message, shown = "Some records are dated after `asOf`. They do not count yet.", None
    elif count == 1:
        message, shown = "1 record is dated after `asOf`, and does not count yet.", 1
    else:
        shown = min(count, _MOST_COUNTED)
        many = f"{shown:,}" if shown == count else f"More than {shown:,}"
        message = f"{many} records are dated after `asOf`, and do not count yet."
    yield AnswerWarning(code=WarningCode.DATED_AHEAD, message=message, count=shown)
