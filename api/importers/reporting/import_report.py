"""What an import reports: what it did, or would do, and why it refused to commit."""

from dataclasses import dataclass
from pathlib import Path

from api.identity.sources import SourceName
from api.importers.reporting.import_record import FileReport
from api.importers.reporting.reported_stages import NO_REPORTED_STAGES, ReportedStages
from api.importers.reporting.unread_merges import UnreadMerges
from api.intake.evaluate_import import EvaluatedPeople
from api.intake.identity_changes import IdentityChanges
from api.intake.likely_same import LikelySame
from api.intake.upsert import RecordCounts


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do (dry run). `rejects` is the file of rejected rows, if there are any.

    `ignored` are files of the folder that the preset does not read, where it recognises its files by their columns.
    `identity_changes` and `likely_same`: see `api.intake.apply.Applied`. `unread_merges` are columns and files that say
    which records were merged, and that the preset does not read. `reported_stages` are empty unless the preset reads
    stages. `evaluated` is None if nothing was evaluated.
    """

    title: str
    source: SourceName
    files: tuple[FileReport, ...]
    records: dict[str, RecordCounts]
    rejects: Path | None
    accord: str
    is_adopted: bool
    is_presets_accord: bool
    is_dry_run: bool
    accepts_loss: bool
    seconds: float
    ignored: tuple[str, ...] = ()
    identity_changes: tuple[IdentityChanges, ...] = ()
    likely_same: tuple[LikelySame, ...] = ()
    are_changes_accepted: bool = False
    unread_merges: tuple[UnreadMerges, ...] = ()
    reported_stages: ReportedStages = NO_REPORTED_STAGES
    evaluated: EvaluatedPeople | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether the import changed nothing in the database."""
        is_written = any(counts.created or counts.changed for counts in self.records.values())
        return not self.is_adopted and not is_written

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(file.rejected for file in self.files)

    @property
    def left_out(self) -> int:
        """How many values were left out."""
        return sum(file.left_out for file in self.files)

    @property
    def mostly_rejected(self) -> tuple[FileReport, ...]:
        """The files of which less than half of the rows can be kept."""
        return tuple(file for file in self.files if file.is_mostly_rejected)

    @property
    def loses_too_much(self) -> bool:
        """Whether the import would lose most of a file, and nobody accepted that."""
        return bool(self.mostly_rejected) and not self.accepts_loss

    @property
    def changes_too_much(self) -> bool:
        """Whether too many known records would become others, and nobody accepted that."""
        return bool(self.identity_changes) and not self.are_changes_accepted

    @property
    def is_refused(self) -> bool:
        """Whether the import commits nothing because of what it would lose or change."""
        return self.loses_too_much or self.changes_too_much

    @property
    def is_rolled_back(self) -> bool:
        """Whether nothing is committed."""
        return self.is_dry_run or self.is_refused
