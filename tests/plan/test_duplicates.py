"""Likely duplicates: which pairs are found, why, for whom, in which order, and what is refused."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from schema.access.rights import Reach
from schema.duplicates.reasons import MOST_SHARING, DuplicateReason
from schema.mail_address import email_kind
from tests.plan.oracle.duplicates import REASONS, likely_duplicates
from tests.support.graphql import answered, executed, put, refused, uid, with_personal_data
from tests.support.mutations import run
from tests.support.statement_log import LoggingDatabase

ANNA, BEN, CARA, TEAM = uid(1), uid(2), uid(3), uid(9)
ACME, BETA, HIDDEN = uid(101), uid(102), uid(103)
DOMAINS = {ACME: "acme.example", BETA: "beta.example", HIDDEN: "acme.example"}
NAMES = [
    ("Ada", "Byron"),
    ("ADA ", "Byrón"),
    (None, "ada byron"),
    ("Jürgen", "Strauß"),
    ("Juergen", "Strauss"),
    ("Anne-Marie", "O'Neill"),
    ("Anne Marie", "Oneill"),
    ("Søren", "Łuk"),
    ("Soren", "luk"),
    ("Ada", None),
    (None, None),
    ("Ольга", "Ким"),
    ("ольга", "КИМ"),
]
MAILS = [
    None,
    "ada@acme.example",
    " Ada@ACME.example",
    "ada+news@acme.example",
    "a.da@acme.example",
    "ad.a@gmail.com",
    "ada@googlemail.com",
    "ada+x@gmail.com",
    "info@acme.example",
    "ada@beta.example",
    "a-d-a@proton.me",
    "ada@pm.me",
    "no address",
]
PHONES = [
    None,
    "+49301234567",
    "+49 30 1234567",
    "0301234567",
    "(030) 123 45 67",
    "1234567",
    "30 1234567",
    "+4930 1234567x12",
    "0301234567x12",
    "+41301234567",
    "+12125550100",
    "2125550100",
]
PRINCIPALS = [LOCAL_OPERATOR, with_personal_data(Reach.OWN, ANNA), with_personal_data(Reach.TEAM, ANNA)]
REACHED = {Reach.ALL: (None, ANNA, BEN, CARA), Reach.OWN: (ANNA,), Reach.TEAM: (None, ANNA, BEN)}
PAGE = """query ($contact: ID, $reasons: [DuplicateReason!], $first: Int, $after: String) {
  likelyDuplicates(contact: $contact, reasons: $reasons, first: $first, after: $after) {
    totalCount nodes { contact { id } duplicate { id } reasons } edges { cursor node { contact { id } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
PAIRS = "{ likelyDuplicates { nodes { contact { firstName } duplicate { firstName } reasons } } }"

PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "email": st.sampled_from(MAILS),
            "phone": st.sampled_from(PHONES),
            "company_id": st.sampled_from([None, ACME, BETA, HIDDEN]),
            "owner_id": st.sampled_from([None, ANNA, ANNA, BEN, CARA]),
            "is_left": st.sampled_from([False] * 8 + [True]),
        }
    ),
    min_size=2,
    max_size=24,
)


@pytest.fixture(scope="module")
async def setting(module_database: Database) -> Database:
    async with module_database.write() as session:
        await put(session, "team", {"id": TEAM, "name": "Inbound", "kind": "SALES"})
        for member, team in ((ANNA, TEAM), (BEN, TEAM), (CARA, None)):
            await put(session, "member", {"id": member, "name": "A member", "team_id": team})
        for company, domain in DOMAINS.items():
            owner = CARA if company == HIDDEN else ANNA
            await put(session, "company", {"id": company, "name": str(company), "domain": domain, "owner_id": owner})
    return module_database


def rows_of(drawn: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of generated people."""
    for place, person in enumerate(drawn):
        first_name, last_name = person["name"]
        kind = email_kind(person["email"])
        yield {
            "id": uid(1000 + place),
            "first_name": first_name,
            "last_name": last_name,
            "email_kind": None if kind is None else kind.value,
            **{column: person[column] for column in ("email", "phone", "company_id", "owner_id")},
        }


async def write_people(database: Database, drawn: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Replace all contacts; return those that are neither deleted nor merged."""
    rows = list(rows_of(drawn))
    async with database.write() as session:
        await session.script("truncate contact, contact_version cascade")
        await put(session, "contact", *rows)
        left = [row["id"] for row, person in zip(rows, drawn, strict=True) if person["is_left"]]
        for place, id_ in enumerate(left):
            change = "deleted_at = now()" if place % 2 else f"merged_into_id = '{rows[0]['id']}'"
            await session.script(f"update contact set {change} where id = '{id_}'")
    return [row for row in rows if row["id"] not in left]


def reached(rows: Sequence[dict[str, Any]], principal: Principal) -> list[dict[str, Any]]:
    """Return the people that a principal reaches, with the domain of the company; both null for one out of reach."""
    owners = {company: CARA if company == HIDDEN else ANNA for company in DOMAINS}
    found = []
    for row in rows:
        if row["owner_id"] in REACHED[principal.reach]:
            company = row["company_id"] if owners.get(row["company_id"]) in REACHED[principal.reach] else None
            found.append(row | {"company_id": company, "domain": DOMAINS.get(company) if company else None})
    return found


def id_of(node: Mapping[str, Any]) -> UUID:
    return UUID(node["id"].removeprefix("contact_"))


async def walk(database: Database, principal: Principal, size: int, **variables: object) -> list[Any]:
    """Return the pairs of all pages, each with its reasons."""
    walked: list[Any] = []
    after = None
    total = None
    while True:
        page = (await answered(database, PAGE, principal, first=size, after=after, **variables))["likelyDuplicates"]
        assert page["pageInfo"]["hasPreviousPage"] == bool(walked)
        assert [edge["node"]["contact"] for edge in page["edges"]] == [node["contact"] for node in page["nodes"]]
        walked += [(id_of(node["contact"]), id_of(node["duplicate"]), node["reasons"]) for node in page["nodes"]]
        assert total in (None, page["totalCount"])
        total = page["totalCount"]
        if not page["pageInfo"]["hasNextPage"]:
            assert len(walked) == total
            return walked
        assert len(page["nodes"]) == size
        after = page["pageInfo"]["endCursor"]


async def test_two_people_who_share_two_domains_are_one_pair(setting: Database) -> None:
    one = {"name": ("Ada", "Byron"), "email": f"ada@{DOMAINS[ACME]}", "phone": None, "company_id": BETA}
    other = one | {"email": f"ada@{DOMAINS[BETA]}", "company_id": ACME}
    rows = await write_people(setting, [person | {"owner_id": None, "is_left": False} for person in (one, other)])
    expected = likely_duplicates(reached(rows, LOCAL_OPERATOR))
    assert len(expected) == 1
    for size in (1, 5):
        assert await walk(setting, LOCAL_OPERATOR, size) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=PEOPLE, size=st.integers(1, 40), principal=st.sampled_from(PRINCIPALS), data=st.data())
async def test_all_pages_together_are_the_pairs_of_a_comparison_of_everybody_with_everybody(
    setting: Database, drawn: list[dict[str, Any]], size: int, principal: Principal, data: st.DataObject
) -> None:
    rows = await write_people(setting, drawn)
    expected = likely_duplicates(reached(rows, principal))
    assert await walk(setting, principal, size) == expected

    person = data.draw(st.sampled_from([uid(1000 + place) for place in range(len(drawn))]))
    own = [pair for pair in expected if person in pair[:2]]
    found = await walk(setting, principal, size, contact=f"contact_{person}")
    assert all(one == person for one, _, _ in found)
    assert [(*sorted(pair[:2]), pair[2]) for pair in found] == own

    chosen = data.draw(st.sets(st.sampled_from(REASONS), min_size=1))
    found = await walk(setting, principal, size, reasons=sorted(chosen))
    assert sorted(found) == sorted(pair for pair in expected if chosen & set(pair[2]))
    ranks = [min(REASONS.index(reason) for reason in chosen & set(pair[2])) for pair in found]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("SAME_EMAIL", {"email": "ada@acme.example"}),
        ("SAME_NAME_AND_COMPANY", {"first_name": "Ada", "last_name": "Byron", "company_id": BETA}),
        ("SAME_NAME_AND_DOMAIN", {"first_name": "Ada", "last_name": "Byron", "company_id": BETA}),
        ("SAME_PHONE", {"phone": "+49301234567"}),
    ],
)
async def test_what_too_many_people_share_is_no_reason(
    setting: Database, reason: str, given: dict[str, object]
) -> None:
    most = MOST_SHARING[reason]
    kind = {"email_kind": "BUSINESS"} if "email" in given else {}
    document = f"{{ likelyDuplicates(reasons: [{reason}], first: 500) {{ totalCount nodes {{ reasons }} }} }}"
    for number, expected in ((most, most * (most - 1) // 2), (most + 1, 0)):
        async with setting.write() as session:
            await session.script("truncate contact, contact_version cascade")
            await put(session, "contact", *({"id": uid(1000 + place), **given, **kind} for place in range(number)))
        found = (await answered(setting, document))["likelyDuplicates"]
        assert found["totalCount"] == len(found["nodes"]) == expected
        assert all(reason in node["reasons"] for node in found["nodes"])


async def test_who_is_hidden_does_not_count_among_those_who_share(setting: Database) -> None:
    async with setting.write() as session:
        await session.script("truncate contact, contact_version cascade")
        for place in range(MOST_SHARING["SAME_PHONE"] + 1):
            owner = ANNA if place < 2 else CARA
            await put(session, "contact", {"id": uid(1000 + place), "phone": "+49301234567", "owner_id": owner})
    for principal, expected in zip(PRINCIPALS, (0, 1, 1), strict=True):
        found = (await answered(setting, "{ likelyDuplicates { totalCount } }", principal))["likelyDuplicates"]
        assert found == {"totalCount": expected}, principal


async def two_spellings(database: Database) -> None:
    async with database.write() as session:
        await session.script("truncate contact, contact_version, record_merge cascade")
        for place, email in enumerate(("a.da@gmail.com", "ada+x@gmail.com")):
            person = {"first_name": f"Ada {place}", "email": email, "email_kind": "FREE", "effective_at": None}
            await put(session, "contact", {"id": uid(1000 + place), **person})


async def test_a_merged_pair_leaves_the_list_and_one_that_was_unmerged_stays_away(setting: Database) -> None:
    await two_spellings(setting)
    pair = {"contact": {"firstName": "Ada 0"}, "duplicate": {"firstName": "Ada 1"}, "reasons": ["SAME_EMAIL"]}
    assert await answered(setting, PAIRS) == {"likelyDuplicates": {"nodes": [pair]}}
    survivor, merged = ({"id": f"contact_{uid(1000 + place)}"} for place in (1, 0))
    await run(setting, "mergeContacts", "contact { id }", {"survivor": survivor, "merged": [merged]})
    assert await answered(setting, PAIRS) == {"likelyDuplicates": {"nodes": []}}
    await run(setting, "unmergeContacts", "contact { id }", {"contact": merged})
    assert await answered(setting, PAIRS) == {"likelyDuplicates": {"nodes": []}}
    assert (await answered(setting, "{ contacts { totalCount } }"))["contacts"]["totalCount"] == 2


async def test_people_who_were_erased_are_not_alike(setting: Database) -> None:
    async with setting.write() as session:
        await session.script("truncate contact, contact_version, record_merge cascade")
        for place in range(2):
            person = {"first_name": "Ada", "last_name": "Byron", "email": "ada@acme.example", "phone": "+49301234567"}
            kind = {"email_kind": "BUSINESS", "company_id": ACME}
            await put(session, "contact", {"id": uid(1000 + place), **person, **kind})
    [found] = (await answered(setting, PAIRS))["likelyDuplicates"]["nodes"]
    assert found["reasons"] == list(REASONS)
    for place in range(2):
        erased = {"contact": {"id": f"contact_{uid(1000 + place)}"}}
        payload = await run(setting, "erasePerson", "contact { firstName }", erased)
        assert payload["userErrors"] == []
    assert await answered(setting, PAIRS) == {"likelyDuplicates": {"nodes": []}}


async def test_the_requested_contact_is_never_the_duplicate(setting: Database) -> None:
    await two_spellings(setting)
    document = "query ($id: ID!) { likelyDuplicates(contact: $id) { nodes { contact { id } duplicate { id } } } }"
    for own, other in ((1000, 1001), (1001, 1000)):
        found = await answered(setting, document, LOCAL_OPERATOR, id=f"contact_{uid(own)}")
        expected = {"contact": {"id": f"contact_{uid(own)}"}, "duplicate": {"id": f"contact_{uid(other)}"}}
        assert found == {"likelyDuplicates": {"nodes": [expected]}}


async def test_one_statement_serves_every_contact_and_the_executor_returns_the_same(setting: Database) -> None:
    await two_spellings(setting)
    database = LoggingDatabase(setting)
    selected = """likelyDuplicates(contact: $id) { __typename nodes { __typename reasons why: reasons
      contact { email ownedBy: owner { name } } again: duplicate { email touchpoints { totalCount } } } }"""
    for place in (1000, 1001):
        id_ = f"contact_{uid(place)}"
        outcome = await executed(database, f"query ($id: ID!) {{ {selected} }}", LOCAL_OPERATOR, id=id_)
        assert outcome.is_json
        assert len(outcome.data["likelyDuplicates"]["nodes"]) == 1
        beside = await executed(setting, f"query ($id: ID!) {{ kpiCatalogue {{ key }} {selected} }}", id=id_)
        assert not beside.is_json
        assert beside.data["likelyDuplicates"] == outcome.data["likelyDuplicates"]
    assert len({text for text, _ in database.texts if "matched_email" in text}) == 1


async def test_who_may_not_read_personal_data_is_refused(setting: Database) -> None:
    await two_spellings(setting)
    for document in (PAIRS, "{ likelyDuplicates(reasons: [SAME_PHONE]) { totalCount } }"):
        found = await executed(setting, document, Principal(Reach.ALL, ANNA))
        assert found.errors is not None
        [error] = found.errors
        assert isinstance(error.original_error, AccordError)
        assert error.original_error.code is ErrorCode.NOT_ALLOWED
        assert "`Contact.email`" in error.message


def cursor_text(*parts: object) -> str:
    return base64.b64encode(orjson.dumps(parts)).decode()


FINGERPRINT = f"duplicates contact {' '.join(DuplicateReason)}"
IDS = str(uid(1000)), str(uid(1001))
FORGED = {
    "a reason that is not there": cursor_text(FINGERPRINT, 4, "a", "", *IDS),
    "a rank before the first": cursor_text(FINGERPRINT, -1, "a", "", *IDS),
    "no company": cursor_text(FINGERPRINT, 1, "a", "", *IDS),
    "no text": cursor_text(FINGERPRINT, 0, 7, "", *IDS),
    "a text that none is": cursor_text(FINGERPRINT, 0, "\0", "", *IDS),
    "an unpaired surrogate": base64.b64encode(
        f'["{FINGERPRINT}", 0, "\\ud800", "", "{IDS[0]}", "{IDS[1]}"]'.encode()
    ).decode(),
    "no id": cursor_text(FINGERPRINT, 0, "a", "", 7, 7),
    "another list": cursor_text("duplicates company SAME_NAME", 0, "a", "", *IDS),
    "no list": "bm90aGluZw==",
}


@pytest.mark.parametrize("kind", FORGED)
async def test_a_cursor_of_another_list_is_refused(setting: Database, kind: str) -> None:
    error = await refused(setting, PAGE, after=FORGED[kind])
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert "`after`" in error.message


BAD = {
    "no reasons": ("reasons: []", ErrorCode.BAD_INPUT),
    "no size": ("first: -1", ErrorCode.BAD_INPUT),
    "a page too large": ("first: 501", ErrorCode.TOO_LARGE),
    "too many records": (
        (
            "first: 500) { nodes { contact { touchpoints(first: 100) { nodes { id } } } } }"
            " other: likelyDuplicates(first: 1"
        ),
        ErrorCode.TOO_LARGE,
    ),
    "an id of another type": (f'contact: "company_{ACME}"', ErrorCode.BAD_INPUT),
    "an id as of an instant": (f'contact: "contact_{ACME}@20260101T000000Z"', ErrorCode.BAD_INPUT),
}


@pytest.mark.parametrize("kind", BAD)
async def test_bad_arguments_are_refused(setting: Database, kind: str) -> None:
    arguments, code = BAD[kind]
    error = await refused(setting, f"{{ likelyDuplicates({arguments}) {{ totalCount }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code


async def test_a_merged_hidden_or_unknown_contact_has_no_likely_duplicates(setting: Database) -> None:
    await two_spellings(setting)
    async with setting.write() as session:
        merged = {"email": "ada@gmail.com", "email_kind": "FREE", "merged_into_id": uid(1000)}
        await put(session, "contact", {"id": uid(1002), **merged})
        await session.script(f"update contact set owner_id = '{CARA}' where id = '{uid(1000)}'")
    document = "query ($id: ID) { likelyDuplicates(contact: $id) { totalCount } }"
    for place, principal, expected in (
        (1002, LOCAL_OPERATOR, 0),
        (1003, LOCAL_OPERATOR, 0),
        (1000, LOCAL_OPERATOR, 1),
        (1000, PRINCIPALS[2], 0),
        (1001, PRINCIPALS[2], 0),
    ):
        found = await answered(setting, document, principal, id=f"contact_{uid(place)}")
        assert found["likelyDuplicates"] == {"totalCount": expected}, place
