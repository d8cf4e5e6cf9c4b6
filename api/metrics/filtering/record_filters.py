"""Filters over the counted records as they are now: the typed filter of a list, within the filter of a KPI.

They select whom a number is about by anything that a list can be filtered by. The records are read as they are today,
unlike dimensions, which are those of the counted instant: the answer says so.
"""

from collections.abc import Iterator

from api.access.field_rights import require_table
from api.access.scope import MEMBER_PARAMETER
from api.access.scoped_tables import ScopedTables
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning
from api.metrics.dimensions import RECORD_OF
from api.metrics.request import RecordFilter, Where
from api.metrics.resolved_request import ResolvedKpiRequest, record_filters_of
from api.plan.conditions import condition
from api.plan.list_arguments import Page
from api.plan.selection import Connection, RootField, TotalCount
from api.plan.value_checks.currency_checks import currency_checks
from api.plan.value_checks.filter_values import named_values, require_known_values, unknown_texts
from api.plan.value_checks.known_values import UnknownText
from api.sql import Sql, name
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.kinds import Subject

_OTHER_WAY = {
    "contact": "Filter the deals by their people: `deal: {contactRoles: {some: {contact: {…}}}}`.",
    "deal": "Filter the people by their deals: `contact: {dealRoles: {some: {deal: {…}}}}`.",
}
_NOUNS = {"contact": "people", "deal": "deals"}


def require_counted_records(subject: str, counted: Subject, where: Where) -> None:
    """Reject filters over other records than the counted ones.

    A deal has several people, so a filter over people would not say which of them has to pass it.
    Errors: BAD_INPUT with the filter to use instead.
    """
    table = RECORD_OF[counted]
    for records in record_filters_of(where):
        if records.table != table:
            message = f"{subject} counts {_NOUNS[table]}, and `{records.table}` filters {_NOUNS[records.table]}."
            raise AccordError(ErrorCode.BAD_INPUT, message, _OTHER_WAY[records.table])


def passes_record_filter(request: ResolvedKpiRequest, records: RecordFilter) -> Sql:
    """The condition that the record of the counted row `c` passes a filter. It is true or false, never null.

    Of what the filter reads through links and lists, only what the principal reaches counts. The record itself may be a
    deleted one: the counted rows have those of their population alone.
    Errors: NOT_ALLOWED for a field that the principal may not read.
    """
    principal = request.context.principal
    require_table(principal, records.table)
    tables = ScopedTables(principal, reads_merged=request.context.has_merged_contacts)
    alias = tables.new_alias()
    # A set, not a lookup for every row: the filter is evaluated once for each record, however often it counts.
    passing = Sql(
        "c.{} in (select {}.id from {} {} where {})",
        name(f"{records.table}_id"),
        name(alias),
        name(records.table),
        name(alias),
        condition(tables, records.condition, records.table, alias),
    )
    return passing.bound({MEMBER_PARAMETER: principal.member_id})


async def unknown_record_texts(session: ReadSession, request: ResolvedKpiRequest) -> list[UnknownText]:
    """Check the values of the filters over records, as those of a list are checked.

    Shapes: one ResolvedKpiRequest -> the free texts that no record ever had. Reads nothing without such filters.
    Errors: UNKNOWN_VALUE, MIXED_CURRENCIES, NO_REPORTING_CURRENCY, NOT_ALLOWED.
    """
    principal = request.context.principal
    roots = [
        RootField("it", Connection(records.table, Page(1, where=records.condition), (TotalCount("n"),)))
        for records in record_filters_of(request.where)
    ]
    if not roots:
        return []
    parameters = {MEMBER_PARAMETER: principal.member_id}
    named = [values.bound(parameters) for values in named_values(roots, principal)]
    await require_known_values(session.value, named)
    for check in currency_checks(roots, principal):
        error = check.error(await session.value(check.find, parameters))
        if error is not None:
            raise error
    return list(await unknown_texts(session.value, named))


def filtered_as_of_today(request: ResolvedKpiRequest) -> Iterator[AnswerWarning]:
    """FILTERED_AS_OF_TODAY: the records are filtered by what they are now, or by what was known of them."""
    if any(record_filters_of(request.where)):
        table, known_at = RECORD_OF[request.kpi.subject], request.context.known_at
        when = "today" if known_at is None else "known at `knownAt`"
        message = (
            f"The filter `{table}` reads the {_NOUNS[table]} as they are {when}, not as they were at the instant at"
            " which they count."
        )
        yield AnswerWarning(code=WarningCode.FILTERED_AS_OF_TODAY, message=message, count=None)
