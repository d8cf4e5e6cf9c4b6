"""The rival rules by which one value is computed: an answer has the value of each of them."""

from schema.vocab import Vocabulary


class SourcedRule(Vocabulary):
    """The rule by which a deal has its origin in marketing."""

    LEAD_SOURCE = "LEAD_SOURCE", "The lead source of the deal's primary contact is one of marketing's."
    FIRST_TOUCH = "FIRST_TOUCH", "The first touch of anybody on the deal was by marketing."
    BEFORE_FIRST_SALES_TOUCH = (
        "BEFORE_FIRST_SALES_TOUCH",
        "Marketing touched somebody on the deal before the first touch by sales.",
    )


class VariantRule(Vocabulary):
    """A rule by which a value is computed. An answer has the value by every rule, and says which one counts."""

    __graphql_name__ = "KpiVariantRule"

    LEAD_SOURCE = "LEAD_SOURCE", "The lead source of the deal's primary contact is one of marketing's."
    FIRST_TOUCH = "FIRST_TOUCH", "The first touch of anybody on the deal was by marketing."
    BEFORE_FIRST_SALES_TOUCH = (
        "BEFORE_FIRST_SALES_TOUCH",
        "Marketing touched somebody on the deal before the first touch by sales.",
    )
    ALL_OPEN = "ALL_OPEN", "The share of everybody: who can still convert counts as not converted."
    MATURE_ONLY = (
        "MATURE_ONLY",
        (
            "The share of those who entered so long ago that their window is over; without a window, longer ago than "
            "90 % of the converted took to convert."
        ),
    )
    ENDED_ONLY = "ENDED_ONLY", "The median of the times that have ended, which is shorter than that of all."
    KAPLAN_MEIER = (
        "KAPLAN_MEIER",
        "The time after which half have ended, estimated as Kaplan and Meier do, from those that have not ended too.",
    )
