"""Instants of what happened: not in the future, and within the range of dates that Accord stores."""

from datetime import datetime, timedelta

from api.workflows.records.values import InvalidValueError, bounded
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import FieldPath, UserError
from schema.writes.user_errors import UserErrorCode

_CLOCK_SKEW = timedelta(minutes=5)  # clocks of two machines differ


def past_problem(work: UnitOfWork, instant: datetime | None, path: FieldPath) -> UserError | None:
    """Return what is wrong with the instant of something that happened: it is in the future, or out of range."""
    if instant is None:
        return None
    if instant > work.started_at + _CLOCK_SKEW:
        message = f"{instant} is in the future. Give an instant that has passed, or leave the field out."
        return UserError(path, UserErrorCode.IN_FUTURE, message)
    try:
        bounded(instant)
    except InvalidValueError as error:
        return UserError(path, error.code, error.reason)
    return None
