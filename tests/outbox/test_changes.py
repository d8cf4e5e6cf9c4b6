"""The root field `changes`: what is listed, in which order, and to whom."""

import base64
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from api.access.principal import ALL_RIGHTS, Principal
from api.db import Database
from api.errors import ErrorCode
from api.importers.run_import import run_import
from api.outbox.change_cursors import ChangeCursors
from api.outbox.positions import read_state
from api.sql import Sql
from schema.access.rights import AccessLevel, Reach
from tests.importers.conftest import rows
from tests.importers.test_evaluated_people import write
from tests.support.accords import unguarded
from tests.support.followed_changes import CHANGES, end, page, types_after
from tests.support.graphql import answered, executed, put, uid
from tests.support.mutations import run
from tests.support.small_company import ADA, ANNA, BEN, CARL, DEAL, TEAM

EVE, OUTSIDE = uid(13), uid(2)  # a member of another team


def viewer(member: UUID, reach: Reach) -> Principal:
    return Principal(reach, member, AccessLevel.VIEWER, ALL_RIGHTS, "viewer")


async def change(database: Database, id_: UUID, **values: object) -> None:
    """Change values of a contact, whatever its version is."""
    async with database.read() as session:
        version = await session.value(Sql("select row_version from contact where id = {}", id_))
    given = {"id": f"contact_{id_}", "expectedVersion": version, **values}
    made = await run(database, "updateContact", "contact { id }", given)
    assert made["userErrors"] == []


async def give(database: Database, id_: UUID, owner: UUID | None) -> None:
    """Give a contact to another owner."""
    await change(database, id_, owner=None if owner is None else {"id": f"member_{owner}"})


async def other_team(database: Database) -> None:
    async with database.write() as session:
        await put(session, "team", {"id": OUTSIDE, "name": "Outside", "kind": "SALES"})
        await put(session, "member", {"id": EVE, "name": "Eve", "team_id": OUTSIDE})


async def test_changes_are_listed_in_order_with_the_records_as_they_are_now(company: Database) -> None:
    start = await end(company)
    await change(company, ADA, jobTitle="CTO")
    await change(company, ADA, jobTitle="CEO")
    logged = await run(
        company,
        "logTouchpoint",
        "touchpoint { id }",
        {"contact": {"id": f"contact_{ADA}"}, "kind": "FORM", "direction": "INBOUND"},
    )
    found = await page(company, start)
    first, second, fact = found["nodes"]
    ada = {"id": f"contact_{ADA}", "firstName": "Ada", "jobTitle": "CEO", "owner": {"id": f"member_{ANNA}"}}
    assert first == second
    assert first == {
        "type": "CHANGED",
        "recordType": "CONTACT",
        "recordId": f"contact_{ADA}",
        "stage": None,
        "record": ada | {"mergedInto": None},
        "contact": None,
    }
    assert fact["record"] == {"id": logged["touchpoint"]["id"]}
    assert (fact["type"], fact["recordType"], fact["contact"]) == ("CREATED", "TOUCHPOINT", {"id": f"contact_{ADA}"})
    assert found["pageInfo"]["hasNextPage"] is False
    assert await types_after(company, found["pageInfo"]["endCursor"]) == []


async def test_pages_follow_one_another_and_an_empty_page_has_a_cursor(company: Database) -> None:
    start = await end(company)
    nothing = await page(company, start)
    assert (nothing["nodes"], nothing["pageInfo"]["hasNextPage"]) == ([], False)
    for number in range(5):
        await change(company, (ADA, CARL)[number % 2], jobTitle=f"{number}")
    ids: list[str] = []
    after, has_more = start, True
    while has_more:
        found = await page(company, after, first=2)
        ids += [node["recordId"] for node in found["nodes"]]
        after, has_more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    assert ids == [f"contact_{(ADA, CARL)[number % 2]}" for number in range(5)]
    assert await position_of(company, after) == await position_of(company, await end(company))


async def test_types_and_records_filter_and_the_cursor_passes_what_they_leave_out(company: Database) -> None:
    start = await end(company)
    await change(company, ADA, jobTitle="CTO")
    created = await run(company, "createCompany", "company { id }", {"name": "New"})
    found = await page(company, start, types=["CREATED"])
    assert [node["recordId"] for node in found["nodes"]] == [created["company"]["id"]]
    found = await page(company, start, records=["CONTACT"])
    assert [node["recordId"] for node in found["nodes"]] == [f"contact_{ADA}"]
    nothing = await page(company, start, records=["PRODUCT"])
    assert nothing["nodes"] == []
    assert await types_after(company, nothing["pageInfo"]["endCursor"]) == []


async def test_a_deletion_and_a_restoration_are_listed(company: Database) -> None:
    start = await end(company)
    async with company.read() as session:
        version = await session.value(Sql("select row_version from contact where id = {}", CARL))
    given = {"id": f"contact_{CARL}", "expectedVersion": version}
    await run(company, "deleteContact", "deletedId", given)
    [gone] = (await page(company, start))["nodes"]
    assert (gone["type"], gone["recordId"], gone["record"]) == ("DELETED", f"contact_{CARL}", None)
    await run(company, "restoreContact", "contact { id }", given | {"expectedVersion": version + 1})
    assert await types_after(company, start) == [("DELETED", f"contact_{CARL}"), ("RESTORED", f"contact_{CARL}")]


