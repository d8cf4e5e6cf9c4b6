"""The limits that callers meet, from the constants that enforce them. README.md has the same table; a test compares."""

from dataclasses import dataclass

from api.graph.derived.record_types import MAX_PAGE_SIZE, PAGE_SIZE
from api.graph.kpis.answer_ids import MAX_ARGUMENTS
from api.graph.kpis.drill_down import MAX_LISTS
from api.graph.kpis.kpi_inputs import MAX_KPI_REQUESTS
from api.graph.mutations.mutation import MAX_ROWS
from api.graph.reading.limits import (
    MAX_ALIAS_LENGTH,
    MAX_ALIASES,
    MAX_DIRECTIVES,
    MAX_FIELDS,
    MAX_FILTER_LEVELS,
    MAX_FILTERS,
    MAX_LEVELS,
    MAX_ROOT_FIELDS,
    MAX_SCHEMAS,
    MAX_TOKENS,
)
from api.graph.reading.order_value import MAX_LINKS_IN_ORDER, MAX_LIST_AGGREGATES, MAX_TERMS
from api.graph.reading.search_value import MAX_SEARCH_LENGTH
from api.graph.reading.selection_reader import MAX_IDS
from api.metrics.breakdowns.group_limit import MOST_GROUPS
from api.metrics.periods.buckets import MOST_BUCKETS
from api.metrics.resolve import MOST_DIMENSIONS
from api.plan.cost.price import MAX_COST, ROWS_PER_UNIT
from api.plan.cost.response_records import MAX_RECORDS
from api.plan.grouping import MAX_GROUPS
from api.plan.json_objects import MAX_CURSOR
from api.plan.prepared_statements import MAX_RESPONSE_BYTES
from api.plan.value_checks.storable_text import MAX_COMPARED
from api.settings import REQUEST_SECONDS
from api.web.compression import LEAST_BYTES
from api.web.cross_origin import PREFLIGHT_SECONDS
from api.web.http_protocol import HEAD_LIMIT_BYTES, RECEIVE_SECONDS, SEND_BYTES, SEND_SECONDS
from api.web.persisted_queries import MOST_BYTES, MOST_QUERIES
from api.web.requests import BODY_LIMIT_BYTES
from schema.durations import LONGEST

_KIB, _MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the table: of what there is a limit, and the figure with its unit."""

    subject: str
    figure: str


LIMITS = (
    Limit("request body", f"{BODY_LIMIT_BYTES // _MIB} MiB"),
    Limit("tokens of a document", f"{MAX_TOKENS:,}"),
    Limit("root fields of an operation, and `__schema` among them", f"{MAX_ROOT_FIELDS}, {MAX_SCHEMAS}"),
    Limit("levels of fields", f"{MAX_LEVELS}"),
    Limit("aliases, and characters in one", f"{MAX_ALIASES}, {MAX_ALIAS_LENGTH}"),
    Limit("directives", f"{MAX_DIRECTIVES}"),
    Limit("fields of records, with fragments expanded", f"{MAX_FIELDS:,}"),
    Limit("objects in all filters, and levels of one", f"{MAX_FILTERS:,}, {MAX_FILTER_LEVELS}"),
    Limit(
        "fields in an `orderBy`, links to one of them, and aggregates of lists among them",
        f"{MAX_TERMS}, {MAX_LINKS_IN_ORDER}, {MAX_LIST_AGGREGATES}",
    ),
    Limit("characters of a `search`", f"{MAX_SEARCH_LENGTH}"),
    Limit("rows of a bulk mutation", f"{MAX_ROWS:,}"),
    Limit("ids of one `nodes`", f"{MAX_IDS}"),
    Limit("arguments of a KPI request whose answer can be fetched by its id", f"{MAX_ARGUMENTS:,} bytes"),
    Limit("rows of a page (`first`, `last`)", f"{PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most"),
    Limit("groups of a `groupBy`", f"all of them, up to {MAX_GROUPS:,}"),
    Limit("records that a response could have, page sizes multiplied down the tree", f"{MAX_RECORDS:,}"),
    Limit(f"cost: 1 is {ROWS_PER_UNIT:,} rows that PostgreSQL reads, about a millisecond", f"{MAX_COST:,}"),
    Limit("KPI requests of a request (`kpi`, `kpis`)", f"{MAX_KPI_REQUESTS}"),
    Limit("characters of a text in a filter, and of a cursor", f"{MAX_COMPARED:,}, {MAX_CURSOR:,}"),
    Limit("response of a document that only reads records", f"{MAX_RESPONSE_BYTES // _MIB} MiB"),
    Limit("time of a request, however many statements it has", f"{REQUEST_SECONDS:g} s"),
    Limit("dimensions of a KPI, and groups of its breakdown", f"{MOST_DIMENSIONS}, {MOST_GROUPS}"),
    Limit("buckets of a period", f"{MOST_BUCKETS:,}"),
    Limit("window of a KPI", f"{LONGEST.days:,} days"),
    Limit("lists of records behind the figures of a request", f"{MAX_LISTS}"),
    Limit("persisted queries of a process", f"{MOST_QUERIES:,}, {MOST_BYTES // _MIB} MiB together"),
    Limit("head of a request", f"{HEAD_LIMIT_BYTES // _KIB} KiB"),
    Limit("time to send a whole request", f"{RECEIVE_SECONDS:.0f} s"),
    Limit("time to read a response, or the next part of one", f"{SEND_SECONDS:.0f} s, {SEND_BYTES // _KIB} KiB"),
    Limit("responses are compressed from", f"{LEAST_BYTES:,} bytes"),
    Limit("browsers keep a preflight for", f"{PREFLIGHT_SECONDS // 3600} hours"),
)
