"""The vocabularies of answers: which rows they were computed from, and their warnings."""

from schema.vocab import Vocabulary


class AnsweredFrom(Vocabulary):
    """Which rows an answer was computed from. All of them give the same figures."""

    DAY_SUMS = (
        "DAY_SUMS",
        "Journeys added up by day and month. Days that have changed since are read from the journeys.",
    )
    JOURNEYS = (
        "JOURNEYS",
        "Rows that are derived beside the stage entries: first entries, with the values of all dimensions then.",
    )
    FACTS = (
        "FACTS",
        (
            "The records and their history: for other readings, `knownAt`, `reentry`, `exclusions` and filters of"
            " conversions, and a reach less than ALL."
        ),
    )


class WarningCode(Vocabulary):
    """A warning about a result: what to know before using the number."""

    __graphql_name__ = "AnswerWarningCode"

    SOURCE_INCOMPLETE = (
        "SOURCE_INCOMPLETE",
        "The last import of a file rejected rows that the value may lack. Their file has to be corrected and imported.",
    )
    EVERYBODY_REACHES_TOP = "EVERYBODY_REACHES_TOP", "Of a preview: almost everybody reaches the highest stage."
    LOW_SAMPLE = "LOW_SAMPLE", "The denominator is below 20."
    OPEN_COHORT = "OPEN_COHORT", "Part of the cohort can still convert, or is still in the stage."
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR", "The denominator is 0: the value is null."
    MISSING_INPUT = "MISSING_INPUT", "The value needs an input that nobody has entered: it is null."
    TARGET_MET = "TARGET_MET", "The target is met, so that nothing is left to divide by: the value is null."
    COST_SPREAD = "COST_SPREAD", "The period cuts the days of some costs. They count by the share of their days in it."
    COST_SOURCES_OVERLAP = (
        "COST_SOURCES_OVERLAP",
        "Some campaigns have costs of different sources for the same days. All of them count.",
    )
    NOT_RECORDED = "NOT_RECORDED", "Nothing records what the KPI counts: the value is null."
    NO_CONTACTS = "NO_CONTACTS", "The KPI is about people and no contact can be counted: the value is null."
    PERIOD_NOT_BEGUN = "PERIOD_NOT_BEGUN", "The period begins after `asOf`: the value is null."
    AS_OF_AHEAD = "AS_OF_AHEAD", "`asOf` lies in the future: the answer is as of now."
    DATED_AHEAD = (
        "DATED_AHEAD",
        "Some deals or handoffs are dated after `asOf`, by more than a minute. They do not count yet.",
    )
    CLOCK_SKEW = (
        "CLOCK_SKEW",
        "The clocks of server and database differ by over a minute: the latest facts may be missing, or count early.",
    )
    PERIOD_BEFORE_DATA = (
        "PERIOD_BEFORE_DATA",
        (
            "The period, or `asOf`, lies before the first fact about people or deals, whichever the KPI counts: the "
            "value is null."
        ),
    )
    PERIOD_OPEN = (
        "PERIOD_OPEN",
        "The period ends after `asOf`, so that the value may still change. The count is that of the days to come.",
    )
    UNKNOWN_VALUE = (
        "UNKNOWN_VALUE",
        "The filter names a free text, such as a lead source, that no record ever had: it may be misspelt.",
    )
    FILTERED_AS_OF_TODAY = "FILTERED_AS_OF_TODAY", "The filter reads records as they are today, not as they were."
    SKIPPED_STAGE = (
        "SKIPPED_STAGE",
        "Some people skipped a stage, so that nothing says how long they took. They are not in the value.",
    )
    NEVER_TOUCHED = "NEVER_TOUCHED", "Some people had no outbound touch by hand since then. They are not in the value."
    UNDATED = "UNDATED", "Some records have no known date and are counted in no period."
    HISTORY_ASSUMED = (
        "HISTORY_ASSUMED",
        "Some values are of a time of which the source has no history: those of a later import are assumed.",
    )
    UNKNOWN_AMOUNT = "UNKNOWN_AMOUNT", "Some amounts are unknown. They are not in the value."
    MOSTLY_EMPTY = "MOSTLY_EMPTY", "More than half of the counted rows have no value of a dimension of the breakdown."
    DIFFERENT_MEANINGS = (
        "DIFFERENT_MEANINGS",
        "A dimension means something else in another KPI of the same request, whose subject is another.",
    )
    UNKNOWN_ORIGIN = "UNKNOWN_ORIGIN", "Nothing says where some deals came from. They count as not sourced."
    UNKNOWN_PROBABILITY = (
        "UNKNOWN_PROBABILITY",
        "Some deals have an amount and no known probability of winning. They are not in the value.",
    )
    KNOWN_AT_LIMITS = (
        "KNOWN_AT_LIMITS",
        "The value is computed from what was known at `knownAt`, but for what is kept as of today alone.",
    )
    READING_OUTDATED = (
        "READING_OUTDATED",
        "Records have changed since this reading was evaluated.",
    )
    MISSING_RATE = (
        "MISSING_RATE",
        "Some amounts have no exchange rate to the currency of the result. They are listed separately.",
    )
    UNEQUAL_PERIODS = "UNEQUAL_PERIODS", "The compared periods differ in their number of days."
    NO_TARGET = "NO_TARGET", "The accord has no target for the requested figure: there is nothing to compare with."
    UNKNOWN_KPI = "UNKNOWN_KPI", "A target of the accord names a KPI of another release. It is not read."
    UNKNOWN_TARGET_WORD = (
        "UNKNOWN_TARGET_WORD",
        "A target of the accord names a dimension, a team or a period of another release. It is not read.",
    )
    NO_PACE = "NO_PACE", "Nothing says what should stand by now: pace or forecast are null."
    PARTIAL_REACH = "PARTIAL_REACH", "Only a part of the records is in the caller's reach: no target is for that part."
