"""The warnings about dimensions: most rows have no value, or another KPI of the request means something else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from api.metrics.answer import AnswerWarning, KpiAnswer
from api.metrics.dimensions import EMPTY_LABEL
from api.metrics.figure_table import Keys
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension


def mostly_empty(by: Sequence[Dimension], sizes: Mapping[Keys, int], total: int) -> Iterator[AnswerWarning]:
    """MOSTLY_EMPTY for each dimension of a breakdown of which more than half of the counted rows have no value.

    `sizes` is the number of rows of each group, and `total` that of the answer.
    """
    for place, dimension in enumerate(by):
        # By REJECT_REASON, the groups of all reasons count the same rows: those of one reason are enough.
        empty = {_without_reason(by, keys): n for keys, n in sizes.items() if keys[place] is None}
        count = sum(empty.values())
        if 2 * count > total:
            message = (
                f"Of {total:,}, {count:,} have no {dimension}: they are in the group {EMPTY_LABEL}. Complete the values"
                " in the source, or break down by another dimension."
            )
            yield AnswerWarning(code=WarningCode.MOSTLY_EMPTY, message=message, count=count)


def different_meanings(answer: KpiAnswer, others: Iterable[KpiAnswer]) -> Iterator[AnswerWarning]:
    """DIFFERENT_MEANINGS for each dimension of an answer that means something else in another one beside it."""
    for meaning in answer.dimensions:
        elsewhere: dict[str, dict[str, None]] = {}
        for other in others:
            for there in other.dimensions:
                if there.dimension is meaning.dimension and there.definition != meaning.definition:
                    elsewhere.setdefault(_in_sentence(there.definition), {})[other.key] = None
        for definition, keys in elsewhere.items():
            message = (
                f"{meaning.dimension} means {_in_sentence(meaning.definition)} here, and {definition} in"
                f" {', '.join(keys)}. Do not compare or add the two."
            )
            yield AnswerWarning(code=WarningCode.DIFFERENT_MEANINGS, message=message, count=None)


def _without_reason(by: Sequence[Dimension], keys: Keys) -> Keys:
    return tuple(key for dimension, key in zip(by, keys, strict=True) if dimension is not Dimension.REJECT_REASON)


def _in_sentence(definition: str) -> str:
    return definition[0].lower() + definition[1:].removesuffix(".")
