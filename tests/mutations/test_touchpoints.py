"""Logging and voiding touchpoints."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import ErrorCode
from api.sql import Sql
from api.workflows.records.record_input import ExternalKeyValue, RecordInput, Reference
from api.workflows.touchpoints.log_touchpoints import log_touchpoints
from api.workflows.unit_of_work import Call, UnitOfWork
from schema.access.rights import Reach
from schema.base import now
from schema.writes.write_status import WriteStatus
from tests.support.graphql import answered, executed, put, uid
from tests.support.mutations import codes, contributor, refusal, run
from tests.support.small_company import (
    ADA,
    ANNA,
    BEN,
    BOB,
    CARL,
    DEAL,
    GONE_CONTACT,
    GONE_DEAL,
    MERGED_CONTACT,
    SPRING,
    row_of,
)

CALL: dict[str, object] = {"contact": {"id": f"contact_{CARL}"}, "kind": "CALL", "direction": "OUTBOUND"}
SHOWN = (
    "status touchpoint { id occurredAt channel kind direction teamKind outcome durationSeconds isAutomated"
    " contact { firstName } member { name } campaign { name } deal { name } }"
)
ROWS = "results { status touchpoint { id kind } userErrors { path code } }"


async def log(database: Database, who: Principal = LOCAL_OPERATOR, /, **given: object) -> Any:  # noqa: ANN401
    return await run(database, "logTouchpoint", SHOWN, {**CALL, **given}, who)


async def log_many(database: Database, rows: list[Mapping[str, object]], mode: str = "ALL_OR_NOTHING") -> Any:  # noqa: ANN401
    payload = await run(database, "logTouchpoints", ROWS, {"rows": rows, "mode": mode})
    return payload["results"]


async def touches(database: Database) -> int:
    async with database.read() as session:
        return int(await session.value(Sql("select count(*) from touchpoint")))


def keyed(number: int, **given: object) -> dict[str, object]:
    return {**CALL, "externalKey": {"source": "dialer", "externalId": str(number)}, **given}


async def test_a_touchpoint_has_all_that_is_said_of_it(company: Database) -> None:
    given = {
        "occurredAt": "2026-02-03T10:00:00+01:00",
        "channel": "PHONE",
        "teamKind": "SALES",
        "campaign": {"id": f"campaign_{SPRING}"},
        "member": {"id": f"member_{ANNA}"},
        "deal": {"id": f"deal_{DEAL}"},
        "outcome": "QUALIFIED",
        "durationSeconds": 90,
        "isAutomated": False,
    }
    logged = await log(company, **given)
    assert (logged["userErrors"], logged["status"]) == ([], "CREATED")
    assert logged["touchpoint"] | {"id": ""} == {
        **given,
        "id": "",
        "occurredAt": "2026-02-03T09:00:00Z",
        "kind": "CALL",
        "direction": "OUTBOUND",
        "contact": {"firstName": "Carl"},
        "campaign": {"name": "Spring"},
        "member": {"name": "Anna"},
        "deal": {"name": "First"},
    }


async def test_left_out_the_instant_is_now_and_the_member_and_team_are_the_callers(company: Database) -> None:
    before = now()
    own = (await log(company, contributor(BEN)))["touchpoint"]
    assert (own["member"], own["teamKind"], own["isAutomated"]) == ({"name": "Ben"}, "MARKETING", False)
    assert before.isoformat() <= own["occurredAt"].replace("Z", "+00:00") <= now().isoformat()
    nobody = (await log(company, contributor(BEN), member=None))["touchpoint"]
    assert (nobody["member"], nobody["teamKind"]) == (None, None)
    machine = (await log(company))["touchpoint"]
    assert (machine["member"], machine["teamKind"]) == (None, None)
    said = (await log(company, contributor(BEN), teamKind="SALES"))["touchpoint"]
    assert said["teamKind"] == "SALES"


async def test_all_that_is_wrong_with_a_touchpoint_is_said_at_once(company: Database) -> None:
    async with company.write() as session:
        await put(session, "member", row_of(id=uid(19), name="Left", deactivated_at=now()))
    wrong = await log(
        company,
        contact={"id": f"contact_{MERGED_CONTACT}"},
        occurredAt=(now() + timedelta(days=365)).isoformat(),
        campaign={"id": f"deal_{DEAL}"},
        member={"id": f"member_{uid(19)}"},
        deal={"id": f"deal_{GONE_DEAL}"},
        durationSeconds=-1,
        externalKey={"source": " ", "externalId": "1"},
    )
    assert wrong["touchpoint"] is None
    assert codes(wrong) == {
        "input.contact": "MERGED",
        "input.occurredAt": "IN_FUTURE",
        "input.campaign.id": "INVALID",
        "input.member": "INACTIVE",
        "input.deal": "DELETED",
        "input.durationSeconds": "INVALID",
        "input.externalKey": "INVALID",
    }
    assert await touches(company) == 5


@pytest.mark.parametrize(
    ("contact", "path", "code"),
    [
        ({"id": f"contact_{GONE_CONTACT}"}, "input.contact", "DELETED"),
        ({"id": f"contact_{uid(404)}"}, "input.contact", "NOT_FOUND"),
        ({"externalKey": {"source": "crm", "externalId": "none"}}, "input.contact", "NOT_FOUND"),
        ({"id": f"deal_{DEAL}"}, "input.contact.id", "INVALID"),
    ],
)
async def test_a_person_of_whom_nothing_is_logged(company: Database, contact: object, path: str, code: str) -> None:
    assert codes(await log(company, contact=contact)) == {path: code}


async def test_a_touchpoint_of_ancient_times_or_of_an_unknown_kind_is_refused(company: Database) -> None:
    assert codes(await log(company, occurredAt="1815-12-10T00:00:00Z")) == {"input.occurredAt": "INVALID"}
    document = "mutation ($input: LogTouchpointInput!) { logTouchpoint(input: $input) { status } }"
    result = await executed(company, document, input={**CALL, "kind": "SEANCE"})
    assert result.errors is not None
    assert "SEANCE" in result.errors[0].message


async def test_the_key_of_a_merged_contact_leads_to_its_survivor(company: Database) -> None:
    async with company.write() as session:
        key = {"entity": "contact", "source": "crm", "external_id": "old", "record_id": MERGED_CONTACT}
        await put(session, "external_key", key)
    given = keyed(1, contact={"externalKey": {"source": "crm", "externalId": "old"}})
    logged = await run(company, "logTouchpoint", SHOWN, given)
    assert logged["touchpoint"]["contact"] == {"firstName": "Ada"}
    assert (await run(company, "logTouchpoint", SHOWN, given))["status"] == "UNCHANGED"


async def test_an_external_key_is_logged_once_and_says_if_its_values_differ(company: Database) -> None:
    given = keyed(1, occurredAt="2026-02-03T10:00:00Z")
    first, second = [await run(company, "logTouchpoint", SHOWN, given) for _ in range(2)]
    assert (first["status"], second["status"]) == ("CREATED", "UNCHANGED")
    assert first["touchpoint"] == second["touchpoint"]
    less = await run(company, "logTouchpoint", SHOWN, keyed(1))
    assert less["status"] == "UNCHANGED"
    for other in ({"contact": {"id": f"contact_{BOB}"}}, {"outcome": "QUALIFIED"}, {"kind": "MEETING"}):
        found = await run(company, "logTouchpoint", SHOWN, {**given, **other})
        assert codes(found) == {"input.externalKey": "DUPLICATE"}
    assert await touches(company) == 6


async def test_a_touchpoint_is_logged_again_after_others_left(company: Database) -> None:
    given = keyed(1, member={"id": f"member_{BEN}"}, contact={"id": f"contact_{BOB}"})
    assert (await run(company, "logTouchpoint", SHOWN, given))["status"] == "CREATED"
    await run(company, "deactivateMember", "", {"member": {"id": f"member_{BEN}"}})
    await run(company, "deleteContact", "deletedId", {"id": f"contact_{BOB}", "expectedVersion": 1})
    assert (await run(company, "logTouchpoint", SHOWN, given))["status"] == "UNCHANGED"
    refused = {"input.member": "INACTIVE", "input.contact": "DELETED"}
    assert codes(await run(company, "logTouchpoint", SHOWN, {**given, "externalKey": None})) == refused


async def test_two_callers_with_one_external_key_at_the_same_moment_log_it_once(company: Database) -> None:
    found = await asyncio.gather(*(run(company, "logTouchpoint", SHOWN, keyed(1)) for _ in range(6)))
    assert len({payload["touchpoint"]["id"] for payload in found}) == 1
    assert [payload["status"] for payload in found].count("CREATED") == 1


@pytest.mark.parametrize("mode", ["EACH", "ALL_OR_NOTHING"])
async def test_many_touchpoints_have_a_result_each(company: Database, mode: str) -> None:
    await log_many(company, [keyed(1)])
    rows: list[Mapping[str, object]] = [
        keyed(1),
        keyed(2, kind="MEETING"),
        keyed(3, contact={"id": "contact_7"}),
        keyed(2),
        {**CALL, "occurredAt": "2199-01-01T00:00:00Z"},
        CALL,
    ]
    results = await log_many(company, rows, mode)
    errors = [[(".".join(it["path"]), it["code"]) for it in result["userErrors"]] for result in results]
    assert errors == [
        [],
        [],
        [("input.rows.2.contact.id", "INVALID")],
        [("input.rows.3.externalKey", "DUPLICATE")],
        [("input.rows.4.occurredAt", "IN_FUTURE")],
        [],
    ]
    statuses = [result["status"] for result in results]
    if mode == "EACH":
        assert statuses == ["UNCHANGED", "CREATED", "REJECTED", "REJECTED", "REJECTED", "CREATED"]
        assert [result["touchpoint"] and result["touchpoint"]["kind"] for result in results] == [
            "CALL", "MEETING", None, None, None, "CALL",
        ]  # fmt: skip
    else:
        assert statuses == ["ROLLED_BACK", "ROLLED_BACK", "REJECTED", "REJECTED", "REJECTED", "ROLLED_BACK"]
    assert await touches(company) == (8 if mode == "EACH" else 6)


async def statements_of(database: Database, rows: list[RecordInput]) -> int:
    """Return how many statements logging rows takes, without the entries that follow."""
    queries: list[str] = []
    async with database.unit_of_work() as session:
        session.connection.add_query_logger(lambda logged: queries.append(logged.query))
        work = UnitOfWork(session, contributor(BEN), Call("logTouchpoints"))
        outcomes = await log_touchpoints(work, rows)
    assert {outcome.status for outcome in outcomes} == {WriteStatus.CREATED}
    return len(queries)


async def test_many_touchpoints_take_as_many_statements_as_two(company: Database) -> None:
    def row(number: int) -> RecordInput:
        values = {"kind": "CALL", "direction": "OUTBOUND"}
        links = {"contact_id": Reference(id=(ADA, BOB, CARL)[number % 3]), "deal_id": Reference(id=DEAL)}
        return RecordInput(values, links, key=ExternalKeyValue("dialer", str(number)))

    few, many = [row(number) for number in range(2)], [row(number) for number in range(10, 110)]
    assert await statements_of(company, few) == await statements_of(company, many) > 0


async def test_a_thousand_touchpoints_are_logged_at_once_and_no_more(company: Database) -> None:
    rows: list[Mapping[str, object]] = [keyed(number) for number in range(1000)]
    results = await log_many(company, rows)
    assert {result["status"] for result in results} == {"CREATED"}
    assert await touches(company) == 1005
    assert await refusal(company, "logTouchpoints", {"rows": [*rows, CALL]}) is ErrorCode.TOO_LARGE


async def test_a_voided_touchpoint_is_in_no_list_at_any_instant_and_stays_stored(company: Database) -> None:
    key = f"touchpoint_{uid(71)}"
    given = {"touchpoint": {"id": key}, "reason": "another person"}
    voided = await run(company, "voidTouchpoint", "voidedId contact { firstName touchpoints { totalCount } }", given)
    assert voided["userErrors"] == []
    assert (voided["voidedId"], voided["contact"]) == (key, {"firstName": "Ada", "touchpoints": {"totalCount": 2}})
    document = """query ($key: ID!, $person: ID!) {
        node(id: $key) { id } touchpoint(id: $key) { id } touchpoints { totalCount nodes { id } }
        contact(id: $person, asOf: "2026-06-01T00:00:00Z") { touchpoints { totalCount } }
        contacts(where: { touchpoints: { some: { durationSeconds: { eq: 71 } } } }) { totalCount }
        campaigns { nodes { touchpoints { totalCount aggregate { count } } } }
    }"""
    found = await answered(company, document, key=key, person=f"contact_{ADA}")
    assert (found["node"], found["touchpoint"]) == (None, None)
    assert key not in [node["id"] for node in found["touchpoints"]["nodes"]]
    assert (found["touchpoints"]["totalCount"], found["contact"]["touchpoints"]["totalCount"]) == (4, 2)
    assert found["contacts"]["totalCount"] == 0
    assert found["campaigns"]["nodes"][0]["touchpoints"] == {"totalCount": 4, "aggregate": {"count": 4}}
    assert await touches(company) == 5
    async with company.read() as session:
        [event] = await session.rows(Sql("select action, change_type, after from audit_event"))
    assert (event["action"], event["change_type"]) == ("voidTouchpoint", "DELETED")
    assert event["after"]["void_reason"] == "another person"


async def test_a_touchpoint_is_voided_once_for_a_reason(company: Database) -> None:
    given = {"touchpoint": {"id": f"touchpoint_{uid(71)}"}, "reason": "twice"}
    wrong = await run(company, "voidTouchpoint", "voidedId", {**given, "reason": " "})
    assert (codes(wrong), wrong["voidedId"]) == ({"input.reason": "INVALID"}, None)
    await run(company, "voidTouchpoint", "voidedId", given)
    assert codes(await run(company, "voidTouchpoint", "voidedId", given)) == {"input.touchpoint": "WRONG_STATE"}
    for id_, path, code in (
        (f"touchpoint_{uid(404)}", "input.touchpoint", "NOT_FOUND"),
        (f"contact_{ADA}", "input.touchpoint.id", "INVALID"),
    ):
        found = await run(company, "voidTouchpoint", "voidedId", {**given, "touchpoint": {"id": id_}})
        assert codes(found) == {path: code}


async def test_the_external_key_of_a_voided_touchpoint_logs_nothing(company: Database) -> None:
    await run(company, "logTouchpoint", SHOWN, keyed(1))
    by_key = {"touchpoint": {"externalKey": keyed(1)["externalKey"]}, "reason": "wrong number"}
    assert (await run(company, "voidTouchpoint", "voidedId", by_key))["userErrors"] == []
    assert codes(await run(company, "logTouchpoint", SHOWN, keyed(1))) == {"input.externalKey": "WRONG_STATE"}


async def test_touchpoints_out_of_reach_are_not_found_by_id_and_refused_by_key(company: Database) -> None:
    await run(company, "logTouchpoint", SHOWN, keyed(1, contact={"id": f"contact_{ADA}"}))
    ben = contributor(BEN, Reach.OWN)
    assert codes(await log(company, ben, contact={"id": f"contact_{ADA}"})) == {"input.contact": "NOT_FOUND"}
    voided = {"touchpoint": {"id": f"touchpoint_{uid(71)}"}, "reason": "x"}
    found = await run(company, "voidTouchpoint", "voidedId", voided, ben)
    assert codes(found) == {"input.touchpoint": "NOT_FOUND"}
    async with company.write() as session:
        await session.script(f"update contact set owner_id = '{BEN}' where id = '{CARL}'")
    assert await refusal(company, "logTouchpoint", keyed(1), ben) is ErrorCode.NOT_ALLOWED
    assert (await log(company, ben))["userErrors"] == []
    viewer = Principal(Reach.ALL, BEN)
    assert await refusal(company, "logTouchpoint", CALL, viewer) is ErrorCode.NOT_ALLOWED


async def test_a_touchpoint_that_is_logged_again_with_its_idempotency_key_is_logged_once(company: Database) -> None:
    first, second = [await log(company, idempotencyKey="t1") for _ in range(2)]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["touchpoint"] == second["touchpoint"]
    assert await touches(company) == 6
    bulk = {"rows": [CALL, CALL], "idempotencyKey": "t2"}
    one, two = [await run(company, "logTouchpoints", ROWS, bulk) for _ in range(2)]
    assert (one["results"], two["replayed"]) == (two["results"], True)


async def test_a_key_that_postgresql_cannot_store_is_of_no_record(company: Database) -> None:
    for source, external_id in (("a\0b", "1"), ("crm", "ä" * 1_001), (" ", "1"), ("crm", "")):
        key = {"source": source, "externalId": external_id}
        found = await log(company, contact={"externalKey": key}, externalKey=key)
        assert codes(found) == {"input.contact": "NOT_FOUND", "input.externalKey": "INVALID"}
