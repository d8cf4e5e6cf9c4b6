"""How the value of a KPI is computed, and what one counted row stands for."""

from schema.vocab import Vocabulary


class Kind(Vocabulary):
    """How a KPI's value is computed."""

    __graphql_name__ = "KpiKind"

    COUNT = "COUNT", "The number of events in the period."
    SUM = "SUM", "The sum of amounts."
    AVERAGE = "AVERAGE", "The sum of amounts divided by the number of amounts."
    SNAPSHOT = "SNAPSHOT", "The state at one instant: the end of the period, or `asOf` if that is earlier."
    RATIO = "RATIO", "A share of the events in the period, or of their amounts."
    ATTAINMENT = "ATTAINMENT", "What was delivered in the period, divided by what was owed."
    CONVERSION = "CONVERSION", "The share of the people in one stage who entered a later one."
    DURATION = "DURATION", "The time that something took."
    TIME = "TIME", "The time that something lasted, of all records together."
    FORMULA = "FORMULA", "Computed by a formula from several parts, which the answer lists."
    SPREAD = "SPREAD", "The number per person: its mean and its distribution."


class Subject(Vocabulary):
    """What one counted row stands for."""

    __graphql_name__ = "KpiSubject"

    PERSON = "PERSON", "A contact; merged contacts are one."
    DEAL = "DEAL", "A deal."


NEVER_COUNTED = {
    Subject.PERSON: (
        "Deleted people never count, nor test records and people of the firm that the accord excludes; merged people "
        "count once."
    ),
    Subject.DEAL: "Deleted deals never count, nor deals with only test records and people of the firm on them.",
}
