"""`accord show`, `accord evaluate` and `accord check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import Data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.accord.in_force import AccordInForce
    from api.funnel.drift import Checked
    from api.funnel.evaluate import Evaluated
    from schema.accord import Accord, Stage


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("show")(show)
    app.command("evaluate")(evaluate)
    app.command("check")(check)


def show(
    as_toml: Annotated[bool, typer.Option("--toml", help="Print the document as TOML, to change and adopt.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the canonical JSON that the hash names.")] = False,
    data: Data = None,
) -> None:
    """Print the accord in force in plain sentences."""
    import asyncio

    from schema.toml_text import accord_toml

    version = asyncio.run(_in_force(data))
    if as_json:
        typer.echo(version.accord.canonical())
    elif as_toml:
        typer.echo(accord_toml(version.accord), nl=False)
    else:
        for line in _told(version):
            typer.echo(line)


def evaluate(data: Data = None) -> None:
    """Judge every contact by the accord anew, and print how many entries each stage has."""
    import asyncio
    import time

    began = time.monotonic()
    made = asyncio.run(_evaluate(data))
    width = max(len(stage) for stage in made.entries)
    for stage, entries in made.entries.items():
        typer.echo(f"{stage:{width}}  {entries:>12,}")
    seen = f"{made.watermark:%Y-%m-%d %H:%M:%S} UTC" if made.watermark else "none"
    typer.echo(
        f"{sum(made.entries.values()):,} entries in {time.monotonic() - began:.1f} s; last fact recorded: {seen}."
    )


def check(data: Data = None) -> None:
    """Verify that the stored entries equal a rebuild; nothing is written."""
    import asyncio

    checked = asyncio.run(_check(data))
    typer.echo(f"{checked.entries:,} stored entries equal a rebuild.")


async def _in_force(data: Path | None) -> "AccordInForce":
    from api.accord.in_force import accord_in_force
    from api.cli.session import opened

    async with opened(data) as database, database.read() as session:
        return await accord_in_force(session)


async def _evaluate(data: Path | None) -> "Evaluated":
    from api.cli.progress_bar import told_progress
    from api.cli.session import opened
    from api.funnel.evaluate import evaluate as rebuild

    async with opened(data) as database:
        with told_progress() as progress:
            async with database.write(is_snapshot=True) as session:
                return await rebuild(session, progress=progress)


async def _check(data: Path | None) -> "Checked":
    from api.cli.progress_bar import told_progress
    from api.cli.session import opened
    from api.funnel.drift import check_entries

    async with opened(data) as database:
        with told_progress() as progress:
            async with database.write(is_snapshot=True) as session:
                return await check_entries(session, progress)


def _told(version: "AccordInForce") -> "Iterator[str]":
    """Yield the whole agreement, stage by stage."""
    from schema.sentences import exit_sentence, policy_sentences, reason_sentence, reporting_sentences

    accord = version.accord
    since = f"{version.starts_at:%Y-%m-%d %H:%M} UTC" if version.starts_at else "the beginning of time"
    signed = "signed by both teams" if version.is_signed else "not signed yet: provisional until both teams sign it"
    yield accord.title
    yield f"Version {version.number}, in force from {since}; {signed}."
    yield f"Content hash (SHA-256): {version.content_hash}"
    for rank, stage in enumerate(accord.stages, start=1):
        yield from _stage(rank, stage, accord)
    yield ""
    yield "How entries end"
    yield "  An entry ends when a higher stage is entered."
    yield from (f"  {exit_sentence(each, accord)}" for each in accord.exits)
    if accord.reject_reasons:
        yield ""
        yield "Why sales may reject a handoff"
        yield from (f"  {reason_sentence(reason)}" for reason in accord.reject_reasons)
    if accord.contact_policy is not None:
        yield ""
        yield "How often a person may be touched"
        yield from (f"  {sentence}" for sentence in policy_sentences(accord.contact_policy))
    yield ""
    yield "Reporting"
    yield from (f"  {sentence}" for sentence in reporting_sentences(accord))


def _stage(rank: int, stage: "Stage", accord: "Accord") -> "Iterator[str]":
    """Yield what one stage means."""
    from schema.sentences import stage_sentence, team_name, window_sentence

    yield ""
    yield f"{rank}. {stage.title} ({stage.key}) · {stage.group} · owned by {team_name(stage.owner)}"
    yield f"   {stage.meaning}"
    yield f"   {stage_sentence(stage, accord)}"
    yield f"   {window_sentence(stage, accord)}"
    if stage.needs:
        yield f"   Needs filled in: {', '.join(stage.needs)}."
