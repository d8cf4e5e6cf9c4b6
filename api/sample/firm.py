"""Meridian: a made-up vendor of forecasting software, with its teams, members, products and pipelines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.sample.random_source import SeededRandom, UuidBytes
from api.sample.row_buffers import TableBuffers
from schema.vocab import Currency, MemberRole, StageCategory, TeamKind

Timestamps = Mapping[str, int]

CURRENCY = Currency.EUR
DOMAIN = "meridian.example"

_TEAMS = (
    ("Marketing", TeamKind.MARKETING, MemberRole.MANAGER, "Helena Ostrander"),
    ("Sales", TeamKind.SALES, MemberRole.MANAGER, "Marcus Devereaux"),
    ("Revenue operations", TeamKind.REVOPS, MemberRole.MANAGER, "Yuki Lindholm"),
)
# Team, role, whether the member manages the others of that role, name.
_MEMBERS = (
    ("Marketing", MemberRole.MARKETER, False, "Priya Castellan"),
    ("Marketing", MemberRole.MARKETER, False, "Jonas Whitford"),
    ("Marketing", MemberRole.MARKETER, False, "Nadia Bellweather"),
    ("Marketing", MemberRole.MARKETER, False, "Theo Marchetti"),
    ("Sales", MemberRole.SDR, True, "Orla Fennimore"),
    ("Sales", MemberRole.SDR, False, "Kwame Ashdown"),
    ("Sales", MemberRole.SDR, False, "Lotte Vandermeer"),
    ("Sales", MemberRole.SDR, False, "Samir Holloway"),
    ("Sales", MemberRole.SDR, False, "Ines Carrow"),
    ("Sales", MemberRole.SALES_REP, True, "Viktor Ellingham"),
    ("Sales", MemberRole.SALES_REP, False, "Amara Tolliver"),
    ("Sales", MemberRole.SALES_REP, False, "Felix Rautenberg"),
    ("Sales", MemberRole.SALES_REP, False, "Chloe Sandringham"),
    ("Sales", MemberRole.SALES_REP, False, "Diego Montclair"),
    ("Sales", MemberRole.SALES_REP, False, "Freya Nordgaard"),
    ("Revenue operations", MemberRole.ANALYST, False, "Tomas Quillfeather"),
)
# Name, family, list price per year, relative frequency in deals (0: never sold alone).
_PRODUCTS = (
    ("Meridian Core", "Platform", 18_000, 5),
    ("Meridian Insights", "Analytics", 26_000, 3),
    ("Meridian Connect", "Integration", 9_500, 3),
    ("Meridian Enterprise", "Platform", 64_000, 1),
    ("Onboarding package", "Services", 6_000, 0),
)
_PIPELINES = {
    "New business": (
        ("Discovery", "0.10", StageCategory.OPEN),
        ("Demo", "0.25", StageCategory.OPEN),
        ("Proposal", "0.45", StageCategory.OPEN),
        ("Negotiation", "0.70", StageCategory.OPEN),
        ("Closed won", "1", StageCategory.WON),
        ("Closed lost", "0", StageCategory.LOST),
    ),
    "Expansion": (
        ("Scoping", "0.30", StageCategory.OPEN),
        ("Offer", "0.65", StageCategory.OPEN),
        ("Closed won", "1", StageCategory.WON),
        ("Closed lost", "0", StageCategory.LOST),
    ),
}


@dataclass(frozen=True, slots=True)
class SampleProduct:
    """A product that deals are about."""

    id: UuidBytes
    name: str
    price: int
    """Per year, in the currency of the firm."""


@dataclass(frozen=True, slots=True)
class SamplePipeline:
    """The stages of a pipeline: the open ones in order, then won and lost."""

    open: tuple[UuidBytes, ...]
    won: UuidBytes
    lost: UuidBytes


@dataclass(frozen=True, slots=True)
class Firm:
    """The records of Meridian that people's histories refer to."""

    sdrs: tuple[UuidBytes, ...]
    reps: tuple[UuidBytes, ...]
    products: tuple[SampleProduct, ...]
    """Repeated by how often they are bought, so that a uniform pick has the right shares."""
    new_business: SamplePipeline
    expansion: SamplePipeline


def create_firm(rng: SeededRandom, since: int, buffers: TableBuffers) -> Firm:
    """Add the rows of Meridian, created at `since`, and return the ids that histories need."""
    stamps = {"created_at": since, "updated_at": since}
    members = _create_members(rng, since, buffers, stamps)
    products = []
    for name, family, price, share in _PRODUCTS:
        product = SampleProduct(rng.uuid7(since), name, price)
        buffers["product"].add(
            id=product.id, name=name, family=family, list_price=Decimal(price), currency=CURRENCY, **stamps
        )
        products += [product] * share
    pipelines = {name: _create_pipeline(name, rng, since, buffers, stamps) for name in _PIPELINES}
    return Firm(
        sdrs=tuple(members[MemberRole.SDR]),
        reps=tuple(members[MemberRole.SALES_REP]),
        products=tuple(products),
        new_business=pipelines["New business"],
        expansion=pipelines["Expansion"],
    )


def _create_members(
    rng: SeededRandom, since: int, buffers: TableBuffers, stamps: Timestamps
) -> dict[MemberRole, list[UuidBytes]]:
    """Add the teams and their members; return the members below the heads of teams, by role."""
    teams: dict[str, UuidBytes] = {}
    heads: dict[str, UuidBytes] = {}
    leads: dict[MemberRole, UuidBytes] = {}
    by_role: dict[MemberRole, list[UuidBytes]] = {}
    for team, kind, role, name in _TEAMS:
        teams[team], heads[team] = rng.uuid7(since), rng.uuid7(since)
        buffers["team"].add(id=teams[team], name=team, kind=kind, **stamps)
        buffers["member"].add(
            id=heads[team], name=name, email=work_email(name), team_id=teams[team], role=role, **stamps
        )
    for team, role, is_lead, name in _MEMBERS:
        member = rng.uuid7(since)
        manager = heads[team] if is_lead else leads.get(role, heads[team])
        buffers["member"].add(
            id=member, name=name, email=work_email(name), team_id=teams[team], manager_id=manager, role=role, **stamps
        )
        if is_lead:
            leads[role] = member
        by_role.setdefault(role, []).append(member)
    return by_role


def work_email(name: str) -> str:
    """Return the email address of one of Meridian's own people."""
    return f"{name.lower().replace(' ', '.')}@{DOMAIN}"


def _create_pipeline(
    name: str, rng: SeededRandom, since: int, buffers: TableBuffers, stamps: Timestamps
) -> SamplePipeline:
    """Add a pipeline and its stages."""
    pipeline, stages = rng.uuid7(since), []
    buffers["pipeline"].add(id=pipeline, name=name, is_new_business=name == "New business", **stamps)
    for rank, (title, probability, category) in enumerate(_PIPELINES[name], start=1):
        stage = rng.uuid7(since)
        buffers["pipeline_stage"].add(
            id=stage,
            pipeline_id=pipeline,
            name=title,
            rank=rank,
            probability=Decimal(probability),
            category=category,
            **stamps,
        )
        stages.append(stage)
    return SamplePipeline(open=tuple(stages[:-2]), won=stages[-2], lost=stages[-1])
