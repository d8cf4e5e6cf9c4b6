"""`viewer`: who a request comes from, and what they may do."""

import pytest

from api.access.principal import Principal
from api.db import Database
from schema.access.rights import AccessLevel, Reach, Right
from tests.support.graphql import answered, executed
from tests.support.small_company import ANNA, write_small_company
from tests.support.statement_log import LoggingDatabase


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


async def test_the_local_operator_may_everything_and_is_no_member(world: Database) -> None:
    assert await answered(world, "{ viewer { name member { id } level reach rights } }") == {
        "viewer": {
            "name": "local operator",
            "member": None,
            "level": "ADMIN",
            "reach": "ALL",
            "rights": ["PERSONAL_DATA", "EXPORT"],
        }
    }


async def test_the_member_is_a_record_like_any_other_read_by_one_statement(world: Database) -> None:
    watched = LoggingDatabase(world)
    who = Principal(Reach.TEAM, ANNA, AccessLevel.CONTRIBUTOR, frozenset({Right.EXPORT}), "Anna")
    document = """{ viewer { __typename level member { ...anna }  again: member { name } reach rights } }
      fragment anna on Member { recordId ownedContacts(first: 1) { totalCount nodes { owner { name } } } }"""
    assert await answered(watched, document, who) == {
        "viewer": {
            "__typename": "Viewer",
            "level": "CONTRIBUTOR",
            "member": {
                "recordId": f"member_{ANNA}",
                "ownedContacts": {"totalCount": 2, "nodes": [{"owner": {"name": "Anna"}}]},
            },
            "again": {"name": "Anna"},
            "reach": "TEAM",
            "rights": ["EXPORT"],
        }
    }
    assert len(watched.texts) == 1


async def test_a_viewer_without_its_member_reads_nothing(world: Database) -> None:
    watched = LoggingDatabase(world)
    who = Principal(Reach.ALL, ANNA, name="Anna")
    assert await answered(watched, "{ viewer { name level } }", who) == {"viewer": {"name": "Anna", "level": "VIEWER"}}
    assert watched.texts == []


async def test_an_error_within_the_member_is_reported_at_its_path(world: Database) -> None:
    outcome = await executed(
        world, "{ viewer { name member { ownedContacts(first: 501) { totalCount } } } }", Principal(Reach.ALL, ANNA)
    )
    assert outcome.errors is not None
    assert "501" in outcome.errors[0].message


async def test_lists_within_the_member_count_towards_the_limit(world: Database) -> None:
    document = """{ viewer { member {
      ownedContacts(first: 500) { nodes { touchpoints(first: 500) { totalCount nodes { id } } } } } } }"""
    outcome = await executed(world, document, Principal(Reach.ALL, ANNA))
    assert outcome.errors is not None
    assert "The limit is 50,000" in outcome.errors[0].message
