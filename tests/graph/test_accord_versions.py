"""`accord(version:)`, `accordVersions` and `viewer { accordsToSign }`: versions with their signatures and comments."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.access.principal import Principal
from api.accord.documents import read_accord
from api.accord.parsed_documents import KeptDocuments, ParsedDocument
from api.db import Database, WriteSession
from api.errors import ErrorCode
from schema.access.rights import AccessLevel, Reach
from schema.accord import Accord
from tests.support.accords import accord_row
from tests.support.graphql import answered, put, refused, uid
from tests.support.statement_log import LoggingDatabase

MARK, SAL, REVA, NINA = uid(11), uid(12), uid(13), uid(14)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUSES = ("SUPERSEDED", "ACTIVE", "WITHDRAWN", "SIGNED", "CHANGES_REQUESTED", "IN_REVIEW", "DRAFT")
NEWEST_FIRST = [7, 6, 5, 4, 3, 2, 1]


def document(number: int) -> Accord:
    return read_accord("standard").model_copy(update={"title": f"Accord {number}"})


def hash_of(number: int) -> str:
    return document(number).content_hash()


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Seven versions, one of each status. The second one is in force; the others are based on it or are before it."""
    async with module_database.write() as session:
        for number, kind in enumerate(("MARKETING", "SALES", "REVOPS"), start=1):
            await put(session, "team", {"id": uid(number), "name": kind.title(), "kind": kind})
        for id_, name, team in ((MARK, "Mark", 1), (SAL, "Sal", 2), (REVA, "Reva", 3), (NINA, "Nina", 2)):
            await put(session, "member", {"id": id_, "name": name, "team_id": uid(team)})
        for number, status in enumerate(STATUSES, start=1):
            await _put_version(session, number, status)
        await _sign(session, 1, 2, MARK, "MARKETING")
        await _sign(session, 2, 2, SAL, "SALES")
        await _sign(session, 3, 4, MARK, "MARKETING")
        await _sign(session, 4, 4, SAL, "SALES")
        await _sign(session, 5, 5, MARK, "MARKETING", voided_at=NOON + timedelta(days=1), void_reason="Revoked.")
        await _sign(session, 6, 6, MARK, "MARKETING")
        comment = {"clause": "stages.mql.rule", "member_id": SAL, "accord_version_id": uid(106)}
        resolved = {"resolved_at": NOON + timedelta(hours=2), "resolved_by_id": MARK, "written_at": NOON}
        await put(session, "accord_comment", comment | resolved | {"id": uid(301), "text": "Two touches are too few."})
        later = {"written_at": NOON + timedelta(hours=1), "member_id": None}
        await put(session, "accord_comment", comment | later | {"id": uid(302), "text": "Three?"})
    return module_database


async def _put_version(session: WriteSession, number: int, status: str) -> None:
    base = {1: None, 2: 1}.get(number, 2)
    columns: dict[str, object] = {
        "id": uid(100 + number),
        "number": number,
        "status": status,
        "base_id": base and uid(100 + base),
        "base_hash": base and hash_of(base),
        "proposed_by_id": MARK if number > 1 else None,
        "note": f"Note {number}",
        "in_force_from": NOON if number == 2 else None,
        "in_force_until": NOON if number == 1 else None,
        "signed_at": NOON if status in ("ACTIVE", "SIGNED") else None,
        "withdrawn_at": NOON if status == "WITHDRAWN" else None,
        "activates_at": NOON + timedelta(days=365) if status == "SIGNED" else None,
    }
    await put(session, "accord_version", accord_row(document(number), **columns))


async def _sign(session: WriteSession, number: int, version: int, member: UUID, team: str, **columns: object) -> None:
    preview = {
        "id": uid(200 + number),
        "accord_version_id": uid(100 + version),
        "content_hash": hash_of(version),
        "compared_to_id": uid(101),
        "compared_hash": hash_of(1),
        "starts_on": NOON.date(),
        "before": NOON.date() + timedelta(days=30),
        "figures": {},
    }
    await put(session, "accord_preview", preview)
    signature = {
        "id": uid(400 + number),
        "accord_version_id": uid(100 + version),
        "content_hash": hash_of(version),
        "base_hash": hash_of(1 if version == 2 else 2),
        "member_id": member,
        "team": team,
        "preview_id": uid(200 + number),
        "signed_at": NOON + timedelta(minutes=number),
        "session_id": uid(9),
        "sign_in_method": "OIDC",
        "signed_in_at": NOON,
    }
    await put(session, "accord_signature", signature | columns)


