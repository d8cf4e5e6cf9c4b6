"""Creating, changing, upserting, deleting and restoring records."""

import asyncio

import pytest

from api.access.principal import ALL_RIGHTS, Principal
from api.db import Database
from api.errors import ErrorCode
from schema.access.rights import AccessLevel, Reach
from tests.support.graphql import answered, code_of, executed, uid
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import (
    ACME,
    ADA,
    ANNA,
    BEN,
    BOLT,
    DEAL,
    GONE_CONTACT,
    MERGED_CONTACT,
)


async def test_a_contact_is_created_with_its_links_and_read_back(company: Database) -> None:
    given = {
        "firstName": " Dora ",
        "email": "Dora <DORA@Acme.example>",
        "phone": "+49 (30) 123-45",
        "company": {"id": f"company_{ACME}"},
        "externalKey": {"source": "crm", "externalId": "77"},
    }
    made = await run(
        company, "createContact", "contact { id firstName email emailKind phone rowVersion company { name } }", given
    )
    assert made["userErrors"] == []
    contact = made["contact"]
    assert contact | {"id": ""} == {
        "id": "",
        "firstName": "Dora",
        "email": "dora@acme.example",
        "emailKind": "BUSINESS",
        "phone": "+493012345",
        "rowVersion": 1,
        "company": {"name": "Acme"},
    }
    again = await run(
        company,
        "upsertContact",
        "contact { id lastName firstName } status",
        {"externalKey": given["externalKey"], "lastName": "Diaz"},
    )
    assert again["contact"] == {"id": contact["id"], "lastName": "Diaz", "firstName": "Dora"}
    assert again["status"] == "CHANGED"


async def test_an_update_leaves_absent_fields_alone_and_null_empties_them(company: Database) -> None:
    before = (await answered(company, f'{{ contact(id: "contact_{ADA}") {{ rowVersion email firstName jobTitle }} }}'))[
        "contact"
    ]
    changed = await run(
        company,
        "updateContact",
        "contact { rowVersion email firstName jobTitle } status",
        {"id": f"contact_{ADA}", "expectedVersion": before["rowVersion"], "jobTitle": "CTO", "email": None},
    )
    assert changed["contact"] == {**before, "rowVersion": before["rowVersion"] + 1, "jobTitle": "CTO", "email": None}
    same = await run(
        company,
        "updateContact",
        "contact { rowVersion } status",
        {"id": f"contact_{ADA}", "expectedVersion": before["rowVersion"] + 1, "jobTitle": "CTO"},
    )
    assert (same["status"], same["contact"]["rowVersion"]) == ("UNCHANGED", before["rowVersion"] + 1)


async def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(company: Database) -> None:
    given = {
        "id": f"contact_{ADA}",
        "expectedVersion": 99,
        "email": "nobody",
        "firstName": "a\0b",
        "lastName": "x" * 10_001,
        "country": "Atlantis",
        "company": {"id": f"company_{uid(999)}"},
        "owner": {"id": f"company_{ACME}"},
        "emailOptOut": None,
    }
    found = await run(company, "updateContact", "contact { id }", given)
    assert found["contact"] is None
    assert codes(found) == {
        "input.expectedVersion": "STALE_VERSION",
        "input.email": "INVALID",
        "input.firstName": "INVALID",
        "input.lastName": "TOO_LONG",
        "input.country": "INVALID",
        "input.company": "NOT_FOUND",
        "input.owner.id": "INVALID",
        "input.emailOptOut": "REQUIRED",
    }
    assert (await answered(company, f'{{ contact(id: "contact_{ADA}") {{ rowVersion }} }}'))["contact"][
        "rowVersion"
    ] == 1


async def test_a_deleted_record_is_read_by_nothing_until_it_is_restored(company: Database) -> None:
    key = {"id": f"company_{BOLT}", "expectedVersion": 1}
    deleted = await run(company, "deleteCompany", "deletedId", key)
    assert (deleted["deletedId"], deleted["userErrors"]) == (key["id"], [])
    assert (await answered(company, f'{{ company(id: "{key["id"]}") {{ name }} }}'))["company"] is None
    assert codes(await run(company, "deleteCompany", "deletedId", {**key, "expectedVersion": 2})) == {
        "input.id": "DELETED"
    }
    restored = await run(company, "restoreCompany", "company { name rowVersion }", {**key, "expectedVersion": 2})
    assert restored["company"] == {"name": "Bolt", "rowVersion": 3}
    assert codes(await run(company, "restoreCompany", "company { name }", {**key, "expectedVersion": 3})) == {
        "input.id": "NOT_DELETED"
    }


