"""The identity of what the rows tell of: ours, and the source's keys for it."""

from collections.abc import Sequence

from api.db import WriteSession
from api.importers.plan import StagedFile, Telling
from api.sql import Sql, join


async def make_keys(session: WriteSession, files: Sequence[StagedFile], origin: str) -> None:
    """Give every record that the source names for the first time its identity; remember the source's keys for it."""
    tellings = [telling for file in files for telling in file.tellings if telling.id is not None]
    for table in dict.fromkeys(each.record.table for each in tellings):
        told = join(" union all ", (_told(each) for each in tellings if each.record.table == table))
        # A record that is known by its second key stays the one it is.
        await session.run(
            Sql(
                "insert into external_key (entity, source, external_id, record_id)"
                " select distinct on (told.key) {}::text, {}::text, told.key, coalesce(a.record_id, told.id)"
                " from ({}) told left join external_key a"
                " on a.entity = {} and a.source = {} and a.external_id = told.alias"
                " order by told.key, a.record_id is null, told.place, told.line on conflict do nothing",
                table,
                origin,
                told,
                table,
                origin,
            )
        )
        if any(each.alias is not None for each in tellings if each.record.table == table):
            await session.run(
                Sql(
                    "insert into external_key (entity, source, external_id, record_id)"
                    " select distinct on (told.alias) k.entity, k.source, told.alias, k.record_id from ({}) told"
                    " join external_key k on k.entity = {} and k.source = {} and k.external_id = told.key"
                    " where told.alias is not null order by told.alias, told.place, told.line on conflict do nothing",
                    told,
                    table,
                    origin,
                )
            )
    await session.script("analyze external_key")


def _told(telling: Telling) -> Sql:
    """The keys and the fresh ids that the rows of one telling bring."""
    return Sql(
        "select {}::integer as place, line, {} as key, {}::text as alias, {} as id from {} where {}",
        telling.place,
        telling.key or Sql("null"),
        telling.alias or Sql("null"),
        telling.id or Sql("null"),
        telling.rows,
        telling.told,
    )
