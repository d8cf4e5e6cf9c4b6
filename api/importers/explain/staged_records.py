"""Reads what the import made of one staged row: its records before and after they are written."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.db import WriteSession
from api.importers.explain.cells import describe_conditions
from api.importers.explain.explanation import FieldExplanation, RecordExplanation, shown
from api.importers.mapping import RecordMap
from api.importers.plan import StagedFile
from api.importers.value_reading import label_of
from api.intake.merge import MergeTable, with_record_ids
from api.intake.staged import StagedRecords
from api.sql import Sql, join, name


@dataclass(frozen=True, slots=True)
class StagedValues:
    """What a staged row says about one record. Links are the source's keys."""

    is_meant: bool
    key: str | None
    alias: str | None
    begins: object
    since: object
    values: tuple[object, ...]


async def staged_values(session: WriteSession, records: StagedRecords, line: int) -> list[StagedValues]:
    """Read the records that the row on a line describes: several for a list of keys, none if the row was rejected."""
    null = Sql("null")
    selected = [
        Sql("{} as is_meant", records.condition or Sql("true")),
        *(
            Sql("{}::text as {}", value or null, name(label))
            for label, value in (("k", records.key), ("a", records.alias))
        ),
        *(
            Sql("{} as {}", value or null, name(label))
            for label, value in (("b", records.begins), ("s", records.since))
        ),
        *(Sql("{} as {}", value, name(f"v{number}")) for number, value in enumerate(records.values.values())),
    ]
    found = await session.rows(
        Sql("select {} from {} where {}.line = {}", join(", ", selected), records.rows, name(records.stage), line)
    )
    return [
        StagedValues(
            bool(row["is_meant"]),
            row["k"],
            row["a"],
            row["b"],
            row["s"],
            tuple(row[f"v{number}"] for number in range(len(records.values))),
        )
        for row in found
    ]


async def explain_records(
    session: WriteSession,
    file: StagedFile,
    line: int,
    before: Mapping[int, list[StagedValues]],
    merges: Mapping[str, MergeTable],
) -> tuple[RecordExplanation, ...]:
    """Explain the records of the row on a line, after the import wrote them. `before` is by place in the preset."""
    explained: list[RecordExplanation] = []
    for place, (record, staged) in enumerate(zip(file.file.records, file.rows.records, strict=True)):
        after = await staged_values(session, staged, line)
        written = line if after else None
        explained += [
            await _explain(session, record, staged, values, merges, written) for values in after or before[place]
        ]
    return tuple(explained)


async def _explain(
    session: WriteSession,
    record: RecordMap,
    staged: StagedRecords,
    values: StagedValues,
    merges: Mapping[str, MergeTable],
    line: int | None,
) -> RecordExplanation:
    """Explain one record; `line` is None if its row was rejected."""
    if not values.is_meant:
        conditions = describe_conditions(record.when, record.unless)
        return RecordExplanation(staged.table, (), f"none: the preset reads one only where {conditions}", ())
    if staged.shape.has_id and values.key is None:
        return RecordExplanation(staged.table, (), "none: its key is empty", ())
    keys = tuple(key for key in (values.key, values.alias) if key is not None)
    merged = None if line is None else await _merged(session, merges[staged.table], staged, values, line)
    fields = []
    for (field, (column, readings)), value in zip(
        zip(record.fields, record.filled, strict=True), values.values, strict=False
    ):
        final = None if merged is None else merged[column.name]
        remark = ""
        if column.link is not None and value is not None:
            remark = await _linked(session, merges.get(column.link.target), column.link.target, final)
        elif merged is not None and final != value and value is not None:
            remark = f"the record gets {shown(final)} from another row or date"
        fields.append(FieldExplanation(field, label_of(readings), value, remark))
    dates = (("begins", record.begins, values.begins), ("since", record.since, values.since))
    fields += [FieldExplanation(label, label_of(read), date) for label, read, date in dates if read is not None]
    return RecordExplanation(staged.table, keys, _outcome(staged.table, merged), tuple(fields))


def _outcome(table: str, merged: Mapping[str, object] | None) -> str:
    if merged is None:
        return "not written, because the row is rejected"
    if merged["is_new"]:
        return "new"
    shown = f"{table}_{merged['id']} " if "id" in merged else ""
    return f"{shown}{'changed' if merged['is_changed'] or merged['is_earlier'] else 'unchanged'}"


async def _merged(
    session: WriteSession, merge: MergeTable, staged: StagedRecords, values: StagedValues, line: int
) -> Mapping[str, object] | None:
    """The record as the import merged it from all rows."""
    ids = ("id",) if merge.shape.has_id else merge.keys
    same = join(" and ", (Sql("n.{} = i{}.record_id", name(key), Sql(str(number))) for number, key in enumerate(ids)))
    own = Sql("true") if staged.items is None else Sql("{} = {}", staged.key or Sql("null"), values.key)
    found = await session.rows(
        Sql(
            "select n.* from {} join {} n on {} where {}.line = {} and {} and {}",
            *(with_record_ids(merge, staged), name(merge.stage), same, name(staged.stage), line),
            *(staged.is_described, own),
        )
    )
    return dict(found[0]) if found else None


async def _linked(session: WriteSession, merge: MergeTable | None, target: str, found: object) -> str:
    """What a link's key was resolved to."""
    if found is None:
        return f"no {target} has this key, so the link stays empty"
    is_new = merge is not None and await session.value(
        Sql("select exists (select from {} n where n.id = {} and n.is_new)", name(merge.stage), found)
    )
    return f"a new {target}" if is_new else f"{target}_{found}"