def _member(id_: UUID) -> Principal:
    return Principal(Reach.ALL, id_, AccessLevel.CONTRIBUTOR)


VERSION = """
  version status format hash base { version hash } note proposedBy { id name team } submittedAt isSigned signedAt
  signatures { id team member { name } hash signedAt signInMethod signedInAt previewId voidedAt voidReason }
  missingSignatures activatesAt activatedAt withdrawnAt withdrawReason from until warnings rowVersion
  comments { id isOpen clause text member { name } writtenAt resolvedAt resolvedBy { name } }"""


async def test_a_version_shows_its_row_its_signatures_and_its_comments(world: Database) -> None:
    found = (await answered(world, f"{{ accord(version: 6) {{ {VERSION} }} }}"))["accord"]
    assert found == {
        "version": 6,
        "status": "IN_REVIEW",
        "format": 1,
        "hash": hash_of(6),
        "base": {"version": 2, "hash": hash_of(2)},
        "note": "Note 6",
        "proposedBy": {"id": f"member_{MARK}", "name": "Mark", "team": "MARKETING"},
        "submittedAt": None,
        "isSigned": False,
        "signedAt": None,
        "signatures": [
            {
                "id": f"accord_signature_{uid(406)}",
                "team": "MARKETING",
                "member": {"name": "Mark"},
                "hash": hash_of(6),
                "signedAt": "2026-03-01T12:06:00Z",
                "signInMethod": "OIDC",
                "signedInAt": "2026-03-01T12:00:00Z",
                "previewId": f"accord_preview_{uid(206)}",
                "voidedAt": None,
                "voidReason": None,
            }
        ],
        "missingSignatures": ["SALES"],
        "activatesAt": None,
        "activatedAt": None,
        "withdrawnAt": None,
        "withdrawReason": None,
        "from": None,
        "until": None,
        "warnings": ["1 comment is open. A version with an open comment cannot be signed."],
        "rowVersion": 1,
        "comments": [
            {
                "id": f"accord_comment_{uid(301)}",
                "isOpen": False,
                "clause": "stages.mql.rule",
                "text": "Two touches are too few.",
                "member": {"name": "Sal"},
                "writtenAt": "2026-03-01T12:00:00Z",
                "resolvedAt": "2026-03-01T14:00:00Z",
                "resolvedBy": {"name": "Mark"},
            },
            {
                "id": f"accord_comment_{uid(302)}",
                "isOpen": True,
                "clause": "stages.mql.rule",
                "text": "Three?",
                "member": None,
                "writtenAt": "2026-03-01T13:00:00Z",
                "resolvedAt": None,
                "resolvedBy": None,
            },
        ],
    }


async def test_without_a_number_the_version_in_force_is_read(world: Database) -> None:
    shown = "{ version status isSigned from until missingSignatures base { version } }"
    found = await answered(world, f"{{ accord {shown} none: accord(version: null) {shown} }}")
    assert found["accord"] == found["none"]
    assert found["accord"] == {
        "version": 2,
        "status": "ACTIVE",
        "isSigned": True,
        "from": "2026-03-01T12:00:00Z",
        "until": None,
        "missingSignatures": [],
        "base": {"version": 1},
    }


async def test_the_canonical_text_has_the_hash_and_the_toml_has_the_same_content(world: Database) -> None:
    found = (await answered(world, "{ accord(version: 7) { hash canonical toml title } }"))["accord"]
    assert hashlib.sha256(found["canonical"].encode()).hexdigest() == found["hash"] == hash_of(7)
    assert found["toml"].startswith('title = "Accord 7"')
    assert found["title"] == "Accord 7"


async def test_a_voided_signature_stays_and_counts_no_more(world: Database) -> None:
    found = (await answered(world, "{ accord(version: 5) { signatures { voidReason } missingSignatures } }"))["accord"]
    assert found == {"signatures": [{"voidReason": "Revoked."}], "missingSignatures": ["MARKETING", "SALES"]}


