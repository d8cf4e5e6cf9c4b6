"""What a database holds: the facts by which example queries are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from api.access.field_rights import may_read
from api.access.principal import Principal
from api.access.scope import MEMBER_PARAMETER, scope_conditions
from api.accord.in_force import active_version
from api.db import ReadSession
from api.sql import Sql, all_of
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class AvailableData:
    """The preset of the last import, the stages of the accord in force, and the last day a contact entered the first.

    `records` has the id of one `contact`, `company`, `campaign` and `owner` with linked records; what there is none of
    is missing. `word` begins the name of the company; None for a principal that may not search contacts. All fields are
    empty for an empty database.
    """

    preset: str | None = None
    stages: tuple[str, ...] = ()
    until: date | None = None
    records: Mapping[str, str] = field(default_factory=dict)
    word: str | None = None


async def available_data(session: ReadSession, principal: Principal) -> AvailableData:
    """Read what the database holds, within the principal's reach.

    Shapes: one database -> one AvailableData. Reads at most four statements, each of one row.
    """
    parameters = {MEMBER_PARAMETER: principal.member_id}
    preset = await session.value(Sql("select preset from import_job order by finished_at desc, id desc limit 1"))
    version = await active_version(session)
    stages = tuple(stage.key for stage in version.accord.stages) if version else ()
    until = None
    if stages:
        until = await session.value(
            # One look at the end of the index on (evaluation, stage, entered_at), however large the table is.
            Sql(
                "select max(e.entered_at)::date from stage_entry e where e.stage = {} and {}",
                stages[0],
                all_of(scope_conditions("stage_entry", "e", principal)),
            ).bound(parameters)
        )
    row = await session.row(_records(principal).bound(parameters))
    found = dict(row or {})
    word = found.pop("word", None)
    if not all(may_read(principal, "contact", column) for column in SHAPES["contact"].searched):
        word = None
    records = {name: id_ for name, id_ in found.items() if id_ is not None}
    return AvailableData(preset, stages, until, records, word)


def _records(principal: Principal) -> Sql:
    """Return the query of the records: newer ones come first, those with deals before others."""
    # One look at the end of an index each, however large the tables are, if the principal reaches most records.
    contact, company, deal = (
        all_of(scope_conditions(table, alias, principal))
        for table, alias in (("contact", "c"), ("company", "c"), ("deal", "d"))
    )
    return Sql(
        """
    with latest as materialized (
        select coalesce(
            (select c.id from deal d join company c on c.id = d.company_id where {} and {} order by d.id desc limit 1),
            (select c.id from company c where {} order by c.id desc limit 1)
        ) as company_id
    )
    select 'company_' || l.company_id as company,
           (select substring(c.name from '[[:alnum:]]+') from company c where c.id = l.company_id) as word,
           'contact_' || coalesce(
               (select c.id from deal_contact r join contact c on c.id = r.contact_id
                 where r.voided_at is null and {} order by r.deal_id desc limit 1),
               (select c.id from contact c where {} order by c.id desc limit 1)
           ) as contact,
           'campaign_' || coalesce(
               (select g.id from deal d join campaign g on g.id = d.primary_campaign_id
                 where {} and g.deleted_at is null order by d.id desc limit 1),
               (select g.id from campaign g where g.deleted_at is null order by g.id desc limit 1)
           ) as campaign,
           'member_' || (
               select c.owner_id from contact c where c.owner_id is not null and {} order by c.owner_id limit 1
           ) as owner
      from latest l
""",
        *(deal, company, company, contact, contact, deal, contact),
    )
