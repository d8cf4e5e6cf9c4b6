"""The verbs of a version before it is signed: proposed, edited, submitted, commented, withdrawn."""

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.errors import ErrorCode
from api.sql import Sql
from api.workflows.accord.documents import MAX_CHARACTERS
from schema.access.rights import AccessLevel, Reach
from schema.toml_text import accord_toml
from tests.support.mutations import codes, refusal, run
from tests.support.signers import (
    MIA,
    SAM,
    adopt,
    call,
    document,
    newest,
    propose,
    sign,
    sign_by_both,
    signed_in,
    version,
)


@pytest.fixture
async def agreed(database: Database) -> Database:
    async with database.write() as session:
        await adopt(session)
    return database


async def test_a_proposal_is_a_draft_on_the_version_in_force(agreed: Database) -> None:
    payload = await call(agreed, signed_in(MIA), "proposeAccord", document=document("Another"), note="why not")
    assert payload["userErrors"] == []
    assert payload["accord"] is not None
    first, second = await version(agreed, 1), await version(agreed, 2)
    assert (second["status"], second["note"], second["proposed_by_id"]) == ("DRAFT", "why not", MIA)
    assert (second["base_id"], second["base_hash"]) == (first["id"], first["content_hash"])
    assert second["body"]["title"] == "Another"
    assert (await version(agreed, 1))["status"] == "ACTIVE"


async def test_a_document_may_be_toml(agreed: Database) -> None:
    text = document("In TOML")
    payload = await run(agreed, "proposeAccord", "", {"document": _toml("In TOML")})
    assert payload["userErrors"] == []
    assert (await version(agreed, 2))["document"] == text


def _toml(title: str) -> str:
    return accord_toml(read_accord("standard").model_copy(update={"title": title}))


async def test_the_document_in_force_is_nothing_to_propose(agreed: Database) -> None:
    payload = await call(agreed, LOCAL_OPERATOR, "proposeAccord", document=read_accord("standard").canonical())
    assert codes(payload) == {"input.document": "DUPLICATE"}
    assert "version 1, which is in force" in payload["userErrors"][0]["message"]
    assert await newest(agreed) == 1


@pytest.mark.parametrize("text", ["title = ", "{", "{}", 'title = "x"', "\0", "x" * (MAX_CHARACTERS + 1), "[1]"])
async def test_a_bad_document_is_an_error_of_the_input(agreed: Database, text: str) -> None:
    payload = await call(agreed, LOCAL_OPERATOR, "proposeAccord", document=text)
    assert payload["userErrors"]
    assert {tuple(error["path"][:2]) for error in payload["userErrors"]} == {("input", "document")}
    assert await newest(agreed) == 1


async def test_mistakes_in_a_document_have_their_paths(agreed: Database) -> None:
    """All mistakes come at once, with keys as the document writes them."""
    text = document("Another").replace('"at_most"', '"at_moist"').replace('"owner":"SALES"', '"owner":"SELLERS"')
    payload = await call(agreed, LOCAL_OPERATOR, "proposeAccord", document=text)
    paths = [error["path"] for error in payload["userErrors"]]
    assert ["input", "document", "contact_policy", "at_moist"] in paths
    assert ["input", "document", "stages[6] (customer)", "owner"] in paths


async def test_without_an_accord_there_is_nothing_to_replace(database: Database) -> None:
    assert await refusal(database, "proposeAccord", {"document": document("First")}) is ErrorCode.NO_ACCORD


@pytest.mark.parametrize(
    "who",
    [
        Principal(Reach.ALL, MIA, AccessLevel.VIEWER),
        Principal(Reach.TEAM, MIA, AccessLevel.ADMIN),
        Principal(Reach.OWN, MIA, AccessLevel.CONTRIBUTOR),
    ],
)
async def test_verbs_need_a_contributor_who_reaches_everybody(agreed: Database, who: Principal) -> None:
    number = await propose(agreed, "Another")
    verbs: dict[str, dict[str, object]] = {
        "proposeAccord": {"document": document("Third")},
        "editAccord": {"version": number, "document": document("Third")},
        "submitAccord": {"version": number},
        "requestAccordChanges": {"version": number, "text": "no"},
        "withdrawAccord": {"version": number},
        "commentAccord": {"version": number, "text": "no"},
        "resolveComment": {"id": "x"},
        "signAccord": {"version": number, "hash": "x", "previewId": "x"},
        "revokeSignature": {"version": number},
        "activateAccord": {"version": number},
    }
    for verb, given in verbs.items():
        assert await refusal(agreed, verb, given, who) is ErrorCode.NOT_ALLOWED, verb


async def test_an_edit_voids_signatures_and_makes_a_draft(agreed: Database) -> None:
    number = await propose(agreed, "Another")
    await sign_by_both(agreed, number)
    before = await version(agreed, number)
    assert before["status"] == "SIGNED"
    payload = await call(agreed, LOCAL_OPERATOR, "editAccord", version=number, document=document("Edited"))
    assert payload["userErrors"] == []
    after = await version(agreed, number)
    assert (after["status"], after["signed_at"], after["body"]["title"]) == ("DRAFT", None, "Edited")
    assert after["row_version"] > before["row_version"]
    async with agreed.read() as session:
        rows = await session.rows(Sql("select void_reason from accord_signature where voided_at is not null"))
    assert [row["void_reason"] for row in rows] == ["The document was edited."] * 2


