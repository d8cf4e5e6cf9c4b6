"""Handing people over to sales, and deciding."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.errors import ErrorCode
from api.funnel.evaluate import evaluate
from api.sql import Sql
from schema.access.rights import AccessLevel, Reach
from schema.accord import Accord
from schema.base import now
from tests.support.accords import delete_versions, replace_document
from tests.support.graphql import answered, put, uid
from tests.support.mutations import codes, contributor, refusal, run
from tests.support.small_company import (
    ADA,
    ANNA,
    BEN,
    BOB,
    CARL,
    DEAL,
    GONE_CONTACT,
    MERGED_CONTACT,
    VERSION,
    row_of,
)

SALES, OTHER_SALES = uid(2), uid(3)
SUE, SAM, OLA, LEFT = uid(15), uid(16), uid(17), uid(18)
SHOWN = "handoff { id status why note rejectReason decidedAt dueAt assignedTo { name } contact { firstName } }"


@pytest.fixture
async def agreed(company: Database) -> Database:
    """The small company under the standard accord, with two sales teams."""
    standard = read_accord("standard")
    async with company.write() as session:
        await replace_document(session, standard)
        await put(session, "team", row_of(id=SALES, name="Sales", kind="SALES"))
        await put(session, "team", row_of(id=OTHER_SALES, name="Sales abroad", kind="SALES"))
        for id_, name, team in ((SUE, "Sue", SALES), (SAM, "Sam", SALES), (OLA, "Ola", OTHER_SALES)):
            await put(session, "member", row_of(id=id_, name=name, team_id=team))
        await put(session, "member", row_of(id=LEFT, name="Left", team_id=SALES, deactivated_at=now()))
        await evaluate(session)
    return company


def person(id_: UUID = CARL) -> dict[str, object]:
    return {"contact": {"id": f"contact_{id_}"}}


def to(id_: UUID) -> dict[str, object]:
    return {"assignedTo": {"id": f"member_{id_}"}}


async def handed(database: Database, **given: object) -> dict[str, object]:
    """Hand a person over. Return the reference of the handoff."""
    made = await run(database, "handOff", SHOWN, {**person(), **given})
    assert made["userErrors"] == []
    return {"handoff": {"id": made["handoff"]["id"]}}


async def decide(
    database: Database, verb: str, handoff: dict[str, object], who: Principal = LOCAL_OPERATOR, /, **given: object
) -> Any:  # noqa: ANN401
    """Run the verb on a handoff. Return its payload."""
    return await run(database, f"{verb}Handoff", SHOWN, {**handoff, **given}, who)


async def test_a_person_is_handed_over_under_the_accord_in_force(agreed: Database) -> None:
    made = await run(agreed, "handOff", SHOWN, {**person(), **to(SUE), "why": "two forms"})
    shown = {
        "status": "PROPOSED",
        "why": "two forms",
        "note": None,
        "rejectReason": None,
        "decidedAt": None,
    }
    names = {"assignedTo": {"name": "Sue"}, "contact": {"firstName": "Carl"}}
    due_at = made["handoff"].pop("dueAt")
    assert made["handoff"] | {"id": ""} == {"id": "", **shown, **names}
    assert due_at is not None
    async with agreed.read() as session:
        assert await session.value(Sql("select accord_version_id from handoff")) == VERSION
        events = "select change_type, record_type, contact_id from outbox_event where record_type = 'handoff'"
        [event] = await session.rows(Sql(events))
    assert (event["change_type"], event["record_type"], event["contact_id"]) == ("CREATED", "handoff", CARL)


def agreeing(decide_within: object) -> Accord:
    """The standard accord with another time in which sales decides; None: none is agreed."""
    document = read_accord("standard").model_dump(mode="json", by_alias=True, exclude_none=True)
    if decide_within is None:
        del document["handoff"]["sales"]["decide_within"]
    else:
        document["handoff"]["sales"]["decide_within"] = decide_within
    return Accord.model_validate(document)


@pytest.mark.parametrize(
    "decide_within", ["36 hours", {"time": "16 hours", "calendar": "office"}, None], ids=["elapsed", "business", "none"]
)
async def test_a_decision_is_due_when_the_accord_says_so(agreed: Database, decide_within: object) -> None:
    async with agreed.write() as session:
        await replace_document(session, agreeing(decide_within))
    made = await run(agreed, "handOff", "handoff { handedAt dueAt }", person())
    handed_at = datetime.fromisoformat(made["handoff"]["handedAt"])
    if decide_within is None:
        assert made["handoff"]["dueAt"] is None
        return
    elapsed = handed_at + timedelta(hours=36)
    due_at = elapsed if decide_within == "36 hours" else after_16_office_hours(handed_at)
    assert datetime.fromisoformat(made["handoff"]["dueAt"]) == due_at


def after_16_office_hours(at: datetime) -> datetime:
    """16 hours of Monday to Friday from 09:00 to 17:00 UTC: from within the hours, the same time two days on."""
    opens, closes = time(9, tzinfo=UTC), time(17, tzinfo=UTC)
    left, day = 2, at
    if at.weekday() < 5 and at.timetz() >= closes:
        day = at + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    if day.date() != at.date() or at.timetz() <= opens:  # two whole days, from their opening
        left, day = 1, datetime.combine(day.date(), closes)
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day


async def test_the_caller_may_say_when_a_decision_is_due(agreed: Database) -> None:
    due_at = (now() + timedelta(days=3)).isoformat()
    made = await run(agreed, "handOff", "handoff { dueAt }", {**person(), "dueAt": due_at})
    assert datetime.fromisoformat(made["handoff"]["dueAt"]) == datetime.fromisoformat(due_at)


async def test_a_decision_cannot_be_due_before_the_handoff(agreed: Database) -> None:
    past = (now() - timedelta(minutes=1)).isoformat()
    made = await run(agreed, "handOff", "handoff { id }", {**person(), "dueAt": past})
    assert codes(made) == {"input.dueAt": "OUT_OF_ORDER"}


async def test_a_handoff_that_is_made_again_has_a_deadline_of_its_own(agreed: Database) -> None:
    handoff = await handed(agreed, **to(SUE))
    await decide(agreed, "return", handoff, reason="BAD_DATA")
    again = await decide(agreed, "resubmit", handoff)
    assert again["userErrors"] == []
    assert again["handoff"]["dueAt"] is not None


async def test_a_person_has_one_undecided_handoff_also_under_a_merged_contact(agreed: Database) -> None:
    made = await handed(agreed)
    assert codes(await run(agreed, "handOff", SHOWN, person())) == {"input.contact": "WRONG_STATE"}
    await decide(agreed, "accept", made)
    assert (await run(agreed, "handOff", SHOWN, person()))["userErrors"] == []
    async with agreed.write() as session:
        row = {"id": uid(91), "contact_id": MERGED_CONTACT, "handed_at": now(), "status": "PROPOSED"}
        await put(session, "handoff", row)
    assert codes(await run(agreed, "handOff", SHOWN, person(ADA))) == {"input.contact": "WRONG_STATE"}


async def test_two_who_hand_a_person_over_at_the_same_moment_make_one_handoff(agreed: Database) -> None:
    found = await asyncio.gather(*(run(agreed, "handOff", SHOWN, person()) for _ in range(6)))
    assert sorted(len(payload["userErrors"]) for payload in found) == [0, 1, 1, 1, 1, 1]


async def test_all_that_is_wrong_with_a_handoff_is_said_at_once(agreed: Database) -> None:
    given = {**person(GONE_CONTACT), **to(LEFT), "why": "a\0b"}
    assert codes(await run(agreed, "handOff", SHOWN, given)) == {
        "input.contact": "DELETED",
        "input.assignedTo": "INACTIVE",
        "input.why": "INVALID",
    }
    for contact, path, code in (
        (f"contact_{MERGED_CONTACT}", "input.contact", "MERGED"),
        (f"contact_{uid(404)}", "input.contact", "NOT_FOUND"),
        (f"deal_{DEAL}", "input.contact.id", "INVALID"),
    ):
        found = await run(agreed, "handOff", SHOWN, {"contact": {"id": contact}, **to(uid(404))})
        assert codes(found)[path] == code
    async with agreed.read() as session:
        assert await session.value(Sql("select count(*) from handoff")) == 0


async def test_an_accepted_handoff_is_proposed_as_of_before_its_decision(agreed: Database) -> None:
    made = await handed(agreed, **to(SUE))
    between = now().isoformat()
    accepted = await decide(agreed, "accept", made, contributor(SUE), note="calls on Monday")
    assert accepted["userErrors"] == []
    shown = {key: accepted["handoff"][key] for key in ("status", "note", "rejectReason", "assignedTo")}
    assert shown == {
        "status": "ACCEPTED",
        "note": "calls on Monday",
        "rejectReason": None,
        "assignedTo": {"name": "Sue"},
    }
    handoffs = "handoffs { nodes { status note decidedAt } }"
    document = f"query ($id: ID!, $at: DateTime!) {{ contact(id: $id, asOf: $at) {{ {handoffs} }} }}"
    then = (await answered(agreed, document, id=f"contact_{CARL}", at=between))["contact"]["handoffs"]
    [was] = then["nodes"]
    assert was == {"status": "PROPOSED", "note": None, "decidedAt": None}
    for verb, given in (("accept", {}), ("reject", {"reason": "NO_FIT"}), ("return", {"reason": "BAD_DATA"})):
        assert codes(await decide(agreed, verb, made, **given)) == {"input.handoff": "WRONG_STATE"}


async def test_a_rejection_needs_a_reason_of_the_accord_that_does_not_ask_for_data(agreed: Database) -> None:
    made = await handed(agreed)
    unknown = await decide(agreed, "reject", made, reason="NOFIT")
    assert codes(unknown) == {"input.reason": "UNKNOWN_VALUE"}
    assert "Did you mean NO_FIT?" in unknown["userErrors"][0]["message"]
    data = await decide(agreed, "reject", made, reason="BAD_DATA", note="x" * 10_001)
    assert codes(data) == {"input.reason": "INVALID", "input.note": "TOO_LONG"}
    assert "returnHandoff" in " ".join(error["message"] for error in data["userErrors"])
    rejected = await decide(agreed, "reject", made, reason="NO_FIT")
    assert (rejected["handoff"]["status"], rejected["handoff"]["rejectReason"]) == ("REJECTED", "NO_FIT")


async def test_a_returned_handoff_is_handed_over_again_as_a_new_one(agreed: Database) -> None:
    made = await handed(agreed, **to(SUE), why="two forms")
    assert codes(await decide(agreed, "return", made, reason="NO_FIT")) == {"input.reason": "INVALID"}
    assert codes(await decide(agreed, "resubmit", made)) == {"input.handoff": "WRONG_STATE"}
    returned = await decide(agreed, "return", made, reason="BAD_DATA", note="no phone")
    assert (returned["handoff"]["status"], returned["handoff"]["rejectReason"]) == ("RETURNED", "BAD_DATA")
    again = await decide(agreed, "resubmit", made)
    assert again["userErrors"] == []
    assert again["handoff"]["id"] != returned["handoff"]["id"]
    shown = {key: again["handoff"][key] for key in ("status", "why", "note", "assignedTo")}
    assert shown == {"status": "PROPOSED", "why": "two forms", "note": None, "assignedTo": {"name": "Sue"}}
    assert codes(await decide(agreed, "resubmit", made)) == {"input.handoff": "WRONG_STATE"}
    await decide(agreed, "accept", {"handoff": {"id": again["handoff"]["id"]}})
    assert codes(await decide(agreed, "resubmit", made)) == {"input.handoff": "WRONG_STATE"}
    document = "query ($id: ID!) { handoff(id: $id) { status } }"
    assert (await answered(agreed, document, id=returned["handoff"]["id"]))["handoff"] == {"status": "RETURNED"}


async def test_a_person_counts_once_in_the_acceptance_however_often_data_was_asked_for(agreed: Database) -> None:
    async with agreed.write() as session:
        await evaluate(session)
    made = await handed(agreed)
    await decide(agreed, "return", made, reason="BAD_DATA")
    again = await decide(agreed, "resubmit", made)
    await decide(agreed, "accept", {"handoff": {"id": again["handoff"]["id"]}})
    document = "query ($year: String!) { kpi(key: MQL_ACCEPTANCE, period: { named: $year }) { numerator denominator } }"
    found = await answered(agreed, document, year=str(now().year))
    assert found["kpi"] == {"numerator": "1", "denominator": "1"}


async def test_the_member_of_a_resubmission_is_one_who_is_in_use(agreed: Database) -> None:
    made = await handed(agreed, **to(SUE))
    await decide(agreed, "return", made, reason="BAD_DATA")
    async with agreed.write() as session:
        await session.script(f"update member set deactivated_at = now() where id = '{SUE}'")
    assert codes(await decide(agreed, "resubmit", made)) == {"input.assignedTo": "INACTIVE"}
    again = await decide(agreed, "resubmit", made, **to(SAM), why="with a phone number")
    assert (again["handoff"]["assignedTo"], again["handoff"]["why"]) == ({"name": "Sam"}, "with a phone number")


@pytest.mark.parametrize(
    ("who", "assigned", "decider"),
    [
        (contributor(SUE), SUE, "Sue"),
        (contributor(SAM), SUE, "Sam"),
        (contributor(OLA), None, "Ola"),
        (Principal(Reach.ALL, ANNA, AccessLevel.OPERATOR, ALL_RIGHTS), SUE, "Sue"),
        (LOCAL_OPERATOR, None, None),
    ],
)
async def test_who_decides_a_handoff(
    agreed: Database, who: Principal, assigned: UUID | None, decider: str | None
) -> None:
    made = await handed(agreed, **(to(assigned) if assigned else {}))
    accepted = await decide(agreed, "accept", made, who)
    assert accepted["userErrors"] == []
    assert accepted["handoff"]["assignedTo"] == (decider and {"name": decider})


@pytest.mark.parametrize(
    ("who", "assigned"),
    [
        (contributor(OLA), SUE),
        (contributor(ANNA), SUE),
        (contributor(BEN), None),
        (Principal(Reach.ALL, None, AccessLevel.CONTRIBUTOR, ALL_RIGHTS, credential_id=uid(7)), None),
    ],
)
async def test_who_does_not_decide_a_handoff(agreed: Database, who: Principal, assigned: UUID | None) -> None:
    made = await handed(agreed, **(to(assigned) if assigned else {}))
    for verb, given in (("accept", {}), ("reject", {"reason": "NO_FIT"}), ("return", {"reason": "BAD_DATA"})):
        assert await refusal(agreed, f"{verb}Handoff", {**made, **given}, who) is ErrorCode.NOT_ALLOWED


@pytest.mark.parametrize("verb", ["accept", "reject", "return", "resubmit"])
async def test_a_handoff_that_is_not_found_or_out_of_reach(agreed: Database, verb: str) -> None:
    reason = {"reason": "BAD_DATA" if verb == "return" else "NO_FIT"} if verb in ("reject", "return") else {}
    made = await handed(agreed, **person(BOB))
    for handoff, who, path, code in (
        ({"id": f"handoff_{uid(404)}"}, LOCAL_OPERATOR, "input.handoff", "NOT_FOUND"),
        ({"id": f"contact_{BOB}"}, LOCAL_OPERATOR, "input.handoff.id", "INVALID"),
        (made["handoff"], contributor(BEN, Reach.OWN), "input.handoff", "NOT_FOUND"),
    ):
        found = await decide(agreed, verb, {"handoff": handoff}, who, **reason)
        assert codes(found) == {path: code}


async def owner_of(database: Database, contact: UUID) -> str | None:
    """Return the name of the owner of a contact; None if nobody owns it."""
    owner = (await answered(database, f'{{ contact(id: "contact_{contact}") {{ owner {{ name }} }} }}'))["contact"][
        "owner"
    ]
    return owner and str(owner["name"])


async def test_the_assigned_seller_reaches_the_person_and_owns_them_once_accepted(agreed: Database) -> None:
    sue, sam = contributor(SUE, Reach.OWN), contributor(SAM, Reach.TEAM)
    made = await handed(agreed, **person(BOB), **to(SUE))
    listed = await answered(agreed, "{ handoffs { nodes { contact { firstName } } } }", sue)
    assert listed["handoffs"]["nodes"] == [{"contact": {"firstName": "Bob"}}]
    accepted = await decide(agreed, "accept", made, sue)
    assert accepted["handoff"]["status"] == "ACCEPTED"
    assert await owner_of(agreed, BOB) == "Sue"
    again = await handed(agreed, **person(BOB), **to(SUE))
    assert (await decide(agreed, "accept", again, sam))["userErrors"] == []
    assert await owner_of(agreed, BOB) == "Sam"
    unassigned = await handed(agreed)
    assert await owner_of(agreed, CARL) is None
    assert (await decide(agreed, "accept", unassigned))["userErrors"] == []
    assert await owner_of(agreed, CARL) is None


@pytest.mark.parametrize(("verb", "reason"), [("reject", "NO_FIT"), ("return", "BAD_DATA")])
async def test_a_person_goes_back_to_who_owned_them_before(agreed: Database, verb: str, reason: str) -> None:
    sue = contributor(SUE, Reach.OWN)
    made: dict[str, Any] = {}
    for contact, before in ((BOB, "Anna"), (CARL, None)):
        assert await owner_of(agreed, contact) == before
        made = await handed(agreed, **person(contact), **to(SUE))
        assert await owner_of(agreed, contact) == "Sue"
        assert (await decide(agreed, verb, made, sue, reason=reason))["userErrors"] == []
        assert await owner_of(agreed, contact) == before
    if verb == "return":
        again = await run(agreed, "resubmitHandoff", SHOWN, made)
        assert again["userErrors"] == []
        assert await owner_of(agreed, CARL) == "Sue"


async def test_nobody_owns_a_person_whose_former_owner_left(agreed: Database) -> None:
    made = await handed(agreed, **person(BOB), **to(SUE))
    async with agreed.write() as session:
        await session.script(f"update member set deactivated_at = now() where id = '{ANNA}'")
    assert (await decide(agreed, "reject", made, reason="NO_FIT"))["userErrors"] == []
    assert await owner_of(agreed, BOB) is None


async def test_a_person_who_was_owned_by_the_seller_all_along_stays_theirs(agreed: Database) -> None:
    async with agreed.write() as session:
        await session.script(f"update contact set owner_id = '{SUE}' where id = '{BOB}'")
    made = await handed(agreed, **person(BOB), **to(SUE))
    assert (await decide(agreed, "reject", made, contributor(SUE, Reach.OWN), reason="NO_FIT"))["userErrors"] == []
    assert await owner_of(agreed, BOB) == "Sue"


async def test_the_handoff_of_a_deleted_person_is_not_decided(agreed: Database) -> None:
    made = await handed(agreed)
    await run(agreed, "deleteContact", "deletedId", {"id": f"contact_{CARL}", "expectedVersion": 1})
    assert codes(await decide(agreed, "accept", made)) == {"input.handoff": "DELETED"}


async def test_without_an_accord_people_are_handed_over_and_no_reason_is_known(agreed: Database) -> None:
    async with agreed.write() as session:
        await session.script("delete from stage_entry; delete from evaluation")
        await delete_versions(session)
    made = await handed(agreed)
    assert await refusal(agreed, "rejectHandoff", {**made, "reason": "NO_FIT"}) is ErrorCode.NO_ACCORD
    assert (await decide(agreed, "accept", made))["userErrors"] == []


async def test_a_decision_that_is_repeated_with_its_key_is_made_once(agreed: Database) -> None:
    made = await handed(agreed, idempotencyKey="h1")
    assert await handed(agreed, idempotencyKey="h1") == made
    first, second = [await decide(agreed, "accept", made, idempotencyKey="h2") for _ in range(2)]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["handoff"] == second["handoff"]


async def test_nothing_more_is_stored_of_an_erased_person(agreed: Database) -> None:
    made = await handed(agreed)
    assert (await run(agreed, "erasePerson", "contact { id }", person()))["userErrors"] == []
    assert codes(await decide(agreed, "accept", made, note="Carl calls back")) == {"input.note": "ERASED"}
    assert (await decide(agreed, "reject", made, reason="NO_FIT"))["userErrors"] == []
    assert codes(await run(agreed, "handOff", SHOWN, person())) == {"input.contact": "ERASED"}
    touch = {**person(), "kind": "CALL", "direction": "OUTBOUND"}
    assert codes(await run(agreed, "logTouchpoint", "status", touch)) == {"input.contact": "ERASED"}
    role = {**person(), "deal": {"id": f"deal_{DEAL}"}}
    assert codes(await run(agreed, "setDealRole", "status", role)) == {"input.contact": "ERASED"}


async def test_a_decision_is_not_known_before_it_was_stored(agreed: Database) -> None:
    document = """query ($at: DateTime) { kpi(key: MQL_ACCEPTANCE, switches: {anchor: COHORT, knownAt: $at}) {
      value numerator denominator n } }"""
    handoff = await handed(agreed)
    before = (await answered(agreed, document))["kpi"]
    async with agreed.read() as session:
        at = await session.value(Sql("select clock_timestamp()"))
    await decide(agreed, "accept", handoff)
    after = (await answered(agreed, document))["kpi"]
    assert before["numerator"] != after["numerator"]
    assert (await answered(agreed, document, at=at.isoformat()))["kpi"] == before
