"""Day sums: KPIs added up by day and month, so that the board of a year reads no journey; and what outdates them."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from schema.base import Table, column, link


class DaySum(Table, table=True):
    """What a KPI counts in one day or month, for one value of a dimension. Only the job that adds up writes.

    A KPI whose rows add up has sums of days. One with percentiles has sums of months, with every length. A state has
    its rows at the end of each month.
    """

    __tablename__ = "day_sum"
    __is_hidden__: ClassVar[bool] = True

    evaluation_id: UUID = link(
        "evaluation", "The evaluation whose journeys were added up.", primary_key=True, index=False, is_derived=True
    )
    measure: int = column(
        "The hash of the statement whose rows these are: of a KPI and a dimension.", is_big=True, primary_key=True
    )
    starts_at: datetime = column(
        "The first instant of the day or month; of a state its own instant, the last one of a month.", primary_key=True
    )
    place: int = column("The number of the row in the day or month.", primary_key=True)
    value: str | None = column("The value of the dimension; null if it has none, or without a dimension.", default=None)
    unconverted_currency: str | None = column("The currency of amounts that no rate converts.", default=None)
    n: int = column("The number of rows in the base.")
    numerator: int | None = column("Of them, those that count in the numerator.", default=None)
    implied: int | None = column("Of them, those that were entered by implication.", default=None)
    undated: int | None = column("The rows whose record has no version then.", default=None)
    assumed: int | None = column("Of the base, those with values of an assumed history.", default=None)
    untouched: int | None = column("The rows without a first touch by hand.", default=None)
    skipped: int | None = column("The rows without a duration, because a stage was skipped.", default=None)
    left_out: int | None = column("The rows without a known amount or probability.", default=None)
    unweighted: int | None = column("Of these, those with a known amount.", default=None)
    unopened: int | None = column("The rows without a known opening.", default=None)
    amount: Decimal | None = column("The sum of the amounts.", numeric=(20, 2), default=None)
    updated_at: datetime | None = column("When the newest counted deal was updated.", default=None)
    lengths: list[int] | None = column("The durations in order, in microseconds.", numbers=True, default=None)
    waits: list[int] | None = column(
        "The instants of the rows that can still convert, in order, in microseconds since 1970.",
        numbers=True,
        default=None,
    )
    entries: list[int] | None = column("The instants of all rows, likewise.", numbers=True, default=None)
    conversions: list[int] | None = column(
        "The instants of the rows that converted, likewise.", numbers=True, default=None
    )


class DaySumRun(Table, table=True):
    """Which days the sums of an evaluation are of."""

    __tablename__ = "day_sum_run"
    __is_hidden__: ClassVar[bool] = True

    evaluation_id: UUID = link(
        "evaluation", "The evaluation whose journeys were added up.", primary_key=True, index=False, is_derived=True
    )
    computed_at: datetime = column("The instant as of which they were added up.")
    due_at: datetime = column("When the changed days are added up again, at the earliest.")
    starts_on: date = column("The first day of the sums, the first one of a month.")
    ends_on: date = column("The first day after them.")
    measures: list[int] = column("The hashes of the statements that have sums.", numbers=True)


class JourneyChange(Table, table=True):
    """A time whose journeys changed since they were added up: it is read from the journeys.

    Every writer adds rows of its own, so that none waits for another; the job deletes those that it has seen.
    """

    __tablename__ = "journey_change"
    __is_hidden__: ClassVar[bool] = True

    id: UUID = column("The row.", primary_key=True, server_default="gen_random_uuid()", default=None)
    evaluation_id: UUID = link("evaluation", "The evaluation of the journeys.", index=False, is_derived=True)
    source: str = column("The table of the journeys, or a table that they are read with.")
    part: str | None = column("The stage, or the event of a deal; null for all.", default=None)
    starts_at: datetime = column("The first instant that changed.")
    ends_at: datetime = column("The last instant that changed.")
