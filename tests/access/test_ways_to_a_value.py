"""Every way of the contract to a value: none shows personal data without the right, or anything out of reach.

`WAYS` lists them. The last tests fail when the contract has a root field, an argument, a part of a list or a source of
fields that no way of the list goes through.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, get_args

import pytest
from graphql import OperationType

from api.access.principal import ALL_RIGHTS, Principal
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.graph.contract import build_schema, gateway, registered_types
from api.graph.declared import InputType, ObjectType
from api.graph.derived.filter_types import list_filter_type
from api.graph.kpis.drill_down import CONNECTION, EDGE
from api.graph.request import GraphQLRequest
from api.graph.sources import FieldSource, FromId, FromTable
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import AccessLevel, Reach
from schema.tables import SHAPES
from schema.writes.changes import ChangeType
from tests.support.graphql import Outcome, executed, planned, put, uid
from tests.support.small_company import CREATED, row_of, versioned_row

TEAM, OTHER_TEAM, ANNA, ZOE = uid(1), uid(2), uid(11), uid(12)
OWN_COMPANY, OWN_CONTACT, OWN_DEAL = uid(21), uid(31), uid(51)
HIDDEN_COMPANY, HIDDEN_CONTACT, MERGED_CONTACT, HIDDEN_DEAL, CAMPAIGN = uid(121), uid(131), uid(132), uid(151), uid(41)
# Values of the hidden person. None of them may be in a response without the right, or to who does not reach the person.
PERSONAL = ["Verena", "Schweiger", "verena.s@hidden.example", "+4930555", "Prefers letters"]
# Further values of what Anna does not reach.
HIDDEN = [
    *PERSONAL,
    "Hidden Works",
    "Hidden deal",
    "Spymaster",
    str(HIDDEN_CONTACT),
    str(HIDDEN_COMPANY),
    str(HIDDEN_DEAL),
]
OPERATOR = Principal(Reach.ALL, ZOE, AccessLevel.ADMIN, ALL_RIGHTS)
ANALYST = Principal(Reach.ALL, ZOE, AccessLevel.ADMIN)  # without rights, which no level has of its own
ANNA_ONLY = Principal(Reach.OWN, ANNA, AccessLevel.ADMIN, ALL_RIGHTS)
ANNAS_TEAM = Principal(Reach.TEAM, ANNA, AccessLevel.ADMIN, ALL_RIGHTS)

P = "firstName lastName email phone"
PERIOD = 'period: {range: {from: "2026-01-01", before: "2027-01-01"}}'
ON_CONTACT = f"... on Contact {{ {P} }}"

# Ways that return a field of a person: null without the right.
READS = {
    "root: node": f'node(id: "contact_{HIDDEN_CONTACT}") {{ {ON_CONTACT} }}',
    "root: nodes": f'nodes(ids: ["contact_{HIDDEN_CONTACT}", "contact_{OWN_CONTACT}"]) {{ {ON_CONTACT} }}',
    "root: record": f'contact(id: "contact_{HIDDEN_CONTACT}") {{ {P} }}',
    "root: list": f"contacts {{ nodes {{ {P} jobTitle }} }}",
    "list: edges": f"contacts {{ edges {{ node {{ {P} }} }} }}",
    "list: last": f"contacts(last: 9) {{ nodes {{ {P} }} }}",
    "record asOf": f'contact(id: "contact_{HIDDEN_CONTACT}", asOf: "2026-02-01T00:00:00Z") {{ {P} }}',
    "list asOf": f'contacts(asOf: "2026-02-01T00:00:00Z") {{ nodes {{ {P} }} }}',
    "list includeMerged": f"contacts(includeMerged: true) {{ nodes {{ {P} mergedInto {{ {P} }} }} }}",
    "to one": f"touchpoints {{ nodes {{ contact {{ {P} }} }} }}",
    "to one twice": f"dealContacts {{ nodes {{ deal {{ name }} contact {{ {P} company {{ name }} }} }} }}",
    "to many": f'company(id: "company_{HIDDEN_COMPANY}") {{ contacts {{ nodes {{ {P} }} }} }}',
    "to many of who is visible": f"members {{ nodes {{ ownedContacts {{ totalCount nodes {{ {P} }} }} }} }}",
    "to many twice": f"campaigns {{ nodes {{ touchpoints {{ nodes {{ contact {{ {P} }} }} }} }} }}",
    "merged": f'contact(id: "contact_{HIDDEN_CONTACT}") {{ mergedContacts {{ nodes {{ {P} }} }} }}',
    "note": f"handoffs {{ nodes {{ note contact {{ {P} }} }} }}",
    "note of a list": "contacts { nodes { handoffs { nodes { note } } } }",
    "note of who decides": "members { nodes { handoffs { nodes { note } } } }",
    "key of a group": f"touchpoints {{ groupBy(keys: [{{contact: EACH}}]) {{ key {{ contact {{ {P} }} }} count }} }}",
    "kpi: nodes": f"kpi(key: MQLS, {PERIOD}) {{ records {{ totalCount nodes {{ {ON_CONTACT} }} }} }}",
    "kpi: edges": f"kpi(key: MQLS, {PERIOD}) {{ records {{ edges {{ cursor at value node {{ {ON_CONTACT} }} }} }} }}",
    "kpi: groups": f"kpi(key: MQLS, {PERIOD}, by: [OWNER]) {{ breakdown {{ n records {{ nodes {{ {ON_CONTACT} }} }}"
    " } }",
    "kpi: series": f"kpi(key: MQLS, {PERIOD}, grain: YEAR) {{ series {{ n records {{ nodes {{ {ON_CONTACT} }} }} }} }}",
    "kpi: deals": "kpi(key: DEALS_WON) { n records { nodes { ... on Deal { name contactRoles { nodes { contact {"
    f" {P} }} }} }} }} }} }} }}",
    "root: kpis": f"kpis(requests: [{{key: MQLS, {PERIOD}}}]) {{ records {{ nodes {{ {ON_CONTACT} }} }} }}",
    "root: viewer": f"viewer {{ member {{ ownedContacts {{ nodes {{ {P} }} }} }} }}",
    "root: changes": f"changes {{ nodes {{ type record {{ {ON_CONTACT} }} contact {{ {P} }} }}"
    f" edges {{ node {{ recordId record {{ {ON_CONTACT} }} }} }} }}",
    "changes: pageInfo": f"changes {{ pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} nodes {{ cursor"
    f" record {{ {ON_CONTACT} }} }} edges {{ cursor }} }}",
    "audit": "audit { nodes { changedRecordId valuesBefore valuesAfter } } contacts { nodes { email } }",
    "audited record": f"audit {{ nodes {{ record {{ {ON_CONTACT} }} }} }}",
    "root: funnel": f"funnel({PERIOD}) {{ stages {{ reached records {{ nodes {{ {ON_CONTACT} }} }} }} }}",
}  # fmt: skip
# Ways on which a person decides over the response: refused without the right.
DECIDES = {
    "where": 'contacts(where: {email: {eq: "verena.s@hidden.example"}}) { totalCount }',
    "where: and, or, not": 'contacts(where: {or: [{and: [{not: {firstName: {eq: "Verena"}}}]}]}) { totalCount }',
    "where: to one": 'touchpoints(where: {contact: {lastName: {eq: "Schweiger"}}}) { totalCount }',
    "where: some": 'companies(where: {contacts: {some: {phone: {startsWith: "+4930"}}}}) { totalCount }',
    "where: none": 'companies(where: {contacts: {none: {phone: {startsWith: "+4930"}}}}) { totalCount }',
    "where: every": 'companies(where: {contacts: {every: {phone: {startsWith: "+4930"}}}}) { totalCount }',
    "where: count": 'companies(where: {contacts: {where: {phone: {eq: "+4930"}}, count: {gt: 0}}}) { totalCount }',
    "where: sum": 'companies(where: {contacts: {where: {phone: {eq: "1"}}, sum: {leadScore: {gt: 0}}}}) { totalCount }',
    "where: note": "handoffs(where: {note: {isNull: false}}) { totalCount }",
    "orderBy": "contacts(orderBy: [{lastName: ASC}]) { edges { cursor } }",
    "orderBy: to one": "touchpoints(orderBy: [{contact: {lastName: ASC}}]) { edges { cursor } }",
    "orderBy: list": 'companies(orderBy: [{contacts: {where: {email: {eq: "x"}}, count: ASC}}]) { edges { cursor } }',
    "aggregate": "contacts { aggregate { countDistinct { email } } }",
    "groupBy": "contacts { groupBy(keys: [{lastName: EACH}], orderBy: [{count: DESC}]) { key { lastName } count } }",
    "groupBy: having": "contacts { groupBy(keys: [{email: EACH}], having: {count: {gt: 0}}) { count } }",
    "groupCount": "contacts { groupCount(keys: [{phone: EACH}]) }",
    "list: search": 'contacts(search: "verena") { totalCount }',
    "root: search": 'search(text: "verena", types: [CONTACT]) { totalCount nodes { __typename } }',
    "root: likelyDuplicates": f"likelyDuplicates {{ totalCount nodes {{ contact {{ {P} }} reasons }} }}",
    "likelyDuplicates: contact": f'likelyDuplicates(contact: "contact_{HIDDEN_CONTACT}") {{ edges {{ cursor }} }}',
    "nested where": 'companies { nodes { contacts(where: {email: {isNull: false}}) { totalCount } } }',
    "kpi: nested where": f"kpi(key: MQLS, {PERIOD}) {{ records {{ nodes {{ ... on Contact {{ company {{"
    ' contacts(where: {firstName: {eq: "Verena"}}) { totalCount } } } } } }',
}  # fmt: skip
# Ways that return no personal data, and could tell that there is something out of reach.
COUNTS = {
    "totalCount": "contacts { totalCount } companies { totalCount } deals { totalCount } handoffs { totalCount }",
    "totalCount of links": "touchpoints { totalCount } stageEntries { totalCount } dealContacts { totalCount }",
    "pageInfo": "contacts(first: 1) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }",
    "aggregates": "contacts { aggregate { count sum { leadScore } countDistinct { company } max { createdAt } } }",
    "groups": "contacts { groupBy(keys: [{owner: EACH}]) { key { owner { name } } count } }",
    "number of groups": "contacts { groupCount(keys: [{stage: EACH}]) }",
    "groups of links": "touchpoints { groupBy(keys: [{campaign: EACH}]) { count key { campaign { name } } } }",
    "having": "deals { groupBy(keys: [{outcome: EACH}], having: {count: {gt: 1}}) { count } }",
    "order": "members(orderBy: [{ownedContacts: {count: DESC}}, {name: ASC}]) { nodes { name } edges { cursor } }",
    "order of a link": "contacts(orderBy: [{company: {name: ASC}}]) { edges { cursor } }",
    "filter of a list": "members(where: {ownedDeals: {some: {}}}) { nodes { name } }",
    "filter of a count": "campaigns(where: {touchpoints: {count: {gt: 2}}}) { nodes { name } }",
    "assumedCount": 'contacts(asOf: "2026-02-01T00:00:00Z") { assumedCount totalCount }',
    "version number": "handoffs { nodes { accordVersion } } stageEntries { nodes { accordVersion } }",
    "free text": 'contacts(where: {jobTitle: {eq: "Spymaster"}}) { totalCount }',
    "closed set": 'companies(where: {country: {eq: "Atlantis"}}) { totalCount }',
    "reject reason": 'handoffs(where: {rejectReason: {eq: "SECRET_CODE"}}) { totalCount }',
    "money": "deals(orderBy: [{amount: DESC}]) { edges { cursor } }",
    "root: search of all": 'search(text: "hidden") { totalCount nodes { __typename } pageInfo { hasNextPage } }',
    "root: likelyDuplicateCompanies": "likelyDuplicateCompanies { totalCount nodes { company { name } reasons }"
    " pageInfo { hasNextPage } }",
    "present stage": "contacts(where: {stage: {isNull: false}}) { nodes { stage { key } isCounted } }",
    "reasons": "deals { nodes { isCounted notCountedBecause } }",
    "imports": "imports { totalCount } importFiles { totalCount } audit { totalCount }",
    "kpi": f"kpi(key: MQLS, {PERIOD}, by: [COMPANY]) {{ value n implied excluded {{ count reasons {{ reason count }} }}"
    " warnings { code count message } breakdown { n keys { label id } } isCanonical overrides }",
    "kpi: reject reason": 'kpi(key: REJECTION_RATE, where: {rejectReason: {in: ["SECRET_CODE"]}}) { n }',
    "kpi: country": f'kpi(key: MQLS, {PERIOD}, where: {{country: {{in: ["Atlantis"]}}}}) {{ n }}',
    "kpi: before all data": 'kpi(key: DEALS_WON, period: {range: {from: "2020-01-01", before: "2020-02-01"}}) {'
    " value warnings { code message } }",
    "kpis of deals": "kpis(requests: [{key: WIN_RATE}, {key: OPEN_PIPELINE}, {key: WON_AMOUNT}]) { value n"
    " excluded { count } warnings { code count } apart { currency } }",
    "root: revenuePlan": f'revenuePlan(target: {{amount: "1000"}}, {PERIOD}) {{ currency overrides'
    " warnings { code count message } steps { needed standing owed"
    " rate { value numerator denominator n warnings { message } } lag { n distribution { median } }"
    " buckets { needed entered owed } missing { message } } }",
    "root: revenueVariance": f"revenueVariance({PERIOD}) {{ before after change currency overrides"
    " warnings { code count message } parts { driver before after amount } }",
    "funnel": f"funnel({PERIOD}) {{ stages {{ reached entered }} excluded {{ count }} warnings {{ code count }} }}",
}  # fmt: skip
WAYS = READS | DECIDES | COUNTS


declared_types = cache(registered_types)


@pytest.fixture
async def world(database: Database) -> Database:
    async with database.write() as session:
        await write_world(session)
    return database


async def write_world(session: WriteSession) -> None:
    """Write two people with the same facts: one whom Anna owns, and one out of her reach."""
    accord = await adopt_accord(session, read_accord("standard"))
    assert json.loads(accord.accord.canonical())
    teams = ((TEAM, "Inbound"), (OTHER_TEAM, "Field"))
    await put(session, "team", *(row_of(id=id_, name=name, kind="SALES") for id_, name in teams))
    members = ((ANNA, "Anna", TEAM), (ZOE, "Zoe", OTHER_TEAM))
    await put(session, "member", *(row_of(id=id_, name=name, team_id=team) for id_, name, team in members))
    await put(session, "campaign", row_of(id=CAMPAIGN, name="Spring", channel="EMAIL"))
    await _company(session, ANNA, OWN_COMPANY, OWN_CONTACT, OWN_DEAL)
    await _company(session, ZOE, HIDDEN_COMPANY, HIDDEN_CONTACT, HIDDEN_DEAL)
    await put(
        session,
        "contact",
        versioned_row(id=MERGED_CONTACT, first_name="Verena", owner_id=ZOE, merged_into_id=HIDDEN_CONTACT),
    )
    await evaluate(session)
    for id_, name in ((OWN_CONTACT, "Own"), (HIDDEN_CONTACT, "Verena")):
        values = {"first_name": name, "job_title": "Clerk"}
        change = RecordChange(ChangeType.CHANGED, "contact", id_, values, values, contact_id=id_)
        await write_changes(session, Author("Zoe", "updateContact", ZOE), (change,))


async def _company(session: WriteSession, owner: Any, company: Any, contact: Any, deal: Any) -> None:  # noqa: ANN401 - ids
    is_own = owner == ANNA
    first, last, email, phone, note = ["Own", "Person", "own@own.example", "+4940", "Own note"] if is_own else PERSONAL
    company_values = (
        {"name": "Own Works", "country": "DE"} if is_own else {"name": "Hidden Works", "country": "Atlantis"}
    )
    await put(session, "company", versioned_row(id=company, owner_id=owner, **company_values))
    person = {"first_name": first, "last_name": last, "email": email, "phone": phone, "email_kind": "BUSINESS"}
    other = {
        "job_title": "Clerk" if is_own else "Spymaster",
        "country": "DE" if is_own else "Atlantis",
        "lead_score": 5,
    }
    row = versioned_row(id=contact, company_id=company, owner_id=owner, **person, **other)
    await put(session, "contact", row)
    for day in (1, 2, 3):
        moment = CREATED + timedelta(days=day)
        touch = {"id": uid(company.int * 10 + day), "contact_id": contact, "occurred_at": moment, "recorded_at": moment}
        told = {"kind": "FORM", "channel": "EMAIL", "direction": "INBOUND", "campaign_id": CAMPAIGN}
        await put(session, "touchpoint", touch | told)
    decided = CREATED + timedelta(days=9)
    decision = {"status": "REJECTED", "reject_reason": "NO_FIT" if is_own else "SECRET_CODE", "decided_at": decided}
    handoff = {"contact_id": contact, "id": uid(company.int * 10 + 9), "handed_at": CREATED + timedelta(days=8)}
    await put(session, "handoff", handoff | decision | {"note": note, "assigned_to_id": owner})
    money = {"amount": 100, "currency": "EUR" if is_own else "SEK", "opened_at": CREATED}
    won = {"outcome": "WON", "closed_at": CREATED + timedelta(days=30)}
    name = "Own deal" if is_own else "Hidden deal"
    await put(session, "deal", versioned_row(id=deal, name=name, company_id=company, owner_id=owner, **money, **won))
    await put(session, "deal_contact", {"contact_id": contact, "deal_id": deal, "role": "decides", "is_primary": True})


async def run(database: Database, way: str, principal: Principal) -> Outcome:
    return await executed(database, f"{{ {WAYS[way]} }}", principal)


def seen(outcome: Outcome, values: list[str]) -> list[str]:
    """Return which of the values are in a response or in the messages of its errors."""
    text = json.dumps(outcome.data, default=str) + " ".join(error.message for error in outcome.errors or ())
    return [value for value in values if value in text]


async def test_personal_data_is_null_or_refused_on_every_way(world: Database) -> None:
    for way in READS:
        whole = await run(world, way, OPERATOR)
        assert whole.errors is None, (way, whole.errors)
        assert seen(whole, PERSONAL), f"{way} does not lead to the person"
        assert whole.redacted == [], way
        found = await run(world, way, ANALYST)
        assert found.errors is None, (way, found.errors)
        assert seen(found, PERSONAL) == [], way
        assert {*found.redacted} & {"Contact.email", "Handoff.note"}, way
    for way in DECIDES:
        assert (await run(world, way, OPERATOR)).errors is None, way
        found = await run(world, way, ANALYST)
        assert found.errors, way
        for error in found.errors:
            assert isinstance(error.original_error, AccordError), way
            assert error.original_error.code is ErrorCode.NOT_ALLOWED, way
    for way in COUNTS:
        assert seen(await run(world, way, ANALYST), PERSONAL) == [], way


async def test_what_is_out_of_reach_is_as_if_it_did_not_exist(world: Database) -> None:
    """Non-interference: every response of a restricted principal is the same after the rows out of reach are gone."""
    principals = (ANNA_ONLY, ANNAS_TEAM, Principal(Reach.OWN, ANNA))
    before: dict[tuple[str, Principal], tuple[object, list[str]]] = {}
    for way in WAYS:
        whole = await run(world, way, OPERATOR)
        for principal in principals:
            found = await run(world, way, principal)
            # The document itself names the person's id and texts, and an error may repeat them: responses do not.
            assert seen(Outcome(found.data, None), HIDDEN) == [], (way, principal)
            before[way, principal] = observed(found)
        if way in READS:
            assert seen(whole, HIDDEN), way
    async with world.write() as session:
        await delete_hidden(session)
    for (way, principal), expected in before.items():
        assert observed(await run(world, way, principal)) == expected, (way, principal)


async def delete_hidden(session: WriteSession) -> None:
    """Delete every row about the person out of reach, as if it had never been there."""
    await session.script("set local session_replication_role = replica")
    for table in ("touchpoint", "handoff", "stage_entry", "deal_contact", "reported_stage"):
        await session.script(f"delete from {table} where contact_id in ('{HIDDEN_CONTACT}', '{MERGED_CONTACT}')")
    for table in ("contact", "company", "deal"):
        await session.script(
            f"delete from {table}_version v using {table} r where r.id = v.{table}_id and r.owner_id = '{ZOE}'"
        )
        await session.script(f"delete from {table} where owner_id = '{ZOE}'")
    await session.run(Sql("delete from outbox_event where record_id = {}", HIDDEN_CONTACT))
    await session.script("update outbox_event set position = null; truncate outbox_state")


def observed(outcome: Outcome) -> tuple[object, list[str]]:
    """Return what a caller can observe."""
    # No two cursors of changes are alike, whatever happened: all that they show is their length.
    text = re.sub(r'"[\w-]{64}"', '"a cursor of 64 letters"', json.dumps(outcome.data, default=str))
    return json.loads(text), [f"{error.path} {error.message}" for error in outcome.errors or ()]


async def test_a_cursor_at_a_hidden_record_is_one_at_nothing(world: Database) -> None:
    page = """query ($after: String) { contacts(first: 9, after: $after, orderBy: [{createdAt: DESC}]) { totalCount
      edges { cursor } nodes { jobTitle } pageInfo { hasPreviousPage hasNextPage } } }"""
    cursors = [edge["cursor"] for edge in (await executed(world, page)).data["contacts"]["edges"]]
    before = [observed(await executed(world, page, ANNA_ONLY, after=cursor)) for cursor in cursors]
    assert len({str(found) for found in before}) > 1
    async with world.write() as session:
        await delete_hidden(session)
    assert [observed(await executed(world, page, ANNA_ONLY, after=cursor)) for cursor in cursors] == before


async def test_a_payload_is_read_within_the_rights(world: Database) -> None:
    hidden = f'contact(id: "contact_{HIDDEN_CONTACT}")'

    async def changed(title: str, principal: Principal, arguments: str = "") -> Outcome:
        version = (await executed(world, f"{{ {hidden} {{ rowVersion }} }}")).data["contact"]["rowVersion"]
        given = f'id: "contact_{HIDDEN_CONTACT}", expectedVersion: {version}, jobTitle: "{title}"'
        company = f"company {{ contacts{arguments} {{ nodes {{ firstName }} }} }}"
        selected = f"status contact {{ jobTitle {P} {company} }} userErrors {{ path code message }}"
        return await executed(world, f"mutation {{ updateContact(input: {{{given}}}) {{ {selected} }} }}", principal)

    whole = await changed("Chief", OPERATOR)
    assert whole.errors is None
    assert seen(whole, PERSONAL)
    found = await changed("Clerk", ANALYST)
    assert found.errors is None
    assert found.data["updateContact"]["status"] == "CHANGED"
    assert found.data["updateContact"]["contact"]["jobTitle"] == "Clerk"
    assert seen(found, PERSONAL) == []
    assert list(found.redacted) == ["Contact.email", "Contact.firstName", "Contact.lastName", "Contact.phone"]
    # What the payload may not be read by is refused before anything is written.
    refused = await changed("Nobody", ANALYST, "(where: {email: {isNull: false}})")
    assert [getattr(error.original_error, "code", None) for error in refused.errors or ()] == [ErrorCode.NOT_ALLOWED]
    assert "Nobody" not in str(
        (await executed(world, f'{{ contact(id: "contact_{HIDDEN_CONTACT}") {{ jobTitle }} }}')).data
    )


async def test_whether_a_value_is_changed_tells_nobody_what_it_was(world: Database) -> None:
    async def update(principal: Principal, email: str) -> Outcome:
        row = (await executed(world, f'{{ contact(id: "contact_{HIDDEN_CONTACT}") {{ rowVersion }} }}')).data["contact"]
        given = f'id: "contact_{HIDDEN_CONTACT}", expectedVersion: {row["rowVersion"]}, email: "{email}"'
        return await executed(world, f"mutation {{ updateContact(input: {{{given}}}) {{ status }} }}", principal)

    assert (await update(OPERATOR, PERSONAL[2])).data == {"updateContact": {"status": "UNCHANGED"}}
    guesses = [observed(await update(ANALYST, email)) for email in (PERSONAL[2], "someone@else.example")]
    assert guesses[0] == guesses[1]
    assert "The request changes `Contact.email`" in str(guesses[0])
    # A new record has no value that could be told.
    selected = "contact { email } userErrors { code }"
    made = await executed(
        world, f'mutation {{ createContact(input: {{email: "{PERSONAL[2]}"}}) {{ {selected} }} }}', ANALYST
    )
    assert made.data == {"createContact": {"contact": {"email": None}, "userErrors": []}}


async def test_a_plan_is_explained_only_to_who_reaches_every_row(world: Database) -> None:
    request = GraphQLRequest("{ contacts { totalCount } }", {})
    for principal in (ANNA_ONLY, ANNAS_TEAM):
        with pytest.raises(AccordError) as refused:
            gateway().explain(await planned(world, request, principal))
        assert refused.value.code is ErrorCode.NOT_ALLOWED
    explained = gateway().explain(await planned(world, request, ANALYST))
    assert explained.ready is not None


# --------------------------------------------------------------------------------------------- that no way is missing

# What the contract has, and a way that goes through it. Something new needs a way first.
ROOTS = {
    "node": "root: node",
    "nodes": "root: nodes",
    "search": "root: search",
    "likelyDuplicates": "root: likelyDuplicates",
    "likelyDuplicateCompanies": "root: likelyDuplicateCompanies",
    "kpi": "kpi: nodes",
    "kpis": "root: kpis",
    "funnel": "root: funnel",
    "revenuePlan": "root: revenuePlan",
    "revenueVariance": "root: revenueVariance",
    "kpiCatalogue": None,  # declarations, no records
    "accord": None,
    "accordVersions": None,  # documents, and the names of members; no records
    "accordDiff": None,
    "accordPreview": None,  # tests/graph/test_accord_preview.py: its lists of people are redacted like others
    "stages": None,
    "viewer": "root: viewer",
    "changes": "root: changes",
    "personReport": None,  # test_a_report_needs_the_access_level_the_right_and_the_reach
}
ARGUMENTS = {
    "first": "pageInfo",
    "last": "list: last",
    "after": None,  # test_a_cursor_at_a_hidden_record_is_one_at_nothing
    "before": None,
    "where": "where",
    "orderBy": "orderBy",
    "search": "list: search",
    "includeMerged": "list includeMerged",
    "asOf": "list asOf",
}
LIST_PARTS = {
    "nodes": "root: list",
    "edges": "list: edges",
    "pageInfo": "pageInfo",
    "totalCount": "totalCount",
    "assumedCount": "assumedCount",
    "aggregate": "aggregate",
    "groupBy": "groupBy",
    "groupCount": "groupCount",
}
GROUP_ARGUMENTS = {"keys": "groupBy", "having": "groupBy: having", "orderBy": "groupBy", "first": None}
LIST_FILTERS = {
    "some": "where: some",
    "none": "where: none",
    "every": "where: every",
    "where": "where: count",
    "count": "where: count",
    **dict.fromkeys(("sum", "avg", "min", "max"), "where: sum"),
}
RECORDS_PARTS = {"nodes": "kpi: nodes", "edges": "kpi: edges", "pageInfo": "kpi: edges", "totalCount": "kpi: nodes"}
SOURCES = {
    "FromColumn": "root: record",
    "FromRecordId": "root: record",
    "FromMoney": "money",
    "FromConverted": "money",
    "FromLink": "to one",
    "FromBack": "to many",
    "FromStage": "present stage",
    "FromVersionNumber": "version number",
    "FromIsCounted": "present stage",
    "FromNotCountedBecause": "reasons",
    "FromTable": "root: list",
    "FromId": "root: record",
    "FromIds": "root: nodes",
    "FromSearch": "root: search",
    "FromDuplicates": "root: likelyDuplicates",
    "FromAttribute": "kpi",
    "FromDrillDown": "kpi: nodes",
    "FromAudited": "audit",
    "FromAuditedRecord": "audited record",
}


def fields(type_name: str) -> set[str]:
    """Return the names of the fields of a type, without those that are another's nearest number."""
    declared = declared_types()[type_name]
    assert isinstance(declared, ObjectType | InputType)
    return {field.name for field in declared.fields}


