"""The reported leaf: the stage that a source system reported last is one of some stages."""

from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql
from schema.clauses.rules import ReportFilter


def reported_intervals(wanted: ReportFilter, facts: VisibleFacts) -> Sql:
    """Select an interval for each instant at which the source reported a stage, until its next report.

    A report with an unknown date counts from the instant at which it was stored, as a version row without a start does.
    Nothing says which of several reports of one instant is the last; all of them count.
    """
    return Sql(
        f"""select contact_id, null::int as segment_no, at as starts_at,
  coalesce(lead(at) over (partition by contact_id order by at), 'infinity') as until, holds
from (
  select contact_id, at, bool_or(holds) as holds
  from (
    select {facts.contact("r")} as contact_id, coalesce(r.entered_at, r.recorded_at) as at,
      r.source_stage = any({{}}::text[]) as holds
    from reported_stage r {facts.merged_join("r")}
    where r.source = {{}}::text and coalesce(r.entered_at, r.recorded_at) <= {{}} and {{}}
  ) report
  group by contact_id, at
) reports""",
        list(wanted.stage),
        wanted.source,
        facts.as_of,
        facts.among("r.contact_id"),
    )
