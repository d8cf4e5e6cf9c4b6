"""What all KPI requests of one snapshot share: the accord in force, the current evaluation, and the principal."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from api.access.evaluation import DATA_WATERMARK, is_current
from api.access.exclusions import Exclusions
from api.access.principal import Principal
from api.access.scope import reach_conditions, unvoided_conditions
from api.accord.in_force import AccordInForce, accord_in_force
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.funnel.readings.applied_reading import JudgingVersion
from api.funnel.readings.known_facts import with_known_facts
from api.metrics.answer import AccordUsed
from api.metrics.clocks.clock_warnings import Clocks, dated_ahead
from api.metrics.day_sums.stored_sums import StoredSums, stored_sums
from api.metrics.source_gaps import ALL_GAPS, SourceGaps, read_gaps
from api.sql import Sql, all_of, name
from schema.access.rights import Reach
from schema.accord import Accord
from schema.base import now as clock


@dataclass(frozen=True, slots=True)
class MetricContext:
    """The accord, its current evaluation, the principal, and the instant of the request."""

    in_force: AccordInForce
    principal: Principal
    evaluation_id: UUID | None
    watermark: datetime | None
    has_contacts: bool  # whether the principal reaches any contact that may be counted
    has_merged_contacts: bool
    gaps: SourceGaps
    now: datetime
    clocks: Clocks
    signed_at: datetime | None = None  # when both teams had signed the version in force
    has_former_versions: bool = False  # whether a version before this one was in force
    versions: tuple[JudgingVersion, ...] = ()  # by which entries are judged; empty while it is the only one ever
    known_at: datetime | None = None  # facts recorded later do not count
    evaluated_at: datetime | None = None  # of a reading whose entries are kept as they were evaluated
    is_outdated: bool = False  # whether facts have changed since
    journeys_of: UUID | None = None  # the evaluation that has journeys, by the version in force
    sums: StoredSums | None = None  # the day sums of the current evaluation
    has_unopened_deals: bool = False  # whether the opening of a deal is unknown
    needs_evaluation: bool = False  # whether the reading has not been evaluated yet
    excludes: tuple[str, ...] | None = None  # whom the request excludes in place of those whom the accord does

    @property
    def accord(self) -> Accord:
        """The accord document in force."""
        return self.in_force.accord

    def accords_in(self, start: datetime | None, until: datetime) -> tuple[AccordUsed, ...]:
        """The versions of the accord that judge entries in an interval, as answers list them."""
        if len(self.versions) < 2:
            return (_used(self.in_force, self.versions[0].signed_at if self.versions else self.signed_at),)
        concerned = [
            version
            for version in self.versions
            if (version.in_force_from is None or version.in_force_from < until)
            and (start is None or version.in_force_until is None or version.in_force_until > start)
        ]
        return tuple(
            AccordUsed(
                version=version.number,
                hash=version.content_hash,
                is_signed=version.signed_at is not None,
                signed_at=version.signed_at,
                starts_at=version.in_force_from,
                fiscal_year=_fiscal_year(self.accord),
            )
            for version in concerned
        )

    @property
    def evaluation(self) -> UUID:
        """The id of the evaluation whose stage entries are counted.

        Errors: NOT_EVALUATED if there is none; EVALUATING if there is none yet of the requested reading.
        """
        if self.needs_evaluation:
            raise AccordError(
                ErrorCode.EVALUATING,
                "The stage entries of this reading are not evaluated yet, which takes longer than a request may.",
                "The evaluation goes on. Send the request again in a while.",
            )
        if self.evaluation_id is None:
            raise AccordError(
                ErrorCode.NOT_EVALUATED,
                "No contact has been evaluated by the accord yet, so KPIs about people have no value.",
                "Run `accord evaluate`.",
            )
        return self.evaluation_id

    @property
    def has_journeys(self) -> bool:
        """Whether the evaluation whose stage entries are counted has journeys beside them."""
        return self.journeys_of is not None and self.journeys_of == self.evaluation_id and self.known_at is None

    def with_facts(self, statement: Sql) -> Sql:
        """The statement as it runs: with the facts known at `known_at` in place of the tables, if that is set."""
        return statement if self.known_at is None else with_known_facts(statement, self.known_at)

    @property
    def overrides(self) -> tuple[str, ...]:
        """The overrides that mark a result as not canonical: other exclusions, and a restricted principal."""
        reach = self.principal.reach
        scope = () if reach is Reach.ALL else (f"scope={reach.value}",)
        excludes = () if self.excludes is None else (f"exclusions={'+'.join(self.excludes) or 'NONE'}",)
        return (*excludes, *scope)

    def reach(self, table: str, alias: str) -> list[Sql]:
        """Conditions that a row of `table` is not voided and that the principal reaches it; none if all rows are so."""
        return [*unvoided_conditions(table, alias), *reach_conditions(table, alias, self.principal)]

    def reach_by_id(self, table: str, record_id: Sql) -> list[Sql]:
        """Conditions that the principal reaches the record of `table` with that id; none if it reaches every row."""
        return [
            Sql("exists (select from {} reached where reached.id = {} and {})", name(table), record_id, condition)
            for condition in self.reach(table, "reached")
        ]


async def read_context(session: ReadSession, principal: Principal, now: datetime) -> MetricContext:
    """Read the context of a snapshot.

    Shapes: one row. Reads accord_version, evaluation, outbox_event, contact, source_gap.
    Errors: NO_ACCORD.
    """
    in_force = await accord_in_force(session)
    [row] = await session.rows(
        Sql(
            "select e.id, {} as watermark, ({}) as has_contacts, {} as gaps,"
            " case when e.has_journeys and e.accord_version_id = {} then e.id end as journeys_of,"
            " exists (select from accord_version v where v.status = 'SUPERSEDED') as has_former,"
            " exists (select from deal d where d.opened_at is null) as has_unopened,"
            " (select v.signed_at from accord_version v where v.status = 'ACTIVE') as signed_at,"
            " exists (select from contact x where x.merged_into_id is not null) as has_merged,"
            " ({}) as sums, {} as dated_ahead, clock_timestamp() as at,"
            # KPI statements run once: a generic plan, made for any period and stages, reads twice as much.
            " set_config('plan_cache_mode', 'force_custom_plan', true) as planning"
            " from (select) one left join evaluation e on {}",
            DATA_WATERMARK,
            contacts_exist(in_force.accord, principal),
            ALL_GAPS,
            in_force.id,
            stored_sums(Sql("e.id"), in_force.accord.reporting.timezone),
            dated_ahead(now),
            is_current("e"),
        )
    )
    return MetricContext(
        in_force=in_force,
        principal=principal,
        evaluation_id=row["id"],
        # The newest fact of all would show when something happens out of reach.
        watermark=row["watermark"] if principal.reach is Reach.ALL else None,
        has_contacts=row["has_contacts"],
        has_merged_contacts=row["has_merged"],
        gaps=read_gaps(row["gaps"], is_detailed=principal.reach is Reach.ALL),
        now=now,
        signed_at=row["signed_at"],
        has_former_versions=row["has_former"],
        journeys_of=row["journeys_of"],
        has_unopened_deals=row["has_unopened"],
        sums=StoredSums.read(row["sums"]),
        clocks=Clocks(row["dated_ahead"], row["at"] - clock(), is_detailed=principal.reach is Reach.ALL),
    )


async def with_exclusions(session: ReadSession, context: MetricContext, excludes: Collection[str]) -> MetricContext:
    """Return the context in which these are excluded in place of those whom the accord excludes.

    Journeys say who is excluded by the accord, so they are not read.

    Shapes: a context and reasons such as TEST -> the same context if the accord has them, else another one, for which
            one statement reads whether there is a contact to count.
    """
    agreed = context.accord.reporting.exclude
    if {*excludes} == {*agreed}:
        return context
    chosen = tuple(sorted(excludes))
    reporting = context.accord.reporting.model_copy(update={"exclude": chosen})
    accord = context.accord.model_copy(update={"reporting": reporting})
    has_contacts = await session.value(contacts_exist(accord, context.principal))
    return replace(
        context,
        in_force=replace(context.in_force, accord=accord),
        has_contacts=bool(has_contacts),
        journeys_of=None,
        excludes=chosen,
    )


def _used(used: AccordInForce, signed_at: datetime | None) -> AccordUsed:
    return AccordUsed(
        version=used.number,
        hash=used.content_hash,
        is_signed=used.is_signed,
        signed_at=signed_at,
        starts_at=used.starts_at,
        fiscal_year=_fiscal_year(used.accord),
    )


def _fiscal_year(accord: Accord) -> str | None:
    fiscal = accord.reporting.fiscal_calendar
    return fiscal.sentence if fiscal.start_month > 1 else None


def contacts_exist(accord: Accord, principal: Principal) -> Sql:
    """A query that returns whether there is a contact that may be counted and that the principal reaches."""
    reached = reach_conditions("contact", "x", principal)
    scoped = Sql(" and {}", all_of(reached)) if reached else Sql("")
    return Sql("select exists (select from contact x where not ({}){})", is_excluded(accord), scoped)


def is_excluded(accord: Accord) -> Sql:
    """The condition that the contact `x` is never counted, see `api.access.exclusions`.

    It reads the contact as it is today. The facts of a merged contact count for its survivor.
    """
    return exclusions(accord).is_never_counted("contact", "x")


def exclusions(accord: Accord) -> Exclusions:
    """Who is never counted under an accord."""
    return Exclusions.of(accord.reporting.exclude)
