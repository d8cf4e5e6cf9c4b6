"""The switches that a request chooses of those that its KPI has, with the defaults of the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from api.errors import AccordError, ErrorCode
from api.metrics.request import Switches, Where
from schema.accord import Accord
from schema.kpis.kpi import Kpi
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, FilterScope
from schema.vocab import Anchor

Choices = tuple[tuple[str, Enum | None, Enum | None], ...]  # name in GraphQL, choice, default


@dataclass(frozen=True, slots=True)
class ChosenSwitches:
    """The switches for the rows of a cohort, the ends of a conversion, amounts and cycles; and the overridden ones."""

    censoring: Censoring
    filter_scope: FilterScope | None
    currency_rule: CurrencyRule
    cycle_start: CycleStart
    overrides: tuple[str, ...]


def choose_switches(kpi: Kpi, switches: Switches, where: Where, anchor: Anchor, accord: Accord) -> ChosenSwitches:
    """Return the chosen switches. Those that the KPI does not have were rejected before.

    Errors: BAD_INPUT for a switch that has no meaning beside the others of the request.
    """
    board = kpi.switches
    _reject_without_meaning(switches, where, anchor, accord)
    scope = FilterScope.BOTH if board.filter_scope is not None and anchor is Anchor.PERIOD else board.filter_scope
    choices: Choices = (
        ("anchor", switches.anchor, board.anchor),
        ("reentry", switches.reentry, board.reentry),
        ("skip", switches.skip, board.skip),
        ("censoring", switches.censoring, board.censoring),
        ("filterScope", switches.filter_scope, scope),
        ("currencyRule", switches.currency_rule, board.currency_rule),
        ("cycleStart", switches.cycle_start, board.cycle_start),
    )
    _reject_refused(kpi, choices)
    return ChosenSwitches(
        censoring=switches.censoring or board.censoring or Censoring.ALL_OPEN,
        filter_scope=switches.filter_scope or scope,
        currency_rule=switches.currency_rule or board.currency_rule or CurrencyRule.TRANSACTION_DATE,
        cycle_start=switches.cycle_start or board.cycle_start or CycleStart.OPENED,
        overrides=tuple(_overridden(choices)),
    )


def _overridden(choices: Choices) -> Iterator[str]:
    for name, choice, default in choices:
        if choice is not None and choice is not default:
            yield f"{name}={choice.value}"


def _reject_refused(kpi: Kpi, choices: Choices) -> None:
    """Reject the values that the KPI declares as refused. Errors: BAD_INPUT."""
    board = kpi.switches
    for name, choice, _ in choices:
        refused = next((one for one in board.refused if one.switch == name and one.value is choice), None)
        if refused is not None:
            *others, last = board.values(name)
            raise _bad(refused.why.format(key=kpi.key), f"Set {name} to {', '.join(others)} or {last}.")


def _reject_without_meaning(switches: Switches, where: Where, anchor: Anchor, accord: Accord) -> None:
    if switches.censoring not in (None, Censoring.ALL_OPEN) and anchor is Anchor.PERIOD:
        raise _bad(
            "The switch censoring has no meaning with anchor=PERIOD: nobody is followed who could still convert.",
            "Leave censoring out, or set anchor=COHORT.",
        )
    if switches.filter_scope is not None and _tests_nothing(where):
        raise _bad(
            "The switch filterScope says which end of the conversion the filter applies to, and there is no filter.",
            "Leave filterScope out, or add `where`.",
        )
    if switches.currency_rule is not None and accord.reporting.currency is None:
        raise _bad(
            f"The switch currencyRule chooses a rate to the reporting currency, and the accord '{accord.title}' has"
            " none: no amount is converted.",
            "Leave currencyRule out, or agree on `currency` in the clause [reporting].",
        )


def _tests_nothing(where: Where) -> bool:
    has_own = where.tests or where.records or where.any_of or where.none_of
    return not has_own and all(map(_tests_nothing, where.all_of))


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)
