"""Made-up documents from the lightest to the heaviest, of every way of reading: pages, filters, figures and KPIs."""

_PEOPLE = "id email firstName lastName country"
_YEAR = '{range: {from: "2025-11-01", before: "2026-11-01"}}'
_MONTH = '{range: {from: "2026-09-01", before: "2026-10-01"}}'
# As of any other instant than now there are no day sums, and excluded people are not those of journeys.
_FROM_JOURNEYS = 'switches: {asOf: "2026-10-31T12:00:00Z"}'
_FROM_FACTS = "switches: {exclusions: [TEST]}"


def _kpi(key: str, *arguments: str, selected: str = "value n") -> str:
    return f"kpi({', '.join((f'key: {key}', *arguments))}) {{ {selected} }}"


def _aliased(field: str, times: int) -> str:
    return " ".join(f"a{number}: {field}" for number in range(times))


_GROUPS = "touchpoints(first: 0) { groupBy(keys: [{channel: EACH}]) { key { channel } count } }"
_BOARD_KEYS = ("MQLS", "SQLS", "DEALS_WON", "WIN_RATE")
_BOARD = ", ".join(f"{{key: {key}, period: {_YEAR}, by: [CHANNEL]}}" for key in _BOARD_KEYS)
_BOARD_OF_FACTS = ", ".join(
    f"{{key: {key}, period: {_YEAR}, by: [CHANNEL], {_FROM_FACTS}}}"
    for key in ("MQLS", "SQLS", "MQL_TO_CUSTOMER", "SPEED_TO_LEAD", "DEALS_WON", "WIN_RATE")
)

