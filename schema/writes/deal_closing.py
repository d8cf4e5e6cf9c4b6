"""How a deal can be closed."""

from schema.vocab import DealOutcome, Vocabulary


class DealClosing(Vocabulary):
    """How a deal is closed."""

    WON = DealOutcome.WON.value, DealOutcome.WON.doc
    LOST = DealOutcome.LOST.value, DealOutcome.LOST.doc
