"""The steps of a plan: the stages of the accord up to the first that deals decide, then deals opened and won."""

from collections.abc import Iterator
from dataclasses import dataclass

from schema.accord import Accord
from schema.clauses.rules import AllOf, AnyOf, DealIs, Rule
from schema.clauses.stages import Stage
from schema.kpis.volume import DEALS_WON, OPPORTUNITIES_CREATED, STAGE_VOLUME
from schema.vocab import DealOutcome, TeamKind

_OPPORTUNITY = "opportunity"


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A step: what it is called, which KPI counts its entries, and which team owes them."""

    title: str
    kpi: str
    team: TeamKind
    stage: str | None = None


def ladder_of(accord: Accord) -> tuple[LadderStep, ...]:
    """The steps of a plan, from the lowest stage up to the deals won.

    People become deals at the lowest stage whose rule names a deal: of an open one, its entries become deals opened;
    of a won one, deals won. Without such a rule, it is the stage `opportunity`, or else the highest stage.
    """
    last = _deal_stage(accord)
    people = accord.stages[: accord.rank(last.key)]
    steps = [LadderStep(stage.title, STAGE_VOLUME.key, stage.owner, stage.key) for stage in people]
    if DealOutcome.WON not in _outcomes(last.rule) and (last.key == _OPPORTUNITY or _outcomes(last.rule)):
        steps.append(LadderStep(OPPORTUNITIES_CREATED.title, OPPORTUNITIES_CREATED.key, last.owner))
    steps.append(LadderStep(DEALS_WON.title, DEALS_WON.key, accord.stages[-1].owner))
    return tuple(steps)


def _deal_stage(accord: Accord) -> Stage:
    named = next((stage for stage in accord.stages if _outcomes(stage.rule)), None)
    keyed = next((stage for stage in accord.stages if stage.key == _OPPORTUNITY), None)
    return named or keyed or accord.stages[-1]


def _outcomes(rule: Rule) -> set[DealOutcome]:
    return {leaf.deal.state for leaf in _leaves(rule) if isinstance(leaf, DealIs)}


def _leaves(rule: Rule) -> Iterator[Rule]:
    """The leaves that a rule asks for; what it negates is no event."""
    match rule:
        case AllOf():
            for part in rule.all:
                yield from _leaves(part)
        case AnyOf():
            for part in rule.any:
                yield from _leaves(part)
        case _:
            yield rule