_PAGES = {
    "a small page": f"contacts(first: 10) {{ nodes {{ {_PEOPLE} }} }}",
    "a page": f"contacts(first: 100) {{ nodes {{ {_PEOPLE} }} }}",
    "a large page": f"contacts(first: 500) {{ nodes {{ {_PEOPLE} }} }}",
    "a page with companies": f"contacts(first: 100) {{ nodes {{ {_PEOPLE} company {{ name }} owner {{ name }} }} }}",
    "a nested list": "companies(first: 50) { nodes { id name contacts(first: 10) { nodes { id email } } } }",
    "a large nested list": "companies(first: 300) { nodes { id contacts(first: 50) { nodes { id email } } } }",
    "three levels": "companies(first: 50) { nodes { id contacts(first: 10) { nodes { id"
    " touchpoints(first: 20) { nodes { id channel occurredAt } } } } } }",
    "a page by an unindexed order": "contacts(first: 20, orderBy: [{firstName: ASC}]) { nodes { id } }",
    "a page of touchpoints by an unindexed order": "touchpoints(first: 20, orderBy: [{channel: ASC}]) { nodes { id } }",
    "an order through a link": "contacts(first: 20, orderBy: [{company: {name: ASC}}]) { nodes { id } }",
    "an order by a list": "contacts(first: 20, orderBy: [{touchpoints: {count: DESC}}]) { nodes { id } }",
    "a search": 'search(text: "ann", first: 10) { nodes { __typename } }',
    "a search of people": 'contacts(first: 20, search: "ann") { nodes { id } }',
}
_FILTERS = {
    "a text within a text": 'contacts(where: {email: {contains: "zzz"}}) { totalCount }',
    "a filter by two values": "touchpoints(where: {channel: {eq: EMAIL}, durationSeconds: {gte: 60}}) { totalCount }",
    "a filter by a list": "contacts(where: {touchpoints: {some: {channel: {eq: EMAIL}}}}) { totalCount }",
    "a filter by two lists": "contacts(where: {touchpoints: {some: {}}, dealRoles: {none: {}}}) { totalCount }",
    "a filter by a count": "contacts(where: {touchpoints: {count: {gte: 5}}}) { totalCount }",
    "a filter through a link": 'touchpoints(where: {contact: {country: {eq: "DE"}}}) { totalCount }',
    "a filter through two links": 'touchpoints(where: {contact: {company: {industry: {contains: "a"}}}})'
    " { totalCount }",
    "a filter through five links": "touchpoints(where: {contact: {company: {contacts: {some: {dealRoles: {some: {deal:"
    ' {company: {name: {contains: "a"}}}}}}}}}}) { totalCount }',
    "a filter of deals": "deals(where: {contactRoles: {some: {contact: {touchpoints: {some: {}}}}}}) { totalCount }",
}
_FIGURES = {
    "a count of deals": "deals(first: 0) { totalCount }",
    "a count of people": "contacts(first: 0) { totalCount }",
    "a count of touchpoints": "touchpoints(first: 0) { totalCount }",
    "an aggregate of deals": "deals(first: 0) { aggregate { count max { closedAt } } }",
    "an aggregate of touchpoints": "touchpoints(first: 0) { aggregate { count max { occurredAt } } }",
    "groups of people": "contacts(first: 0) { groupBy(keys: [{country: EACH}]) { key { country } count } }",
    "groups of touchpoints": _GROUPS,
    "five groups of touchpoints": _aliased(_GROUPS, 5),
    "fifteen groups of touchpoints": _aliased(_GROUPS, 15),
    "distinct people by month": "touchpoints(first: 0) { groupBy(keys: [{occurredAt: MONTH}]) { key { occurredAt }"
    " count } }",
    "figures of every company": "companies(first: 500) { nodes { id contacts(first: 0) { totalCount } } }",
}
_KPIS = {
    "a KPI of a month": _kpi("MQLS", f"period: {_MONTH}"),
    "a KPI of a year": _kpi("MQLS", f"period: {_YEAR}"),
    "a KPI by channel": _kpi("MQLS", f"period: {_YEAR}", "by: [CHANNEL]"),
    "a KPI from journeys": _kpi("MQLS", f"period: {_YEAR}", "by: [CHANNEL]", _FROM_JOURNEYS),
    "a KPI from facts": _kpi("MQLS", f"period: {_YEAR}", "by: [CHANNEL]", _FROM_FACTS),
    "a KPI of a month from facts": _kpi("MQLS", f"period: {_MONTH}", _FROM_FACTS),
    "a series from journeys": _kpi("SQLS", f"period: {_YEAR}", "grain: WEEK", _FROM_JOURNEYS),
    "a series from facts": _kpi("SQLS", f"period: {_YEAR}", "grain: MONTH", "by: [CHANNEL, COUNTRY]", _FROM_FACTS),
    "a conversion": _kpi("MQL_TO_CUSTOMER", f"period: {_YEAR}", "by: [CHANNEL]"),
    "a conversion from facts": _kpi("MQL_TO_CUSTOMER", f"period: {_YEAR}", "by: [CHANNEL]", _FROM_FACTS),
    "all history from facts": _kpi("MQL_TO_CUSTOMER", _FROM_FACTS),
    "a KPI of deals": _kpi("DEALS_WON", f"period: {_YEAR}", "by: [CHANNEL]"),
    "a KPI of deals from facts": _kpi("WIN_RATE", f"period: {_YEAR}", "by: [CHANNEL]", _FROM_FACTS),
    "a comparison": _kpi(
        "MQL_TO_CUSTOMER",
        f"period: {_MONTH}",
        "by: [CHANNEL]",
        "compareTo: {previousPeriod: TO_DATE}",
        _FROM_FACTS,
        selected="value comparison { change }",
    ),
    "a KPI of touches": _kpi("RESPONSE_RATE", f"period: {_YEAR}"),
    "a KPI of people whom a filter passes": _kpi(
        "MQLS", f"period: {_YEAR}", "where: {contact: {touchpoints: {some: {channel: {eq: EMAIL}}}}}"
    ),
    "a board": f"kpis(requests: [{_BOARD}]) {{ value }}",
    "a board from facts": f"kpis(requests: [{_BOARD_OF_FACTS}]) {{ value }}",
    "a funnel": f"funnel(period: {_YEAR}) {{ stages {{ title }} }}",
    "a funnel from facts": f"funnel(period: {_YEAR}, by: [CHANNEL], {_FROM_FACTS}) {{ stages {{ title }} }}",
    "a plan": 'revenuePlan(target: {amount: "500000"}, period: {named: "2026-Q4"}) { currency }',
    "a variance": 'revenueVariance(period: {named: "2026-Q3"}) { currency }',
}
DOCUMENTS = {title: f"{{ {fields} }}" for title, fields in (_PAGES | _FILTERS | _FIGURES | _KPIS).items()}
