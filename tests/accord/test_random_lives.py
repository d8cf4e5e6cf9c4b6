"""Random sequences of verbs, also two at a time: no version comes into force without both signatures on its document.

The machine keeps a record of its own: which signatures were accepted, on which documents, and which fell since. It
never reads the signatures of the database to decide what is right.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.verification import verify_versions
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.drift import check_entries
from api.sql import Sql
from api.workflows.accord.activate_due import activate_due
from schema.accord import Accord
from schema.base import now
from tests.funnel.small_world import ACCORD, write_small_world
from tests.support.databases import delete_all_rows
from tests.support.graphql import executed
from tests.support.signers import MAX, MIA, RHEA, SAM, SUE, operator, signed_in, write_people, write_preview

PEOPLE = (MIA, MAX, SAM, SUE, RHEA)
TEAM_OF = {MIA: "MARKETING", MAX: "MARKETING", SAM: "SALES", SUE: "SALES"}
DOCUMENTS = tuple(
    Accord.model_validate(ACCORD.model_dump(mode="json", by_alias=True) | {"title": title}) for title in "tuvw"
)
MOST = 4
"""The most versions of one sequence."""

numbers = st.integers(2, MOST) | st.just(1)
people = st.sampled_from(PEOPLE)
documents = st.sampled_from(DOCUMENTS)
_VERB = "mutation ($input: {type}Input!) {{ {verb}(input: $input) {{ userErrors {{ code message }} }} }}"


class Lives(RuleBasedStateMachine):
    """The verbs of versions, on one database."""

    runner: asyncio.Runner
    dsn: str
    reached: set[int]

    def __init__(self) -> None:
        super().__init__()
        self.accepted: defaultdict[int, list[tuple[str, UUID, str]]] = defaultdict(list)
        self.opened: Any = None

    def wait(self, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - what the work returns
        """Run asynchronous work to its end."""

        async def run() -> Any:  # noqa: ANN401 - as above
            return await work

        return self.runner.run(run())

    @initialize()
    def begin(self) -> None:
        self.opened = Database.open(self.dsn, size=4)
        self.database: Database = self.wait(self.opened.__aenter__())
        self.wait(self._begin())

    async def _begin(self) -> None:
        async with self.database.write() as session:
            await delete_all_rows(session)
        async with self.database.write() as session:
            await write_small_world(session)
            await write_people(session)

    async def verb(self, who: Principal, verb: str, **given: object) -> bool | None:
        """Run a verb. Return whether it was accepted; None if it was BUSY or not allowed."""
        document = _VERB.format(type=verb[0].upper() + verb[1:], verb=verb)
        result = await executed(self.database, document, who, input=given)
        for error in result.errors or ():
            cause = error.original_error
            assert isinstance(cause, AccordError), cause
            assert cause.code in (ErrorCode.BUSY, ErrorCode.NOT_ALLOWED), cause
            return None
        return not result.data[verb]["userErrors"]

    async def sign(self, number: int, member: UUID, *, is_stale: bool = False) -> None:
        """Sign a version, on a preview of it as it is now, or of a hash that it does not have."""
        row = await self._row(number)
        if row is None:
            return
        preview = await write_preview(self.database, number)
        content_hash = "0" * 64 if is_stale else row["content_hash"]
        given = {"version": number, "hash": content_hash, "previewId": preview}
        if await self.verb(signed_in(member), "signAccord", **given):
            assert not is_stale
            self.accepted[number].append((TEAM_OF[member], member, content_hash))

    async def _row(self, number: int) -> Any:  # noqa: ANN401 - a row
        async with self.database.read() as session:
            return await session.row(Sql("select * from accord_version where number = {}::int8", number))

    def one(self, draw: tuple[str, int, UUID, Accord]) -> Awaitable[object]:
        """Return the verb that was drawn."""
        kind, number, member, document = draw
        match kind:
            case "edit":
                return self.verb(signed_in(member), "editAccord", version=number, document=document.canonical())
            case "sign":
                return self.sign(number, member)
            case "revoke":
                return self.verb(signed_in(member), "revokeSignature", version=number)
            case "withdraw":
                return self.verb(signed_in(member), "withdrawAccord", version=number)
            case "activate":
                return self.verb(operator(), "activateAccord", version=number)
            case "run":
                return activate_due(self.database)
            case "comment":
                return self.verb(signed_in(member), "commentAccord", version=number, text="hm")
            case _:
                return self.verb(signed_in(member), "submitAccord", version=number)

    @rule(document=documents, member=people)
    def propose(self, document: Accord, member: UUID) -> None:
        self.wait(self._propose(document, member))

    async def _propose(self, document: Accord, member: UUID) -> None:
        async with self.database.read() as session:
            number = await session.value(Sql("select max(number) from accord_version"))
        if number < MOST and await self.verb(signed_in(member), "proposeAccord", document=document.canonical()):
            await self.verb(signed_in(member), "submitAccord", version=number + 1)

    @rule(number=numbers, first=st.sampled_from((MIA, MAX)), second=st.sampled_from((SAM, SUE)))
    def sign_by_both(self, number: int, first: UUID, second: UUID) -> None:
        self.wait(self.sign(number, first))
        self.wait(self.sign(number, second))

    @rule(number=numbers, member=people, is_stale=st.booleans())
    def sign_once(self, number: int, member: UUID, is_stale: bool) -> None:
        self.wait(self.sign(number, member, is_stale=is_stale))

    @rule(number=numbers, member=people, verb=st.sampled_from(("edit", "revoke", "comment", "none", "none")))
    def agree(self, number: int, member: UUID, verb: str) -> None:
        """Everything that brings a version into force, and perhaps something between that must prevent it."""
        self.wait(self._propose(DOCUMENTS[(number + 1) % len(DOCUMENTS)], member))
        self.wait(self._resolve())
        self.wait(self.verb(signed_in(member), "submitAccord", version=number))
        self.wait(self.sign(number, MAX))
        self.wait(self.sign(number, SUE))
        if verb != "none":
            self.wait(self.one((verb, number, member, DOCUMENTS[number % len(DOCUMENTS)])))
        self.wait(self.verb(operator(), "activateAccord", version=number))
        self.wait(activate_due(self.database))

    @rule(number=numbers)
    def activate(self, number: int) -> None:
        self.wait(self.verb(operator(), "activateAccord", version=number))
        self.wait(activate_due(self.database))

    @rule(number=numbers)
    def plan(self, number: int) -> None:
        at = (now() + timedelta(hours=1)).isoformat()
        self.wait(self.verb(operator(), "activateAccord", version=number, at=at))

    @rule(number=numbers, text=st.sampled_from(("no", "why")))
    def request_changes(self, number: int, text: str) -> None:
        self.wait(self.verb(signed_in(SAM), "requestAccordChanges", version=number, text=text))

    @rule()
    def resolve(self) -> None:
        self.wait(self._resolve())

    async def _resolve(self) -> None:
        async with self.database.read() as session:
            rows = await session.rows(Sql("select id from accord_comment where resolved_at is null"))
        for row in rows:
            assert await self.verb(LOCAL_OPERATOR, "resolveComment", id=f"accord_comment_{row['id']}")

    @rule(member=st.sampled_from((MIA, SAM)), leaves=st.booleans())
    def change_people(self, member: UUID, leaves: bool) -> None:
        self.wait(self._change_people(member, leaves))

    async def _change_people(self, member: UUID, leaves: bool) -> None:
        async with self.database.write() as session:
            at = now() if leaves else None
            await session.run(Sql("update member set deactivated_at = {}::timestamptz where id = {}", at, member))

    @rule(
        pair=st.lists(
            st.tuples(
                st.sampled_from(("edit", "sign", "revoke", "withdraw", "activate", "run", "comment", "submit")),
                st.integers(2, 3),
                people,
                documents,
            ),
            min_size=2,
            max_size=2,
        )
    )
    def two_at_once(self, pair: list[tuple[str, int, UUID, Accord]]) -> None:
        self.wait(self._together(pair))

    async def _together(self, pair: list[tuple[str, int, UUID, Accord]]) -> None:
        await asyncio.gather(*map(self.one, pair))

    @invariant()
    def both_signed_what_is_in_force(self) -> None:
        if self.opened is not None:
            self.wait(self._require_signed())

    async def _require_signed(self) -> None:
        async with self.database.read() as session:
            rows = await session.rows(
                Sql(
                    "select * from accord_version where status in ('ACTIVE', 'SUPERSEDED')"
                    " order by in_force_from nulls first"
                )
            )
            assert (await verify_versions(session)).problems == ()
        assert [row["status"] for row in rows].count("ACTIVE") == 1
        assert rows[0]["number"] == 1
        for former, later in pairwise(rows):
            assert former["in_force_until"] == later["in_force_from"]
            assert later["base_hash"] == former["content_hash"]
        self.reached.add(len(rows))
        for row in rows:
            signed = {team: member for team, member, its in self.accepted[row["number"]] if its == row["content_hash"]}
            if row["number"] != 1 or row["signed_at"] is not None:
                assert set(signed) == {"MARKETING", "SALES"}, row["number"]
                assert len(set(signed.values())) == 2

    def teardown(self) -> None:
        if self.opened is not None:
            self.wait(self._end())
            self.wait(self.opened.__aexit__(None, None, None))

    async def _end(self) -> None:
        """What `accord verify` does."""
        async with self.database.scratch() as session:
            await check_entries(session)


def test_no_sequence_of_verbs_puts_an_unsigned_version_in_force(module_dsn: str) -> None:
    with asyncio.Runner() as runner:
        reached: set[int] = set()
        machine = type("LivesHere", (Lives,), {"runner": runner, "dsn": module_dsn, "reached": reached})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=10,
                stateful_step_count=25,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert max(reached) > 2, "the sequences activate several versions"
