"""Who is evaluated, and since when: temp tables `funnel_merged` and `funnel_life`.

Facts of a merged contact are read under the contact that survived. A life begins with the person's first version row,
under whichever record; an undated one begins when it was recorded.
"""

from dataclasses import dataclass
from datetime import datetime

from api.identity.survivors import SURVIVORS
from api.sql import Sql

MERGED = Sql("create temp table funnel_merged on commit drop as {}", SURVIVORS)
HAS_MERGED = Sql("select exists (select from funnel_merged)")


@dataclass(frozen=True, slots=True)
class VisibleFacts:
    """What an evaluation sees: facts up to an instant; and whether anybody was merged, whose facts then move.

    Where nobody was, no statement looks for it: facts come in the order of an index, and are not sorted again.
    """

    as_of: datetime
    has_merged: bool

    def person(self, row: str) -> str:
        """The contact that a row's facts count for."""
        return f"coalesce(m.survivor_id, {row}.contact_id)" if self.has_merged else f"{row}.contact_id"

    def merging(self, row: str) -> str:
        """The join that `person` reads."""
        return f"left join funnel_merged m on m.contact_id = {row}.contact_id" if self.has_merged else ""


def life_statement(seen: VisibleFacts) -> Sql:
    """Say when everybody's life begins."""
    return Sql(f"""create temp table funnel_life on commit drop as
select {seen.person("v")} as contact_id, min(coalesce(v.valid_from, v.recorded_at)) as starts_at
from contact_version v {seen.merging("v")}
where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity')
group by 1""")