async def test_edges_and_aliases_have_what_each_selects(company: Database) -> None:
    start = await end(company)
    await change(company, ADA, jobTitle="CTO")
    document = (
        "query ($after: String) { changes(after: $after) { edges { cursor node { cursor of: record { id }"
        " record { ... on Contact { jobTitle } } } } nodes { record { __typename id } } } }"
    )
    found = (await answered(company, document, after=start))["changes"]
    [edge] = found["edges"]
    assert edge["cursor"] == edge["node"]["cursor"]
    assert await types_after(company, edge["cursor"]) == []
    assert (edge["node"]["of"], edge["node"]["record"]) == ({"id": f"contact_{ADA}"}, {"jobTitle": "CTO"})
    assert found["nodes"] == [{"record": {"__typename": "Contact", "id": f"contact_{ADA}"}}]


async def test_a_page_holds_no_changes_of_records_out_of_reach(company: Database) -> None:
    await other_team(company)
    outsider, insider = viewer(EVE, Reach.TEAM), viewer(BEN, Reach.TEAM)
    own = viewer(BEN, Reach.OWN)
    starts = [await end(company, who) for who in (outsider, insider, own)]
    await change(company, ADA, jobTitle="CTO")
    fact = {"contact": {"id": f"contact_{ADA}"}, "kind": "FORM", "direction": "INBOUND"}
    made = await run(company, "logTouchpoint", "touchpoint { id }", fact)
    role = {"contact": {"id": f"contact_{ADA}"}, "deal": {"id": f"deal_{DEAL}"}, "role": "asks"}
    await run(company, "setDealRole", "deal { id }", role)
    assert await types_after(company, starts[0], outsider) == []
    assert await types_after(company, starts[2], own) == []
    assert await types_after(company, starts[1], insider) == [
        ("CHANGED", f"contact_{ADA}"),
        ("CREATED", made["touchpoint"]["id"]),
        ("CHANGED", f"deal_{DEAL}"),
    ]


@pytest.mark.parametrize("former", [ANNA, None])
async def test_a_record_that_leaves_the_reach_is_withdrawn_and_comes_back(
    company: Database, former: UUID | None
) -> None:
    await other_team(company)
    await give(company, ADA, former)
    insider, outsider = viewer(BEN, Reach.TEAM), viewer(EVE, Reach.TEAM)
    start, other_start = await end(company, insider), await end(company, outsider)
    await give(company, ADA, EVE)
    [withdrawn] = (await page(company, start, insider))["nodes"]
    assert (withdrawn["type"], withdrawn["recordId"]) == ("WITHDRAWN", f"contact_{ADA}")
    assert (withdrawn["record"], withdrawn["contact"]) == (None, None)
    [gained] = (await page(company, other_start, outsider))["nodes"]
    assert (gained["type"], gained["record"]["id"]) == ("CHANGED", f"contact_{ADA}")
    await change(company, ADA, jobTitle="secret")  # nobody who lost the record learns of it
    assert len(await types_after(company, start, insider)) == 1
    await give(company, ADA, former)
    found = await types_after(company, start, insider)
    assert found[-1] == ("CHANGED", f"contact_{ADA}")


async def test_a_fact_that_moves_to_another_contact_leaves_one_reach_and_comes_into_another(
    company: Database, tmp_path: Path
) -> None:
    await other_team(company)
    async with company.write() as session, unguarded(session):
        await session.script("truncate accord_version cascade")
    preset = write(tmp_path)
    await run_import(company, preset, tmp_path)
    for person, owner in (("1", ANNA), ("2", EVE)):
        [[id_]] = await rows(
            company, f"select record_id from external_key where entity = 'contact' and external_id = '{person}'"
        )
        await give(company, UUID(str(id_)), owner)
    [[form]] = await rows(company, "select record_id from external_key where external_id = 'f1'")
    insider, outsider, neither = viewer(BEN, Reach.TEAM), viewer(EVE, Reach.TEAM), viewer(BEN, Reach.OWN)
    starts = [await end(company, who) for who in (insider, outsider, neither)]
    write(tmp_path, forms=("f1,2,2026-01-02",))
    await run_import(company, preset, tmp_path)
    fact = f"touchpoint_{form}"

    async def of_fact(who: Principal, start: str) -> list[tuple[str, bool]]:
        found = (await page(company, start, who, records=["TOUCHPOINT"]))["nodes"]
        assert {node["recordId"] for node in found} <= {fact}
        return [(node["type"], node["record"] is not None) for node in found]

    assert await of_fact(insider, starts[0]) == [("WITHDRAWN", False)]
    assert await of_fact(outsider, starts[1]) == [("CHANGED", True)]
    assert await of_fact(neither, starts[2]) == []
    again = [await end(company, who) for who in (insider, outsider, neither)]
    jobs = "{ imports(first: 1, orderBy: [{finishedAt: DESC}]) { nodes { id } } }"
    [job] = (await answered(company, jobs))["imports"]["nodes"]
    assert (await run(company, "undoImport", "removedKeys", {"importJob": job}))["userErrors"] == []
    assert await of_fact(insider, again[0]) == [("CHANGED", True)]
    assert await of_fact(outsider, again[1]) == [("WITHDRAWN", False)]
    assert await of_fact(neither, again[2]) == []


