"""Faults of packages, settings, network, folder and disk are named, without a database."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.doctor import Severity, data_folder
from tests.doctor.diagnoses import diagnosis

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR
REMOTE = "postgresql://accord:hidden@db.example/accord"


async def test_a_foreign_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await diagnosis("packages")).severity is OK
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "__init__.py").write_text('"""Simple data validation."""\n')
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = await diagnosis("packages")
    assert found.severity is ERROR
    assert "Another distribution has a package 'schema'" in found.found


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"lane_wait_seconds": 30, "request_seconds": 30}, "ACCORD_LANE_WAIT_SECONDS (30)"),
        ({"slow_ms": 30_000}, "ACCORD_SLOW_MS (30,000)"),
        ({"session_idle_hours": 200}, "ACCORD_SESSION_IDLE_HOURS (200)"),
        ({"workers": 64}, "ACCORD_WORKERS is 64"),
        ({"metrics_address": "127.0.0.1:8000"}, "ACCORD_METRICS_ADDRESS is the address of the server"),
    ],
)
async def test_settings_that_make_no_sense_together_are_named(settings: dict[str, Any], named: str) -> None:
    assert (await diagnosis("settings")).severity is OK
    found = await diagnosis("settings", **settings)
    assert found.severity is WARNING
    assert named in found.found


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "0.0.0.0"}, "others on the network can read keys"),
        ({"allowed_origins": "http://*.app.example"}, "not sent by https: http://*.app.example"),
        ({"metrics_address": "10.0.0.5:9090"}, "Whoever reaches 10.0.0.5:9090 may read the metrics"),
        ({"host": "0.0.0.0", "trusted_proxies": "10.0.0.1", "rate_limit": 0}, "ACCORD_RATE_LIMIT is 0"),
    ],
)
async def test_what_the_network_can_read_is_named(settings: dict[str, Any], named: str) -> None:
    assert (await diagnosis("network")).severity is OK
    found = await diagnosis("network", **settings)
    assert found.severity is WARNING
    assert named in found.found


async def test_a_server_behind_a_proxy_with_https_pages_is_fine() -> None:
    settings = {"host": "0.0.0.0", "trusted_proxies": "10.0.0.1", "allowed_origins": "https://app.example"}
    assert (await diagnosis("network", **settings)).severity is OK


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        (None, OK),
        (REMOTE, WARNING),
        (f"{REMOTE}?sslmode=prefer", WARNING),
        (f"{REMOTE}?sslmode=verify-full", OK),
        ("postgresql://accord@127.0.0.1/accord", OK),
        ("postgresql:///accord?host=/run/postgresql", OK),
        ("postgresql:///accord?host=db.example", WARNING),
        ("postgresql://127.0.0.1,db.example/accord", WARNING),
    ],
)
async def test_a_way_to_the_database_without_tls_is_named(url: str | None, severity: Severity) -> None:
    found = await diagnosis("encryption", url)
    assert found.severity is severity
    assert "hidden" not in found.found + found.remedy


async def test_every_url_of_a_database_is_checked_for_tls() -> None:
    found = await diagnosis("encryption", f"{REMOTE}?sslmode=require", database_url_read=REMOTE)
    assert found.severity is WARNING
    assert found.found.startswith("DATABASE_URL_READ leads to another machine with sslmode=prefer")


async def test_parameters_that_are_not_honoured_are_named() -> None:
    assert (await diagnosis("database URLs", REMOTE)).severity is OK
    found = await diagnosis("database URLs", f"{REMOTE}?connection_limit=5")
    assert (found.severity, "connection_limit" in found.found) == (WARNING, True)


async def test_a_data_folder_that_cannot_be_used_is_an_error_of_a_private_database(tmp_path: Path) -> None:
    assert (await diagnosis("data folder", data_dir=tmp_path)).severity is OK
    assert (await diagnosis("data folder", data_dir=tmp_path / "later" / "data")).severity is OK
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", Path("/proc/accord"), Path("/proc")):
        found = await diagnosis("data folder", data_dir=folder)
        assert found.severity is ERROR, found
        assert str(folder) in found.found
        # An external database needs no folder.
        assert (await diagnosis("data folder", REMOTE, data_dir=folder)).severity is WARNING


async def test_a_data_folder_that_others_can_write_is_named(tmp_path: Path) -> None:
    subprocess.run(["/bin/chmod", "777", str(tmp_path)], check=True)
    found = await diagnosis("data folder", data_dir=tmp_path)
    assert (found.severity, found.remedy) == (WARNING, f"Run `chmod 700 {tmp_path}`.")


async def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "FEW_FREE_BYTES", 0)
    monkeypatch.setattr(data_folder, "LEAST_FREE_BYTES", 0)
    assert (await diagnosis("disk", data_dir=tmp_path)).severity is OK
    monkeypatch.setattr(data_folder, "FEW_FREE_BYTES", 2**60)
    assert (await diagnosis("disk", data_dir=tmp_path)).severity is WARNING
    monkeypatch.setattr(data_folder, "LEAST_FREE_BYTES", 2**60)
    assert (await diagnosis("disk", data_dir=tmp_path)).severity is ERROR
    assert (await diagnosis("disk", REMOTE, data_dir=tmp_path)).severity is WARNING
