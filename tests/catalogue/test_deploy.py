"""The files that deploy Accord name what the code has, and the unit is one that systemd accepts."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.cli.serving import AFTER_GRACE_SECONDS
from api.settings import Settings
from tests.support.sources import TOP

DEPLOY = TOP / "api" / "deploy"
FILES = ("Dockerfile", "compose.yaml", "accord.service")
VARIABLES = {f"ACCORD_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL"}


@pytest.mark.parametrize("name", FILES)
def test_the_variables_are_settings(name: str) -> None:
    named = set(re.findall(r"\b(?:ACCORD_[A-Z_]+|DATABASE_URL)\b", (DEPLOY / name).read_text()))
    assert named
    assert named <= VARIABLES


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """The program and the account that it names are not on every machine: they are replaced by ones that are."""
    unit = tmp_path / "accord.service"
    text = (DEPLOY / "accord.service").read_text().replace("/opt/accord/bin/accord", "/bin/true")
    unit.write_text(text.replace("User=accord", "User=root").replace("Group=accord", "Group=root"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    about_it = [line for line in done.stderr.splitlines() if "accord" in line]
    assert (done.returncode, about_it) == (0, [])


def test_supervisors_wait_longer_than_a_stop_takes() -> None:
    stop = re.search(r"TimeoutStopSec=(\d+)", (DEPLOY / "accord.service").read_text())
    grace = re.search(r"stop_grace_period: (\d+)s", (DEPLOY / "compose.yaml").read_text())
    assert stop is not None
    assert grace is not None
    assert min(int(stop[1]), int(grace[1])) > Settings().stop_seconds + AFTER_GRACE_SECONDS + 1


def test_the_image_runs_without_rights_and_names_no_digest_that_was_not_tried() -> None:
    image, compose = (DEPLOY / "Dockerfile").read_text(), (DEPLOY / "compose.yaml").read_text()
    assert re.search(r"^USER 10001$", image, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", image, re.MULTILINE)
    assert "read_only: true" in compose
    assert not re.search(r"sha256:[0-9a-f]", image + compose)