async def test_deleted_and_merged_records_are_not_changed(company: Database) -> None:
    for contact, code in ((GONE_CONTACT, "DELETED"), (MERGED_CONTACT, "MERGED"), (uid(404), "NOT_FOUND")):
        given = {"id": f"contact_{contact}", "expectedVersion": 1, "firstName": "X"}
        assert codes(await run(company, "updateContact", "contact { id }", given)) == {"input.id": code}


async def test_a_circle_of_parents_is_refused(company: Database) -> None:
    given = {"id": f"company_{ACME}", "expectedVersion": 1, "parent": {"id": f"company_{BOLT}"}}
    assert codes(await run(company, "updateCompany", "company { id }", given)) == {"input.parent": "CIRCLE"}


async def test_an_upsert_revives_a_deleted_record_only_if_asked_to(company: Database) -> None:
    key = {"source": "crm", "externalId": "9"}
    made = await run(
        company, "upsertContact", "contact { id rowVersion } status", {"externalKey": key, "firstName": "Eva"}
    )
    assert made["status"] == "CREATED"
    await run(company, "deleteContact", "deletedId", {"id": made["contact"]["id"], "expectedVersion": 1})
    again = await run(company, "upsertContact", "contact { id }", {"externalKey": key, "firstName": "Eve"})
    assert codes(again) == {"input.externalKey": "DELETED"}
    taken = await run(company, "createContact", "contact { id }", {"externalKey": key})
    assert codes(taken) == {"input.externalKey": "DUPLICATE"}
    revived = await run(
        company, "upsertContact", "contact { id firstName }", {"externalKey": key, "firstName": "Eve", "restore": True}
    )
    assert revived["contact"] == {"id": made["contact"]["id"], "firstName": "Eve"}


@pytest.mark.parametrize("mode", ["EACH", "ALL_OR_NOTHING"])
async def test_many_rows_are_written_with_a_result_for_each(company: Database, mode: str) -> None:
    def row(number: int, **values: object) -> dict[str, object]:
        return {"externalKey": {"source": mode, "externalId": str(number)}, **values}

    good = await run(
        company,
        "upsertCompanies",
        "results { status company { name domain } userErrors { path code } }",
        {"rows": [row(1, name="One"), row(2, name="Two", domain="https://www.two.example/x")], "mode": mode},
    )
    assert [result["company"] for result in good["results"]] == [
        {"name": "One", "domain": None},
        {"name": "Two", "domain": "two.example"},
    ]
    mixed = await run(
        company,
        "upsertCompanies",
        "results { status company { name } userErrors { path code } }",
        {"rows": [row(1, name="Uno"), row(3), row(1, name="Eins"), row(4, name="Four", employees=-1)], "mode": mode},
    )
    assert [
        [(".".join(error["path"]), error["code"]) for error in result["userErrors"]] for result in mixed["results"]
    ] == [
        [],
        [("input.rows.1.name", "REQUIRED")],
        [("input.rows.2.externalKey", "DUPLICATE")],
        [("input.rows.3.employees", "INVALID")],
    ]
    first = mixed["results"][0]
    assert (first["status"], first["company"]) == (
        ("CHANGED", {"name": "Uno"}) if mode == "EACH" else ("ROLLED_BACK", None)
    )


async def test_a_row_that_only_the_database_refuses_is_found_among_many(company: Database) -> None:
    rows = [
        {"externalKey": {"source": "x", "externalId": str(number)}, "name": name, "kind": "SALES"}
        for number, name in enumerate(["North", "Inbound", "South"])
    ]
    found = await run(
        company, "upsertTeams", "results { status userErrors { path code } }", {"rows": rows, "mode": "EACH"}
    )
    assert [result["status"] for result in found["results"]] == ["CREATED", "REJECTED", "CREATED"]
    assert found["results"][1]["userErrors"] == [{"path": ["input", "rows", "1", "name"], "code": "DUPLICATE"}]


async def test_a_repeated_key_returns_the_first_result(company: Database) -> None:
    given = {"firstName": "Once", "idempotencyKey": "k1"}
    first, second = [await run(company, "createContact", "contact { id firstName }", given) for _ in range(2)]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["contact"] == second["contact"]
    other = {"firstName": "Twice", "idempotencyKey": "k1"}
    assert await refusal(company, "createContact", other) is ErrorCode.IDEMPOTENCY_KEY_REUSED
    somebody = Principal(Reach.ALL, ANNA, AccessLevel.CONTRIBUTOR, ALL_RIGHTS)
    assert not (await run(company, "createContact", "contact { id }", given, somebody))["replayed"]


async def test_two_callers_with_one_key_at_the_same_moment_make_one_record(company: Database) -> None:
    given = {"firstName": "Race", "idempotencyKey": "k2"}
    found = await asyncio.gather(*(run(company, "createContact", "contact { id }", given) for _ in range(8)))
    assert len({payload["contact"]["id"] for payload in found}) == 1
    assert sum(not payload["replayed"] for payload in found) == 1


