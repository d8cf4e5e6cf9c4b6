"""Writes staged rows to the tables: all steps of the intake in order. The caller owns the transaction."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from api.db import WriteSession
from api.intake.agreement import UnkeptValue, create_excluded_table, exclude_rows, separate_agreed
from api.intake.bulk_load import without_indexes_if_first
from api.intake.constraint_violations import ConstraintViolation, find_violations, reject_violations
from api.intake.dangling_keys import reject_dangling
from api.intake.erased_people import reject_erased
from api.intake.external_keys import register_keys
from api.intake.identity_changes import IdentityChanges, find_identity_changes
from api.intake.likely_same import LikelySame, link_likely_same, tables_of_other_sources
from api.intake.merge import merge_staged, merge_tables
from api.intake.record_events import keep_former_values
from api.intake.reported_stages import add_changed_reports
from api.intake.staged import Reject, StagedRows
from api.intake.staged_merges import create_merge_tables, find_merges, impossible_merges, without_impossible_merges
from api.intake.upsert import RecordCounts, upsert
from api.progress import Progress
from api.sql import Sql, name


@dataclass(frozen=True, slots=True)
class _Intake:
    """Staged rows on their way to the tables. `inputs` make no merge that is impossible, unlike `reported`."""

    reported: Sequence[StagedRows]
    inputs: Sequence[StagedRows]
    source: str
    reject: Reject
    progress: Progress
    links: Collection[str]

    async def reject_dangling(self, session: WriteSession) -> Counter[str]:
        """Reject dangling rows; merges are found anew after every pass, because a rejected row may have made one."""
        found = partial(find_merges, session, self.reported, self.source)
        return await reject_dangling(session, self.inputs, self.source, self.reject, found)


@dataclass(frozen=True, slots=True)
class _Written:
    """What one pass over the tables wrote, up to the first violations."""

    records: dict[str, RecordCounts]
    identity_changes: list[IdentityChanges]
    likely_same: tuple[LikelySame, ...]
    violations: list[ConstraintViolation]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of staged rows: counts of records by table, and of rejected rows by input.

    `identity_changes` are the tables of which so many records changed name and address at once that the keys are in
    doubt; the caller decides whether to commit. `likely_same` are new keys of records that other sources seem to know.
    `is_first_load`: many rows were written into an empty database.
    """

    records: dict[str, RecordCounts]
    rejected: Counter[str]
    identity_changes: tuple[IdentityChanges, ...] = ()
    likely_same: tuple[LikelySame, ...] = ()
    is_first_load: bool = False


async def apply_staged_rows(
    session: WriteSession,
    inputs: Sequence[StagedRows],
    source: str,
    *,
    rows: int,
    reject: Reject,
    progress: Progress,
    links: Collection[str] = (),
) -> Applied:
    """Merge staged rows with the database, and write what differs; reject rows that cannot be written.

    Shapes: staged rows -> records. Writes the tables of the records, their versions and external_key; nothing where
            nothing differs. Rejected rows are deleted from their temporary table.
            In the tables of `links`, new keys become keys of the record with the same address (see `likely_same`).
    Units:  `rows` is how many rows are staged; many of them into an empty database are loaded without indexes.
    Errors: what PostgreSQL raises for a constraint that is not checked before, such as one of several tables.
    """
    reported = separate_agreed(inputs)
    intake = _Intake(reported, without_impossible_merges(reported), source, reject, progress, links)
    await create_merge_tables(session)
    await create_excluded_table(session)
    rejected = await reject_erased(session, intake.inputs, source, reject)
    rejected += await intake.reject_dangling(session)
    async with without_indexes_if_first(session, inputs, rows - rejected.total(), progress) as is_first:
        written = await _write(session, intake, rejected)
    doubtful = tuple(changes for changes in written.identity_changes if changes.are_too_many)
    return Applied(written.records, rejected, doubtful, written.likely_same, is_first)


async def _write(session: WriteSession, intake: _Intake, rejected: Counter[str]) -> _Written:
    """Write the records. Where one would violate a constraint, reject its rows and start again without them.

    Starting again costs the tables written so far. It is needed: their records may refer to a rejected one.
    """
    while True:
        # A savepoint, not a new transaction: the staged rows are in temporary tables that end with this one.
        await session.script("savepoint records")
        shared = await tables_of_other_sources(session, intake.inputs, intake.source)
        same = await link_likely_same(session, intake.inputs, intake.source, shared, intake.links)
        await register_keys(session, intake.inputs, intake.source)
        unkept = await _unkept_values(session, intake)
        violations = [ConstraintViolation(found.stage, found.row) for found in unkept if found.is_fatal]
        if not violations:
            written = await _write_until_violation(session, intake, shared, same)
            violations = written.violations
            if not violations:
                rejected += _report(unkept, intake.reject)
                return written
        await session.script("rollback to savepoint records")
        rejected += await reject_violations(session, violations, intake.reject)
        rejected += await intake.reject_dangling(session)


async def _unkept_values(session: WriteSession, intake: _Intake) -> list[UnkeptValue]:
    """Find the values that are not written: merges of a cycle, and contradictions of rows."""
    # Again, because the keys of new records are known only now.
    await find_merges(session, intake.reported, intake.source)
    impossible = [UnkeptValue("", row) for row in await impossible_merges(session, intake.reported)]
    return [*impossible, *await exclude_rows(session, intake.inputs, intake.source)]


def _report(unkept: Sequence[UnkeptValue], reject: Reject) -> Counter[str]:
    """Report the values that are not written. Returns how many rows give nothing else, by input."""
    for value in unkept:
        reject(value.row)
    lines = {(found.row.source, found.row.line) for found in unkept if found.is_whole}
    return Counter(source for source, _ in lines)


async def _write_until_violation(
    session: WriteSession, intake: _Intake, shared: frozenset[str], same: tuple[LikelySame, ...]
) -> _Written:
    """Write table after table, up to the first with records that would violate a constraint."""
    counts: dict[str, RecordCounts] = {}
    changes: list[IdentityChanges] = []
    merges = merge_tables(intake.inputs, intake.source, shared)
    for done, merge in enumerate(merges):
        intake.progress("records", done, len(merges))
        await merge_staged(session, merge)
        if merge.table == "reported_stage":
            await add_changed_reports(session, merge)
        violations = await find_violations(session, merge, intake.inputs)
        if violations:
            return _Written(counts, changes, same, violations)
        found = await find_identity_changes(session, merge)
        changes += [] if found is None else [found]
        await keep_former_values(session, merge)
        counts[merge.table] = await upsert(session, merge)
        # The next tables look these records up by their links.
        if counts[merge.table].created:
            await session.run(Sql("analyze {}", name(merge.table)))
    intake.progress("records", len(merges), len(merges))
    return _Written(counts, changes, same, [])
