"""Which rows an answer was computed from."""

from schema.vocab import Vocabulary


class AnsweredFrom(Vocabulary):
    """Which rows an answer was computed from. Both give the same figures."""

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
