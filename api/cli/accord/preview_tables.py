"""A preview as text: tables of stages, money, KPIs, targets, duties and the load on sellers; lists of people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from api.cli.kpi_tables import NO_VALUE, value_in_words
from api.metrics.preview.figures import Preview, PreviewMoney
from api.metrics.preview.people_pages import PeoplePage
from api.metrics.preview.reasons import Reason
from schema.accord_vocab import PersonChange
from schema.vocab import Unit

COUNTED = (
    "before, after: who meets the stage's own rule in the period for the first time ever. entered: who first entered"
    " the stage in the period, those who skipped it included, as the KPIs count."
)
MONEY = "Deals of the people gained or lost, as they are today. unknown: deals without an amount that can be converted."
LOAD = "Who comes to sales in the period, by owner. week: the most in one week."
_MOST_SELLERS = 20


@dataclass(frozen=True, slots=True)
class ChangedList:
    """The first people whom a stage gains, loses or moves, with their names and why."""

    change: PersonChange
    page: PeoplePage
    names: Mapping[UUID, str | None]
    reasons: Mapping[UUID, Reason]


def preview_tables(found: Preview) -> Iterator[Table | str]:
    """Yield the tables of a preview that have rows, and lines that explain them."""
    yield _stages(found)
    yield COUNTED
    parts = (
        (_money(found), MONEY),
        (_kpis(found), ""),
        (_targets(found), ""),
        (_duties(found), ""),
        (_sellers(found), LOAD),
    )
    for table, line in parts:
        if table.row_count:
            yield table
            if line:
                yield line
    if (rest := len(found.sellers) - _MOST_SELLERS) > 0:
        yield f"{rest:,} more sellers have fewer people."


def people_lines(lists: Iterable[ChangedList], stage: str) -> Iterator[str]:
    """Yield the lists that have people: of each person the name, the id, and why the versions differ."""
    for listed in lists:
        people, total = listed.page.people, listed.page.total or 0
        if not people:
            continue
        yield f"{stage}, {listed.change.lower()}: {_people(total)}"
        for person in people:
            yield f"  {listed.names.get(person.id) or '(no name)'}  contact_{person.id}"
            if reason := listed.reasons.get(person.id):
                yield f"    {reason.sentence}"
        if total > len(people):
            yield f"  {total - len(people):,} more: --first {total} lists them."


def _stages(found: Preview) -> Table:
    """The people whom each version counts in each stage, and those who enter it."""
    columns = ("before", "after", "gained", "lost", "moved", "entered before", "entered after")
    table = _table(("Stage", *columns))
    for stage in found.stages:
        counts = (stage.count_before, stage.count_after, stage.gained, stage.lost, stage.moved)
        _add(table, stage.title, *map(_count, (*counts, stage.entered_before, stage.entered_after)))
    return table


def _money(found: Preview) -> Table:
    """The deals of the people whom a stage gains or loses."""
    table = _table(("Money of", "deals", "pipeline", "revenue", "unknown"))
    for stage in found.stages:
        for word, people, money in (
            ("gained", stage.gained, stage.gained_money),
            ("lost", stage.lost, stage.lost_money),
        ):
            if people:
                _add(table, f"{stage.title}, {word}", *_amounts(money, found))
    return table


def _amounts(money: PreviewMoney, found: Preview) -> Iterator[str]:
    yield _count(money.deals)
    yield from (value_in_words(amount, Unit.MONEY, found.currency) for amount in (money.pipeline, money.revenue))
    yield _count(money.unknown)


def _kpis(found: Preview) -> Table:
    """The KPIs that differ between the versions."""
    table = _table(("KPI", "before", "after"))
    for kpi in found.kpis:
        if kpi.is_changed:
            pair = "" if kpi.base_stage is None else f", {kpi.base_stage} to {kpi.target_stage}"
            figures = (kpi.figure_before.value, kpi.figure_after.value)
            _add(table, f"{kpi.title}{pair}", *(value_in_words(value, kpi.unit, kpi.currency) for value in figures))
    return table


def _targets(found: Preview) -> Table:
    table = _table(("Target", "goal", "before", "after", "measured from", "before day"))
    for target in found.targets:
        values = (target.goal, target.figure_before.value, target.figure_after.value)
        days = (target.measured.starts_on, target.measured.before)
        shown = (value_in_words(value, target.unit, found.currency) for value in values)
        _add(table, target.title, *shown, *(NO_VALUE if day is None else str(day) for day in days))
    return table


def _duties(found: Preview) -> Table:
    table = _table(("Duty", "owed", "before", "after"))
    for duty in found.duties:
        values = (duty.owed, duty.value_before, duty.value_after)
        _add(table, duty.title, *(value_in_words(value, duty.unit, None) for value in values))
    return table


def _sellers(found: Preview) -> Table:
    """The load on the sellers with the most people."""
    table = _table(("Seller", "before", "after", "week before", "week after"))
    for seller in found.sellers[:_MOST_SELLERS]:
        counts = (seller.count_before, seller.count_after, seller.most_before, seller.most_after)
        _add(table, seller.name or "(nobody's)", *map(_count, counts))
    return table


def _table(columns: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*map(escape, cells))


def _count(value: int | None) -> str:
    return NO_VALUE if value is None else f"{value:,}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
