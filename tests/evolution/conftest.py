"""A copy of the migrations folder, to which a test can add migrations."""

from pathlib import Path

import pytest

from api.revisions import MIGRATIONS, migration_files


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the copied migrations, which `api.revisions` then uses."""
    copy = tmp_path / "migrations"
    (copy / "versions").mkdir(parents=True)
    for path in (MIGRATIONS / "env.py", *(MIGRATIONS / "versions").glob("*.py")):
        (copy / path.relative_to(MIGRATIONS)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(migration_files, "MIGRATIONS", copy)
    return copy / "versions"
