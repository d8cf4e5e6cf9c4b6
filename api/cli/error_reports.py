"""What a failed command says: one message on the error stream, never a trace."""

import os
import sys
import traceback
import uuid
from datetime import UTC, datetime
from pathlib import Path

from api.errors import AccordError

_LARGEST_LOG = 1_000_000


def report_expected(error: AccordError) -> None:
    """Say what was wrong, where, and what to do."""
    _say(f"accord: {error.message}\n        {error.remedy}")


def report_bug(error: Exception) -> None:
    """Write the trace to a file, and say under which id it is there."""
    mark = uuid.uuid4().hex[:8]
    trace = "".join(traceback.format_exception(error))
    try:
        log = _append(f"--- {mark} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} accord {_command()}\n{trace}")
    except OSError:
        _say(f"accord: Something unforeseen went wrong ({type(error).__name__}).\n        See it whole with --debug.")
        return
    _say(
        f"accord: Something unforeseen went wrong ({type(error).__name__}); it is in {log} under {mark}.\n"
        "        Please report it with that passage, or see it whole with `accord --debug …`."
    )


def _append(text: str) -> Path:
    """Add to the log of this machine's unforeseen errors; when it has grown large, begin anew and keep the old one."""
    # Settings may be what is broken, so the folder is found without them.
    log = Path(os.environ.get("ACCORD_DATA_DIR") or ".accord") / "errors.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.old"))
    with log.open("a") as file:
        file.write(text)
    log.chmod(0o600)
    return log


def _command() -> str:
    """Return the command without its arguments: they may hold names or secrets."""
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
