"""What was known at an instant answers the same at that instant and ever after, whatever is written later."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.funnel.readings.known_facts import known_rows
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readings.reading_contexts import prepare_requests
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Switches
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id, now
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide
from tests.golden import world
from tests.support.databases import delete_all_rows
from tests.support.examples import examples
from tests.support.graphql import answered, put
from tests.support.random_choices import RandomChoices

QUICK = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.explicit, Phase.generate]
)
CORRECTED = ("touchpoint", "handoff", "reported_stage", "exchange_rate", "campaign_cost")
KEYS = {"id", "contact_id", "rate_on", "currency", "from_on", "before_on", "source"}  # a correction keeps them
STAGES = ("inquiry", "mql", "sal", "sql", "opportunity", "customer")
PERSONAL = (Dimension.LEAD_SOURCE, Dimension.OWNER, Dimension.CHANNEL, Dimension.CURRENT_OWNER, Dimension.COMPANY)


class Facts:
    """A database whose facts random steps write, correct and void, each in a transaction of its own."""

    def __init__(self, database: Database, choices: RandomChoices) -> None:
        self.database, self.choices = database, choices
        self.ids: dict[str, list[UUID]] = {table: [] for table in ("contact", "deal", *CORRECTED)}

    async def begin(self) -> None:
        """Empty the database, and write records that no step changes."""
        async with self.database.write() as session:
            await delete_all_rows(session)
        async with self.database.write() as session:  # with the triggers, which the deletion does without
            await adopt_accord(session, world.accord())
            for table in ("member", "company", "campaign"):
                self.ids[table] = [new_id() for _ in range(2)]
                await put(session, table, *({"id": id_, "name": f"{table} {id_}"} for id_ in self.ids[table]))
        for table in ("contact", "contact", "contact", "deal", "touchpoint"):
            await self._insert(table, self._row(table))

    def instant(self) -> datetime:
        """An instant of the last weeks, at noon more often than not, so that facts fall together."""
        return now().replace(hour=12, minute=0) - timedelta(days=self.choices.integer(1, 60))

    async def step(self) -> None:
        """Write one more fact, late or not, or change what is known of an earlier one."""
        kind = self.choices.integer(0, 7)
        if kind < 3:
            table = self.choices.one(("contact", "touchpoint", "deal", "deal_contact", *CORRECTED))
            await self._insert(table, self._row(table))
        elif kind < 6:
            await self._run(self._change())
        else:
            # Of several corrections in one transaction, the state before the first is what was known.
            await self._run(*(self._correction() for _ in range(self.choices.integer(1, 3))))

    def _row(self, table: str) -> dict[str, object]:
        row: dict[str, object] = {"id": new_id()}
        match table:
            case "contact":
                row |= {"email": f"{row['id']}@x.example", "effective_at": self.instant(), **self._values(table)}
            case "deal":
                row |= {"opened_at": self.instant(), "currency": self.choices.one(("EUR", "USD"))}
                row |= {"effective_at": row["opened_at"], **self._values(table)}
            case "touchpoint":
                row |= {"contact_id": self.one("contact"), "occurred_at": self.instant(), "kind": "CALL"}
                row |= {"direction": self.choices.one(("INBOUND", "OUTBOUND")), "team_kind": "SALES"}
                row |= {"outcome": self.choices.one(("QUALIFIED", None)), "channel": self.choices.one(("PHONE", None))}
                row |= {"campaign_id": self.choices.one((*self.ids["campaign"], None))}
            case "handoff":
                row |= {"contact_id": self.one("contact"), "handed_at": self.instant(), "status": "PROPOSED"}
            case "reported_stage":
                row |= {"contact_id": self.one("contact"), "source": "crm", "source_stage": "x"}
                row |= {"stage": self.choices.one(STAGES), "entered_at": self.instant()}
            case "deal_contact":
                row = {"contact_id": self.one("contact"), "deal_id": self.one("deal"), "since": None}
            case "exchange_rate":
                day = date(2026, 9, 1) + timedelta(days=self.choices.integer(0, 90))
                row |= {"currency": "USD", "quote_currency": "EUR", "rate_on": day}
                row |= {"rate": Decimal(self.choices.integer(50, 150)) / 100}
            case "campaign_cost":
                day = date(2026, 9, 1) + timedelta(days=self.choices.integer(0, 90))
                row |= {"campaign_id": self.one("campaign"), "source": f"ads {row['id']}", "from_on": day}
                row |= {"before_on": day + timedelta(days=self.choices.integer(1, 20))}
                row |= {"cost": self.choices.integer(1, 99), "currency": self.choices.one(("EUR", "USD"))}
        return row

    def _values(self, table: str) -> dict[str, object]:
        if table == "contact":
            owner = self.choices.one((*self.ids["member"], None))
            return {
                "lead_source": self.choices.one(("web", "fair", None)),
                "owner_id": owner,
                "company_id": self.choices.one((*self.ids["company"], None)),
                "email_opt_out": self.choices.happens(4),
            }
        return {"amount": self.choices.one((-5, 10, 20, None)), "owner_id": self.choices.one(self.ids["member"])}

    def _change(self) -> Sql:
        kind = self.choices.integer(0, 8)
        table = "deal" if kind < 3 else "contact"
        record = self.one(table)
        if kind in (0, 3):
            values = self._values(table)
            if self.choices.happens(2):
                values["effective_at"] = self.instant()  # known late
            sets = join(", ", (Sql("{} = {}", name(column), value) for column, value in values.items()))
            return Sql("update {} set {} where id = {}", name(table), sets, record)
        if kind in (1, 2):
            outcome = self.choices.one(("WON", "WON", "LOST", "OPEN"))
            closed = None if outcome == "OPEN" else self.instant()
            return Sql(
                "update deal set outcome = {}, closed_at = {}::timestamptz,"
                " effective_at = coalesce({}::timestamptz, now())"
                " where id = {} and (opened_at is null or {}::timestamptz is null or opened_at <= {}::timestamptz)",
                *(outcome, closed, closed, record, closed, closed),
            )
        if kind == 4:
            return Sql(
                "update touchpoint set voided_at = now() where id = {} and voided_at is null", self.one("touchpoint")
            )
        if kind == 5 and self.ids["handoff"]:
            status = self.choices.one(("ACCEPTED", "REJECTED"))
            return Sql(
                "update handoff set status = {}, decided_at = handed_at + interval '1 day', reject_reason = {},"
                " decision_recorded_at = now() where id = {} and status = 'PROPOSED'",
                *(status, "NO_FIT" if status == "REJECTED" else None, self.one("handoff")),
            )
        if kind == 6:
            return Sql(
                "update deal_contact set voided_at = now() where deal_id = {} and voided_at is null", self.one("deal")
            )
        survivor = self.one("contact")
        merged = self.choices.one((survivor, None))
        return Sql(
            "update contact set merged_into_id = {}::uuid, effective_at = null where id = {} and id <> {}"
            " and not exists (select from contact m where m.merged_into_id = {}) and not exists"
            " (select from contact s where s.id = {} and s.merged_into_id is not null)",
            *(merged, record, survivor, record, survivor),
        )

    def _correction(self) -> Sql:
        """Change or remove a fact that is there, as an import, a mutation or SQL by hand does."""
        table = self.choices.one((*CORRECTED, "deal_contact"))
        if table == "deal_contact":
            since, is_voided = self.choices.one((self.instant(), None)), self.choices.happens(4)
            return Sql(
                "update deal_contact set since = {}::timestamptz, voided_at = case when {}::boolean then now() end"
                " where deal_id = {}",
                *(since, is_voided, self.one("deal")),
            )
        if not self.ids[table]:
            return Sql("select")
        fact, kind = self.one(table), self.choices.integer(0, 5)
        if kind == 0:
            return Sql("delete from {} where id = {}", name(table), fact)
        if kind == 1 and table in ("touchpoint", "handoff", "reported_stage"):
            # An import moves a fact to another contact.
            row = self._row(table) | {"id": fact}
            columns = join(", ", map(name, row))
            values = join(", ", (Sql("{}", value) for value in row.values()))
            return Sql(
                "with gone as (delete from {} where id = {} returning 1) insert into {} ({}) select {} from gone"
                " on conflict do nothing",
                *(name(table), fact, name(table), columns, values),
            )
        if table == "handoff":
            at, status = self.instant(), self.choices.one(("ACCEPTED", "RETURNED"))
            return Sql(
                "update handoff set decided_at = {}, decision_recorded_at = now(), status = {}, reject_reason = null,"
                " assigned_to_id = {} where id = {} and handed_at < {}",
                *(at, status, self.one("member"), fact, at),
            )
        ended = "voided_at" if table == "touchpoint" else "deleted_at"
        if kind == 2 and table != "reported_stage":
            value = self.choices.one((Sql("now()"), Sql("null")))
            return Sql("update {} set {} = {} where id = {}", name(table), name(ended), value, fact)
        corrected = {column: value for column, value in self._row(table).items() if column not in KEYS}
        sets = join(", ", (Sql("{} = {}", name(column), value) for column, value in corrected.items()))
        return Sql("update {} set {} where id = {}", name(table), sets, fact)

    def one(self, table: str) -> UUID:
        return self.choices.one(self.ids[table])

    async def _insert(self, table: str, row: Mapping[str, object]) -> None:
        if table in self.ids:
            self.ids[table].append(row["id"])  # type: ignore[arg-type]
        columns = join(", ", map(name, row))
        values = join(", ", (Sql("{}", value) for value in row.values()))
        await self._run(Sql("insert into {} ({}) values ({}) on conflict do nothing", name(table), columns, values))

    async def _run(self, *statements: Sql) -> None:
        async with self.database.write() as session:
            for statement in statements:
                await session.run(statement)

    async def evaluate(self) -> datetime:
        """Evaluate everybody. Return an instant after it, up to which everything is known."""
        async with self.database.write() as session:
            await evaluate(session)
        async with self.database.write() as session:
            at: datetime = await session.value(Sql("select clock_timestamp()"))
        return at


def requests(choices: RandomChoices, known_at: datetime | None) -> list[KpiRequest]:
    """A request for every KPI."""
    found = []
    for key, kpi in CATALOGUE.items():
        pair = StagePair(*sorted(choices.one(_PAIRS), key=STAGES.index)) if key in _OF_PAIRS else None
        by = tuple(dimension for dimension in PERSONAL if dimension in kpi.dimensions and choices.happens(4))[:2]
        grain = choices.one((None, Grain.MONTH))
        found.append(KpiRequest(key, by=by, grain=grain, stages=pair, switches=Switches(known_at=known_at)))
    return found


_OF_PAIRS = ("stage_conversion", "time_to_convert")
_PAIRS = [(low, high) for low in STAGES for high in STAGES if low < high]


def figure(figure: KpiFigure) -> tuple[object, ...]:
    """Everything that a figure says."""
    parts = (figure.value, figure.numerator, figure.denominator, figure.n, figure.implied, figure.distribution)
    return (*parts, sorted((str(apart.currency), apart.value, apart.n) for apart in figure.apart))


def said(answer: object) -> dict[str, object]:
    """Everything that an answer says about the facts."""
    if isinstance(answer, FunnelAnswer):
        return {"stages": answer.stages, "breakdown": answer.breakdown}
    assert isinstance(answer, KpiAnswer), answer
    return {
        "key": answer.key,
        "total": figure(answer),
        "series": [(bucket.starts_at, *figure(bucket)) for bucket in answer.series],
        "groups": sorted(([key.label for key in group.keys], figure(group)) for group in answer.breakdown),
        "warnings": [
            (warning.code, warning.count)
            for warning in answer.warnings
            if warning.code is not WarningCode.KNOWN_AT_LIMITS
        ],
    }


ENTRIES = """query ($known: DateTime, $after: String) {
  stageEntries(knownAt: $known, first: 100, after: $after) {
    nodes { contact { id } stage occurrence rank enteredAt ownAt exitedAt exitKind cause isImplied }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}"""


async def entries(database: Database, known_at: datetime | None) -> dict[str, object]:
    """All stage entries, as the list of them says."""
    nodes: list[Any] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        known, after = known_at and known_at.isoformat(), page["pageInfo"]["endCursor"]
        page = (await answered(database, ENTRIES, known=known, after=after))["stageEntries"]
        nodes += page["nodes"]
    assert page["totalCount"] == len(nodes) > 0
    return {"stageEntries": sorted(nodes, key=str)}


async def answers(database: Database, asked: Sequence[KpiRequest], at: datetime) -> list[Any]:
    """What all requests and the funnel answer, and the records behind them."""
    known_at = asked[0].switches.known_at
    funnel = FunnelRequest(by=(Dimension.LEAD_SOURCE,), switches=Switches(known_at=known_at))
    await prepare_requests(database, [*asked, funnel], wait=None)
    async with database.read() as session:
        found = await query_kpis(session, LOCAL_OPERATOR, asked, now=at)
        told: list[Any] = [said(answer) for answer in found]
        told.append(said(await query_funnel(session, LOCAL_OPERATOR, funnel, now=at)))
        for answer in found:
            assert isinstance(answer, KpiAnswer)
            assert answer.drill_down is not None
            page = await read_page(session, answer.drill_down, RecordSide.BASE, size=100)
            told.append((answer.key, [(record.id, record.at, record.value) for record in page.records]))
    return [*told, await entries(database, known_at)]


async def facts_of(database: Database, known_at: datetime | None) -> dict[str, list[str]]:
    """The rows of all tables that keep corrections, of which no KPI reads the costs."""
    found = {}
    async with database.read() as session:
        for table in (*CORRECTED, "deal_contact"):
            rows = name(table) if known_at is None else Sql("({})", known_rows(table, Sql("{}", known_at)))
            row = Sql("to_jsonb(f) - {}::text[]", ["decision_recorded_at", "updated_at", "row_version"])
            found[table] = [
                str(it["row"]) for it in await session.rows(Sql("select {} as row from {} f order by 1", row, rows))
            ]
    return found


@settings(QUICK, max_examples=examples(9))
@given(seed=st.integers(0, 10**9))
async def test_what_was_known_stays_what_it_was(module_database: Database, seed: int) -> None:
    facts = Facts(module_database, RandomChoices.of_seed(seed))
    await facts.begin()
    for _ in range(40):
        await facts.step()
    then = await facts.evaluate()
    asked = requests(RandomChoices.of_seed(seed), None)
    before = [*await answers(module_database, asked, then), await facts_of(module_database, None)]
    for _ in range(25):
        await facts.step()
    await facts.evaluate()
    asked_later = requests(RandomChoices.of_seed(seed), then)
    after = [*await answers(module_database, asked_later, now()), await facts_of(module_database, then)]
    for one, other in zip(before, after, strict=True):
        assert other == one
