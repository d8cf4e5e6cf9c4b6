"""The major versions of PostgreSQL that Accord runs on: those that its tests run on."""

from api.errors import AccordError, ErrorCode

SUPPORTED_VERSIONS = (15, 16, 17, 18)
"""`make test` tests 18, which Accord has, and `make test-postgres-versions` the others."""


def require_supported_version(major: int) -> None:
    """Check the major version of a server. Errors: DATABASE_VERSION if Accord is not tested with it."""
    if major in SUPPORTED_VERSIONS:
        return
    raise AccordError(
        ErrorCode.DATABASE_VERSION,
        f"The server of the database is PostgreSQL {major}; this Accord supports {supported_versions_text()}.",
        "Use a server of one of these versions, or unset DATABASE_URL to use Accord's own.",
    )


def supported_versions_text() -> str:
    """Return the supported major versions as words of a sentence."""
    *others, last = (str(version) for version in SUPPORTED_VERSIONS)
    return f"PostgreSQL {', '.join(others)} and {last}"
