"""The closed vocabularies of the accord's duties, calendars and attribution models."""

from schema.vocab import Vocabulary


class Weekday(Vocabulary):
    """A day of the week."""

    MONDAY = "MONDAY", "Monday."
    TUESDAY = "TUESDAY", "Tuesday."
    WEDNESDAY = "WEDNESDAY", "Wednesday."
    THURSDAY = "THURSDAY", "Thursday."
    FRIDAY = "FRIDAY", "Friday."
    SATURDAY = "SATURDAY", "Saturday."
    SUNDAY = "SUNDAY", "Sunday."


class DeliveryCount(Vocabulary):
    """Which people count as delivered by marketing."""

    HANDED_OVER = "HANDED_OVER", "Everybody who was handed over to sales."
    ACCEPTED = "ACCEPTED", "The people whom sales accepted."


class AttributionMethod(Vocabulary):
    """How an attribution model shares out the credit for a deal."""

    WEIGHTS = "WEIGHTS", "Stated weights: of the touches at milestones, and of all other touches together."
    TIME_DECAY = "TIME_DECAY", "A touch has half the credit of one that is younger by the half-life."
    MARKOV = "MARKOV", "By how much fewer paths would convert without the channel (removal effect of a Markov chain)."
    SHAPLEY = "SHAPLEY", "Equal shares of each converting path for the distinct channels on it (Shapley value)."


class AttributionAnchor(Vocabulary):
    """The moment after which no touch has a share in the credit for a deal."""

    LEAD_CREATION = "LEAD_CREATION", "The entry of the person into the lead stage."
    DEAL_OPENED = "DEAL_OPENED", "The opening of the deal."
    DEAL_WON = "DEAL_WON", "The winning of the deal."
