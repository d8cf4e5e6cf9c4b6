"""What a failed command prints to the error stream: a message, never a traceback."""

import os
import sys
import traceback
import uuid
from datetime import UTC, datetime
from pathlib import Path

from api.errors import AccordError

_LARGEST_LOG_BYTES = 1_000_000


def report_expected(error: AccordError) -> None:
    """Print what was wrong, which may be several lines, and what to do."""
    message = error.message.replace("\n", "\n        ")
    _print(f"accord: {message}\n        {error.remedy}")


def report_bug(error: Exception) -> None:
    """Append the traceback to a log file, and print the id under which it is logged."""
    error_id = uuid.uuid4().hex[:8]
    trace = "".join(traceback.format_exception(error))
    kind = type(error).__name__
    try:
        log = _append(f"--- {error_id} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} accord {_command()}\n{trace}")
    except OSError:
        _print(f"accord: An unexpected error occurred ({kind}).\n        Run `accord --debug …` to see its traceback.")
        return
    _print(
        f"accord: An unexpected error occurred ({kind}). It is logged in {log} as {error_id}.\n"
        "        Please report it with that passage, or run `accord --debug …` to see its traceback."
    )


def _append(text: str) -> Path:
    """Append to the error log of the data folder. A large log is moved aside once, and a new one started."""
    # The settings themselves may be invalid, so the folder is found without them.
    log = Path(os.environ.get("ACCORD_DATA_DIR") or ".accord") / "errors.log"
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.old"))
    with log.open("a") as file:
        file.write(text)
    log.chmod(0o600)
    return log


def _command() -> str:
    """The command without its arguments, which may contain names or secrets."""
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")


def _print(text: str) -> None:
    sys.stderr.write(text + "\n")