async def test_two_upserts_of_one_new_key_at_the_same_moment_make_one_record(company: Database) -> None:
    def given(number: int) -> dict[str, object]:
        return {"externalKey": {"source": "race", "externalId": "1"}, "jobTitle": str(number)}

    found = await asyncio.gather(
        *(run(company, "upsertContact", "contact { id } status", given(it)) for it in range(6))
    )
    assert len({payload["contact"]["id"] for payload in found}) == 1
    assert sorted(payload["status"] for payload in found).count("CREATED") == 1


async def test_a_level_without_the_permission_is_refused(company: Database) -> None:
    viewer = Principal(Reach.ALL, ANNA, AccessLevel.VIEWER, ALL_RIGHTS)
    assert await refusal(company, "createContact", {"firstName": "X"}, viewer) is ErrorCode.NOT_ALLOWED
    contributor = Principal(Reach.ALL, ANNA, AccessLevel.CONTRIBUTOR, ALL_RIGHTS)
    assert await refusal(company, "createTeam", {"name": "X", "kind": "SALES"}, contributor) is ErrorCode.NOT_ALLOWED


async def test_a_record_out_of_reach_is_not_found_by_id_and_refused_by_key(company: Database) -> None:
    key = {"source": "crm", "externalId": "anna"}
    await run(company, "createContact", "contact { id }", {"owner": {"id": f"member_{ANNA}"}, "externalKey": key})
    ben = Principal(Reach.OWN, BEN, AccessLevel.CONTRIBUTOR, ALL_RIGHTS)
    given = {"id": f"contact_{ADA}", "expectedVersion": 1, "firstName": "X"}
    assert codes(await run(company, "updateContact", "contact { id }", given, ben)) == {"input.id": "NOT_FOUND"}
    for mutation in ("upsertContact", "createContact"):
        given = {"externalKey": key, "firstName": "X"}
        assert await refusal(company, mutation, given, ben) is ErrorCode.NOT_ALLOWED, mutation
    own = await run(company, "createContact", "contact { owner { name } }", {"firstName": "Mine"}, ben)
    assert own["contact"] == {"owner": {"name": "Ben"}}
    mine = await run(company, "createContact", "contact { id rowVersion }", {"firstName": "Mine"}, ben)
    given = {"id": mine["contact"]["id"], "expectedVersion": 1, "externalKey": key}
    assert await refusal(company, "updateContact", given, ben) is ErrorCode.NOT_ALLOWED


async def test_nobody_widens_a_reach_by_the_team_of_a_member(company: Database) -> None:
    made = await run(company, "createTeam", "team { id }", {"name": "Elsewhere", "kind": "SALES"})
    ben = Principal(Reach.TEAM, BEN, AccessLevel.OPERATOR, ALL_RIGHTS)
    moved = {"id": f"member_{BEN}", "expectedVersion": 1, "team": {"id": made["team"]["id"]}}
    assert await refusal(company, "updateMember", moved, ben) is ErrorCode.NOT_ALLOWED
    renamed = {"id": f"member_{BEN}", "expectedVersion": 1, "name": "Benno"}
    assert (await run(company, "updateMember", "member { name }", renamed, ben))["member"] == {"name": "Benno"}
    of_all = Principal(Reach.ALL, ANNA, AccessLevel.OPERATOR, ALL_RIGHTS)
    found = await run(company, "updateMember", "member { team { name } }", moved | {"expectedVersion": 2}, of_all)
    assert found["member"] == {"team": {"name": "Elsewhere"}}