@pytest.mark.parametrize(("is_open", "shown"), [("true", [302]), ("false", [301]), ("null", [301, 302])])
async def test_comments_are_listed_by_whether_they_are_open(world: Database, is_open: str, shown: list[int]) -> None:
    found = (await answered(world, f"{{ accord(version: 6) {{ comments(isOpen: {is_open}) {{ id }} }} }}"))["accord"]
    assert [comment["id"] for comment in found["comments"]] == [f"accord_comment_{uid(number)}" for number in shown]


@pytest.mark.parametrize("number", [0, 8, -1, 2_147_483_647])
async def test_a_number_that_no_version_has_is_refused(world: Database, number: int) -> None:
    error: Any = await refused(world, f"{{ accord(version: {number}) {{ title }} }}")
    assert error.code is ErrorCode.UNKNOWN_VALUE
    assert error.message == f"There is no version {number} of the accord."
    assert error.remedy == "The newest is version 7; `accordVersions` and `accord versions` list all of them."


async def test_a_viewer_of_any_reach_reads_drafts(world: Database) -> None:
    who = Principal(Reach.OWN, NINA)
    found = await answered(world, "{ accord(version: 7) { status proposedBy { name } } }", who)
    assert found["accord"] == {"status": "DRAFT", "proposedBy": {"name": "Mark"}}


