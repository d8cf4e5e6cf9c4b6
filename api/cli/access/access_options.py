"""Options and outcomes that the commands of keys and members share."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.access.credentials.grants import Grant
from api.access.principal import LOCAL_OPERATOR
from api.cli.kpi_values import bad_input, parse_word
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import Call, UnitOfWork, perform
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import now
from schema.durations import LONGEST, parse_duration

MemberName = Annotated[str, typer.Argument(metavar="WHO", help="The member: e-mail address, name or id.")]
KeyName = Annotated[str, typer.Argument(metavar="KEY", help="The key: its id from `accord key list`, or its name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _words(vocabulary: Iterable[AccessLevel | Reach | Right]) -> str:
    return ", ".join(word.lower().replace("_", "-") for word in vocabulary)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOptions:
    """What is granted. What is not stated depends on the command."""

    level: Annotated[
        str | None, typer.Option("--level", metavar="LEVEL", help=f"What may be done: {_words(AccessLevel)}.")
    ] = None
    reach: Annotated[str | None, typer.Option("--reach", metavar="REACH", help=f"Which records: {_words(Reach)}.")] = (
        None
    )
    right: Annotated[
        list[str] | None,
        typer.Option("--right", metavar="RIGHT", help=f"A further right, repeatable: {_words(Right)}; none for none."),
    ] = None

    def chosen(self) -> tuple[AccessLevel | None, Reach | None, tuple[Right, ...] | None]:
        """The level, the reach and the rights; None for what is not stated. Errors: BAD_INPUT for an unknown word."""
        level = None if self.level is None else parse_word(AccessLevel, "--level", self.level)
        reach = None if self.reach is None else parse_word(Reach, "--reach", self.reach)
        if not self.right:
            return level, reach, None
        if self.right == ["none"]:
            return level, reach, ()
        return level, reach, tuple(parse_word(Right, "--right", text) for text in self.right)

    def grant(self, base: Grant) -> Grant:
        """Return what the options grant; what they do not state is as in `base`. An admin reaches all.

        Errors: BAD_INPUT for an unknown word.
        """
        level, reach, rights = self.chosen()
        base_reach = Reach.ALL if level is AccessLevel.ADMIN else base.reach
        return Grant(level or base.level, reach or base_reach, base.rights if rights is None else frozenset(rights))


async def performed(database: Database, mutation: str, workflow: Callable[[UnitOfWork], Awaitable[Outcome]]) -> Outcome:
    """Run a workflow as the local operator, and commit it. Errors: BAD_INPUT with all that is wrong; its own."""
    outcome = await perform(database, LOCAL_OPERATOR, Call(mutation), workflow)
    if outcome.errors:
        message = "\n".join(error.message for error in outcome.errors)
        raise AccordError(ErrorCode.BAD_INPUT, message, "Nothing was changed.")
    return outcome


def parse_length(option: str, text: str) -> timedelta:
    """A length of time such as `30 days`. Errors: BAD_INPUT."""
    try:
        return parse_duration(text)
    except ValueError as error:
        remedy = f"Write a length of time like '30 days' or '72 hours', up to {LONGEST.days} days."
        raise bad_input(f"{option} does not accept '{text}'.", remedy) from error


def expiry_after(text: str | None) -> datetime | None:
    """The instant after a length of time from now; None without one. Errors: BAD_INPUT."""
    return None if text is None else now() + parse_length("--expires-in", text)


def instant_text(instant: datetime | None, absent: str = "") -> str:
    """Return an instant to the minute, in UTC."""
    return absent if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def print_table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table. Output to a file or a pipe is wide enough to keep lines whole."""
    console = Console(highlight=False)
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    (console if console.is_terminal else Console(highlight=False, width=200)).print(table)


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def grant_values(grant: Grant | None) -> dict[str, object]:
    """Return a grant as values of a JSON object; nulls for no access."""
    if grant is None:
        return {"level": None, "reach": None, "rights": []}
    rights = [right.value for right in Right if right in grant.rights]
    return {"level": grant.level.value, "reach": grant.reach.value, "rights": rights}
