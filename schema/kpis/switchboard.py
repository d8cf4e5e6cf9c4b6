"""The switches that a KPI has, with their defaults."""

from dataclasses import dataclass

from schema.vocab import Anchor, Reentry, Skip


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The switches of a KPI with their defaults; None and False mean that the KPI does not have the switch.

    Every KPI has `asOf` and `knownAt` (default: now) and `timezone` (default: the accord's). One that reads no stage
    has no reading.
    """

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    has_window: bool = False
    has_reading: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the switches in GraphQL."""
        own = (("anchor", self.anchor), ("reentry", self.reentry), ("skip", self.skip), ("window", self.has_window))
        reading = ("reading", "accordVersion") if self.has_reading else ()
        return (*(name for name, default in own if default), *reading, "asOf", "timezone", "knownAt")


ENTRY_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED, has_reading=True)
PAIR_SWITCHES = Switchboard(
    anchor=Anchor.COHORT, reentry=Reentry.FIRST, skip=Skip.IMPLIED, has_window=True, has_reading=True
)
DURATION_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.EXCLUDE, has_window=True, has_reading=True)
DEAL_SWITCHES = Switchboard()
CLOSING_SWITCHES = Switchboard(anchor=Anchor.PERIOD)
STAY_SWITCHES = Switchboard(reentry=Reentry.EACH, skip=Skip.EXCLUDE, has_reading=True)
RESPONSE_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.EXCLUDE, has_reading=True)
DECISION_SWITCHES = Switchboard(anchor=Anchor.PERIOD)
FACT_SWITCHES = Switchboard()
STATE_SWITCHES = Switchboard(has_reading=True)
