"""The hand-checkable example: the facts of eight contacts, and the stage entries to expect from them.

The accord is the standard one without its first stage. Every fact happens at noon UTC of its day.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce
from api.db import WriteSession
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord

CONTACTS = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8")
AFTER_ALL = datetime(2026, 12, 31, tzinfo=UTC)  # after every fact; tests evaluate as of this instant, not as of now

# Inbound forms. The first makes an inquiry, a second one within 30 days a marketing qualified lead.
FORMS = {
    "c1": ("01-05", "01-10"),
    "c2": ("01-06", "01-15"),
    "c3": ("01-08", "01-20", "02-10", "03-05"),
    "c4": ("02-01",),
    "c5": ("02-03", "02-14"),
    "c6": ("02-10", "03-20", "03-28"),
    "c7": ("2025-12-01", "2025-12-20"),
    "c8": ("03-01", "03-10"),
}
# Contact, handed, decided, status, reason.
HANDOFFS = (
    ("c1", "01-10", "01-11", "ACCEPTED", None),
    ("c2", "01-15", "01-16", "ACCEPTED", None),
    ("c3", "01-20", "01-22", "REJECTED", "NO_TIMING"),
    ("c3", "03-05", "03-06", "ACCEPTED", None),
    ("c5", "02-14", "02-15", "REJECTED", "NO_FIT"),
    ("c6", "03-28", "03-30", "ACCEPTED", None),
    ("c7", "2025-12-20", "01-03", "ACCEPTED", None),
    ("c8", "03-10", "03-12", "ACCEPTED", None),
)
QUALIFIED_CALLS = {"c1": "01-20", "c2": "02-02", "c3": "04-03", "c4": "02-10", "c6": "04-09", "c7": "01-12"}
# Contact, opened, outcome, closed, amount.
DEALS = (
    ("c1", "01-25", "WON", "03-15", 100),
    ("c4", "02-12", "WON", "04-20", 200),
    ("c6", "04-12", "OPEN", None, 300),
    ("c7", "01-18", "LOST", "02-20", None),
)
# Contact, stage, occurrence, entered, own, exited, exit kind.
ENTRIES = (
    ("c1", "inquiry", 1, "01-05", "01-05", "01-10", "ADVANCED"),
    ("c1", "mql", 1, "01-10", "01-10", "01-11", "ADVANCED"),
    ("c1", "sal", 1, "01-11", "01-11", "01-20", "ADVANCED"),
    ("c1", "sql", 1, "01-20", "01-20", "01-25", "ADVANCED"),
    ("c1", "opportunity", 1, "01-25", "01-25", "03-15", "ADVANCED"),
    ("c1", "customer", 1, "03-15", "03-15", None, None),
    ("c2", "inquiry", 1, "01-06", "01-06", "01-15", "ADVANCED"),
    ("c2", "mql", 1, "01-15", "01-15", "01-16", "ADVANCED"),
    ("c2", "sal", 1, "01-16", "01-16", "02-02", "ADVANCED"),
    ("c2", "sql", 1, "02-02", "02-02", None, None),
    ("c3", "inquiry", 1, "01-08", "01-08", "01-20", "ADVANCED"),
    ("c3", "mql", 1, "01-20", "01-20", "01-22", "HANDOFF_REJECTED"),
    ("c3", "mql", 2, "03-05", "03-05", "03-06", "ADVANCED"),
    ("c3", "sal", 1, "03-06", "03-06", "04-03", "ADVANCED"),
    ("c3", "sql", 1, "04-03", "04-03", None, None),
    ("c4", "inquiry", 1, "02-01", "02-01", "02-10", "ADVANCED"),
    ("c4", "mql", 1, "02-10", None, "02-10", "ADVANCED"),
    ("c4", "sal", 1, "02-10", None, "02-10", "ADVANCED"),
    ("c4", "sql", 1, "02-10", "02-10", "02-12", "ADVANCED"),
    ("c4", "opportunity", 1, "02-12", "02-12", "04-20", "ADVANCED"),
    ("c4", "customer", 1, "04-20", "04-20", None, None),
    ("c5", "inquiry", 1, "02-03", "02-03", "02-14", "ADVANCED"),
    ("c5", "mql", 1, "02-14", "02-14", "02-15", "HANDOFF_REJECTED"),
    ("c6", "inquiry", 1, "02-10", "02-10", "03-28", "ADVANCED"),
    ("c6", "mql", 1, "03-28", "03-28", "03-30", "ADVANCED"),
    ("c6", "sal", 1, "03-30", "03-30", "04-09", "ADVANCED"),
    ("c6", "sql", 1, "04-09", "04-09", "04-12", "ADVANCED"),
    ("c6", "opportunity", 1, "04-12", "04-12", None, None),
    ("c7", "inquiry", 1, "2025-12-01", "2025-12-01", "2025-12-20", "ADVANCED"),
    ("c7", "mql", 1, "2025-12-20", "2025-12-20", "01-03", "ADVANCED"),
    ("c7", "sal", 1, "01-03", "01-03", "01-12", "ADVANCED"),
    ("c7", "sql", 1, "01-12", "01-12", "01-18", "ADVANCED"),
    ("c7", "opportunity", 1, "01-18", "01-18", "02-20", "DEAL_LOST"),
    ("c8", "inquiry", 1, "03-01", "03-01", "03-10", "ADVANCED"),
    ("c8", "mql", 1, "03-10", "03-10", "03-12", "ADVANCED"),
    ("c8", "sal", 1, "03-12", "03-12", None, None),
)


def day(text: str) -> datetime:
    """Noon UTC of a day: `01-05` (in 2026) or `2025-12-01`."""
    return datetime.fromisoformat(f"{text if len(text) > 5 else f'2026-{text}'}T12:00:00+00:00")


def contact_id(name: str) -> UUID:
    """The id of a contact, `c1` to `c8`."""
    return _id("c", int(name[1:]))


def accord() -> Accord:
    """The standard accord without its first stage."""
    standard = read_accord("standard")
    return standard.model_copy(update={"stages": standard.stages[1:], "title": "The accord of the example"})


async def load(session: WriteSession) -> AccordInForce:
    """Adopt the accord and write every fact. The caller evaluates, as of `AFTER_ALL`."""
    adopted = await adopt_accord(session, accord())
    people = [(contact_id(name), day(FORMS[name][0]), f"{name}@example.com") for name in CONTACTS]
    await session.copy("contact", ["id", "effective_at", "email"], people)
    touched = ["contact_id", "id", "occurred_at", "kind", "direction", "channel", "team_kind", "outcome"]
    await session.copy("touchpoint", touched, list(_touchpoints()))
    handed = ["contact_id", "id", "handed_at", "decided_at", "status", "reject_reason"]
    await session.copy("handoff", handed, list(_handoffs()))
    await _load_deals(session)
    return adopted


def _id(kind: str, number: int) -> UUID:
    return UUID(int=(ord(kind) << 96) | (0x7 << 76) | (0x2 << 62) | number)


def _touchpoints() -> Iterator[tuple[object, ...]]:
    forms: list[tuple[object, ...]] = [
        (name, day(at), "FORM", "INBOUND", "WEBSITE", "MARKETING", None) for name in FORMS for at in FORMS[name]
    ]
    calls: list[tuple[object, ...]] = [
        (name, day(at), "CALL", "OUTBOUND", "PHONE", "SALES", "QUALIFIED") for name, at in QUALIFIED_CALLS.items()
    ]
    for number, (name, *rest) in enumerate(forms + calls, start=1):
        yield contact_id(str(name)), _id("t", number), *rest


def _handoffs() -> Iterator[tuple[object, ...]]:
    for number, (name, handed, decided, status, reason) in enumerate(HANDOFFS, start=1):
        yield contact_id(name), _id("h", number), day(handed), day(decided), status, reason


async def _load_deals(session: WriteSession) -> None:
    """Write the deals with their history: open first, then won or lost."""
    deals: list[tuple[object, ...]] = []
    versions: list[tuple[object, ...]] = []
    roles: list[tuple[object, ...]] = []
    for number, (name, opened, outcome, closed, amount) in enumerate(DEALS, start=1):
        key, ended = _id("d", number), day(closed) if closed else None
        currency = "EUR" if amount else None
        deals.append((key, name, day(opened), outcome, ended, amount, currency, ended or day(opened)))
        versions.append((key, day(opened), ended, False, "OPEN", day(opened), None, amount, currency))
        if ended:
            versions.append((key, ended, None, False, outcome, day(opened), ended, amount, currency))
        roles.append((contact_id(name), key, True))
    names = ["id", "name", "opened_at", "outcome", "closed_at", "amount", "currency", "effective_at"]
    kept = [
        "deal_id",
        "valid_from",
        "valid_to",
        "is_assumed",
        "outcome",
        "opened_at",
        "closed_at",
        "amount",
        "currency",
    ]
    await session.script("set local accord.history_is_given = on")
    await session.copy("deal", names, deals)
    await session.copy("deal_version", kept, versions)
    await session.copy("deal_contact", ["contact_id", "deal_id", "is_primary"], roles)
    await session.script("set local accord.history_is_given = off")
