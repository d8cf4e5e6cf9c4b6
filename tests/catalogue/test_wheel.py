"""The wheel contains the migrations, so that an installed Accord can migrate a database."""

import subprocess
import sys
import zipfile
from pathlib import Path

from api.revisions import head_revision
from tests.support.sources import TOP

MIGRATE = """
import asyncio, sys
import api
from api.revisions import migrate
assert sys.argv[2] in api.__file__, api.__file__
print(asyncio.run(migrate(sys.argv[1])).revision)
"""


def test_the_wheel_migrates_an_empty_database(empty_dsn: str, tmp_path: Path) -> None:
    run = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(run, cwd=TOP, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    assert not (tmp_path / "installed/alembic.ini").exists()
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE, empty_dsn, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, head_revision()), done.stderr
