"""The switches that a KPI has, with their defaults."""

from dataclasses import dataclass

from schema.described import described
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, FilterScope
from schema.vocab import Anchor, Reentry, Skip, Vocabulary

_DEFAULTS = {
    "window": "The accord's window between the two stages.",
    "reading": "IN_FORCE",
    "accordVersion": "None: only the reading PINNED names a version.",
    "exclusions": "Those of the accord.",
    "asOf": "Now, or `knownAt`.",
    "timezone": "The time zone of the accord.",
    "knownAt": "None: all facts count.",
}


@dataclass(frozen=True, slots=True)
class SwitchDefault:
    """A switch of a KPI, and what holds if a request leaves it out."""

    __graphql_name__ = "KpiSwitch"

    name: str = described("The name of the switch in `KpiSwitches`.")
    default: str = described("The value that holds if a request leaves the switch out, or that value in words.")


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The switches of a KPI with their defaults; None and False mean that the KPI does not have the switch.

    Every KPI has `asOf` and `knownAt` (default: now), `timezone` and `exclusions` (default: the accord's). One that
    depends on stages (`reads_stages`), or on another clause of the accord than `reporting` (`reads_clauses`), has
    `reading` and `accordVersion`. `filter_scope` is the default of cohorts; with the anchor PERIOD it is BOTH.
    """

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    has_window: bool = False
    reads_stages: bool = False
    reads_clauses: bool = False
    censoring: Censoring | None = None
    filter_scope: FilterScope | None = None
    currency_rule: CurrencyRule | None = None
    cycle_start: CycleStart | None = None

    @property
    def has_reading(self) -> bool:
        """Whether another version of the accord may decide its value."""
        return self.reads_stages or self.reads_clauses

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the switches in GraphQL."""
        own = (
            *(("anchor", self.anchor), ("reentry", self.reentry), ("skip", self.skip), ("window", self.has_window)),
            *(("censoring", self.censoring), ("filterScope", self.filter_scope)),
            *(("currencyRule", self.currency_rule), ("cycleStart", self.cycle_start)),
        )
        reading = ("reading", "accordVersion") if self.has_reading else ()
        return (*(name for name, default in own if default), *reading, "exclusions", "asOf", "timezone", "knownAt")

    @property
    def defaults(self) -> tuple[SwitchDefault, ...]:
        """The switches with their defaults."""
        return tuple(SwitchDefault(name, self._default(name)) for name in self.names)

    def _default(self, name: str) -> str:
        in_camel_case = {
            "filterScope": self.filter_scope,
            "currencyRule": self.currency_rule,
            "cycleStart": self.cycle_start,
        }
        chosen = in_camel_case.get(name) or getattr(self, name, None)
        return chosen.name if isinstance(chosen, Vocabulary) else _DEFAULTS[name]


ENTRY_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED, reads_stages=True)
PAIR_SWITCHES = Switchboard(
    anchor=Anchor.COHORT,
    reentry=Reentry.FIRST,
    skip=Skip.IMPLIED,
    has_window=True,
    reads_stages=True,
    censoring=Censoring.ALL_OPEN,
    filter_scope=FilterScope.BASE,
)
DURATION_SWITCHES = Switchboard(
    reentry=Reentry.FIRST,
    skip=Skip.EXCLUDE,
    has_window=True,
    reads_stages=True,
    censoring=Censoring.ALL_OPEN,
    filter_scope=FilterScope.BASE,
)
DEAL_SWITCHES = Switchboard()
MONEY_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE)
AGREED_MONEY_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE, reads_clauses=True)
CYCLE_SWITCHES = Switchboard(cycle_start=CycleStart.OPENED)
CLOSING_SWITCHES = Switchboard(anchor=Anchor.PERIOD)
STAY_SWITCHES = Switchboard(reentry=Reentry.EACH, skip=Skip.EXCLUDE, reads_stages=True)
RESPONSE_SWITCHES = Switchboard(
    reentry=Reentry.FIRST, skip=Skip.EXCLUDE, reads_stages=True, censoring=Censoring.ALL_OPEN
)
DECISION_SWITCHES = Switchboard(anchor=Anchor.PERIOD, censoring=Censoring.ALL_OPEN, reads_clauses=True)
FACT_SWITCHES = Switchboard()
AGREED_SWITCHES = Switchboard(reads_clauses=True)
STATE_SWITCHES = Switchboard(reads_stages=True)
