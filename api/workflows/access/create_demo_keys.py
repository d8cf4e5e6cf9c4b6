"""Create the demo keys of the sample company."""

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import stored_grant
from api.db import WriteSession
from api.sample.demo_people import demo_people
from api.sql import Sql, join, name
from schema.base import new_id


async def create_demo_keys(session: WriteSession) -> int:
    """Give some people of the sample company access, and keys with well-known tokens.

    Shapes: the members of a sample -> the number of keys. Writes member_access (5), api_key (5).
    """
    created = 0
    for person in demo_people():
        grant = stored_grant(person.grant)
        columns = join(", ", map(name, grant))
        values = join(", ", (Sql("{}", value) for value in grant.values()))
        key = Sql(
            "insert into api_key (id, name, key_id, secret_hash, member_id, is_demo, {}) select {}::uuid, {}::text,"
            " {}::text, {}::text, a.member_id, true, {} from allowed a",
            *(columns, new_id(), person.title, person.token.key_id, person.token.secret_hash),
            join(", ", (Sql("a.{}", name(column)) for column in grant)),
        )
        allow = Sql(
            "insert into member_access (member_id, {}) select id, {} from member where name = {} returning *",
            *(columns, values, person.name),
        )
        created += int((await session.run(Sql("with allowed as ({}) {}", allow, key))).rpartition(" ")[2])
    await announce_access_change(session)
    return created
