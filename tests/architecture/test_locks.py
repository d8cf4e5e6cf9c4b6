"""The lock files: every requirement is hashed, no host is named, no distribution has a package named like ours."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import PurePosixPath

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.support.sources import TOP

LOCKS = sorted(path.name for path in TOP.glob("requirements*.lock"))
INSTALLED = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")


def entries(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each requirement of a lock file with its hashes."""
    joined = re.sub(r"\\\n\s*", " ", (TOP / lock).read_text())
    for line in joined.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            yield Requirement(requirement), hashes


def locked_here(lock: str) -> Iterator[Distribution]:
    """Yield the installed distributions of a lock file whose markers match this machine."""
    environment = {name: str(value) for name, value in default_environment().items()}
    for requirement, _ in entries(lock):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield distribution(requirement.name)


def test_there_are_locks_to_run_develop_build_and_for_node() -> None:
    assert LOCKS == [
        "requirements-build.lock", "requirements-dev.lock", "requirements-node.lock", "requirements.lock",
    ]  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_is_pinned_and_hashed(lock: str) -> None:
    loose = [
        str(requirement)
        for requirement, hashes in entries(lock)
        if not re.fullmatch(r"==[^*,]+", str(requirement.specifier))
        or not hashes
        or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes)
    ]
    assert loose == []
    assert list(entries(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_host_or_folder(lock: str) -> None:
    assert re.findall(r".*(?:://|--(?:extra-)?index-url|--find-links|\s/\w+/).*", (TOP / lock).read_text()) == []


def test_the_locks_pin_the_same_versions() -> None:
    pins = {f"{requirement.name}{requirement.specifier}" for lock in LOCKS for requirement, _ in entries(lock)}
    names = [pin.partition("==")[0] for pin in pins]
    assert [name for name in names if names.count(name) > 1] == []
    run = {requirement.name for requirement, _ in entries("requirements.lock")}
    assert run <= {requirement.name for requirement, _ in entries("requirements-dev.lock")}


@pytest.mark.parametrize("lock", INSTALLED)
def test_no_locked_distribution_has_a_package_named_like_ours(lock: str) -> None:
    """`schema` is also the name of a PyPI distribution."""
    ours = {"api", "schema", "migrations"}
    clashes = {
        dist.name: name
        for dist in locked_here(lock)
        for file in dist.files or ()
        if (name := PurePosixPath(file).parts[0].removesuffix(".py")) in ours
    }
    assert clashes == {}
