"""The requests of the load: a light one, and several heavy ones, each of another way of reading.

The page of companies is of medium cost at any size of the company, and so is the filter where there are few people.
"""

from collections.abc import Mapping

_YEAR = '{range: {from: "2025-11-01", before: "2026-11-01"}}'
_FROM_FACTS = "switches: {exclusions: [TEST]}"
_KEYS = ("MQLS", "SQLS", "MQL_TO_CUSTOMER", "SPEED_TO_LEAD", "DEALS_WON", "WIN_RATE")
_BOARD = ", ".join(f"{{key: {key}, period: {_YEAR}, by: [CHANNEL], {_FROM_FACTS}}}" for key in _KEYS)
_GROUPS = "touchpoints(first: 0) { groupBy(keys: [{channel: EACH}]) { key { channel } count } }"
_GROUPS_FIVE_TIMES = " ".join(f"a{number}: {_GROUPS}" for number in range(5))

LIGHT = "one_contact"
"""The key of the light query among those of `tests/bench/read`, which the plain endpoint answers, too."""

HEAVY: Mapping[str, str] = {
    "a board of six KPIs from facts": f"{{ kpis(requests: [{_BOARD}]) {{ value breakdown {{ value }} }} }}",
    "five groups of all touchpoints": f"{{ {_GROUPS_FIVE_TIMES} }}",
    "a filter through five links": "{ touchpoints(where: {contact: {company: {contacts: {some: {dealRoles: {some:"
    ' {deal: {company: {name: {contains: "a"}}}}}}}}}}) { totalCount } }',
    "a page of 300 companies with 50 people each": "{ companies(first: 300) { nodes { id name industry"
    " contacts(first: 50) { nodes { id firstName lastName email jobTitle country } } } } }",
    "people by how many touchpoints they have": "{ contacts(first: 100, orderBy: [{touchpoints: {count: DESC}}])"
    " { nodes { id email touchpoints(first: 10) { nodes { occurredAt channel } } } } }",
}
