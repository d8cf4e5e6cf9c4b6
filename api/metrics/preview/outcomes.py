"""How many of the people whom each version counts for a stage reached a higher stage later: precision and recall.

The higher stage is reached by its own rule, as the version that is compared to says, so that both are measured alike.
"""

from collections.abc import Collection, Mapping

from api.db import ScratchSession
from api.metrics.figure_table import share
from api.metrics.preview.figures import PreviewOutcome
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.preview.sides import Sides
from api.sql import Sql


async def find_outcomes(
    session: ScratchSession, sides: Sides, frame: PreviewFrame, stages: Collection[str]
) -> Mapping[str, tuple[PreviewOutcome, ...]]:
    """Follow the people of some stages up to each higher stage that both versions have.

    Shapes: {stage: one PreviewOutcome per higher stage, from the lowest to the highest}.
    """
    pairs = [(stage, higher) for stage in stages for higher in _higher(sides, stage)]
    if not pairs:
        return {}
    rows = await session.rows(
        Sql(
            """select stage, higher, count(*) filter (where is_before)::int, count(*) filter (where is_after)::int,
  count(*) filter (where reached_before)::int, count(*) filter (where reached_after)::int,
  count(*) filter (where reached_before or reached_after)::int
from (
  select p.stage, l.higher, p.at_before is not null as is_before, p.at_after is not null as is_after,
    coalesce(bool_or(r.own_at >= p.at_before), false) as reached_before,
    coalesce(bool_or(r.own_at >= p.at_after), false) as reached_after
  from unnest({}::text[], {}::text[]) l (stage, higher) join preview_person p on p.stage = l.stage
  left join (select e.contact_id, e.stage, e.own_at from {} where {} and e.own_at <= {} and e.stage = any({}::text[])) r
    on r.contact_id = p.contact_id and r.stage = l.higher
  group by p.contact_id, p.stage, l.higher, p.at_before, p.at_after
) person group by 1, 2""",
            [stage for stage, _ in pairs],
            [higher for _, higher in pairs],
            sides.before.entries("e"),
            sides.before.of_side("e"),
            frame.as_of,
            sorted({higher for _, higher in pairs}),
        )
    )
    found = {(stage, higher): tuple(counts) for stage, higher, *counts in rows}
    return {
        stage: tuple(_outcome(sides, higher, found.get((stage, higher), (0,) * 5)) for higher in _higher(sides, stage))
        for stage in stages
    }


def _higher(sides: Sides, stage: str) -> tuple[str, ...]:
    """The stages of both versions above a stage, by the ladder of a version that has it."""
    keys = sides.after.keys if stage in sides.after.keys else sides.before.keys
    return tuple(key for key in keys[keys.index(stage) + 1 :] if key in sides.before.keys and key in sides.after.keys)


def _outcome(sides: Sides, higher: str, counts: tuple[int, ...]) -> PreviewOutcome:
    counted_before, counted_after, reached_before, reached_after, reached = counts
    accord = sides.after.accord
    return PreviewOutcome(
        stage=higher,
        title=accord.stages[accord.rank(higher) - 1].title,
        counted_before=counted_before,
        counted_after=counted_after,
        reached_before=reached_before,
        reached_after=reached_after,
        reached=reached,
        precision_before=share(reached_before, counted_before),
        precision_after=share(reached_after, counted_after),
        recall_before=share(reached_before, reached),
        recall_after=share(reached_after, reached),
    )
