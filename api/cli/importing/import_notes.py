"""What `accord import` says about the identity of records: source, likely doubles, merges, and records that change."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from api.errors import AccordError, ErrorCode
from api.identity.sources import SourceOrigin, UnnamedSourceError
from api.importers.reporting.import_report import ImportReport
from api.intake.likely_same import LINKABLE, LikelySame

PLURALS = {"company": "companies", "member": "members", "contact": "contacts"}
_SHOWN_STAGES = 8
_WHAT = {"domain": "domain", "email": "e-mail address"}


def parse_links(text: str | None) -> tuple[str, ...]:
    """Return the tables that `--link` names. Errors: BAD_INPUT if there is no such table."""
    names = [part.strip() for part in (text or "").split(",") if part.strip()]
    tables = {plural: table for table, plural in PLURALS.items()}
    unknown = [name for name in names if name not in tables]
    if unknown:
        message = f"--link: '{unknown[0]}' cannot be linked."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Name one or more of {','.join(tables)}, with commas.")
    return tuple(tables[name] for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOptions:
    """The options of `accord import` that decide which records the rows are about."""

    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The system that the files are from, such as our_crm; default: the preset's, or the one that such"
            " files were imported from before.",
        ),
    ] = None
    link: Annotated[
        str | None,
        typer.Option(
            metavar="companies,members,contacts",
            help="Link new ones to the record of another source with the same domain or e-mail address.",
        ),
    ] = None
    accept_changes: Annotated[
        bool,
        typer.Option("--accept-changes", help="Import although many known records change name and address at once."),
    ] = False

    def links(self) -> tuple[str, ...]:
        """The tables to link. Errors: BAD_INPUT if `--link` names none that can be."""
        return parse_links(self.link)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_source(error: UnnamedSourceError) -> str:
    """Ask on the terminal which source the files are from; without a terminal raise the error."""
    if not is_terminal():
        raise error
    typer.echo(error.message, err=True)
    question = "Which system are they from? Name it once, such as our_crm"
    if error.known:
        question = f"Which system are they from? {', '.join(error.known)}, or the name of another"
    return str(typer.prompt(question, default=None if error.known else error.proposed, err=True))


def source_line(report: ImportReport) -> str | None:
    """Say which source the import has, unless it was stated."""
    source = report.source.name
    if report.source.origin is SourceOrigin.REMEMBERED:
        return f"Source: {source}, of which files with these columns were imported before."
    if report.source.origin is SourceOrigin.FILE:
        return (
            f"Source: {source}, named after the file; later files with these columns are taken to be from it, whatever"
            " they are called. Name the system with --source NAME."
        )
    return None


def reported_stage_lines(report: ImportReport) -> Iterator[str]:
    """The stages that sources report and the accord does not read, and the sources whose stages it misses."""
    stages = report.reported_stages
    if stages.unread_source is not None:
        yield (
            f"The accord reads the stages that {' and '.join(stages.read_sources)} reports, and this import is of"
            f" {stages.unread_source}: its stages are in no rule. Name {stages.unread_source} as the source in the"
            " rules, and propose that accord."
        )
    for source in sorted(set(stages.silent_sources) - set(stages.read_sources)):
        yield (
            f"The accord reads the stages that {source} reports, and none is known. Import files that have them, or"
            " agree on rules that read other facts: accord propose standard"
        )
    for source in dict.fromkeys(stage.source for stage in stages.unread):
        found = [f"'{it.stage}' ({_people(it.people)})" for it in stages.unread if it.source == source]
        yield (
            f"Stages of {source} that the accord does not read: {_first_of(found)}. To count one, add it to"
            " the words of a rule, and propose that accord."
        )
    for source in dict.fromkeys(stage.source for stage in stages.missing):
        found = [
            f"'{it.stage}' as {it.mapped_to} ({_people(it.people)})" for it in stages.missing if it.source == source
        ]
        yield (
            f"WARNING: stages of {source} are mapped to stages that the accord does not have: {_first_of(found)}. The"
            " reported stages of these people agree with no stage of the accord. Map them to its stages in a copy of"
            " the preset."
        )


def _first_of(found: Sequence[str]) -> str:
    more = [f"{len(found) - _SHOWN_STAGES} more"] if len(found) > _SHOWN_STAGES else []
    return ", ".join([*found[:_SHOWN_STAGES], *more])


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def likely_same_lines(report: ImportReport) -> Iterator[str]:
    """Say which new records other sources seem to know already, and how to link them."""
    for same in report.likely_same:
        if same.found:
            yield _likely_same_line(same, is_dry_run=report.is_dry_run)
            for example in same.examples:
                known = f" ({example.known})" if example.known else ""
                yield f"  {example.key}: {example.address}{known}"
        if same.ambiguous:
            noun = PLURALS[same.table]
            yield (
                f"{same.ambiguous:,} new {noun} share their {_WHAT[LINKABLE[same.table]]} with several {noun}: not"
                " linked, for which of them is meant is not certain."
            )


def _likely_same_line(same: LikelySame, *, is_dry_run: bool) -> str:
    noun, what = PLURALS[same.table], _WHAT[LINKABLE[same.table]]
    if same.is_linked:
        verb = "would be linked" if is_dry_run else "were linked"
        return f"{same.found:,} {noun} {verb} to the record of another source with the same {what}, such as"
    verb = "would be made" if is_dry_run else "were made"
    advice = f"--link {noun}" if is_dry_run else f"next time, --dry-run shows them first, and --link {noun}"
    return (
        f"{same.found:,} new {noun} have the {what} of a record of another source: likely the same, and {verb} anew"
        f" ({advice} links them). Such as"
    )


def unread_merge_lines(report: ImportReport) -> Iterator[str]:
    """Warn of merges that the preset does not read: the merged records count as several."""
    for unread in report.unread_merges:
        if unread.column is None:
            place = f"{unread.file} seems to say which records were merged, and this preset does not read the file"
        else:
            rows = f"{unread.rows:,} row{'s' if unread.rows > 1 else ''}"
            place = (
                f"the column '{unread.column}' of {unread.file} says in {rows} which records were merged, and this"
                " preset does not read it"
            )
        remedy = "Read it in a preset of your own: for contacts, as the field merged_into."
        yield f"WARNING: {place}. Merged records count as several. {remedy}"


def refusal_lines(report: ImportReport) -> Iterator[str]:
    """Say why nothing is imported: known records would become others, or most rows of a file would be lost."""
    for changes in report.identity_changes:
        noun, what = PLURALS[changes.table], "domain" if changes.table == "company" else "e-mail address"
        verb = "change" if report.are_changes_accepted and not report.is_dry_run else "would change"
        yield f"{changes.changed:,} of {changes.matched:,} known {noun} {verb} name and {what} at once, such as"
        for example in changes.examples:
            yield f"  {example.key}: {example.before} -> {example.after}"
    if report.loses_too_much:
        names = ", ".join(file.name for file in report.mostly_rejected)
        yield (
            f"Nothing was imported, because less than half of {names} can be kept. Correct the file or the preset, or"
            " import what is left with --accept-loss."
        )
    if report.changes_too_much:
        yield (
            "Nothing was imported: the keys of the file seem to be those of other records. Check that the key"
            " identifies a record, and that --source is right. If the changes are, import with --accept-changes."
        )
