"""Reported stages are added and never changed: what a source said before stays beside what it says now.

A report with a date has a key of its own, made of the preset's key, the stage and the date. Of a report without one,
the preset's key names what the source says now. When that changes, a new row takes the key, and the former row gets
another: its key, and which row followed it.
"""

from collections.abc import Mapping

from api.db import WriteSession
from api.intake.merge import MergeTable
from api.sql import Sql, join, name
from schema.base import new_id

_FOLLOWED = " before "  # between a former row's key and the id of the row that followed it
_IS_FOLLOWED = f"{_FOLLOWED}[0-9a-f-]{{36}}$"
_MAPPED = "stage"  # the one column that says nothing of the source, but what the preset maps its stage to


def key_of_report(key: Sql, values: Mapping[str, Sql]) -> Sql:
    """Return the key of a staged report: with its stage and date, if it has one.

    Shapes: the preset's key and the report's values -> text. A report that is read from two columns by the same key
            has the same key here, however the columns write its date.
    """
    at = values.get("entered_at")
    if at is None:
        return key
    dated = Sql("concat({}, ' ')", values["source_stage"])
    instant = Sql("to_char({} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", at)
    return Sql("case when {} is null then {} else {} || ' ' || {} || {} end", at, key, key, dated, instant)


async def add_changed_reports(session: WriteSession, merge: MergeTable) -> None:
    """Make new rows of the merged reports that say something else than the rows with their keys.

    Shapes: merged reports -> the same, those that changed with new ids, as new ones. Writes external_key.
    """
    said = [name(column.name) for column in merge.changeable if column.name != _MAPPED]
    stored, merged = (join(", ", (Sql(f"{side}.{{}}", column) for column in said)) for side in ("t", "n"))
    former = [
        row["id"]
        for row in await session.rows(
            Sql(
                "select n.id from {} n join {} t on t.id = n.id and t.contact_id = n.contact_id"
                " where n.is_changed and row({}) is distinct from row({}) order by n.id",
                *(name(merge.stage), name(merge.table), stored, merged),
            )
        )
    ]
    if not former:
        return
    followed = Sql(
        "(select * from unnest({}::uuid[], {}::uuid[]) f (former, id)) f", former, [new_id() for _ in former]
    )
    await session.run(
        Sql(
            "with keys as (update external_key k set external_id = k.external_id || {} || f.id from {}"
            " where k.entity = {} and k.source = {} and k.record_id = f.former"
            " returning left(k.external_id, -length({} || f.id::text)) as external_id, f.former, f.id),"
            " added as (insert into external_key (entity, source, external_id, record_id)"
            " select {}, {}, external_id, id from keys)"
            " update {} n set id = keys.id, is_new = true, is_changed = false from keys where n.id = keys.former",
            *(_FOLLOWED, followed, merge.table, merge.source, _FOLLOWED, merge.table, merge.source),
            name(merge.stage),
        )
    )


async def give_keys_back(session: WriteSession, source: str) -> None:
    """Give former reports their keys back where the rows that followed them are gone, the last report of a key first.

    Shapes: rows of external_key that name a row which is no more -> the same with their former keys.
    """
    own = Sql("regexp_replace(k.external_id, {}, '')", _IS_FOLLOWED)
    await session.run(
        Sql(
            "with free as (select distinct on ({}) k.external_id, {} as own from external_key k"
            " join reported_stage t on t.id = k.record_id where k.entity = 'reported_stage' and k.source = {}"
            " and k.external_id ~ {} and not exists"
            " (select from reported_stage r where r.id::text = right(k.external_id, 36))"
            " order by {}, t.recorded_at desc, t.id desc)"
            " update external_key x set external_id = free.own from free where x.entity = 'reported_stage'"
            " and x.source = {} and x.external_id = free.external_id and not exists (select from external_key o"
            " where o.entity = 'reported_stage' and o.source = {} and o.external_id = free.own)",
            *(own, own, source, _IS_FOLLOWED, own, source, source),
        )
    )
