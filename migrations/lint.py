"""Flag migrations that would lock tables in use, or break the release before: `python -m migrations.lint`.

squawk reads the SQL of every migration but the first: that one makes everything in an empty database, so nobody waits
for it and there was no release before it. A migration excuses a rule by `excused = {"rule-name": "the reason"}`.
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

from api.revisions import MIGRATIONS, known_revisions
from migrations.statements import migration, script

CONFIGURATION = MIGRATIONS.parent / ".squawk.toml"
# What is dropped may be what the same migration makes: a vocabulary's CHECK anew, a default that only filled old rows.
_OF_ITS_OWN = {
    "ban-drop-constraint": (r"alter table (\w+) drop constraint (\w+)", r"alter table {} add constraint {}\b"),
    "ban-drop-default": (r"alter table (\w+) alter column (\w+) drop default", r"alter table {} add column {}\b"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What squawk says of a migration."""

    file: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}"


def main() -> None:
    """Read every migration but the first; exit 1 if one is flagged."""
    later = known_revisions()[:-1]
    found = [finding for each in reversed(later) for finding in flagged(each)]
    for each in found:
        print(each, file=sys.stderr)  # noqa: T201 - a command
    if found:
        raise SystemExit(1)
    print(f"squawk read {len(later)} migrations and flags none.")  # noqa: T201 - a command


def flagged(revision: str) -> tuple[Finding, ...]:
    """What is to be said of a migration, without what it excuses."""
    step = migration(revision)
    excused = getattr(step.module, "excused", {})
    found = dict.fromkeys(squawk(script(revision), Path(step.path).name))  # of a table and its versions, once
    return tuple(each for each in found if not str(excused.get(each.rule, "")).strip())


def squawk(sql: str, name: str) -> Iterator[Finding]:
    """Have squawk read an SQL text; what it drops of its own making is not held against it."""
    with tempfile.TemporaryDirectory(prefix="accord-squawk-") as folder:
        path = Path(folder) / "migration.sql"
        path.write_text(sql, encoding="utf-8")
        lines = sql.splitlines()
        for each in _run([_program(), "--config", str(CONFIGURATION), "--reporter", "json", str(path)]):
            rule = str(each["rule_name"])
            if _is_its_own(rule, lines[int(str(each["line"]))], sql):
                continue
            yield Finding(name, rule, " ".join(str(each[part]) for part in ("message", "help") if each.get(part)))


def _run(words: Sequence[str]) -> list[dict[str, object]]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own program and files
    if done.returncode > 1 or not done.stdout.strip().startswith("["):
        raise RuntimeError(f"squawk could not read a migration: {done.stderr or done.stdout}")
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def _is_its_own(rule: str, line: str, sql: str) -> bool:
    """Whether what the line drops is made by the same SQL."""
    if rule not in _OF_ITS_OWN:
        return False
    dropped, made = _OF_ITS_OWN[rule]
    found = re.search(dropped, line, re.IGNORECASE)
    return found is not None and re.search(made.format(*found.groups()), sql, re.IGNORECASE) is not None


def _program() -> str:
    """The squawk beside this Python, else on the path."""
    found = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if found is None:
        raise SystemExit("squawk is not installed: make .venv/.installed-dev")
    return found


if __name__ == "__main__":
    main()
