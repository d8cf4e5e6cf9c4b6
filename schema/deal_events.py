"""What happens to a deal once, and is counted by KPIs."""

from schema.vocab import Vocabulary


class DealEvent(Vocabulary):
    """What happened to a deal."""

    OPENED = "OPENED", "It was opened."
    CLOSED = "CLOSED", "It was won or lost, and is not open again."