def arguments(type_name: str, *names: str) -> set[str]:
    declared = declared_types()[type_name]
    assert isinstance(declared, ObjectType)
    return {argument.name for name in names for argument in declared.field(name).arguments}


def test_no_root_field_and_no_operation_is_without_a_way() -> None:
    query = declared_types()["Query"]
    assert isinstance(query, ObjectType)
    of_tables = {field.name for field in query.fields if isinstance(field.source, FromTable)}
    of_tables |= {field.name for field in query.fields if isinstance(field.source, FromId) and field.source.table}
    assert {field.name for field in query.fields} - of_tables == ROOTS.keys()
    schema = build_schema()._schema
    # The payloads of all mutations are read in one way: test_a_payload_is_read_within_the_rights.
    assert {kind for kind in OperationType if schema.get_root_type(kind)} == {
        OperationType.QUERY,
        OperationType.MUTATION,
    }


def test_no_argument_or_part_of_a_list_is_without_a_way() -> None:
    assert arguments("Query", "contacts", "companies", "deals", "touchpoints") == ARGUMENTS.keys()
    for shape in SHAPES.values():
        if not shape.is_hidden:
            assert fields(f"{shape.type_name}Connection") <= LIST_PARTS.keys()
            assert fields(list_filter_type(shape).name) <= LIST_FILTERS.keys()
            assert arguments(f"{shape.type_name}Connection", "groupBy", "groupCount") <= GROUP_ARGUMENTS.keys()
    assert fields(CONNECTION) == RECORDS_PARTS.keys()
    assert fields(EDGE) - {"valueFloat"} == {"cursor", "at", "value", "contactPressure", "node"}


def test_no_source_of_fields_is_without_a_way() -> None:
    assert {source.__name__ for source in get_args(FieldSource)} == SOURCES.keys()
    listed: tuple[Mapping[str, str | None], ...] = (ROOTS, ARGUMENTS, LIST_PARTS, GROUP_ARGUMENTS, LIST_FILTERS)
    for ways in (*listed, RECORDS_PARTS, SOURCES):
        assert {way for way in ways.values() if way is not None} <= WAYS.keys()
