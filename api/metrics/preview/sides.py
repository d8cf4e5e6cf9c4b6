"""The stage entries of the two versions that a preview compares, side by side.

The entries of the version that is compared to are stored ones if an evaluation has what it makes of all history: the
current one, if no other version was ever in force. Otherwise they are derived, like those of the previewed version. Of
that one, only the stages that the change touches are evaluated; the moments of the others are those of the
first side.

Derived entries are in the temporary table `preview_entry`, which has the columns of `stage_entry`. If only rules
differ, it has those of the people whose moments differ where the preview can see it, in the stages up to the highest
one that differs: the entries of a stage follow from its own moments and from those of higher stages. The view
`preview_mixed_entry` has them with the stored entries of everybody else, and of the stages above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.evaluation import is_current
from api.accord.in_force import AccordInForce, AccordPeriod
from api.db import ScratchSession
from api.funnel.derivation import derived_entries, derived_from_moments
from api.funnel.readings.applied_reading import ReadingKey
from api.funnel.readings.kept_evaluations import find_kept
from api.funnel.stored_entries import COMPARED, KEY
from api.metrics.preview.compared_versions import ComparedVersions
from api.metrics.preview.differing_stages import differing_stages, have_same_ladder
from api.metrics.readable_sql import literal
from api.progress import Progress
from api.sql import Sql, name
from schema.accord import Accord
from schema.accord_vocab import Reading
from schema.base import new_id

DERIVED, STORED = "preview_entry", "stage_entry"
DIFFERING, MIXED = "preview_differing", "preview_mixed_entry"
_COLUMNS = ", ".join((*KEY, *COMPARED))


@dataclass(frozen=True, slots=True)
class Side:
    """One version, and where its entries are: the rows of a table with an evaluation id."""

    version: AccordInForce
    table: str
    evaluation_id: UUID

    @property
    def accord(self) -> Accord:
        """The version's document."""
        return self.version.accord

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its stages, from the lowest to the highest."""
        return tuple(stage.key for stage in self.accord.stages)

    def of_side(self, alias: str) -> Sql:
        """The condition that a row of the table is an entry of this side."""
        return Sql("{}.evaluation_id = {}::uuid", name(alias), self.evaluation_id)

    def entries(self, alias: str) -> Sql:
        """The table of the entries under an alias."""
        return Sql("{} {}", name(self.table), name(alias))


@dataclass(frozen=True, slots=True)
class Sides:
    """Both versions with their entries, and the stages whose moments can differ between them."""

    before: Side
    after: Side
    differing: frozenset[str]

    @property
    def is_mixed(self) -> bool:
        """Whether only rules differ, and the second side has stored entries for those whose moments do not."""
        return self.after.table == MIXED

    @property
    def touched(self) -> tuple[str, ...]:
        """The stages whose entries can differ if only rules do: those up to the highest one whose moments can."""
        highest = max((rank for rank, key in enumerate(self.after.keys, 1) if key in self.differing), default=0)
        return self.after.keys[:highest]

    @property
    def derived(self) -> Side | None:
        """The entries of the second side that differ, as a side of its own; None unless the second side is mixed."""
        return Side(self.after.version, DERIVED, self.after.evaluation_id) if self.is_mixed else None


async def derive_sides(
    session: ScratchSession,
    versions: ComparedVersions,
    as_of: datetime,
    progress: Progress | None = None,
    *,
    since: datetime | None = None,
) -> Sides:
    """Find or derive the entries of both versions over all history.

    With `since`, instants before it may be those of the first side, where nothing from `since` on depends on them.

    Shapes: facts + two versions -> two sides. Writes the temporary table `preview_entry` only.
    Units:  instants UTC; facts later than `as_of` do not count for what is evaluated here.
    """
    before, after = versions.before, versions.after
    differing = differing_stages(before.accord, after.accord)
    await session.script(f"create temp table {DERIVED} (like {STORED}) on commit drop")
    stored = await _stored_evaluation(session, before)
    if stored is not None:
        first = Side(before, STORED, stored)
    else:
        first = Side(before, DERIVED, new_id())
        period = AccordPeriod(before.id, before.accord)
        async with derived_entries(session, (period,), as_of, progress) as derived:
            await _keep(session, first, derived)
    is_same_ladder = have_same_ladder(before.accord, after.accord)
    if is_same_ladder and not differing:
        await _index(session)
        return Sides(first, Side(after, first.table, first.evaluation_id), differing)
    known = {stage.key: _moments(first, stage.key) for stage in after.accord.stages if stage.key not in differing}
    period = AccordPeriod(after.id, after.accord)
    if not (first.table == STORED and is_same_ladder):
        second = Side(after, DERIVED, new_id())
        async with derived_from_moments(session, period, as_of, known, progress) as derived:
            await _keep(session, second, derived)
        await _index(session)
        return Sides(first, second, differing)
    # Only the rules of some stages differ. Whoever meets them at the same moments has the same entries: these are read
    # where they are stored, and only those of the others are derived.
    await session.script(f"create temp table {DIFFERING} (contact_id uuid primary key) on commit drop")
    former = {key: _moments(first, key) for key in differing}
    sides = Sides(first, Side(after, MIXED, first.evaluation_id), differing)
    async with derived_from_moments(
        session, period, as_of, known, progress, former=former, differing=DIFFERING, since=since
    ) as derived:
        highest = len(sides.touched)
        await _keep(session, sides.after, Sql("select * from ({}) every_stage where rank <= {}::int", derived, highest))
    await _index(session)
    await _create_mixed(session, sides)
    return sides


async def _create_mixed(session: ScratchSession, sides: Sides) -> None:
    """Create the view of the second side's entries."""
    touched = f"e.stage = any({literal(list(sides.touched))}::text[])"
    untouched = f"e.stage = any({literal(list(sides.after.keys[len(sides.touched) :]))}::text[])"
    await session.script(
        f"create temp view {MIXED} as select * from {STORED} e where {untouched}"
        f" union all select * from {STORED} e where {touched}"
        f" and not exists (select from {DIFFERING} d where d.contact_id = e.contact_id)"
        f" union all select * from {DERIVED} e where {touched}"
    )
    # With this setting the planner leaves out the parts of the view that cannot have a stage which a statement names.
    await session.script("set local constraint_exclusion = on")


