"""The words of the switches that KPIs alone have: which rows of a cohort, whose records, which rate, end and start."""

from schema.vocab import Vocabulary

SQL_STAGE = "sql"  # the key of the stage from which a cycle may run


class Censoring(Vocabulary):
    """Which people of a cohort count while some of them can still convert."""

    __graphql_name__ = "CensoringSwitch"

    ALL_OPEN = (
        "ALL_OPEN",
        (
            "Everybody: who can still convert counts as not converted. The value may still rise. Of durations, all that"
            " have ended."
        ),
    )
    DECIDED_ONLY = (
        "DECIDED_ONLY",
        (
            "Who converted, and who can no longer convert. A young cohort then has its quick ones alone: its rate is"
            " high. Durations refuse it: those that have ended are decided."
        ),
    )
    MATURE_ONLY = (
        "MATURE_ONLY",
        (
            "Who entered so long ago that their window is over, whether or not they converted. Without a window it is"
            " over after the time within which 90 % of the cohort's converted people converted. Of durations, a young"
            " cohort's are short, for only its quick ones have ended: this leaves its people out."
        ),
    )


class Exclusion(Vocabulary):
    """Whom a number leaves out, besides the deleted and the merged."""

    __graphql_name__ = "ExclusionSwitch"

    TEST = "TEST", "Test records, and deals with excluded people only."
    INTERNAL = "INTERNAL", "People of the firm itself, and deals with excluded people only."


class CurrencyRule(Vocabulary):
    """The day whose exchange rate converts an amount. The rate is the last one on or before that day."""

    __graphql_name__ = "CurrencyRuleSwitch"

    TRANSACTION_DATE = (
        "TRANSACTION_DATE",
        "The day of the counted instant: of a closing, an opening, the instant of a state, or a cost's first day.",
    )
    PERIOD_END = (
        "PERIOD_END",
        "The last day of the requested period, for all buckets; the day of `asOf` if the period ends later or not.",
    )
    AS_OF = "AS_OF", "The day of `asOf`: today's rate, if the request does not name `asOf`."
    UNCONVERTED = (
        "UNCONVERTED",
        (
            "No rate: amounts of other currencies than the reporting currency are listed in `apart`. Not for formulas"
            " of several parts."
        ),
    )


class FilterScope(Vocabulary):
    """Which end of a conversion the filter applies to. A dimension is tested at the instant of that end."""

    __graphql_name__ = "FilterScopeSwitch"

    BASE = "BASE", "The entry into the base stage has to pass the filter. Its conversion counts whatever it is then."
    CONVERSION = "CONVERSION", "The conversion has to pass the filter. All entries into the base stage count."
    BOTH = "BOTH", "Both have to pass the filter, each at its own instant."


class CycleStart(Vocabulary):
    """The instant from which the time to the win of a deal runs. A deal without one before the win is left out."""

    __graphql_name__ = "CycleStartSwitch"

    OPENED = "OPENED", "The opening of the deal."
    SQL = (
        "SQL",
        (
            "The first entry into the accord's stage with the key `sql` of anybody with a role on the deal, implied"
            " entries included."
        ),
    )
    FIRST_TOUCH = (
        "FIRST_TOUCH",
        "The first touchpoint of anybody with a role on the deal, of either direction and whoever made it.",
    )
