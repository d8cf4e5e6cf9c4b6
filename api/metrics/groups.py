"""Figures by the values of the asked dimensions, in the order in which they are read, with what a reader calls them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from api.metrics.answer import Group, GroupKey
from api.metrics.dimensions import AXES, EMPTY_LABEL
from api.metrics.figures import ALL, Cell, Keys, Table, parts, series
from api.metrics.question import Question, dimensions_of
from api.metrics.records import Place
from api.metrics.request import Where
from schema.vocab import Dimension


def breakdown(question: Question, table: Table, boundaries: tuple[datetime, ...], skipped: int) -> tuple[Group, ...]:
    """The figure of each combination of the asked dimensions' values, in the order in which they are shown."""
    if not question.by:
        return ()
    kind, is_stages = question.kpi.kind, question.by == (Dimension.STAGE,)
    shown = [(stage,) for stage in _stages_shown(question, table.keys)] if is_stages else table.keys
    groups = [
        Group(
            **parts(kind, table.cells.get((keys, ALL), Cell())),
            keys=tuple(
                group_key(question, dimension, key, table.labels)
                for dimension, key in zip(question.by, keys, strict=True)
            ),
            series=series(table, kind, boundaries, Place(question, keys), skipped),
            behind=Place(question, keys),
        )
        for keys in shown
    ]
    return tuple(groups if is_stages else _in_reading_order(question, groups))


def _in_reading_order(question: Question, groups: list[Group]) -> list[Group]:
    """Values of the first dimension stand together; stages in their order, everything else from the largest down."""
    size = Counter[GroupKey]()
    for group in groups:
        size[group.keys[0]] += _weight(question, group)

    def place(group: Group) -> list[tuple[int, str, str]]:
        sizes = (size[group.keys[0]], _weight(question, group))
        return [
            (_rank(question, key, large), key.label, key.id or "")
            for key, large in zip(group.keys, sizes[-len(group.keys) :], strict=True)
        ]

    return sorted(groups, key=place)


def _weight(question: Question, group: Group) -> int:
    """How large a group is. Reject reasons are all parts of one n, so their own numbers tell."""
    return int(group.numerator or 0) if Dimension.REJECT_REASON in question.by else group.n


def _rank(question: Question, key: GroupKey, large: int) -> int:
    return question.stages.index(key.value) if key.dimension is Dimension.STAGE and key.value else -large


def group_key(question: Question, dimension: Dimension, key: object, labels: Mapping[object, str]) -> GroupKey:
    """A value of a dimension, with what a reader calls it."""
    table = AXES[question.kpi.subject][dimension].table
    if key is None:
        return GroupKey(dimension=dimension, id=None, value=None, label=EMPTY_LABEL)
    if table is not None:
        name = labels.get(key, str(key))
        return GroupKey(dimension=dimension, id=f"{table}_{key}", value=name, label=name)
    text = label = str(key)
    if dimension is Dimension.CHANNEL:
        label = text.replace("_", " ").capitalize()
    if dimension is Dimension.REJECT_REASON:
        label = next((each.label for each in question.ground.accord.reject_reasons if each.code == text), text)
    if dimension is Dimension.STAGE:
        label = next((stage.title for stage in question.ground.accord.stages if stage.key == text), text)
    return GroupKey(dimension=dimension, id=None, value=text, label=label)


def _stages_shown(question: Question, keys: Iterable[Keys]) -> list[str]:
    """All stages, those that nobody entered too; under a filter by stage, those that it lets through."""
    if Dimension.STAGE not in dimensions_of(question.where):
        return list(question.stages)
    shown = {*(stage for (stage,) in keys), *_named_stages(question.where)}
    return [stage for stage in question.stages if stage in shown]


def _named_stages(where: Where) -> Iterator[str | None]:
    yield from (value for dimension, values in where.tests if dimension is Dimension.STAGE for value in values)
    for part in where.all_of:
        yield from _named_stages(part)
