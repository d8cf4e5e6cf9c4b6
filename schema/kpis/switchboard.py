"""The switches that a KPI has, with their defaults."""

from dataclasses import dataclass

from schema.kpis.switch_words import Censoring, CurrencyRule, FilterScope
from schema.vocab import Anchor, Reentry, Skip


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The switches of a KPI with their defaults; None and False mean that the KPI does not have the switch.

    Every KPI has `asOf` and `knownAt` (default: now), `timezone` and `exclusions` (default: the accord's). One that
    reads no stage has no reading. `filter_scope` is the default of cohorts; with the anchor PERIOD it is BOTH.
    """

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    has_window: bool = False
    has_reading: bool = False
    censoring: Censoring | None = None
    filter_scope: FilterScope | None = None
    currency_rule: CurrencyRule | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the switches in GraphQL."""
        own = (
            *(("anchor", self.anchor), ("reentry", self.reentry), ("skip", self.skip), ("window", self.has_window)),
            *(("censoring", self.censoring), ("filterScope", self.filter_scope)),
            ("currencyRule", self.currency_rule),
        )
        reading = ("reading", "accordVersion") if self.has_reading else ()
        return (*(name for name, default in own if default), *reading, "exclusions", "asOf", "timezone", "knownAt")


ENTRY_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED, has_reading=True)
PAIR_SWITCHES = Switchboard(
    anchor=Anchor.COHORT,
    reentry=Reentry.FIRST,
    skip=Skip.IMPLIED,
    has_window=True,
    has_reading=True,
    censoring=Censoring.ALL_OPEN,
    filter_scope=FilterScope.BASE,
)
DURATION_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.EXCLUDE, has_window=True, has_reading=True)
DEAL_SWITCHES = Switchboard()
MONEY_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE)
STAY_SWITCHES = Switchboard(reentry=Reentry.EACH, skip=Skip.EXCLUDE, has_reading=True)
RESPONSE_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.EXCLUDE, has_reading=True)
DECISION_SWITCHES = Switchboard(anchor=Anchor.PERIOD, censoring=Censoring.ALL_OPEN)
FACT_SWITCHES = Switchboard()
STATE_SWITCHES = Switchboard(has_reading=True)
