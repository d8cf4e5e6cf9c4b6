"""What a database holds: the facts by which example queries are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.in_force import active_version
from api.db import ReadSession
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class AvailableData:
    """The preset of the last import, the stages of the accord in force, and the last day a contact entered the first.

    `records` has the id of one `contact`, `company`, `campaign` and `owner` with linked records; what there is none of
    is missing. `word` begins the name of the company. All fields are empty for an empty database.
    """

    preset: str | None = None
    stages: tuple[str, ...] = ()
    until: date | None = None
    records: Mapping[str, str] = field(default_factory=dict)
    word: str | None = None


async def available_data(session: ReadSession) -> AvailableData:
    """Read what the database holds.

    Shapes: one database -> one AvailableData. Reads at most four statements, each of one row.
    """
    preset = await session.value(Sql("select preset from import_job order by finished_at desc, id desc limit 1"))
    version = await active_version(session)
    stages = tuple(stage.key for stage in version.accord.stages) if version else ()
    until = None
    if stages:
        until = await session.value(
            # One look at the end of the index on (evaluation, stage, entered_at), however large the table is.
            Sql(
                "select max(e.entered_at)::date from stage_entry e where e.evaluation_id = {} and e.stage = {}",
                CURRENT_EVALUATION,
                stages[0],
            )
        )
    row = await session.row(_RECORDS)
    found = dict(row or {})
    word = found.pop("word", None)
    records = {name: id_ for name, id_ in found.items() if id_ is not None}
    return AvailableData(preset, stages, until, records, word)


# One look at the end of an index each, however large the tables are: newer records come first, those with deals before
# others.
_RECORDS = Sql("""
    with latest as materialized (
        select coalesce(
            (select c.id from deal d join company c on c.id = d.company_id
              where d.deleted_at is null and c.deleted_at is null order by d.id desc limit 1),
            (select c.id from company c where c.deleted_at is null order by c.id desc limit 1)
        ) as company_id
    )
    select 'company_' || l.company_id as company,
           (select substring(c.name from '[[:alnum:]]+') from company c where c.id = l.company_id) as word,
           'contact_' || coalesce(
               (select c.id from deal_contact r join contact c on c.id = r.contact_id
                 where c.deleted_at is null order by r.deal_id desc limit 1),
               (select c.id from contact c where c.deleted_at is null order by c.id desc limit 1)
           ) as contact,
           'campaign_' || coalesce(
               (select g.id from deal d join campaign g on g.id = d.primary_campaign_id
                 where d.deleted_at is null order by d.id desc limit 1),
               (select g.id from campaign g order by g.id desc limit 1)
           ) as campaign,
           'member_' || (
               select c.owner_id from contact c
                where c.owner_id is not null and c.deleted_at is null order by c.owner_id limit 1
           ) as owner
      from latest l
""")
