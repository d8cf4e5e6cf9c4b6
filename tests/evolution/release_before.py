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
    parser.add_argument("options", nargs="*", help="options of make, such as JOBS=0")
    arguments = parser.parse_args()
    commit = arguments.commit or named_commit()
    if not commit:
        print(f"The release before is not tested: {NAMED.relative_to(TOP)} names no commit.")
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


def extract(commit: str, to: Path) -> None:
    """Write the files of a commit into a folder. Exits if the clone does not have the commit."""
    words = ["git", "archive", "--format=tar", commit]
    archived = subprocess.run(words, cwd=TOP, capture_output=True, check=False)
    if archived.returncode != 0:
        reason = archived.stderr.decode(errors="replace").strip()
        sys.exit(f"The clone does not have the release before, {commit} ({reason}). Fetch its whole history.")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as files:
        files.extractall(to, filter="data")


if __name__ == "__main__":
    main()
