"""`accord key create`, `list`, `revoke` and `rotate`."""

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID

import typer

from api.access.credentials.key_lookup import count_real_keys
from api.access.credentials.listings import ListedKey, find_listed_key, find_member, list_keys
from api.cli.access.access_options import (
    AsJson,
    GrantOptions,
    KeyName,
    expiry_after,
    grant_values,
    instant_text,
    parse_length,
    performed,
    print_json,
    print_table,
)
from api.cli.options import Data, expand_options, next_command
from api.cli.session import open_database
from api.db import Database
from api.workflows.access.create_api_key import TOKEN, CreateApiKey, create_api_key
from api.workflows.access.revoke_api_key import RevokeApiKey, revoke_api_key
from api.workflows.access.rotate_api_key import RotateApiKey, rotate_api_key
from api.workflows.records.record_input import Reference


@expand_options
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for, such as: reports.")],
    *,
    member: Annotated[
        str | None,
        typer.Option("--member", metavar="WHO", help="The member whose key it is. Without one, it is a machine's."),
    ] = None,
    options: GrantOptions,
    expires_in: Annotated[
        str | None, typer.Option("--expires-in", metavar="TIME", help="How long it works, like '90 days'.")
    ] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Create an API key, and print its token, once.

    A member's key allows what the member may do, or the part of it that the options state. A machine's key is a viewer
    of all records, unless the options state more.
    """
    level, reach, rights = options.chosen()
    expires_at = expiry_after(expires_in)

    async def run() -> tuple[ListedKey, str, bool]:
        async with open_database(data) as database:
            async with database.read() as session:
                member_id = None if member is None else await find_member(session, member)
            is_first = not await count_real_keys(database)
            whose = None if member_id is None else Reference(id=member_id)
            do = CreateApiKey(name, whose, level, reach, rights, expires_at)
            outcome = await performed(database, "createApiKey", partial(create_api_key, do=do))
            made = await _listed(database, outcome.records["api_key"])
            return made, outcome.secrets[TOKEN], is_first

    key, token, is_first = asyncio.run(run())
    _print_made(key, token, as_json)
    if is_first and not as_json:
        typer.echo("From now on every request needs a key: the local operator and demo keys no longer serve.", err=True)


def list_all(
    with_ended: Annotated[bool, typer.Option("--all", help="Also list keys that were revoked or expired.")] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List the API keys, without their tokens."""

    async def run() -> list[ListedKey]:
        async with open_database(data) as database, database.read() as session:
            return await list_keys(session)

    keys = [key for key in asyncio.run(run()) if with_ended or not key.has_ended]
    if as_json:
        print_json([_values(key) for key in keys])
    elif not keys:
        typer.echo(f"There are no API keys. Create one: {next_command('accord key create NAME', data)}")
    else:
        headings = ("id", "name", "whose", "allows", "state", "created", "expires", "last used")
        print_table(headings, map(_cells, keys))


def revoke(key: KeyName, data: Data = None) -> None:
    """Revoke an API key: it ends at once, on every server."""

    async def run() -> ListedKey:
        async with open_database(data) as database:
            async with database.read() as session:
                id_ = await find_listed_key(session, key)
            await performed(database, "revokeApiKey", partial(revoke_api_key, do=RevokeApiKey(Reference(id=id_))))
            return await _listed(database, id_)

    revoked = asyncio.run(run())
    typer.echo(f"The key '{revoked.name}' ({revoked.key_id}) is revoked.")


def rotate(
    key: KeyName,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="TIME", help="How long the old key still works, like '2 hours'.")
    ] = "1 day",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Make the successor of an API key, and print its token, once.

    The old key works beside it for a while, so that programs can be changed one after another.
    """
    length = parse_length("--overlap", overlap)

    async def run() -> tuple[ListedKey, ListedKey, str]:
        async with open_database(data) as database:
            async with database.read() as session:
                id_ = await find_listed_key(session, key)
            do = RotateApiKey(Reference(id=id_), length)
            outcome = await performed(database, "rotateApiKey", partial(rotate_api_key, do=do))
            made = await _listed(database, outcome.records["api_key"])
            return await _listed(database, id_), made, outcome.secrets[TOKEN]

    old, new, token = asyncio.run(run())
    _print_made(new, token, as_json)
    if not as_json:
        typer.echo(f"The old key ({old.key_id}) works until {instant_text(old.expires_at)} UTC.", err=True)


async def _listed(database: Database, id_: UUID | None) -> ListedKey:
    async with database.read() as session:
        return next(key for key in await list_keys(session) if key.id == id_)


def _print_made(key: ListedKey, token: str, as_json: bool) -> None:
    """Print a new key. The token is the only line of the output, so that scripts can take it."""
    if as_json:
        print_json({**_values(key), "token": token})
        return
    whose = f" of {key.member}" if key.member else ""
    until = f", until {instant_text(key.expires_at)} UTC" if key.expires_at else ""
    typer.echo(f"Created the key '{key.name}'{whose}: {key.grant}{until}. Its token is shown only now:", err=True)
    typer.echo(token)


def _cells(key: ListedKey) -> tuple[str, ...]:
    whose = key.member or "a machine"
    return (
        key.key_id,
        f"{key.name} (demo)" if key.is_demo else key.name,
        whose,
        str(key.grant),
        key.state,
        instant_text(key.created_at),
        instant_text(key.expires_at, "never"),
        instant_text(key.last_used_at, "never"),
    )


def _values(key: ListedKey) -> dict[str, object]:
    return {
        "id": f"api_key_{key.id}",
        "keyId": key.key_id,
        "name": key.name,
        "member": key.member,
        **grant_values(key.grant),
        "state": key.state,
        "isDemo": key.is_demo,
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    }
