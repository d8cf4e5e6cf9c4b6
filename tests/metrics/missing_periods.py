"""Answers about periods that have not begun or lie before all data, checked against what an oracle counts."""

from datetime import datetime

from api.metrics.answer import KpiAnswer
from schema.kpis.answer_vocab import WarningCode

MISSING = {WarningCode.PERIOD_NOT_BEGUN, WarningCode.PERIOD_BEFORE_DATA}


def is_missing(answer: KpiAnswer, start: datetime | None, until: datetime, n_before_end: int) -> bool:
    """Whether the answer says that its period has no value; then it has none, and the reason is true.

    `n_before_end` is the number of rows before the end of the period, however early.
    """
    found = {warning.code for warning in answer.warnings} & MISSING
    assert (WarningCode.PERIOD_NOT_BEGUN in found) == (start is not None and start >= until)
    if not found:
        return False
    if WarningCode.PERIOD_BEFORE_DATA in found:
        assert n_before_end == 0
    assert len(found) == 1
    assert (answer.value, answer.numerator, answer.denominator, answer.n) == (None, None, None, 0)
    assert (answer.breakdown, answer.distribution, answer.excluded.count) == ((), None, 0)
    assert all((bucket.value, bucket.n) == (None, 0) for bucket in answer.series)
    return True
