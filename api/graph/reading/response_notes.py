"""What a response says beside its data, under `extensions`: readings and warnings of lists, and withheld fields."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from api.funnel.readings.prepare_readings import EvaluatedReading
from api.metrics.readings.reading_warnings import known_at_warning, outdated_warning
from api.plan.json_values import instant_as_text
from api.plan.value_checks.known_values import UnknownText
from schema.kpis.answer_vocab import WarningCode


def list_notes(unknown: Iterable[UnknownText], readings: Iterable[EvaluatedReading] = ()) -> dict[str, object]:
    """Return the extensions `readings` and `warnings` of the lists of a response; without any, an empty object.

    Shapes: free texts in filters that no record ever had, readings of lists of stage entries -> a JSON object.
    """
    evaluated = tuple(readings)
    notes: dict[str, object] = {"readings": list(map(_reading, evaluated))} if evaluated else {}
    warnings = [{"code": WarningCode.UNKNOWN_VALUE.value, "message": text.message} for text in unknown]
    warnings += [warning for reading in evaluated for warning in _warnings(reading)]
    return notes | ({"warnings": list({str(warning): warning for warning in warnings}.values())} if warnings else {})


def redacted_note(fields: Iterable[str]) -> dict[str, object]:
    """Return the fields that are null because the principal may not read them, as an extension; empty without any."""
    listed = sorted(fields)
    return {"redacted": listed} if listed else {}


def _reading(evaluated: EvaluatedReading) -> dict[str, object]:
    requested = evaluated.requested
    return {
        "reading": requested.reading.value,
        "accordVersion": requested.accord_version,
        "knownAt": _text(requested.known_at),
        "evaluatedAt": _text(evaluated.evaluated_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_as_text(at)


def _warnings(evaluated: EvaluatedReading) -> Iterator[dict[str, str]]:
    if evaluated.is_outdated and evaluated.evaluated_at is not None:
        warning = outdated_warning(evaluated.evaluated_at)
        yield {"code": warning.code.value, "message": warning.message}
    if evaluated.requested.known_at is not None:
        warning = known_at_warning(evaluated.requested.known_at)
        yield {"code": warning.code.value, "message": warning.message}
