"""A filter over dimensions to a condition."""

from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.metrics.dimensions import AXES, Axis
from api.metrics.question import unknown_stage
from api.metrics.request import Where
from api.sql import Sql, all_of, join, name
from schema.accord import Accord
from schema.kpis.kinds import Subject
from schema.vocab import Channel, Dimension


def condition(where: Where, subject: Subject, accord: Accord) -> Sql | None:
    """The condition of a filter; None for one that tests nothing.

    Each part is true or false, never unknown, so that `none_of` is exact.
    Errors: BAD_INPUT, UNKNOWN_STAGE for values that cannot be.
    """
    parts = [_test(dimension, values, AXES[subject][dimension], accord) for dimension, values in where.tests]
    parts += [found for each in where.all_of if (found := condition(each, subject, accord)) is not None]
    if where.any_of:
        # An alternative that tests nothing is true of everything.
        parts.append(
            join(" or ", (Sql("({})", condition(each, subject, accord) or Sql("true")) for each in where.any_of))
        )
    parts += [Sql("not ({})", condition(each, subject, accord) or Sql("true")) for each in where.none_of]
    return all_of(parts) if parts else None


def _test(dimension: Dimension, values: tuple[str | None, ...], axis: Axis, accord: Accord) -> Sql:
    given = [value for value in values if value is not None]
    ways = [Sql("{} is null", axis.value)] if None in values else []
    if axis.table is not None:
        ways += _records(dimension, given, axis.value, axis.table)
    elif given:
        for value in given:
            _check(dimension, value, accord)
        ways.append(Sql("{} = any ({}::text[])", axis.value, given))
    return Sql("({}) is true", join(" or ", ways)) if ways else Sql("false")


def _records(dimension: Dimension, given: list[str], value: Sql, table: str) -> list[Sql]:
    """Records are named by their id, or by their name, which may be several records'."""
    ids, names = [], []
    for each in given:
        found = _id(dimension, each, table)
        if found is None:
            names.append(each)
        else:
            ids.append(found)
    ways = [Sql("{} = any ({}::uuid[])", value, ids)] if ids else []
    if names:
        ways.append(Sql("{} in (select id from {} where name = any ({}::text[]))", value, name(table), names))
    return ways


def _id(dimension: Dimension, text: str, table: str) -> UUID | None:
    """The id of a record in either spelling, `campaign_0192…` or the bare one; None for what looks like a name."""
    prefix, _, rest = text.rpartition("_")
    try:
        found = UUID(rest)
    except ValueError:
        return None
    if prefix not in ("", table):
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"'{text}' is no {table}, and the dimension {dimension} is of {table}s.",
            f"Give an id like {table}_0192…",
        )
    return found


def _check(dimension: Dimension, value: str, accord: Accord) -> None:
    if dimension is Dimension.CHANNEL and value not in list(Channel):
        raise AccordError(ErrorCode.BAD_INPUT, f"'{value}' is no channel.", f"The channels are {', '.join(Channel)}.")
    if dimension is Dimension.STAGE and value not in [stage.key for stage in accord.stages]:
        raise unknown_stage(value, accord)
