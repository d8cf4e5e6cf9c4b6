"""Labels of records, within the scope of a principal."""

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.plan.record_labels import record_labels
from schema.access.rights import Reach
from tests.support.graphql import put, uid, with_personal_data
from tests.support.small_company import ACME, ADA, ANNA, BOB, BOLT, CARL, GONE_CONTACT, write_small_company

NAMED, OF_ACME, OF_BOLT, OF_NONE = uid(81), uid(82), uid(83), uid(84)
CONTACTS = [ADA, BOB, CARL, GONE_CONTACT]
DEALS = [NAMED, OF_ACME, OF_BOLT, OF_NONE]
ADAS_TOUCH = uid(71)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
        await session.script(f"update contact set email = 'carl@acme.example', first_name = null where id = '{CARL}'")
        for number, name, company in (
            (NAMED, "Ten seats", ACME),
            (OF_ACME, None, ACME),
            (OF_BOLT, None, BOLT),
            (OF_NONE, None, None),
        ):
            await put(session, "deal", {"id": number, "name": name, "company_id": company, "owner_id": ANNA})
    return module_database


async def test_a_record_is_labelled_by_its_name_or_else_by_what_identifies_it(world: Database) -> None:
    async with world.read() as session:
        assert await record_labels(session, LOCAL_OPERATOR, "contact", CONTACTS) == {
            ADA: "Ada Berg",
            BOB: "Bob",
            CARL: "carl@acme.example",
        }
        assert await record_labels(session, LOCAL_OPERATOR, "deal", DEALS) == {
            NAMED: "Ten seats",
            OF_ACME: "Acme",
            OF_BOLT: "Bolt",
            OF_NONE: None,
        }
        assert await record_labels(session, LOCAL_OPERATOR, "company", [ACME]) == {ACME: "Acme"}
        assert await record_labels(session, LOCAL_OPERATOR, "touchpoint", [ADAS_TOUCH]) == {ADAS_TOUCH: "Ada Berg"}


async def test_only_records_in_the_principals_scope_give_labels(world: Database) -> None:
    anna = with_personal_data(Reach.OWN, ANNA)
    async with world.read() as session:
        assert await record_labels(session, anna, "contact", CONTACTS) == {ADA: "Ada Berg", BOB: "Bob"}
        # Acme has no owner, so its name is not visible to Anna.
        assert await record_labels(session, anna, "deal", DEALS) == {
            NAMED: "Ten seats",
            OF_ACME: None,
            OF_BOLT: "Bolt",
            OF_NONE: None,
        }
