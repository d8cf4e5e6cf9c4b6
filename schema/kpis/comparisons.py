"""What a KPI's answer is compared with, and what the change of a rate consists of."""

from dataclasses import dataclass
from decimal import Decimal

from schema.described import described
from schema.vocab import Vocabulary


class Comparand(Vocabulary):
    """What an answer is compared with."""

    __graphql_name__ = "KpiComparand"

    PREVIOUS_PERIOD = "PREVIOUS_PERIOD", "The period of the same length that ends where the requested one begins."
    SAME_PERIOD_LAST_YEAR = "SAME_PERIOD_LAST_YEAR", "The same period a year before; of weeks, the one 52 weeks before."
    TARGET = "TARGET", "The targets of the accord in force."
    ACCORD_VERSION = "ACCORD_VERSION", "The same request, with every stage as another version of the accord decides it."


class ComparedSpan(Vocabulary):
    """How much of an earlier period an answer is compared with."""

    __graphql_name__ = "KpiComparedSpan"

    TO_DATE = (
        "TO_DATE",
        "Of a period that is not over: as many days as have begun, or a year before those up to the same date.",
    )
    WHOLE = "WHOLE", "The whole earlier period, also if the requested one is not over."
    SAME_AGE = (
        "SAME_AGE",
        "The earlier period as it stood when it was as old as the requested one: people had as long to convert.",
    )


@dataclass(frozen=True, kw_only=True)
class ChangeParts:
    """The parts of a change. They add up to it exactly."""

    __graphql_name__ = "KpiChangeParts"

    volume: Decimal = described("What the change of the denominator adds. It is 0 for the rate itself.")
    mix: Decimal = described(
        "What the shift between the groups of the breakdown adds: more of a group whose rate is above the average "
        "raises the rate. It is 0 without a breakdown."
    )
    rate: Decimal = described("What the changes of the groups' own rates add.")


@dataclass(frozen=True, kw_only=True)
class ChangeDrivers:
    """The change of a rate or an average, split into volume, mix and rate.

    The split is that of Kitagawa (1955), "Components of a Difference Between Two Rates", with means of both sides as
    weights, so that no side comes first and nothing is left over. A group that one side lacks has the other side's
    rate there, so that its whole effect is mix.
    """

    __graphql_name__ = "KpiChangeDrivers"

    value: ChangeParts = described("The parts of the change of the value.")
    numerator: ChangeParts = described("The parts of the change of the numerator, such as of the number of customers.")
