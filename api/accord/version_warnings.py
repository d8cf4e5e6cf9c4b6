"""What both teams should know about a version of the accord before they sign it or rely on it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from api.accord.dropped_stages import dropped_stage_warnings
from api.accord.stated_holidays import holiday_warnings
from api.accord.stored_versions import StoredVersion, stored_version_in_force
from api.accord.unknown_targets import (
    unknown_target_kpis,
    unknown_target_kpis_sentence,
    unknown_target_words,
    unknown_target_words_sentence,
)
from api.db import Session
from schema.accord_vocab import AccordStatus
from schema.base import now

_PAST = (AccordStatus.SUPERSEDED, AccordStatus.WITHDRAWN)
_UNSIGNED = (AccordStatus.DRAFT, AccordStatus.IN_REVIEW, AccordStatus.CHANGES_REQUESTED)
_OPEN = (*_UNSIGNED, AccordStatus.SIGNED)


async def version_warnings(session: Session, versions: Sequence[StoredVersion]) -> Mapping[int, tuple[str, ...]]:
    """Return all that is to be known about versions, as sentences, by the number of the version.

    An open version is compared to the one in force, which it would replace: whoever signs it reads which stages it
    drops, and what names them.

    Shapes: versions -> sentences, maybe none. At most three statements, however many versions there are.
    """
    dropped = await _dropped_stages(session, versions)
    named = await dropped_stage_warnings(session, sorted({stage for stages in dropped.values() for stage in stages}))
    today = now().date()
    return {
        version.number: (
            *_of_itself(version, today),
            *(sentence for stage in dropped.get(version.number, ()) for sentence in named[stage]),
        )
        for version in versions
    }


def _of_itself(version: StoredVersion, today: date) -> Iterator[str]:
    """Yield what the version itself says."""
    if version.status in _PAST:
        return
    if version.status is AccordStatus.ACTIVE and not version.is_signed:
        yield "This version is in force provisionally, until both teams sign it."
    open_comments = sum(comment.resolved_at is None for comment in version.comments)
    are_open = "1 comment is open" if open_comments == 1 else f"{open_comments} comments are open"
    if open_comments and version.status is AccordStatus.SIGNED:
        yield (
            f"{are_open}, and the version is signed: it can come into force all the same. To change it first, revoke"
            " your signature or edit the version."
        )
    if version.status in _UNSIGNED:
        if open_comments:
            yield f"{are_open}. A version with an open comment cannot be signed."
        if version.base is not None and version.base.hash == version.content_hash:
            yield f"This version changes nothing: its content is that of version {version.base.version}."
    if unknown := unknown_target_kpis(version.document.accord):
        yield unknown_target_kpis_sentence(unknown)
    if words := unknown_target_words(version.document.accord):
        yield unknown_target_words_sentence(words)
    yield from holiday_warnings(version.document.accord, today)


async def _dropped_stages(session: Session, versions: Sequence[StoredVersion]) -> Mapping[int, tuple[str, ...]]:
    """Return the stages of the version in force that open versions do not have, by the number of the version."""
    open_versions = [version for version in versions if version.status in _OPEN]
    in_force = await stored_version_in_force(session) if open_versions else None
    if in_force is None:
        return {}
    present = [stage.key for stage in in_force.document.accord.stages]
    kept = {version.number: {stage.key for stage in version.document.accord.stages} for version in open_versions}
    return {number: tuple(stage for stage in present if stage not in keys) for number, keys in kept.items()}
