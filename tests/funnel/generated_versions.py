"""Generated versions of an accord, which come into force on, just before and just after the facts of `histories`."""

from datetime import datetime

from api.accord.in_force import AccordPeriod
from api.funnel.ladder import stages_read
from schema.accord import Accord
from schema.base import new_id
from schema.clauses.rules import AllOf, AnyOf, Not, Rule, StageReached
from schema.clauses.stages import Stage
from schema.vocab import Disposition, TeamKind
from tests.funnel import histories
from tests.support.random_choices import RandomChoices

_KEYS = ("s1", "s2", "s3", "s4", "s5")


def versions(choices: RandomChoices, most: int = 4) -> tuple[AccordPeriod, ...]:
    """Two to `most` versions, each a change of one before it: stages come, go and move, rules and exits change."""
    begins: list[datetime | None] = [None, *sorted({histories.instant(choices) for _ in range(most - 1)})]
    begins = begins[: choices.integer(2, most)]
    accords = [_changed(choices, histories.accord(choices))]
    for _ in begins[1:]:
        accords.append(_changed(choices, choices.one((accords[-1], accords[-1], choices.one(tuple(accords))))))
    return periods_of(accords, begins)


def periods_of(accords: list[Accord], begins: list[datetime | None]) -> tuple[AccordPeriod, ...]:
    """Versions that follow one another."""
    ends = [*begins[1:], None]
    return tuple(
        AccordPeriod(new_id(), accord, begins_at, ends_at)
        for accord, begins_at, ends_at in zip(accords, begins, ends, strict=False)
    )


def _changed(choices: RandomChoices, accord: Accord) -> Accord:
    rules = {stage.key: stage.rule for stage in accord.stages}
    keys = list(rules)
    if choices.happens(4) and len(keys) > 1:
        keys.remove(choices.one(tuple(keys)))
    if choices.happens(4) and len(keys) < len(_KEYS):
        added = [key for key in _KEYS if key not in keys]
        keys.insert(choices.integer(0, len(keys)), choices.one(tuple(added)))
    if choices.happens(3) and len(keys) > 1:
        keys.append(keys.pop(choices.integer(0, len(keys) - 1)))
    stages = tuple(_stage(choices, key, rules.get(key), tuple(keys[:rank])) for rank, key in enumerate(keys))
    exits = accord.exits
    if choices.happens(3) or not {key for leaving in exits for key in (leaving.closes_from, leaving.closes_to)} <= set(
        keys
    ):
        exits = choices.several(0, 3, lambda: histories._exit(choices, keys))
    exits = tuple(leaving for leaving in exits if keys.index(leaving.closes_from) <= keys.index(leaving.closes_to))
    reasons = accord.reject_reasons
    if choices.happens(4):
        reasons = tuple(
            reason.model_copy(update={"disposition": choices.one(tuple(Disposition))}) for reason in reasons
        )
    return Accord(title="generated", stages=stages, exits=exits, reject_reasons=reasons)


def _stage(choices: RandomChoices, key: str, former: Rule | None, lower: tuple[str, ...]) -> Stage:
    rule = former
    if rule is None or choices.happens(3) or not set(stages_read(rule)) <= set(lower):
        rule = histories.rule(choices, lower, 3)
        if lower and choices.happens(2):  # more often than by chance, because versions differ most in what this reads
            reached = StageReached(stage=choices.one(lower), within=choices.one(histories.WINDOWS))
            options: tuple[Rule, ...] = (AllOf(all=(rule, reached)), AnyOf(any=(rule, reached)), Not(negated=reached))
            rule = choices.one(options)
    return Stage(key=key, title=key, group="g", owner=TeamKind.SALES, meaning=key, rule=rule)
