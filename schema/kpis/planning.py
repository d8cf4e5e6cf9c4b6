"""The vocabulary of planning: what the revenue of a period is compared with, and what its change consists of."""

from schema.vocab import Vocabulary


class VarianceBaseline(Vocabulary):
    """What the revenue of a period is compared with."""

    PREVIOUS = "PREVIOUS", "The period of the same length before it."
    LAST_YEAR = "LAST_YEAR", "The same days of the year before."
    TARGET = (
        "TARGET",
        (
            "The accord's target for the revenue of the period. The speed, win rate and deal size behind it are those "
            "of the four whole quarters before the period, and the volume is what these need to reach the target."
        ),
    )


class RevenueDriver(Vocabulary):
    """What the revenue of a period consists of. The first four, multiplied, are the revenue of deals won."""

    VOLUME = "VOLUME", "The deals opened in the period in pipelines of new business: `opportunities_created`."
    SPEED = (
        "SPEED",
        (
            "Deals of new business won or lost in the period for each one opened in it. It falls if deals are decided "
            "later: they then count in a later period."
        ),
    )
    RATE = "RATE", "The share of the deals of new business decided in the period that was won: `win_rate`."
    SIZE = "SIZE", "The average amount of a deal of new business won in the period: `avg_deal_size`."
    ADJUSTMENT = (
        "ADJUSTMENT",
        (
            "What is no product of the others: the revenue of other pipelines, negative amounts, and deals won whose "
            "amount is unknown, which the product takes to be of average size."
        ),
    )