async def _stored_evaluation(session: ScratchSession, version: AccordInForce) -> UUID | None:
    """The stored evaluation of what the version makes of all history; None if there is none, or facts have changed.

    It is the current one if no other version was ever in force, otherwise one that is kept for requests that pin it.
    """
    found: Sequence[UUID] = await session.value(
        Sql("select array_agg(v.id) from accord_version v where v.status in ('ACTIVE', 'SUPERSEDED')")
    )
    if list(found or ()) == [version.id]:
        evaluation: UUID | None = await session.value(Sql("select e.id from evaluation e where {}", is_current("e")))
        return evaluation
    kept = await find_kept(session, ReadingKey(Reading.PINNED, version.id, version.content_hash, None))
    return kept.id if kept is not None and kept.is_fresh else None


def _moments(side: Side, stage: str) -> Sql:
    return Sql(
        "select e.contact_id, e.own_at as moment from {} where {} and e.stage = {} and e.own_at is not null",
        side.entries("e"),
        side.of_side("e"),
        stage,
    )


async def _keep(session: ScratchSession, side: Side, derived: Sql) -> None:
    await session.run(
        Sql(
            f"insert into {DERIVED} (evaluation_id, {_COLUMNS}) select {{}}::uuid, {_COLUMNS} from ({{}}) derived",
            side.evaluation_id,
            derived,
        )
    )


async def _index(session: ScratchSession) -> None:
    # The statements of KPIs read the entries of a stage, and look up those of a person in a stage. The other columns of
    # the primary key of stage_entry, and its other indexes, would cost more here than they save.
    await session.script(
        f"create index on {DERIVED} (stage, contact_id);"
        f" analyze {DERIVED} (evaluation_id, contact_id, stage, occurrence, entered_at, own_at, exited_at)"
    )
