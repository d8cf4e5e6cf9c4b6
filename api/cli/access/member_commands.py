"""`accord member add`, `list`, `set` and `deactivate`."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

import typer

from api.access.credentials.grants import Grant
from api.access.credentials.listings import ListedMember, find_member, find_team, list_members
from api.cli.access.access_options import (
    AsJson,
    GrantOptions,
    MemberName,
    grant_values,
    performed,
    print_json,
    print_table,
)
from api.cli.kpi_values import bad_input, parse_word
from api.cli.options import Data, expand_options
from api.cli.session import open_database
from api.db import Database
from api.workflows.access.add_member import AddMember, add_member
from api.workflows.access.deactivate_member import DeactivateMember, deactivate_member
from api.workflows.access.end_member_sessions import SESSIONS_ENDED, EndMemberSessions, end_member_sessions
from api.workflows.access.set_member_access import (
    RemoveMemberAccess,
    SetMemberAccess,
    remove_member_access,
    set_member_access,
)
from api.workflows.records.record_input import Reference
from schema.access.rights import AccessLevel, Reach
from schema.vocab import MemberRole

NEW_MEMBER = Grant(AccessLevel.CONTRIBUTOR, Reach.TEAM)
"""What a member may do whose access is set for the first time, where the options do not state it."""


@expand_options
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The member's name.")],
    *,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Their e-mail address, by which they sign in.")
    ] = None,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="Their team, by its name.")] = None,
    role: Annotated[
        str | None,
        typer.Option(
            "--role", metavar="ROLE", help=f"Their main role: {', '.join(role.lower() for role in MemberRole)}."
        ),
    ] = None,
    options: GrantOptions,
    data: Data = None,
) -> None:
    """Add a member: a person who works here.

    With a level, a reach or a right they may sign in: as a contributor who reaches their team, unless stated.
    """
    grant = None if options.chosen() == (None, None, None) else options.grant(NEW_MEMBER)
    role_word = None if role is None else parse_word(MemberRole, "--role", role)

    async def run() -> ListedMember:
        async with open_database(data) as database:
            async with database.read() as session:
                team_id = None if team is None else await find_team(session, team)
            do = AddMember(name, email, team_id, role_word, grant)
            outcome = await performed(database, "createMember", partial(add_member, do=do))
            return await _listed(database, outcome.records["member"])

    _print_access(asyncio.run(run()), "Added")


def list_all(
    with_former: Annotated[bool, typer.Option("--all", help="Also list members who were deactivated.")] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List the members, and what they may do."""

    async def run() -> list[ListedMember]:
        async with open_database(data) as database, database.read() as session:
            return await list_members(session)

    members = [member for member in asyncio.run(run()) if with_former or member.deactivated_at is None]
    if as_json:
        print_json([_values(member) for member in members])
    else:
        print_table(("name", "e-mail", "team", "may", "signs in as"), map(_cells, members))


@expand_options
def set_access(
    who: MemberName,
    *,
    options: GrantOptions,
    email: Annotated[
        str | None,
        typer.Option("--email", metavar="ADDRESS", help="The address by which an identity provider knows them."),
    ] = None,
    no_access: Annotated[bool, typer.Option("--no-access", help="They may no longer sign in.")] = False,
    data: Data = None,
) -> None:
    """Set what a member may do when they sign in.

    What the options do not state stays as it is.
    """
    is_stated = email is not None or options.chosen() != (None, None, None)
    if is_stated == no_access:
        remedy = "Use --level, --reach, --right and --email, or --no-access."
        raise bad_input("Nothing is set, or two things at once.", remedy)

    async def run() -> ListedMember:
        async with open_database(data) as database:
            async with database.read() as session:
                member_id = await find_member(session, who)
            former = (await _listed(database, member_id)).access
            if no_access:
                removed = RemoveMemberAccess(Reference(id=member_id))
                await performed(database, "removeMemberAccess", partial(remove_member_access, do=removed))
            else:
                grant = options.grant(former or NEW_MEMBER)
                do = SetMemberAccess(Reference(id=member_id), grant.level, grant.reach, tuple(grant.rights), email)
                await performed(database, "setMemberAccess", partial(set_member_access, do=do))
            return await _listed(database, member_id)

    _print_access(asyncio.run(run()), "Set")


def sign_out(who: MemberName, data: Data = None) -> None:
    """Sign a member out everywhere: their sessions end at once, their keys stay."""

    async def run() -> tuple[ListedMember, object]:
        async with open_database(data) as database:
            async with database.read() as session:
                member_id = await find_member(session, who)
            do = EndMemberSessions(Reference(id=member_id))
            outcome = await performed(database, "endMemberSessions", partial(end_member_sessions, do=do))
            return await _listed(database, member_id), outcome.values[SESSIONS_ENDED]

    member, ended = asyncio.run(run())
    typer.echo(f"{member.name} is signed out. Sessions ended: {ended}.")


def deactivate(
    who: MemberName,
    successor: Annotated[
        str | None, typer.Option("--successor", metavar="WHO", help="The member who takes their records over.")
    ] = None,
    data: Data = None,
) -> None:
    """Deactivate a member who leaves: their keys and sessions end at once.

    With a successor, their contacts, companies, open deals and undecided handoffs are handed on. History keeps their
    name.
    """

    async def run() -> tuple[ListedMember, Mapping[str, object]]:
        async with open_database(data) as database:
            async with database.read() as session:
                member_id = await find_member(session, who)
                successor_id = None if successor is None else await find_member(session, successor)
            do = DeactivateMember(Reference(id=member_id), None if successor_id is None else Reference(id=successor_id))
            outcome = await performed(database, "deactivateMember", partial(deactivate_member, do=do))
            return await _listed(database, member_id), outcome.values

    member, handed_on = asyncio.run(run())
    typer.echo(f"{member.name} is deactivated; their keys and sessions have ended.")
    if successor is not None:
        counts = ", ".join(f"{name.removesuffix('_handed_on')} {count:,}" for name, count in handed_on.items())
        typer.echo(f"Handed on to {successor}: {counts}.")


async def _listed(database: Database, member_id: UUID | None) -> ListedMember:
    async with database.read() as session:
        return next(member for member in await list_members(session) if member.id == member_id)


def _print_access(member: ListedMember, verb: str) -> None:
    may = f"may sign in: {member.access}" if member.access else "may not sign in"
    typer.echo(f"{verb}: {member.name} {may}.")


def _cells(member: ListedMember) -> tuple[str, ...]:
    may = "deactivated" if member.deactivated_at else str(member.access or "not sign in")
    return member.name, member.email or "", member.team or "", may, member.sign_in or ""


def _values(member: ListedMember) -> dict[str, object]:
    return {
        "id": f"member_{member.id}",
        "name": member.name,
        "email": member.email,
        "team": member.team,
        **grant_values(member.access),
        "signIn": member.sign_in,
        "deactivatedAt": member.deactivated_at,
    }
