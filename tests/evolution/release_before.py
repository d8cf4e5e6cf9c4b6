"""Run the read and write tests of the release before on a database that this tree has migrated.

`make test-release-before` runs it. The release before is a commit of this clone, named in release_before.txt. Its
tests are the target `test-reads-and-writes` of its own Makefile; they run with the programs that are installed here.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.support.source_copy import environment_of, make_words
from tests.support.sources import TOP

NAMED = Path(__file__).with_name("release_before.txt")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.evolution.release_before", description=__doc__)
    parser.add_argument("--commit", default="", help="another commit than the one in release_before.txt")
    parser.add_argument("--optional", action="store_true", help="only say so if the clone does not have the commit")
    parser.add_argument("options", nargs="*", help="options of make, such as JOBS=0")
    arguments = parser.parse_args()
    commit = arguments.commit or named_commit()
    if not commit:
        print(f"The release before is not tested: {NAMED.relative_to(TOP)} names no commit.")
        return
    reason = fetch(commit)
    if reason is not None:
        said = f"The clone does not have the release before, {commit} ({reason}). Fetch its whole history."
        if not arguments.optional:
            sys.exit(said)
        print(said)
        return
    with tempfile.TemporaryDirectory(prefix="accord-release-before-") as folder:
        tree = Path(folder)
        extract(commit, tree)
        print(f"Testing {commit} on a database that {TOP} has migrated.", flush=True)
        words = make_words("test-reads-and-writes", f"MIGRATED_BY={TOP}", *arguments.options)
        raise SystemExit(subprocess.run(words, cwd=tree, env=environment_of(tree), check=False).returncode)


def named_commit() -> str:
    """Return the commit that release_before.txt names; an empty text if it names none."""
    lines = [line.strip() for line in NAMED.read_text(encoding="utf-8").splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), "")


def fetch(commit: str) -> str | None:
    """Fetch a commit from where the clone came from, unless it is here. Return why it cannot be had; None if it can."""
    if _git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0:
        return None
    fetched = _git("fetch", "--quiet", "--depth=1", "origin", commit)
    return None if fetched.returncode == 0 else fetched.stderr.decode(errors="replace").partition("\n")[0]


def extract(commit: str, to: Path) -> None:
    """Write the files of a commit into a folder. Errors: CalledProcessError if it is not here."""
    archived = _git("archive", "--format=tar", commit)
    archived.check_returncode()
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as files:
        files.extractall(to, filter="data")


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *words], cwd=TOP, capture_output=True, check=False)


if __name__ == "__main__":
    main()
