"""The funnel: how far the people got who entered the first stage in the period, and beside it what entered each stage.

Whoever entered a stage has entered every lower one too (skipped stages are entered by implication), so each bar is a
part of the one before, and none can grow.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning, FunnelAnswer, FunnelGroup, FunnelStep
from api.metrics.cautions import LOW_SAMPLE, no_contacts
from api.metrics.counted import placed_rows
from api.metrics.entries import counted_entries
from api.metrics.figures import share
from api.metrics.ground import Ground, who_is_known
from api.metrics.groups import group_key
from api.metrics.question import Question, settle_funnel
from api.metrics.readable import readable
from api.metrics.records import Place, StepPlace
from api.metrics.request import FunnelRequest
from api.metrics.statements import key_columns, with_names
from api.sql import Sql
from schema.vocab import WarningCode

MOST_STAGES = 62  # a person's skipped stages are the bits of a bigint


@dataclass(slots=True)
class Tally:
    """People by the rank they reached, for one value of the dimension or for all."""

    reached: Counter[int] = field(default_factory=Counter)
    implied: Counter[int] = field(default_factory=Counter)
    standing: Counter[int] = field(default_factory=Counter)
    entered: Counter[int] = field(default_factory=Counter)
    entered_implied: Counter[int] = field(default_factory=Counter)

    def add(self, row: Mapping[str, int]) -> None:
        """Take a row of the statement in: people of one way, or those who entered one stage."""
        rank, people = row["rank"], row["people"]
        if row["is_entered"]:
            self.entered[rank] += people
            self.entered_implied[rank] += row["implied"]
            return
        if row["is_standing"]:
            self.standing[rank] += people
        for lower in range(1, rank + 1):
            self.reached[lower] += people
            self.implied[lower] += people if row["skipped"] >> (lower - 1) & 1 else 0


async def funnel(session: ReadSession, request: FunnelRequest, ground: Ground) -> FunnelAnswer:
    """Answer one question about the funnel."""
    question = settle_funnel(request, ground)
    stages = ground.accord.stages
    if len(stages) > MOST_STAGES:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The accord has {len(stages)} stages, and a funnel shows {MOST_STAGES} at most.",
            "Ask stage_conversion for the pairs that matter.",
        )
    asked = _statement(question) if ground.has_people else who_is_known(ground.accord)
    total, groups = Tally(), defaultdict[object, Tally](Tally)
    labels: dict[object, str] = {}
    for row in map(dict, await session.rows(asked) if ground.has_people else ()):
        total.add(row)
        if question.by:
            groups[row["key_1"]].add(row)
        if (label := row.get("label_1")) is not None:
            labels[row["key_1"]] = label
    whole = Place(question)
    steps = _steps(question, total, whole) if ground.has_people else _unknown(question, whole)
    return FunnelAnswer(
        stages=steps,
        breakdown=_breakdown(question, groups, labels),
        warnings=_warnings(question, steps),
        is_canonical=not question.overrides,
        overrides=question.overrides,
        accords=ground.accords,
        as_of=question.frame.as_of,
        data_watermark=ground.watermark,
        sql=readable(asked),
    )


def _statement(question: Question) -> Sql:
    """People of the cohort by the way they went, and entries of the period by their stage.

    One pass over a person's entries gives the highest rank reached, the highest still open, and the stages first
    entered by skipping: few different ways, so little is left to add up.
    """
    as_of = question.frame.as_of
    keys, kept = key_columns(question), key_columns(question, "p")
    cohort = placed_rows(question, counted_entries(question, question.stages[:1]), ())
    entered = placed_rows(question, counted_entries(question, question.stages), ())
    people = Sql(
        "select {}max(e.rank) as rank,"
        " max(e.rank) filter (where e.exited_at is null or e.exited_at >= {}) as standing,"
        " bit_or(case when e.is_implied and e.occurrence = 1 then 1::bigint << (e.rank - 1) else 0 end) as skipped"
        " from ({}) c join stage_entry e on e.contact_id = c.contact_id"
        " where e.evaluation_id = {} and e.entered_at < {} group by {}c.contact_id",
        keys,
        as_of,
        cohort,
        question.ground.evaluation,
        as_of,
        keys,
    )
    ways = Sql(
        "select {}false as is_entered, p.rank, coalesce(p.standing = p.rank, false) as is_standing, p.skipped,"
        " count(*) as people, 0 as implied from ({}) p group by {}p.rank, is_standing, p.skipped",
        kept,
        people,
        kept,
    )
    beside = Sql(
        "select {}true, c.rank, false, 0, count(*), count(*) filter (where c.is_implied) from ({}) c group by {}c.rank",
        keys,
        entered,
        keys,
    )
    return with_names(question, Sql("{} union all {}", ways, beside))


def _breakdown(
    question: Question, groups: Mapping[object, Tally], labels: Mapping[object, str]
) -> tuple[FunnelGroup, ...]:
    """The funnel of each value of the asked dimension, from the largest down."""
    shown = (
        FunnelGroup(
            keys=(group_key(question, question.by[0], key, labels),),
            stages=_steps(question, tally, Place(question, (key,))),
        )
        for key, tally in groups.items()
    )

    def place(group: FunnelGroup) -> tuple[int, int, str, str]:
        first, key = group.stages[0], group.keys[0]
        return -(first.reached or 0), -(first.entered or 0), key.label, key.id or ""

    return tuple(sorted(shown, key=place))


def _steps(question: Question, tally: Tally, whole: Place) -> tuple[FunnelStep, ...]:
    stages, first = question.ground.accord.stages, tally.reached[1]
    return tuple(
        FunnelStep(
            key=stage.key,
            title=stage.title,
            group=stage.group,
            reached=tally.reached[rank],
            implied=tally.implied[rank],
            # Above the last stage there is nothing left to reach.
            open=tally.standing[rank] if rank < len(stages) else 0,
            step=share(tally.reached[rank], tally.reached[rank - 1]) if rank > 1 else None,
            overall=share(tally.reached[rank], first),
            entered=tally.entered[rank],
            entered_implied=tally.entered_implied[rank],
            behind=StepPlace(whole, rank),
        )
        for rank, stage in enumerate(stages, start=1)
    )


def _unknown(question: Question, whole: Place) -> tuple[FunnelStep, ...]:
    """The stages where nobody is known: no figure, for nought would be one."""
    return tuple(
        FunnelStep(
            key=stage.key,
            title=stage.title,
            group=stage.group,
            reached=None,
            implied=None,
            open=None,
            step=None,
            overall=None,
            entered=None,
            entered_implied=None,
            behind=StepPlace(whole, rank),
        )
        for rank, stage in enumerate(question.ground.accord.stages, start=1)
    )


def _warnings(question: Question, steps: tuple[FunnelStep, ...]) -> tuple[AnswerWarning, ...]:
    if not question.ground.has_people:
        return (no_contacts(),)
    cohort, waiting = steps[0].reached or 0, sum(step.open or 0 for step in steps)
    if not cohort:
        message = f"Nobody entered {steps[0].key} in the period, so there is nothing to divide by."
        return (AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=message, count=0),)
    found = []
    if cohort < LOW_SAMPLE:
        message = f"Only {cohort} stand behind these shares: they may move a lot with one more."
        found.append(AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=cohort))
    if waiting:
        message = f"{waiting:,} stand in a stage and can still go on: the bars after it may still grow."
        found.append(AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting))
    return tuple(found)
