"""Reads as of an earlier instant: facts that had begun, without later decisions; and access to the past."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from schema.access.rights import Reach
from tests.support.accords import accord_row
from tests.support.graphql import answered, put, uid, with_personal_data
from tests.support.statement_log import LoggingDatabase

DAYS = [datetime(2026, 3, 28, tzinfo=UTC) + timedelta(days=day) for day in range(8)]
ANNA, ZOE, ADA, DEAL, VERSION, RUN, GONE, DOUBLE = (uid(number) for number in range(201, 209))


@pytest.fixture(scope="module")
async def database(module_database: Database) -> Database:
    """Insert a contact that Anna owns until day 4 and Zoe from then on, with one fact or decision a day.

    Beside it a contact that is deleted on day 6, and one that is merged into the first.
    """
    async with module_database.write() as session:
        await put(session, "member", {"id": ANNA, "name": "Anna A"}, {"id": ZOE, "name": "Zoe"})
        ada = {"id": ADA, "first_name": "Ada", "last_name": "Stern", "owner_id": ANNA, "effective_at": DAYS[1]}
        await put(session, "contact", ada)
        await put(session, "deal", {"id": DEAL, "name": "Late", "owner_id": ANNA, "effective_at": DAYS[3]})
        change = f"owner_id = '{ZOE}', last_name = 'Berg', effective_at = '{DAYS[4]}'"
        await session.script(f"update contact set {change} where id = '{ADA}'")
        old = {"last_name": "Sterner", "owner_id": ZOE, "effective_at": DAYS[1]}
        gone = {"id": GONE, "first_name": "Gone", "deleted_at": DAYS[6]}
        await put(session, "contact", old | gone, old | {"id": DOUBLE, "first_name": "Adda", "merged_into_id": ADA})
        await put(session, "deal_contact", {"contact_id": ADA, "deal_id": DEAL})
        touch = {"contact_id": ADA, "kind": "FORM", "direction": "INBOUND"}
        for day in (2, 3, 5):
            await put(session, "touchpoint", touch | {"id": uid(210 + day), "occurred_at": DAYS[day]})
        report = {"contact_id": ADA, "source": "crm", "recorded_at": DAYS[5]}
        await put(session, "reported_stage", report | {"id": uid(221), "source_stage": "dated", "entered_at": DAYS[2]})
        await put(session, "reported_stage", report | {"id": uid(222), "source_stage": "undated"})
        run = {"id": RUN, "reading": "IN_FORCE", "accord_version_id": VERSION, "is_current": True}
        agreed = {"stages": [{"key": "lead", "title": "Lead"}, {"key": "mql", "title": "MQL"}]}
        await put(
            session,
            "accord_version",
            accord_row(agreed, id=VERSION),
        )
        handoff = {"id": uid(220), "contact_id": ADA, "handed_at": DAYS[2], "decided_at": DAYS[5], "note": "no budget"}
        await put(
            session, "handoff", handoff | {"status": "REJECTED", "reject_reason": "other", "accord_version_id": VERSION}
        )
        await put(session, "evaluation", run | {"started_at": DAYS[0], "finished_at": DAYS[0]})
        entry = {"contact_id": ADA, "evaluation_id": RUN, "accord_version_id": VERSION, "occurrence": 1}
        lead = {"stage": "lead", "rank": 1, "is_implied": False, "entered_at": DAYS[2], "own_at": DAYS[2]} | {
            "present_at": DAYS[2]
        }
        mql = {"stage": "mql", "rank": 2, "is_implied": True, "entered_at": DAYS[4], "own_at": DAYS[5]} | {
            "present_at": DAYS[4]
        }
        await put(session, "stage_entry", entry | lead | {"exited_at": DAYS[4], "exit_kind": "ADVANCED"}, entry | mql)
    return module_database


CONTACT = """query ($id: ID!, $at: DateTime) { contact(id: $id, asOf: $at) {
  lastName owner { name } stage { key since }
  touchpoints { totalCount } reportedStages { nodes { sourceStage } } dealRoles { nodes { deal { name } } }
  handoffs { nodes { status decidedAt rejectReason note accordVersion } }
  stageEntries(orderBy: [{ rank: ASC }]) { nodes { stage ownAt exitedAt exitKind } } } }"""
PROPOSED = {"status": "PROPOSED", "decidedAt": None, "rejectReason": None, "note": None, "accordVersion": 1}
REJECTED = PROPOSED | {
    "status": "REJECTED",
    "decidedAt": "2026-04-02T00:00:00Z",
    "rejectReason": "other",
    "note": "no budget",
}


async def contact_as_of(
    database: Database, day: int, principal: Principal = LOCAL_OPERATOR, *, after: timedelta = timedelta(0)
) -> Any:  # noqa: ANN401 - JSON
    at = (DAYS[day] + after).isoformat()
    return (await answered(database, CONTACT, principal, id=f"contact_{ADA}", at=at))["contact"]


async def test_a_record_exists_from_its_start_with_the_values_of_each_instant(database: Database) -> None:
    just_before = timedelta(microseconds=-1)
    assert await contact_as_of(database, 1, after=just_before) is None
    assert (await contact_as_of(database, 1))["lastName"] == "Stern"
    assert (await contact_as_of(database, 4, after=just_before))["lastName"] == "Stern"
    assert (await contact_as_of(database, 4))["lastName"] == "Berg"
    assert (await contact_as_of(database, 6))["owner"] == {"name": "Zoe"}


PAST = """query ($at: DateTime, $gone: ID!, $double: ID!) {
  contacts(asOf: $at) { totalCount nodes { recordId } groupBy(keys: [{lastName: EACH}]) { count } }
  searched: contacts(asOf: $at, search: "stern") { nodes { recordId } }
  merged: contacts(asOf: $at, includeMerged: true) { nodes { recordId } }
  gone: contact(id: $gone, asOf: $at) { recordId }
  double: contact(id: $double, asOf: $at) { mergedInto { lastName } } }"""


@pytest.mark.parametrize("day", [1, 5, 6, 7])
async def test_who_is_deleted_or_merged_today_is_in_no_list_of_the_past(database: Database, day: int) -> None:
    keys = {"gone": f"contact_{GONE}", "double": f"contact_{DOUBLE}"}
    found = await answered(database, PAST, at=DAYS[day].isoformat(), **keys)
    ada = {"recordId": f"contact_{ADA}"}
    assert found["contacts"] == {"totalCount": 1, "nodes": [ada], "groupBy": [{"count": 1}]}
    assert found["searched"]["nodes"] == ([ada] if day < 4 else [])
    assert found["merged"]["nodes"] == [ada, {"recordId": keys["double"]}]
    assert found["gone"] is None
    assert found["double"] == {"mergedInto": {"lastName": "Stern" if day < 4 else "Berg"}}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (1, (0, None, [], [], [])),
        (2, (1, "lead", [PROPOSED], ["dated"], [])),
        (3, (2, "lead", [PROPOSED], ["dated"], ["Late"])),
        (4, (2, "mql", [PROPOSED], ["dated"], ["Late"])),
        (5, (3, "mql", [REJECTED], ["dated", "undated"], ["Late"])),
    ],
)
async def test_facts_are_those_that_had_begun_without_later_decisions(
    day: int, expected: tuple[object, ...], database: Database
) -> None:
    found = await contact_as_of(database, day)
    assert (
        found["touchpoints"]["totalCount"],
        (found["stage"] or {}).get("key"),
        found["handoffs"]["nodes"],
        [stage["sourceStage"] for stage in found["reportedStages"]["nodes"]],
        [role["deal"]["name"] for role in found["dealRoles"]["nodes"]],
    ) == expected
    assert (await contact_as_of(database, day, after=timedelta(hours=1))) == found


IN_STAGE = """query ($at: DateTime, $stage: String) { contacts(asOf: $at, where: {stage: {key: {eq: $stage}}},
  orderBy: [{stage: {rank: DESC}}]) {
  totalCount groupBy(keys: [{stage: EACH}]) { key { stage { key rank } } count } } }"""
OUTSIDE = "query ($at: DateTime) { contacts(asOf: $at, where: {stage: {isNull: true}}) { totalCount } }"


async def test_people_are_in_the_stage_that_was_open_then(database: Database) -> None:
    async def people(day: int, stage: str) -> Any:  # noqa: ANN401 - JSON
        return (await answered(database, IN_STAGE, at=DAYS[day].isoformat(), stage=stage))["contacts"]

    nobody = {"totalCount": 0, "groupBy": []}
    lead = {"totalCount": 1, "groupBy": [{"key": {"stage": {"key": "lead", "rank": 1}}, "count": 1}]}
    mql = {"totalCount": 1, "groupBy": [{"key": {"stage": {"key": "mql", "rank": 2}}, "count": 1}]}
    assert await people(1, "lead") == nobody
    assert await people(2, "lead") == await people(3, "lead") == lead  # Ada left it later
    assert await people(4, "lead") == nobody
    assert await people(3, "mql") == nobody
    assert await people(4, "mql") == mql
    assert await answered(database, OUTSIDE, at=DAYS[1].isoformat()) == {"contacts": {"totalCount": 1}}


async def test_a_stage_entry_is_open_until_its_exit(database: Database) -> None:
    lead = {"stage": "lead", "ownAt": "2026-03-30T00:00:00Z", "exitedAt": None, "exitKind": None}
    assert (await contact_as_of(database, 3))["stageEntries"]["nodes"] == [lead]
    left, mql = (await contact_as_of(database, 4))["stageEntries"]["nodes"]
    assert left == lead | {"exitedAt": "2026-04-01T00:00:00Z", "exitKind": "ADVANCED"}
    assert mql == {"stage": "mql", "ownAt": None, "exitedAt": None, "exitKind": None}


async def test_filters_and_searches_use_the_facts_as_of_the_instant(database: Database) -> None:
    document = """query ($at: DateTime) {
      filtered: contacts(asOf: $at, where: { handoffs: { some: { status: { eq: REJECTED } } } }) { totalCount }
      searched: contacts(asOf: $at, search: "ster") { totalCount }
      members { totalCount } }"""
    for day, filtered, searched in ((3, 0, 1), (5, 1, 0)):
        found = await answered(database, document, at=DAYS[day].isoformat())
        assert (found["filtered"]["totalCount"], found["searched"]["totalCount"]) == (filtered, searched)


async def test_access_follows_the_current_owner_also_for_past_instants(database: Database) -> None:
    anna, zoe = with_personal_data(Reach.OWN, ANNA), with_personal_data(Reach.OWN, ZOE)
    assert await contact_as_of(database, 2, anna) is None  # she owned it then
    found = await contact_as_of(database, 2, zoe)
    assert (found["lastName"], found["owner"]) == ("Stern", {"name": "Anna A"})
    assert (found["touchpoints"]["totalCount"], found["stage"]["key"], len(found["handoffs"]["nodes"])) == (
        1,
        "lead",
        1,
    )
    document = """query ($at: DateTime) {
      contacts(asOf: $at) { totalCount nodes { owner { ownedContacts { totalCount } } } }
      deals(asOf: $at) { totalCount nodes { name contactRoles { totalCount nodes { contact { lastName } } } } } }"""
    found_by = {
        principal: await answered(database, document, principal, at=DAYS[5].isoformat()) for principal in (anna, zoe)
    }
    assert found_by[anna]["contacts"]["totalCount"] == 0
    # She owns the deal. The role in it is also about the contact, which Zoe owns today.
    assert found_by[anna]["deals"] == {
        "totalCount": 1,
        "nodes": [{"name": "Late", "contactRoles": {"totalCount": 0, "nodes": []}}],
    }
    assert found_by[zoe]["contacts"] == {"totalCount": 1, "nodes": [{"owner": {"ownedContacts": {"totalCount": 1}}}]}
    assert found_by[zoe]["deals"]["totalCount"] == 0


# --------------------------------------------------------------------------------------------------------------- plans


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_read_as_of_an_instant_uses_indexes(database: Database, mode: str) -> None:
    log = LoggingDatabase(database)
    document = """query ($id: ID!, $at: DateTime) {
      contact(id: $id, asOf: $at) { owner { ownedContacts(first: 5) { nodes { lastName company { name } } } } }
      contacts(first: 5, asOf: $at) { nodes { lastName } }
      found: contacts(first: 5, asOf: $at, search: "stern ada") { nodes { lastName } } }"""
    await answered(log, document, id=f"contact_{ADA}", at=DAYS[2].isoformat())
    ((statement, values),) = log.texts
    async with database.write() as session:
        await session.script(
            "insert into contact (id, last_name, owner_id, effective_at) select gen_random_uuid(), 'many' || n,"
            f" (array['{ANNA}', '{ZOE}']::uuid[])[n], '{DAYS[0]}' from generate_series(1, 20000) n;"
            "analyze contact, contact_version;"  # otherwise the trigger keeps the plan for two contacts
            f"update contact set last_name = 'more' || last_name, effective_at = '{DAYS[5]}'"
            " where last_name like 'many%';"
            f"analyze contact, contact_version, member; set local plan_cache_mode = {mode}"
        )
        plan = "\n".join(row[0] for row in await session.connection.fetch(f"explain (analyze) {statement}", *values))
        await session.script(
            "delete from contact_version where last_name like '%many%';"
            "delete from contact where last_name like '%many%'"
        )
    assert "Seq Scan on contact" not in plan, plan
    assert "ix_contact_version_owner_id" in plan, plan
    assert "ix_contact_version_search" in plan, plan
