"""The switches that a KPI has, with their defaults."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from schema.accord_vocab import Reading
from schema.described import described
from schema.durations import format_duration
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, Exclusion, FilterScope
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
_WORDS: dict[str, type[Vocabulary]] = {
    "anchor": Anchor,
    "reentry": Reentry,
    "skip": Skip,
    "censoring": Censoring,
    "filterScope": FilterScope,
    "currencyRule": CurrencyRule,
    "cycleStart": CycleStart,
    "reading": Reading,
    "exclusions": Exclusion,
}
_HAS_LENGTH = "It needs a length: `none` is refused."
_NEEDS_COHORT = {
    "censoring": "A value other than ALL_OPEN needs anchor=COHORT.",
    "window": "A length needs anchor=COHORT.",
}
_CONDITIONS = {
    "filterScope": "It needs a filter, in `where`.",
    "currencyRule": "The accord needs `currency` in the clause reporting.",
    "cycleStart": "SQL needs a stage with the key sql in the accord.",
    "reading": "PINNED needs accordVersion.",
    "accordVersion": "It needs reading=PINNED.",
}


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """A value of a switch that some KPIs refuse, and why: a sentence about the KPI `{key}`."""

    switch: str
    value: Vocabulary
    why: str


_COMPARES_NOTHING = RefusedValue(
    "skip", Skip.REACHED_OR_BEYOND, "skip=REACHED_OR_BEYOND compares two stages, and {key} does not."
)
_IS_DECIDED = RefusedValue(
    "censoring",
    Censoring.DECIDED_ONLY,
    "censoring=DECIDED_ONLY has no meaning for {key}: only durations that have ended count, and all of them are"
    " decided.",
)
_NEVER_MATURE = RefusedValue(
    "censoring",
    Censoring.MATURE_ONLY,
    "censoring=MATURE_ONLY counts who entered longer ago than the window, and {key} has no window.",
)
_HAS_ONE_CURRENCY = RefusedValue(
    "currencyRule",
    CurrencyRule.UNCONVERTED,
    "{key} is a formula over amounts and over counts of deals in all currencies: currencyRule=UNCONVERTED would leave"
    " amounts out of one part and their deals in the others.",
)


@dataclass(frozen=True, slots=True)
class SwitchDefault:
    """A switch of a KPI, what holds if a request leaves it out, and which values the KPI takes."""

    __graphql_name__ = "KpiSwitch"

    name: str = described("The name of the switch in `KpiSwitches`.")
    default: str = described("The value that holds if a request leaves the switch out, or that value in words.")
    values: tuple[str, ...] = described(
        "The words that the KPI takes; of `exclusions`, any of them. Empty for a switch without words, such as `asOf`."
    )
    condition: str | None = described("What a request needs beside the switch; null if nothing.")


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The switches of a KPI with their defaults; None and False mean that the KPI does not have the switch.

    Every KPI has `asOf` and `knownAt` (default: now), `timezone` and `exclusions` (default: the accord's). One that
    depends on stages (`reads_stages`), or on another clause of the accord than `reporting` (`reads_clauses`), has
    `reading` and `accordVersion`. `has_window` is of the window that the accord agrees on between two stages, and
    `own_window` the KPI's own, which has a length always. `filter_scope` is the default of cohorts; with the anchor
    PERIOD it is BOTH.
    """

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    has_window: bool = False
    own_window: timedelta | None = None
    reads_stages: bool = False
    reads_clauses: bool = False
    censoring: Censoring | None = None
    filter_scope: FilterScope | None = None
    currency_rule: CurrencyRule | None = None
    cycle_start: CycleStart | None = None
    refused: tuple[RefusedValue, ...] = ()

    @property
    def has_reading(self) -> bool:
        """Whether another version of the accord may decide its value."""
        return self.reads_stages or self.reads_clauses

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the switches in GraphQL."""
        own = (
            *(
                ("anchor", self.anchor),
                ("reentry", self.reentry),
                ("skip", self.skip),
                ("window", self.has_window or self.own_window),
            ),
            *(("censoring", self.censoring), ("filterScope", self.filter_scope)),
            *(("currencyRule", self.currency_rule), ("cycleStart", self.cycle_start)),
        )
        reading = ("reading", "accordVersion") if self.has_reading else ()
        return (*(name for name, default in own if default), *reading, "exclusions", "asOf", "timezone", "knownAt")

    @property
    def defaults(self) -> tuple[SwitchDefault, ...]:
        """The switches with their defaults."""
        return tuple(
            SwitchDefault(name, self._default(name), tuple(self.values(name)), self._condition(name))
            for name in self.names
        )

    def values(self, name: str) -> Iterator[str]:
        """The words that a switch takes, without those that the KPI refuses."""
        refused = [found.value for found in self.refused if found.switch == name]
        yield from (word.name for word in _WORDS.get(name, ()) if word not in refused)

    def _condition(self, name: str) -> str | None:
        if name == "window" and self.own_window is not None:
            return _HAS_LENGTH
        needs_cohort = _NEEDS_COHORT.get(name) if self.anchor is not None else None
        return needs_cohort or _CONDITIONS.get(name)

    def _default(self, name: str) -> str:
        if name == "window" and self.own_window is not None:
            return format_duration(self.own_window)
        in_camel_case = {
            "filterScope": self.filter_scope,
            "currencyRule": self.currency_rule,
            "cycleStart": self.cycle_start,
        }
        chosen = in_camel_case.get(name) or getattr(self, name, None)
        return chosen.name if isinstance(chosen, Vocabulary) else _DEFAULTS[name]


ENTRY_SWITCHES = Switchboard(reentry=Reentry.FIRST, skip=Skip.IMPLIED, reads_stages=True, refused=(_COMPARES_NOTHING,))
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
    refused=(_IS_DECIDED,),
)
DEAL_SWITCHES = Switchboard()
MONEY_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE)
AGREED_MONEY_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE, reads_clauses=True)
FORMULA_SWITCHES = Switchboard(currency_rule=CurrencyRule.TRANSACTION_DATE, refused=(_HAS_ONE_CURRENCY,))
AGREED_FORMULA_SWITCHES = Switchboard(
    currency_rule=CurrencyRule.TRANSACTION_DATE, reads_clauses=True, refused=(_HAS_ONE_CURRENCY,)
)
CYCLE_SWITCHES = Switchboard(cycle_start=CycleStart.OPENED)
CLOSING_SWITCHES = Switchboard(anchor=Anchor.PERIOD)
STAY_SWITCHES = Switchboard(reentry=Reentry.EACH, skip=Skip.EXCLUDE, reads_stages=True, refused=(_COMPARES_NOTHING,))
RESPONSE_SWITCHES = Switchboard(
    reentry=Reentry.FIRST,
    skip=Skip.EXCLUDE,
    reads_stages=True,
    censoring=Censoring.ALL_OPEN,
    refused=(_COMPARES_NOTHING, _IS_DECIDED),
)
DECISION_SWITCHES = Switchboard(
    anchor=Anchor.PERIOD, censoring=Censoring.ALL_OPEN, reads_clauses=True, refused=(_NEVER_MATURE,)
)
FACT_SWITCHES = Switchboard()
AGREED_SWITCHES = Switchboard(reads_clauses=True)
STATE_SWITCHES = Switchboard(reads_stages=True)
