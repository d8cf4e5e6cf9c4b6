"""After any writes, merges, imports of rows, rebuilds and the passing of time, the stored entries are a rebuild's.

The day sums that no change outdates are those of the journeys.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.db import Database, WriteSession
from api.funnel.drift import check_entries
from api.funnel.evaluate import discard_former_entries, evaluate
from api.funnel.following.follow_changes import follow_changes
from api.metrics.summing.check_sums import check_day_sums
from api.metrics.summing.store_sums import store_day_sums
from api.outbox.record_changes import RecordChange
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from api.workflows.wake_contacts import wake_contacts
from schema.accord import Accord
from schema.base import new_id, now
from schema.writes.changes import ChangeType
from tests.support.databases import delete_all_rows
from tests.support.graphql import put
from tests.support.random_choices import RandomChoices

MEMBERS = (UUID(int=1), UUID(int=2))
RULES: Mapping[str, object] = {
    "inquiry": {"any": [{"field": "contact.email", "op": "is_null", "value": False}, {"touches": {}}]},
    "mql": {"all": [{"touches": {}}, {"not": {"touches": {"within": "1 second"}}}]},
    "sal": {"all": [{"touches": {"at_least": 2, "campaign": "Fair"}}, {"not": {"handoff": "PROPOSED"}}]},
    "sql": {"all": [{"stage": "inquiry"}, {"field": "company.industry", "op": "eq", "value": "steel"}]},
    "opportunity": {"deal": {"state": "OPEN", "pipeline": "New", "amount_at_least": 5}},
    "customer": {"deal": {"state": "WON"}},
}
ACCORD = Accord.model_validate(
    {
        "title": "t",
        "stages": [
            {"key": key, "title": key, "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
            for key, rule in RULES.items()
        ],
        "exits": [
            {"on": "HANDOFF_REJECTED", "dispositions": ["RECYCLE"], "closes_from": "inquiry", "closes_to": "sal"},
            {"on": "DEAL_LOST", "closes_from": "mql", "closes_to": "opportunity"},
        ],
    }
)
# What no rule reads, and journeys do.
JOURNEY_COLUMNS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("is_test", (True, False)),
    ("is_internal", (True, False)),
    ("deleted_at", (datetime(2026, 1, 1, tzinfo=UTC), None)),
    ("lead_source", ("web", "fair", None)),
    ("country", ("DE", "BR", None)),
    ("owner_id", (*MEMBERS, None)),
)
CHANGEABLE: Mapping[str, tuple[tuple[str, tuple[object, ...]], ...]] = {
    "contact": (("email", ("a@x.example", None)), ("job_title", ("CEO", None)), *JOURNEY_COLUMNS),
    "touchpoint": (
        ("channel", ("EMAIL", "EVENT")),
        ("direction", ("INBOUND", "OUTBOUND")),
        ("voided_at", (datetime(2026, 1, 1, tzinfo=UTC), None)),
    ),
    "company": (("industry", ("steel", "food", None)), ("employees", (1, 2, 300, None))),
    "deal": (
        ("amount", (-1, 1, 9, None)),
        ("type", ("NEW", "RENEWAL", None)),
        ("currency", ("EUR", "USD")),
        ("name", ("n", "m")),
        ("deleted_at", (datetime(2026, 1, 1, tzinfo=UTC), None)),
    ),
    "campaign": (("name", ("Fair", "Web")),),
    "pipeline": (("name", ("New", "Old")),),
}


class World:
    """The records of one database, which random steps change."""

    def __init__(self, database: Database, choices: RandomChoices) -> None:
        self.database, self.choices = database, choices
        self.ids: dict[str, list[UUID]] = {}

    async def begin(self) -> None:
        """Empty the database, and write a few records of each table."""
        async with self.database.write() as session:
            await delete_all_rows(session)
            await adopt_accord(session, ACCORD)
            await evaluate(session)
            for table, count in (("campaign", 2), ("pipeline", 1), ("company", 2)):
                self.ids[table] = [new_id() for _ in range(count)]
                await put(session, table, *({"id": id_, "name": f"{table} {id_}"} for id_ in self.ids[table]))
            self.ids["pipeline_stage"] = [new_id() for _ in self.ids["pipeline"]]
            for id_, pipeline in zip(self.ids["pipeline_stage"], self.ids["pipeline"], strict=True):
                row = {"id": id_, "pipeline_id": pipeline, "name": "s", "rank": 1, "category": "OPEN"}
                await put(session, "pipeline_stage", row)
            await put(session, "member", *({"id": id_, "name": f"member {id_}"} for id_ in MEMBERS))
            self.ids |= {"contact": [], "deal": [], "handoff": [], "touchpoint": []}
        for _ in range(3):
            await self.write(self.create("contact"))
        await self.write(self.create("deal"), self.create("touchpoint"))

    async def write(self, *changes: "Change") -> None:
        """Make changes in one unit of work."""
        async with self.database.unit_of_work() as session:
            await follow_changes(session, [await change.make(session) for change in changes])

    def instant(self) -> datetime:
        """An instant in the past, or in a moment."""
        if self.choices.happens(4):
            return now() + timedelta(milliseconds=self.choices.integer(0, 300))
        return now() - timedelta(days=self.choices.integer(0, 60))

    def one(self, table: str) -> UUID:
        return self.choices.one(self.ids[table])

    def create(self, table: str) -> "Change":
        """A new record or fact."""
        id_ = new_id()
        row: dict[str, object] = {"id": id_}
        if table in ("contact", "deal"):
            self.ids[table].append(id_)
            row["effective_at"] = self.instant()
            row |= {"company_id": self.one("company")} if table == "contact" else {}
            row |= {"pipeline_stage_id": self.one("pipeline_stage"), "amount": 7} if table == "deal" else {}
            row |= {"opened_at": self.instant()} if table == "deal" else {}
        elif table == "deal_contact":
            id_ = self.one("deal")  # a role is known by its deal
            row = {"deal_id": id_, "contact_id": self.one("contact"), "since": self.instant()}
        elif table == "touchpoint":
            row |= {"contact_id": self.one("contact"), "occurred_at": self.instant(), "kind": "FORM"}
            row |= {"direction": "INBOUND", "campaign_id": self.one("campaign"), "channel": "EMAIL"}
            self.ids["touchpoint"].append(id_)
        else:
            self.ids["handoff"].append(id_)
            row |= {"contact_id": self.one("contact"), "handed_at": now() - timedelta(days=90), "status": "PROPOSED"}
        return Change(table, ChangeType.CREATED, id_, row)

    def change(self) -> "Change":
        """Another value in a column of a record, read by a rule or not; or a link, a decision, a merge."""
        kind = self.choices.integer(0, 4)
        if kind == 0 and self.ids["handoff"]:
            status = self.choices.one(("ACCEPTED", "REJECTED"))
            reason = "ANY" if status == "REJECTED" else None
            values = {"status": status, "decided_at": self.instant(), "reject_reason": reason}
            return Change("handoff", ChangeType.CHANGED, self.one("handoff"), values)
        if kind == 1:
            outcome = self.choices.one(("WON", "LOST", "OPEN"))
            closed = None if outcome == "OPEN" else now()
            return Change("deal", ChangeType.CHANGED, self.one("deal"), {"outcome": outcome, "closed_at": closed})
        if kind == 2:
            column = self.choices.one(("company_id", "merged_into_id"))
            link = self.one("company" if column == "company_id" else "contact")
            return Change("contact", ChangeType.CHANGED, self.one("contact"), {column: link})
        if kind == 3:
            company = self.choices.one((*self.ids["company"], None))
            return Change("deal", ChangeType.CHANGED, self.one("deal"), {"company_id": company})
        table = self.choices.one(tuple(CHANGEABLE))
        column, options = self.choices.one(CHANGEABLE[table])
        return Change(table, ChangeType.CHANGED, self.one(table), {column: self.choices.one(options)})

    def any_change(self) -> "Change":
        if self.choices.happens(2):
            return self.change()
        tables = ("touchpoint", "touchpoint", "touchpoint", "deal_contact", "deal_contact", "handoff", "contact")
        return self.create(self.choices.one(tables))


class Change:
    """A row to insert, or values to update."""

    def __init__(self, table: str, kind: ChangeType, id_: UUID, values: Mapping[str, object]) -> None:
        self.table, self.kind, self.id, self.values = table, kind, id_, values

    async def make(self, session: WriteSession) -> RecordChange:
        """Write it, and report it as workflows do."""
        if self.kind is ChangeType.CREATED:
            columns = join(", ", map(name, self.values))
            given = join(", ", (Sql("{}", value) for value in self.values.values()))
            clause = Sql("on conflict do nothing") if self.table == "deal_contact" else Sql("")
            await session.run(Sql("insert into {} ({}) values ({}) {}", name(self.table), columns, given, clause))
            return self._reported({}, self.values)
        before = await session.row(Sql("select * from {} where id = {} for update", name(self.table), self.id))
        assert before is not None
        values = join(", ", (Sql("{} = {}", name(column), value) for column, value in self.values.items()))
        await session.run(Sql("update {} set {} where id = {}", name(self.table), values, self.id))
        return self._reported({column: before[column] for column in self.values}, self.values, before.get("contact_id"))

    def _reported(
        self, before: Mapping[str, object], after: Mapping[str, object], contact: UUID | None = None
    ) -> RecordChange:
        found = contact or after.get("contact_id")
        return RecordChange(self.kind, self.table, self.id, before, after, found if isinstance(found, UUID) else None)


async def run_steps(database: Database, choices: RandomChoices, steps: int) -> None:
    """Take random steps, and require after each that the stored entries, and the day sums, are those of a rebuild."""
    world = World(database, choices)
    await world.begin()
    for _ in range(steps):
        step = choices.integer(0, 11)
        if step <= 5:
            await world.write(*choices.several(1, 3, world.any_change))
        elif step == 6:
            # Two writers at once, of which the second does not know what the first creates.
            known = {table: list(ids) for table, ids in world.ids.items()}
            first = world.any_change()
            created, world.ids = world.ids, known
            second = world.any_change()
            writers = world.write(first), world.write(second)
            for error in await asyncio.gather(*writers, return_exceptions=True):
                assert error is None, error
            world.ids = {table: list(dict.fromkeys([*ids, *created[table]])) for table, ids in world.ids.items()}
        elif step == 7:
            async with database.write() as session:
                await evaluate(session)
            async with database.write() as session:
                await discard_former_entries(session)
        elif step <= 9:
            await asyncio.sleep(0.15)
            await wake_contacts(database)
        else:
            async with database.snapshot() as session:
                await store_day_sums(session, now())
        async with database.scratch() as session:
            await check_entries(session)
            await check_day_sums(session)


@settings(
    max_examples=5,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a step waits for real time, so shrinking takes too long
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_entries_follow_whatever_happens(module_database: Database, data: st.DataObject) -> None:
    await run_steps(module_database, RandomChoices.of_hypothesis(data), 6)


async def test_entries_follow_long_histories(module_database: Database) -> None:
    stages: set[str] = set()
    for seed in range(3):
        await run_steps(module_database, RandomChoices.of_seed(seed), 30)
        async with module_database.read() as session:
            stages |= {row["stage"] for row in await session.rows(Sql("select distinct stage from stage_entry"))}
    assert stages == set(RULES)