async def test_a_note_alone_voids_nothing(agreed: Database) -> None:
    number = await propose(agreed, "Another")
    await sign_by_both(agreed, number)
    given = {"version": number, "document": document("Another"), "note": "in other words"}
    assert (await call(agreed, LOCAL_OPERATOR, "editAccord", **given))["userErrors"] == []
    after = await version(agreed, number)
    assert (after["status"], after["note"]) == ("SIGNED", "in other words")


async def test_to_edit_the_version_in_force_proposes_the_next(agreed: Database) -> None:
    payload = await call(agreed, LOCAL_OPERATOR, "editAccord", version=1, document=document("Another"))
    assert payload["userErrors"] == []
    assert (await version(agreed, 2))["status"] == "DRAFT"
    assert (await version(agreed, 1))["row_version"] == 1


async def test_a_stale_edit_is_refused(agreed: Database) -> None:
    number = await propose(agreed, "Another")
    given = {"version": number, "document": document("Third"), "expectedVersion": 1}
    payload = await call(agreed, LOCAL_OPERATOR, "editAccord", **given)
    assert codes(payload) == {"input.expectedVersion": "STALE_VERSION"}
    assert (await version(agreed, number))["body"]["title"] == "Another"


async def test_a_version_that_is_not_there(agreed: Database) -> None:
    payload = await call(agreed, LOCAL_OPERATOR, "submitAccord", version=7)
    assert codes(payload) == {"input.version": "NOT_FOUND"}
    assert "The newest is version 1; " in payload["userErrors"][0]["message"]
    assert payload["accord"] is None


async def test_a_request_for_changes_blocks_signing_until_it_is_resolved(agreed: Database) -> None:
    number = await propose(agreed, "Another")
    given = {"version": number, "text": "30 days, please", "clause": "stages.mql.rule"}
    asked = await run(agreed, "requestAccordChanges", "commentId accord { version }", given, signed_in(SAM))
    assert asked["userErrors"] == []
    assert (await version(agreed, number))["status"] == "CHANGES_REQUESTED"
    assert codes(await sign(agreed, number, MIA)) == {"input.version": "WRONG_STATE"}
    await call(agreed, LOCAL_OPERATOR, "submitAccord", version=number)
    refused = await sign(agreed, number, MIA)
    assert [error["message"] for error in refused["userErrors"]] == [
        "1 comment is open. Resolve them with `resolveComment` first."
    ]
    resolved = await call(agreed, signed_in(MIA), "resolveComment", id=asked["commentId"])
    assert resolved["userErrors"] == []
    assert (await sign(agreed, number, MIA))["userErrors"] == []


@pytest.mark.parametrize("clause", ["stages.nql", "nothing", "stages.mql.rule.x"])
async def test_a_comment_on_no_clause_is_refused(agreed: Database, clause: str) -> None:
    payload = await call(agreed, LOCAL_OPERATOR, "commentAccord", version=1, text="hm", clause=clause)
    assert codes(payload) == {"input.clause": "UNKNOWN_VALUE"}


async def test_a_comment_needs_words_and_a_resolution_a_comment(agreed: Database) -> None:
    assert codes(await call(agreed, LOCAL_OPERATOR, "commentAccord", version=1, text=" ")) == {"input.text": "REQUIRED"}
    assert codes(await call(agreed, LOCAL_OPERATOR, "resolveComment", id="x")) == {"input.id": "NOT_FOUND"}


async def test_a_withdrawn_version_stays_withdrawn(agreed: Database) -> None:
    number = await propose(agreed, "Another", signed_in(MIA))
    await sign_by_both(agreed, number)
    assert await refusal(agreed, "withdrawAccord", {"version": number}, signed_in(SAM)) is ErrorCode.NOT_ALLOWED
    gone = await call(agreed, signed_in(MIA), "withdrawAccord", version=number, reason="better not")
    assert gone["userErrors"] == []
    after = await version(agreed, number)
    assert (after["status"], after["withdraw_reason"], after["signed_at"]) == ("WITHDRAWN", "better not", None)
    for verb, given in {"submitAccord": {}, "editAccord": {"document": document("x")}, "activateAccord": {}}.items():
        payload = await call(agreed, LOCAL_OPERATOR, verb, version=number, **given)
        assert codes(payload) == {"input.version": "WRONG_STATE"}, verb
    assert codes(await call(agreed, LOCAL_OPERATOR, "withdrawAccord", version=1)) == {"input.version": "WRONG_STATE"}


async def test_every_verb_leaves_an_audit_event(agreed: Database) -> None:
    number = await propose(agreed, "Another", signed_in(MIA))
    await call(agreed, signed_in(SAM), "commentAccord", version=number, text="hm")
    async with agreed.read() as session:
        rows = await session.rows(
            Sql("select action, principal, record_type, change_type from audit_event order by id")
        )
    assert [tuple(row) for row in rows] == [
        ("proposeAccord", "Mia", "accord_version", "CREATED"),
        ("submitAccord", "Mia", "accord_version", "CHANGED"),
        ("commentAccord", "Sam", "accord_comment", "CREATED"),
    ]
    audited = await run(agreed, "submitAccord", "", {"version": 99})
    assert audited["userErrors"]


async def test_a_repeated_proposal_is_made_once(agreed: Database) -> None:
    given = {"document": document("Another"), "idempotencyKey": "once"}
    first = await run(agreed, "proposeAccord", "accord { warnings }", given)
    again = await run(agreed, "proposeAccord", "accord { warnings }", given)
    assert (first["replayed"], again["replayed"], await newest(agreed)) == (False, True, 2)