LIST = """query ($first: Int, $after: String, $last: Int, $before: String, $status: [AccordStatus!]) {
  accordVersions(first: $first, after: $after, last: $last, before: $before, status: $status) {
    totalCount nodes { version } edges { cursor node { version } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def _page(world: Database, **arguments: object) -> tuple[list[int], dict[str, Any], int]:
    found = (await answered(world, LIST, **arguments))["accordVersions"]
    numbers = [node["version"] for node in found["nodes"]]
    assert [edge["node"]["version"] for edge in found["edges"]] == numbers
    info = found["pageInfo"]
    cursors = [edge["cursor"] for edge in found["edges"]]
    assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
    return numbers, info, found["totalCount"]


async def test_all_versions_are_listed_newest_first(world: Database) -> None:
    numbers, info, total = await _page(world)
    assert (numbers, total) == (NEWEST_FIRST, 7)
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
async def test_pages_forward_and_backward_have_every_version_once(world: Database, size: int) -> None:
    seen, after = list[int](), None
    while True:
        numbers, info, total = await _page(world, first=size, after=after)
        assert info["hasPreviousPage"] is bool(seen)
        seen += numbers
        assert info["hasNextPage"] is (len(seen) < total)
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert seen == NEWEST_FIRST
    seen, before = [], None
    while True:
        numbers, info, total = await _page(world, last=size, before=before)
        assert info["hasNextPage"] is bool(seen)
        seen = numbers + seen
        assert info["hasPreviousPage"] is (len(seen) < total)
        if not info["hasPreviousPage"]:
            break
        before = info["startCursor"]
    assert seen == NEWEST_FIRST


async def test_a_page_may_lie_between_two_cursors_and_have_some_statuses(world: Database) -> None:
    cursors = (await answered(world, "{ accordVersions { edges { cursor } } }"))["accordVersions"]["edges"]
    after, before = cursors[1]["cursor"], cursors[5]["cursor"]
    assert (await _page(world, after=after, before=before))[0] == [5, 4, 3]
    numbers, info, total = await _page(world, after=after, status=["ACTIVE", "DRAFT", "SIGNED"])
    assert (numbers, total) == ([4, 2], 3)
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, True)
    assert (await _page(world, status=[]))[0::2] == ([], 0)
    numbers, info, total = await _page(world, first=0)
    assert (numbers, info["hasNextPage"], total) == ([], True, 7)


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwxXQ==", "eyJhIjogMX0="])
async def test_a_cursor_of_another_list_is_refused(world: Database, cursor: str) -> None:
    error: Any = await refused(world, LIST, after=cursor)
    assert error.code is ErrorCode.BAD_INPUT
    assert "`accordVersions`" in error.message


async def test_a_page_of_versions_with_everything_about_them_takes_two_statements(
    world: Database,
) -> None:
    watched = LoggingDatabase(world)
    found = await answered(
        watched, f"{{ accordVersions {{ totalCount nodes {{ {VERSION} toml stages {{ rule }} }} }} }}"
    )
    assert len(found["accordVersions"]["nodes"]) == 7
    assert (len(watched.statements), len(watched.texts)) == (2, 0)
    watched = LoggingDatabase(world)
    await answered(watched, "{ viewer { accordsToSign { version } } }", _member(SAL))
    assert (len(watched.statements), len(watched.texts)) == (1, 0)


@pytest.mark.parametrize(("member", "numbers"), [(MARK, []), (SAL, [6]), (NINA, [6]), (REVA, [])])
async def test_what_waits_for_a_signature_depends_on_the_team(
    world: Database, member: UUID, numbers: list[int]
) -> None:
    found = await answered(world, "{ viewer { accordsToSign { version missingSignatures } } }", _member(member))
    assert [accord["version"] for accord in found["viewer"]["accordsToSign"]] == numbers


@pytest.mark.parametrize(
    "who", [Principal(Reach.TEAM, SAL, AccessLevel.CONTRIBUTOR), Principal(Reach.ALL, SAL, AccessLevel.VIEWER)]
)
async def test_nothing_waits_for_who_may_not_sign(world: Database, who: Principal) -> None:
    assert await answered(world, "{ viewer { accordsToSign { version } } }", who) == {"viewer": {"accordsToSign": []}}


async def test_the_local_operator_has_nothing_to_sign(world: Database) -> None:
    assert await answered(world, "{ viewer { accordsToSign { version } } }") == {"viewer": {"accordsToSign": []}}


def test_kept_documents_are_bounded_and_parsed_once() -> None:
    text = document(1).canonical()
    kept = KeptDocuments(characters=2 * len(text))
    first = kept.keep("1:a", ParsedDocument(text, 1))
    assert kept.keep("1:a", ParsedDocument(text, 1)) is first
    assert first.accord is first.accord
    for key in ("1:b", "1:c"):
        kept.keep(key, ParsedDocument(text, 1))
    assert sorted(kept.present()) == ["1:b", "1:c"]
    kept.keep("1:d", ParsedDocument(text * 3, 1))
    assert sorted(kept.present()) == ["1:b", "1:c"]


DIFF = """query ($a: Int!, $b: Int!) { accordDiff(a: $a, b: $b) {
  a b isEqual marks changes { clause section title kind marks before after } } }"""


async def test_a_difference_has_its_sentences_and_takes_one_statement(world: Database) -> None:
    watched = LoggingDatabase(world)
    found = (await answered(watched, DIFF, a=2, b=6))["accordDiff"]
    assert found == {
        "a": 2,
        "b": 6,
        "isEqual": False,
        "marks": ["RENAMES"],
        "changes": [
            {
                "clause": "title",
                "section": "title",
                "title": "Title",
                "kind": "CHANGED",
                "marks": ["RENAMES"],
                "before": "The accord is called Accord 2.",
                "after": "The accord is called Accord 6.",
            }
        ],
    }
    assert (len(watched.statements), len(watched.texts)) == (1, 0)


async def test_a_version_does_not_differ_from_itself(world: Database) -> None:
    found = (await answered(world, DIFF, a=3, b=3))["accordDiff"]
    assert (found["isEqual"], found["marks"], found["changes"]) == (True, [], [])


@pytest.mark.parametrize(("a", "b", "unknown"), [(8, 1, 8), (1, 9, 9), (8, 9, 8)])
async def test_a_difference_of_a_version_that_does_not_exist_is_refused(
    world: Database, a: int, b: int, unknown: int
) -> None:
    error: Any = await refused(world, DIFF, a=a, b=b)
    assert error.code is ErrorCode.UNKNOWN_VALUE
    assert error.message == f"There is no version {unknown} of the accord."


async def test_a_stage_is_shown_with_all_its_sentences(world: Database) -> None:
    found = (await answered(world, "{ accord { stages { key sentences } } }"))["accord"]["stages"]
    sentences = next(stage["sentences"] for stage in found if stage["key"] == "sal")
    assert sentences == [
        "Sales accepted lead means: Sales took the person on.",
        "A contact enters Sales accepted lead when: sales accepted a handoff.",
        "The step to Sales qualified lead counts if it takes at most 14 days, exactly 14 days included.",
        "Sales is responsible for the people in Sales accepted lead.",
        "Sales accepted lead needs no field filled in.",
        "Sales accepted lead belongs to the group Prospect.",
    ]
