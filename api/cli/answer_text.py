"""Answers for programs: JSON in the shape of the GraphQL answer, and CSV with a line a figure."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import orjson

from api.metrics.answer import BreakdownKey, Bucket, FunnelAnswer, FunnelStep, KpiAnswer, KpiFigure, Provenance

FIGURE = ("value", "numerator", "denominator", "n", "implied", "median", "p75", "p90", "mean", "max", "apart")
HEAD = ("key", "title", "definition", "unit", "currency")
KEY = ("dimension", "id", "key", "label")
STEP = ("reached", "implied", "open", "step", "overall", "entered", "entered_implied")


def print_json(answer: KpiAnswer | FunnelAnswer) -> None:
    """Print the whole answer. Decimals are texts, as in GraphQL: no digit is lost."""
    # What was asked comes first, what it was computed from last.
    last = {each.name for each in fields(Provenance)}
    names = [each.name for each in fields(answer) if each.metadata]
    first = [name for name in names if name in HEAD]
    order = [
        *first,
        *(name for name in names if name not in HEAD and name not in last),
        *(n for n in names if n in last),
    ]
    shown = {_camel(name): plain(getattr(answer, name)) for name in order}
    sys.stdout.write(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_kpi_csv(answer: KpiAnswer) -> None:
    """Print the total with its buckets, and each group with its: no key means all, no dates the whole period."""
    wide = max((len(group.keys) for group in answer.breakdown), default=1)
    lines = [_line(answer, (), wide, None), *(_line(bucket, (), wide, bucket) for bucket in answer.series)]
    for group in answer.breakdown:
        lines.append(_line(group, group.keys, wide, None))
        lines += [_line(bucket, group.keys, wide, bucket) for bucket in group.series]
    second = tuple(f"{each}_2" for each in KEY) if wide > 1 else ()
    _print((*KEY, *second, "from", "before", *FIGURE), lines)


def print_funnel_csv(answer: FunnelAnswer) -> None:
    """Print a line a stage, of the whole and of each group."""
    lines = [_step((), step) for step in answer.stages]
    lines += [_step(group.keys, step) for group in answer.breakdown for step in group.stages]
    _print((*KEY, "stage", *STEP), lines)


def plain(value: object) -> object:
    """A value as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_camel(each.name): plain(getattr(value, each.name)) for each in fields(value) if each.metadata}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return _text(value)
    if isinstance(value, datetime):
        return _text(value)
    return value


def _camel(name: str) -> str:
    if name == "starts_at":
        return "from"
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _line(figure: KpiFigure, keys: tuple[BreakdownKey, ...], wide: int, bucket: Bucket | None) -> list[object]:
    spread = figure.distribution
    return [
        *_keys(keys, wide),
        *((bucket.starts_at, bucket.before) if bucket else (None, None)),
        *(figure.value, figure.numerator, figure.denominator, figure.n, figure.implied),
        *((spread.median, spread.p75, spread.p90, spread.mean, spread.max) if spread else [None] * 5),
        "; ".join(f"{_text(each.value)} {each.currency.value if each.currency else '?'}" for each in figure.apart),
    ]


def _step(keys: tuple[BreakdownKey, ...], step: FunnelStep) -> list[object]:
    return [*_keys(keys, 1), step.key, *(getattr(step, name) for name in STEP)]


def _keys(keys: tuple[BreakdownKey, ...], wide: int) -> list[object]:
    """The columns of so many dimensions; empty where all is meant."""
    found: list[object] = []
    for key in keys:
        found += [key.dimension.value, key.id, key.value, key.label]
    return found or [None] * (len(KEY) * wide)


def _print(names: Iterable[str], lines: Iterable[list[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(each) for each in line] for line in lines)


def _text(value: object) -> str:
    """A value as text: instants in UTC, decimals without exponent."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)