async def test_a_deal_begins_in_an_open_stage_and_only_moves_by_its_verb(company: Database) -> None:
    pipeline = await run(company, "createPipeline", "pipeline { id }", {"name": "New"})
    stages = {}
    for rank, category in enumerate(("OPEN", "WON"), 1):
        given = {"name": category, "rank": rank, "category": category, "pipeline": {"id": pipeline["pipeline"]["id"]}}
        stages[category] = (await run(company, "createPipelineStage", "pipelineStage { id }", given))["pipelineStage"]
    money = {"amount": "12.50", "currency": "EUR"}
    made = await run(
        company,
        "createDeal",
        "deal { id outcome amount { amount currency } pipelineStage { name } }",
        {"name": "D", "amount": money, "pipelineStage": stages["OPEN"]},
    )
    assert made["deal"] | {"id": ""} == {
        "id": "",
        "outcome": "OPEN",
        "amount": money,
        "pipelineStage": {"name": "OPEN"},
    }
    second = await run(
        company,
        "createPipelineStage",
        "pipelineStage { id }",
        {"name": "Later", "rank": 3, "category": "OPEN", "pipeline": {"id": pipeline["pipeline"]["id"]}},
    )
    move = {"deal": {"id": made["deal"]["id"]}, "pipelineStage": second["pipelineStage"], "expectedVersion": 1}
    moved = await run(company, "moveDeal", "deal { rowVersion pipelineStage { name } }", move)
    assert moved["deal"] == {"rowVersion": 2, "pipelineStage": {"name": "Later"}}
    assert codes(await run(company, "moveDeal", "deal { id }", {**move, "pipelineStage": stages["WON"]})) == {
        "input.expectedVersion": "STALE_VERSION",
        "input.pipelineStage": "WRONG_STATE",
    }
    won = await run(company, "createDeal", "deal { id }", {"pipelineStage": stages["WON"]})
    assert codes(won) == {"input.pipelineStage": "WRONG_STATE"}
    late = await run(
        company,
        "createDeal",
        "deal { id }",
        {"openedAt": "2199-01-01T00:00:00Z", "amount": {"amount": "1.234", "currency": "EUR"}},
    )
    assert codes(late) == {"input.openedAt": "IN_FUTURE", "input.amount": "INVALID"}


async def test_a_change_told_late_holds_since_then_and_never_before_the_last_one(company: Database) -> None:
    made = await run(
        company, "createContact", "contact { id }", {"jobTitle": "A", "effectiveAt": "2026-01-01T00:00:00Z"}
    )
    key = {"id": made["contact"]["id"]}
    later = {**key, "expectedVersion": 1, "jobTitle": "B", "effectiveAt": "2026-03-01T00:00:00Z"}
    assert (await run(company, "updateContact", "contact { id }", later))["userErrors"] == []
    document = "query ($id: ID!, $at: DateTime!) { contact(id: $id, asOf: $at) { jobTitle } }"
    for at, title in (("2026-02-01T00:00:00Z", "A"), ("2026-03-01T00:00:00Z", "B")):
        assert (await answered(company, document, id=key["id"], at=at))["contact"] == {"jobTitle": title}
    early = {**key, "expectedVersion": 2, "jobTitle": "C", "effectiveAt": "2026-02-01T00:00:00Z"}
    assert codes(await run(company, "updateContact", "contact { id }", early)) == {"input.effectiveAt": "OUT_OF_ORDER"}


async def test_every_change_leaves_an_audit_event_and_an_outbox_event(company: Database) -> None:
    made = await run(company, "createContact", "contact { id }", {"firstName": "Seen", "idempotencyKey": "seen"})
    id_ = made["contact"]["id"]
    await run(company, "updateContact", "contact { id }", {"id": id_, "expectedVersion": 1, "firstName": "Known"})
    async with company.read() as session:
        audit = await session.connection.fetch(
            "select change_type, action, principal, before, after, idempotency_key from audit_event"
            " where changed_id = $1 order by occurred_at",
            id_.removeprefix("contact_"),
        )
        outbox = await session.connection.fetch(
            "select change_type, record_type from outbox_event where record_id = $1 order by recorded_at",
            id_.removeprefix("contact_"),
        )
    assert [tuple(row) for row in audit][1] == (
        "CHANGED",
        "updateContact",
        "local operator",
        {"first_name": "Seen"},
        {"first_name": "Known"},
        None,
    )
    assert (audit[0]["change_type"], audit[0]["action"], audit[0]["idempotency_key"]) == (
        "CREATED",
        "createContact",
        "seen",
    )
    assert [tuple(row) for row in outbox] == [("CREATED", "contact"), ("CHANGED", "contact")]


async def test_an_id_of_a_deal_is_no_id_of_a_contact(company: Database) -> None:
    given = {"id": f"deal_{DEAL}", "expectedVersion": 1, "firstName": "X"}
    assert codes(await run(company, "updateContact", "contact { id }", given)) == {"input.id": "INVALID"}


async def test_a_selection_with_a_value_that_cannot_be_read_rejects_the_mutation_before_anything_is_written(
    company: Database,
) -> None:
    document = """mutation ($name: String!, $id: ID) { createTeam(input: {name: $name, kind: SALES}) {
      team { members(where: {id: {eq: $id}}) { totalCount } } userErrors { code } } }"""
    assert (await answered(company, document, name="First", id=f"member_{ANNA}"))["createTeam"]["team"] is not None
    rejected = await executed(company, document, name="Second", id=f"company_{ACME}")
    assert rejected.data == {"createTeam": None}
    assert [(code_of(error), error.path) for error in rejected.errors or ()] == [("BAD_INPUT", ["createTeam"])]
    teams = await answered(company, "{ teams { nodes { name } } }")
    assert "Second" not in [team["name"] for team in teams["teams"]["nodes"]]
