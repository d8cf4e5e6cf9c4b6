"""The error for a version of the accord that does not exist."""

from api.errors import AccordError, ErrorCode


def unknown_version(number: int) -> AccordError:
    """Return the error for a number that no version has."""
    message = f"There is no version {number} of the accord."
    return AccordError(ErrorCode.UNKNOWN_VALUE, message, "`accordVersions` lists all versions.")