async def test_a_deletion_out_of_reach_is_not_listed(company: Database) -> None:
    await other_team(company)
    outsider = viewer(EVE, Reach.TEAM)
    start = await end(company, outsider)
    async with company.read() as session:
        version = await session.value(Sql("select row_version from contact where id = {}", ADA))
    await run(company, "deleteContact", "deletedId", {"id": f"contact_{ADA}", "expectedVersion": version})
    assert await types_after(company, start, outsider) == []


async def test_a_cursor_expires_when_the_members_in_reach_change(company: Database) -> None:
    await other_team(company)
    insider = viewer(BEN, Reach.TEAM)
    start, own = await end(company, insider), await end(company, viewer(BEN, Reach.OWN))
    await run(
        company,
        "updateMember",
        "member { id }",
        {
            "id": f"member_{EVE}",
            "expectedVersion": 1,
            "team": {"id": f"team_{TEAM}"},
        },
    )
    assert await refusal(company, start, insider) is ErrorCode.CURSOR_EXPIRED
    assert await types_after(company, own, viewer(BEN, Reach.OWN)) == [("CHANGED", f"member_{EVE}")]
    # A cursor of another reach is refused, too.
    assert await refusal(company, own, insider) is ErrorCode.CURSOR_EXPIRED


async def test_cursors_are_all_different_and_as_long_as_each_other(company: Database) -> None:
    cursors = [await end(company) for _ in range(3)]
    for title in ("CTO", "CEO"):
        await change(company, ADA, jobTitle=title)
        cursors.append(await end(company))
    assert len({*cursors}) == 5
    assert {len(cursor) for cursor in cursors} == {64}
    for first, second in pairwise(cursors):  # not a byte that stays, or counts
        same = [one == other for one, other in zip(b64(first), b64(second), strict=True)]
        assert sum(same) < 8


async def test_what_is_no_cursor_is_refused(company: Database) -> None:
    cursor = await end(company)
    forged = bytearray(b64(cursor))
    forged[-1] ^= 1
    foreign = ChangeCursors("00" * 32, Reach.ALL.value).write(0)
    plain = base64.b64encode(b'[0,"ALL"]').decode()
    short = base64.urlsafe_b64encode(b64(cursor)[:40]).decode()
    for text in ("", "x", "é", plain, short, cursor[:-4], cursor + "AAAA", text_of(forged), foreign):
        assert await refusal(company, text) is ErrorCode.BAD_INPUT, text
    # One of a database that was restored from a backup since.
    async with company.read() as session:
        state = await read_state(session)
    later = ChangeCursors(state.secret, Reach.ALL.value).write(state.last + 1)
    assert await refusal(company, later) is ErrorCode.BAD_INPUT


async def test_redacted_fields_of_changed_records_are_listed(company: Database) -> None:
    start = await end(company)
    await change(company, ADA, jobTitle="CTO")
    found = await executed(company, CHANGES, Principal(Reach.ALL), after=start)
    assert found.errors is None
    assert found.redacted == ["Contact.firstName"]
    assert found.data["changes"]["nodes"][0]["record"]["firstName"] is None


async def test_merged_contacts_are_listed_and_can_still_be_read(company: Database) -> None:
    start = await end(company)
    given = {"survivor": {"id": f"contact_{ADA}"}, "merged": [{"id": f"contact_{CARL}"}]}
    made = await run(company, "mergeContacts", "contact { id }", given)
    assert made["userErrors"] == []
    nodes = (await page(company, start))["nodes"]
    [merged] = [node for node in nodes if node["type"] == "MERGED"]
    assert merged["record"]["mergedInto"] == {"id": f"contact_{ADA}"}


def b64(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor)


def text_of(data: bytes | bytearray) -> str:
    return base64.urlsafe_b64encode(data).decode()


async def position_of(database: Database, cursor: str) -> int:
    """Return the position of a cursor of reach ALL."""
    async with database.read() as session:
        state = await read_state(session)
    read = ChangeCursors(state.secret, Reach.ALL.value).read(cursor)
    assert read is not None
    return read[0]


async def refusal(database: Database, after: str, who: Principal | None = None) -> ErrorCode:
    """Return the code of the error for a cursor."""
    found = await executed(database, CHANGES, *(() if who is None else (who,)), after=after)
    assert found.errors is not None
    [error] = found.errors
    code: ErrorCode = error.original_error.code  # type: ignore[union-attr]
    return code
