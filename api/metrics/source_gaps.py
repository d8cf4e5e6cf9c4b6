"""Source gaps: rows that the last import of a file rejected, and the warning of results that may lack their facts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.metrics.answer import AnswerWarning
from api.sql import Sql
from schema.accord import Accord
from schema.clauses.rules import DealIs, FieldIs, HandoffIs, Reported, Score, Silence, StageReached, Touches, leaves
from schema.kpis.answer_vocab import WarningCode

STAGE_ENTRIES = "stage_entry"
_NAMED_FILES = 3  # more are counted

# A few rows per file with rejects, and none for most databases.
ALL_GAPS = Sql(
    "(select coalesce(jsonb_agg(jsonb_build_array(g.source, g.role, g.file_name, g.record_type, g.rows_rejected,"
    " g.imported_at) order by g.rows_rejected desc, g.source, g.role), '[]') from source_gap g)"
)


@dataclass(frozen=True, slots=True)
class IncompleteFile:
    """Rows of one file that were rejected, and one type of the records that they describe."""

    source: str
    role: str
    file_name: str
    record_type: str
    rows: int
    imported_at: datetime


@dataclass(frozen=True, slots=True)
class SourceGaps:
    """All incomplete files. `is_detailed`: the reader reaches every record, so may know how many rows are missing."""

    files: tuple[IncompleteFile, ...]
    is_detailed: bool


def read_gaps(found: Sequence[Sequence[object]], *, is_detailed: bool) -> SourceGaps:
    """The gaps that `ALL_GAPS` returns."""
    files = tuple(
        IncompleteFile(str(source), str(role), str(name), str(table), int(str(rows)), datetime.fromisoformat(str(at)))
        for source, role, name, table, rows, at in found
    )
    return SourceGaps(files, is_detailed)


def tables_behind(reads: Collection[str], accord: Accord) -> frozenset[str]:
    """The tables of the records that a figure is computed from; stage entries come from those that the accord reads."""
    if STAGE_ENTRIES not in reads:
        return frozenset(reads)
    tables = {"contact"}
    for leaf in (leaf for stage in accord.stages for leaf in leaves(stage.rule)):
        match leaf:
            case FieldIs():
                tables.add(leaf.table)
            case Touches() | Score() | Silence():
                tables.add("touchpoint")
            case Reported():
                tables.add("reported_stage")
            case HandoffIs():
                tables.add("handoff")
            case DealIs():
                tables |= {"deal", "deal_contact"}
            case StageReached():
                pass
    for leaving in accord.exits:
        tables |= {"handoff"} if leaving.on == "HANDOFF_REJECTED" else {"deal", "deal_contact"}
    return frozenset(reads) - {STAGE_ENTRIES} | tables


def gap_warnings(gaps: SourceGaps, reads: Collection[str], accord: Accord) -> Iterator[AnswerWarning]:
    """Warn of a result whose facts an import rejected rows of. A row that describes several records counts once.

    The rejected rows may be about records that a restricted reader does not reach: for them they are not counted.
    """
    if not gaps.files:
        return
    tables = tables_behind(reads, accord)
    files: dict[tuple[str, str], IncompleteFile] = {}
    for gap in gaps.files:
        if gap.record_type in tables:
            files.setdefault((gap.source, gap.role), gap)
    if not files:
        return
    if not gaps.is_detailed:
        message = "An import rejected rows that the value may lack. Whoever imports files can correct them."
        yield AnswerWarning(code=WarningCode.SOURCE_INCOMPLETE, message=message, count=None)
        return
    rows = sum(gap.rows for gap in files.values())
    shown = [_in_words(gap) for gap in list(files.values())[:_NAMED_FILES]]
    if len(files) > _NAMED_FILES:
        shown.append(f"{len(files) - _NAMED_FILES} more files")
    were = (
        "1 row was rejected that the value may lack"
        if rows == 1
        else f"{rows:,} rows were rejected that the value may lack"
    )
    message = f"{were}: {', '.join(shown)}. Correct the rows and import the file again; `imports` has the reasons."
    yield AnswerWarning(code=WarningCode.SOURCE_INCOMPLETE, message=message, count=rows)


def _in_words(gap: IncompleteFile) -> str:
    return (
        f"{gap.rows:,} of {gap.file_name} ({gap.source}, imported {gap.imported_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
    )
