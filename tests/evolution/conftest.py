"""A copy of the migrations folder, to which a test can add migrations."""

from pathlib import Path

import pytest

from api import revisions
from api.revisions import MIGRATIONS


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the copied migrations, which `api.revisions` then uses."""
    copy = tmp_path / "migrations"
    (copy / "versions").mkdir(parents=True)
    for path in (MIGRATIONS / "env.py", *(MIGRATIONS / "versions").glob("*.py")):
        (copy / path.relative_to(MIGRATIONS)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(revisions, "MIGRATIONS", copy)
    return copy / "versions"
