"""A count of the KPIs of people in plain Python, from the raw rows of a sample; it shares no code with KPIs.

People are counted under the survivor of a merge. Who never counts is counted apart, by reason, and a contact that is
merged into another one stands beside every row of its survivor.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any
from uuid import UUID

from tests.sample import handoff_books, stage_books
from tests.sample.spans import MOMENT, Span

Row = dict[str, Any]
STAGES = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")
# As the standard accord has them: the windows between stages, and the contact policy.
WINDOWS = {
    ("mql", "opportunity"): timedelta(days=58),
    ("mql", "customer"): timedelta(days=238),
    ("inquiry", "mql"): timedelta(days=90),
    ("sal", "sql"): timedelta(days=14),
    ("sql", "opportunity"): timedelta(days=30),
}
TEAMS = ("MARKETING", "SALES")
PAIRS = {"stage_conversion": ("mql", "opportunity")}
AT_MOST, WITHIN, REPLY = 5, timedelta(days=7), timedelta(hours=24)
WEEK = timedelta(days=7)


@dataclass
class Counted:
    """One figure: what each record of the base gives, how many converted, and who is left out."""

    given: list[float] = field(default_factory=list)
    converted: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def middle(self) -> float | None:
        """The median."""
        return median(self.given) if self.given else None

    @property
    def average(self) -> float | None:
        """The mean."""
        return mean(self.given) if self.given else None


@dataclass
class PeopleBooks:
    """The raw rows of a database, by the person that they belong to."""

    now: datetime
    contacts: dict[UUID, Row]
    survivor: dict[UUID, UUID]
    entries: Mapping[UUID, list[Row]]
    touches: Mapping[UUID, list[Row]]
    handoffs: Mapping[UUID, list[Row]]
    reports: Mapping[UUID, list[Row]]
    versions: Mapping[UUID, list[Row]]  # of the contact itself, in the order of time

    @classmethod
    def of(cls, tables: Mapping[str, list[Row]], now: datetime) -> "PeopleBooks":
        """Sort the rows of the tables to their people."""
        contacts = {row["id"]: row for row in tables["contact"]}

        def survivor(key: UUID) -> UUID:
            merged_into = contacts[key]["merged_into_id"]
            return key if merged_into is None else survivor(merged_into)

        survivors = {key: survivor(key) for key in contacts}

        def by_person(table: str, at: str) -> Mapping[UUID, list[Row]]:
            rows = defaultdict[UUID, list[Row]](list)
            for row in sorted(tables[table], key=lambda row: (row[at] or row["recorded_at"], str(row.get("id")))):
                rows[survivors[row["contact_id"]]].append(row)
            return rows

        facts = {"touchpoint": "occurred_at", "handoff": "handed_at", "reported_stage": "entered_at"}
        read = {"stage_entry": "entered_at", **facts}
        entries, touches, handoffs, reports = (by_person(table, at) for table, at in read.items())
        versions = defaultdict[UUID, list[Row]](list)
        for row in sorted(
            tables["contact_version"], key=lambda row: (row["valid_from"] or row["recorded_at"], row["id"])
        ):
            versions[row["contact_id"]].append(row)
        return cls(now, contacts, survivors, entries, touches, handoffs, reports, versions)

    def count(self, key: str, start: datetime | None, before: datetime | None) -> Counted:
        """Count a KPI over the instants from `start` until before `before`."""
        found = Counted()
        merged = Counter(into for key, into in self.survivor.items() if key != into)
        for person in self.contacts:
            if self.survivor[person] != person:
                continue
            for value, is_converted in self._rows(key, person, Span(start, before, self.now)):
                reason = self._reason(person)
                if reason is not None:
                    found.excluded[reason] += 1
                else:
                    found.given.append(value)
                    found.converted += is_converted
                found.excluded["MERGED"] += merged[person]
        return found

    def _reason(self, person: UUID) -> str | None:
        row = self.contacts[person]
        if row["deleted_at"] is not None:
            return "DELETED"
        return "TEST" if row["is_test"] else "INTERNAL" if row["is_internal"] else None

    def _rows(self, key: str, person: UUID, span: Span) -> Iterator[tuple[float, bool]]:
        """What a person gives to the base of a KPI, and whether they converted."""
        match key:
            case "stage_volume" | "inquiries" | "mqls" | "sals" | "sqls":
                stages = STAGES if key == "stage_volume" else ("inquiry" if key == "inquiries" else key[:3],)
                yield from ((1, False) for stage in stages if span.holds(self._entered(person, stage)))
            case "stage_conversion" | "inquiry_to_mql" | "sal_to_sql" | "sql_to_opportunity" | "mql_to_customer":
                low, high = PAIRS.get(key) or key.split("_to_")
                yield from self._conversion(person, low, high, span)
            case "mql_acceptance" | "rejection_rate":
                part = "ACCEPTED" if key == "mql_acceptance" else "REJECTED"
                decided = (row for row in self.handoffs[person] if row["status"] in ("ACCEPTED", "REJECTED"))
                yield from ((1, row["status"] == part) for row in decided if span.holds(row["decided_at"]))
            case "mql_acceptance of a cohort":
                handed = (row for row in self.handoffs[person] if span.holds(row["handed_at"]))
                yield from ((1, row["status"] == "ACCEPTED") for row in handed)
            case "touches_per_contact_7d" | "over_pressure_rate":
                yield from (
                    self._pressed(person, span) if key == "over_pressure_rate" else self._trailing(person, span.end)
                )
            case "stage_integrity":
                yield from self._compared(person, span.end)
            case "response_rate" | "cross_team_collision" | "opt_out_rate":
                yield from self._touched(key, person, span)
            case "stalled_rate" | "recycle_rate" | "recycled_reconversion" | "orphan_hours":
                yield from stage_books.rows(
                    key, self.entries[person], self.handoffs[person], self.versions[person], span
                )
            case "marketing_delivery" | "marketing_delivery_value" | "default_accept_share":
                count = {"marketing_delivery": self._delivered, "marketing_delivery_value": self._undisputed}.get(key)
                # No handoff says that it was accepted by default.
                yield from count(person, span) if count else ()
            case _ if key in handoff_books.KEYS:
                for handoff in self.handoffs[person]:
                    yield from handoff_books.rows(key, handoff, self.touches[person], span.start, span.end, self.now)
            case _:
                yield from ((took.total_seconds(), False) for took in self._durations(key, person, span))

    def _delivered(self, person: UUID, span: Span) -> Iterator[tuple[float, bool]]:
        """A person of the stage mql whom sales accepted, once."""
        entered = self._entered(person, "mql")
        accepted = [row for row in self.handoffs[person] if row["status"] == "ACCEPTED"]
        if any(span.holds(row["decided_at"]) for row in accepted if entered and entered <= row["handed_at"]):
            yield 1, True

    def _undisputed(self, person: UUID, span: Span) -> Iterator[tuple[float, bool]]:
        """A person of the stage mql whom sales accepted, or did not dispute by the deadline, once."""
        entered = self._entered(person, "mql")
        for row in self.handoffs[person]:
            is_late = row["decided_at"] is None or row["decided_at"] > row["due_at"]
            at = row["due_at"] if is_late else row["decided_at"] if row["status"] == "ACCEPTED" else None
            if entered and entered <= row["handed_at"] and span.holds(at):
                yield 1, True
                return

    def _conversion(self, person: UUID, low: str, high: str, span: Span) -> Iterator[tuple[float, bool]]:
        base, reached = self._entered(person, low), self._entered(person, high)
        if base is not None and span.holds(base):
            yield 1, reached is not None and base <= reached <= base + WINDOWS[low, high]

    def _durations(self, key: str, person: UUID, span: Span) -> Iterator[timedelta]:
        """How long something took a person, by facts of their own at both ends."""
        match key:
            case "time_to_convert":
                base, reached = self._own(person, "mql"), self._own(person, "opportunity")
                window = WINDOWS["mql", "opportunity"]
                if base is not None and span.holds(base) and reached is not None and base <= reached <= base + window:
                    yield reached - base
            case "speed_to_lead":
                base = self._own(person, "inquiry")
                by_hand = (row["occurred_at"] for row in self._ours(person) if not row["is_automated"])
                answers = [at for at in by_hand if base is not None and at >= base]
                if base is not None and span.holds(base) and answers:
                    yield min(answers) - base
            case "time_in_stage":
                for entry in self.entries[person]:
                    since, left = entry["own_at"], entry["exited_at"]
                    if span.holds(since) and left is not None and since <= left <= self.now:
                        yield left - since

    def _entered(self, person: UUID, stage: str) -> datetime | None:
        """The first entry into a stage, own or implied."""
        return min((entry["entered_at"] for entry in self.entries[person] if entry["stage"] == stage), default=None)

    def _own(self, person: UUID, stage: str) -> datetime | None:
        """The first entry into a stage by facts of its own."""
        own = (entry["own_at"] for entry in self.entries[person] if entry["stage"] == stage)
        return min((at for at in own if at is not None), default=None)

    def _ours(self, person: UUID) -> list[Row]:
        return [touch for touch in self.touches[person] if touch["direction"] == "OUTBOUND"]

    def _trailing(self, person: UUID, end: datetime) -> Iterator[tuple[float, bool]]:
        since = end - MOMENT - WEEK
        if touches := [row for row in self._ours(person) if since < row["occurred_at"] < end]:
            yield len(touches), False

    def _touched(self, key: str, person: UUID, span: Span) -> Iterator[tuple[float, bool]]:
        """Of a person touched in the period: whether they replied, were touched by both teams at once, or opted out."""
        touched = [row for row in self._ours(person) if span.holds(row["occurred_at"])]
        at = [row["occurred_at"] for row in touched]
        if not touched:
            return
        if key == "response_rate":
            replies = [
                row["occurred_at"]
                for row in self.touches[person]
                if row["direction"] == "INBOUND" and not row["is_automated"] and row["occurred_at"] <= self.now
            ]
            yield 1, any(touch < reply <= touch + timedelta(days=14) for touch in at for reply in replies)
        elif key == "opt_out_rate":
            ours = [row["occurred_at"] for row in self._ours(person)]
            outs = [out for out in self._opt_outs(person) if out <= self.now]
            last = [max((touch for touch in ours if touch <= out), default=None) for out in outs]
            pairs = zip(outs, last, strict=True)
            yield 1, any(touch in at and out <= touch + timedelta(days=30) for out, touch in pairs if touch is not None)
        else:
            by = {team: [row["occurred_at"] for row in touched if row["team_kind"] == team] for team in TEAMS}
            if all(by.values()):
                yield 1, any(abs(one - other) <= timedelta(days=1) for one in by[TEAMS[0]] for other in by[TEAMS[1]])

    def _opt_outs(self, person: UUID) -> Iterator[datetime]:
        for before, after in pairwise(self.versions[person]):
            if any(after[flag] and not before[flag] for flag in ("email_opt_out", "do_not_call")):
                yield after["valid_from"] or after["recorded_at"]

    def _pressed(self, person: UUID, span: Span) -> Iterator[tuple[float, bool]]:
        theirs = [touch["occurred_at"] for touch in self.touches[person] if touch["direction"] == "INBOUND"]
        counted = [
            touch["occurred_at"]
            for touch in self._ours(person)
            if not touch["is_automated"] and not any(at <= touch["occurred_at"] < at + REPLY for at in theirs)
        ]
        inside = [at for at in counted if span.holds(at)]
        if inside:
            moments = [*inside, *([span.start] if span.start else [])]
            yield 1, any(sum(moment - WITHIN < at <= moment for at in counted) > AT_MOST for moment in moments)

    def _compared(self, person: UUID, end: datetime) -> Iterator[tuple[float, bool]]:
        reports = [
            row for row in self.reports[person] if row["stage"] and (row["entered_at"] or row["recorded_at"]) < end
        ]
        standing = [
            STAGES.index(entry["stage"])
            for entry in self.entries[person]
            if entry["entered_at"] < end and (entry["exited_at"] is None or entry["exited_at"] >= end)
        ]
        if reports:
            last = max(reports, key=lambda row: (row["entered_at"] or row["recorded_at"], STAGES.index(row["stage"])))
            yield 1, bool(standing) and STAGES[max(standing)] == last["stage"]
