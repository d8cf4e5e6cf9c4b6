"""What both teams should know about a version of the accord before they sign it or rely on it."""

from datetime import date

from api.accord.stated_holidays import holiday_warnings
from api.accord.stored_versions import StoredVersion
from schema.accord_vocab import AccordStatus

_PAST = (AccordStatus.SUPERSEDED, AccordStatus.WITHDRAWN)
_UNSIGNED = (AccordStatus.DRAFT, AccordStatus.IN_REVIEW, AccordStatus.CHANGES_REQUESTED)


def version_warnings(version: StoredVersion, today: date) -> tuple[str, ...]:
    """Return what is to be known about a version, as sentences. Shapes: one version -> sentences, maybe none."""
    if version.status in _PAST:
        return ()
    sentences = []
    if version.status is AccordStatus.ACTIVE and not version.is_signed:
        sentences.append("This version is in force provisionally, until both teams sign it.")
    if version.status in _UNSIGNED:
        open_comments = sum(comment.resolved_at is None for comment in version.comments)
        if open_comments:
            are_open = "1 comment is open" if open_comments == 1 else f"{open_comments} comments are open"
            sentences.append(f"{are_open}. A version with an open comment cannot be signed.")
        if version.base is not None and version.base.hash == version.content_hash:
            sentences.append(f"This version changes nothing: its content is that of version {version.base.version}.")
    return (*sentences, *holiday_warnings(version.document.accord, today))
