"""Find migrations that lock tables in use, or state a wrong kind: `python -m migrations.lint`.

squawk checks the SQL of every migration but the first, which runs on an empty database and has no release before it.
The rule `kind` compares whether a migration says that it expands or contracts with what its statements do.
A migration excuses a rule with `excused = {"rule-name": "the reason"}` beside its `revision`.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.errors import AccordError
from api.revisions import MIGRATIONS, MigrationKind, known_revisions, revision_kind
from migrations.kinds import derived_kind
from migrations.statements import migration, script, statements

CONFIGURATION = MIGRATIONS.parent / ".squawk.toml"
# A drop is allowed if the same migration creates the object: the new CHECK of a vocabulary replaces the old one.
_OWN_DROPS = {
    "ban-drop-constraint": (r"alter table (\w+) drop constraint (\w+)", r"alter table {} add constraint {}\b"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of a rule of squawk, or of the rule `kind`, by a migration."""

    file: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}"


def main() -> None:
    """Check every migration but the first; print the findings and exit with 1 if there are any."""
    later = known_revisions()[:-1]
    found = [finding for revision in reversed(later) for finding in findings(revision)]
    for finding in found:
        print(finding, file=sys.stderr)  # noqa: T201 - a command
    if found:
        raise SystemExit(1)
    print(f"{len(later)} migrations after the first were checked, and no problem was found.")  # noqa: T201 - a command


def findings(revision: str) -> tuple[Finding, ...]:
    """Return the findings for a migration, without the rules that it excuses."""
    step = migration(revision)
    excused = getattr(step.module, "excused", {})
    # A table and its version table violate a rule in the same words: reported once.
    name = Path(step.path).name
    found = dict.fromkeys([*kind_findings(revision, name), *squawk(script(revision), name)])
    return tuple(finding for finding in found if not str(excused.get(finding.rule, "")).strip())


def kind_findings(revision: str, name: str) -> Iterator[Finding]:
    """Find a missing kind, and one that says `expand` where the statements contract."""
    try:
        stated = revision_kind(revision)
    except AccordError as error:
        yield Finding(name, "kind", str(error))
        return
    derived = derived_kind(statement.text for statement in statements(revision))
    if stated is MigrationKind.EXPAND and derived is MigrationKind.CONTRACT:
        yield Finding(
            name,
            "kind",
            "The migration drops, renames, requires or retypes what the release before may use. State"
            ' `kind: str = "contract"`; or excuse the rule with the reason why that release does not use it.',
        )


def squawk(sql: str, name: str) -> Iterator[Finding]:
    """Run squawk on an SQL text. A drop of something that the same text creates is no finding."""
    with tempfile.TemporaryDirectory(prefix="accord-squawk-") as folder:
        path = Path(folder) / "migration.sql"
        path.write_text(sql, encoding="utf-8")
        lines = sql.splitlines()
        for violation in _run([_program(), "--config", str(CONFIGURATION), "--reporter", "json", str(path)]):
            rule = str(violation["rule_name"])
            if _is_own_drop(rule, lines[int(str(violation["line"]))], sql):
                continue
            texts = (violation.get(key) for key in ("message", "help"))
            yield Finding(name, rule, " ".join(str(text) for text in texts if text))


def _run(words: Sequence[str]) -> list[dict[str, object]]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - fixed program, own files
    if done.returncode > 1 or not done.stdout.strip().startswith("["):
        raise RuntimeError(f"squawk failed: {done.stderr or done.stdout}")
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def _is_own_drop(rule: str, line: str, sql: str) -> bool:
    """Whether the same SQL creates what the line drops."""
    if rule not in _OWN_DROPS:
        return False
    drop, create = _OWN_DROPS[rule]
    dropped = re.search(drop, line, re.IGNORECASE)
    return dropped is not None and re.search(create.format(*dropped.groups()), sql, re.IGNORECASE) is not None


def _program() -> str:
    """Return the path of squawk: beside this Python, else on PATH."""
    found = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if found is None:
        raise SystemExit("squawk is not installed. Install it: make .venv/.installed-dev")
    return found


if __name__ == "__main__":
    main()
