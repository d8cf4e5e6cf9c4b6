"""Meridian itself: a made-up firm that sells forecasting software, with its teams, people, products and pipelines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.sample.random_source import Dice, Id
from api.sample.row_buffers import Batch
from schema.vocab import Currency, MemberRole, StageCategory, TeamKind

Stamps = Mapping[str, int]

CURRENCY = Currency.EUR
DOMAIN = "meridian.example"

_TEAMS = (
    ("Marketing", TeamKind.MARKETING, MemberRole.MANAGER, "Helena Ostrander"),
    ("Sales", TeamKind.SALES, MemberRole.MANAGER, "Marcus Devereaux"),
    ("Revenue operations", TeamKind.REVOPS, MemberRole.MANAGER, "Yuki Lindholm"),
)
# Team, role, whether they lead the others of that role, name.
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
# Name, family, list price of a year, how often it is what a deal is about.
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
class Product:
    """What a deal is about."""

    id: Id
    name: str
    price: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of a pipeline: the open ones in order, and the two ends."""

    open: tuple[Id, ...]
    won: Id
    lost: Id


@dataclass(frozen=True, slots=True)
class Firm:
    """Who works, what is sold, and how: all that a person's story refers to."""

    marketers: tuple[Id, ...]
    sdrs: tuple[Id, ...]
    reps: tuple[Id, ...]
    products: tuple[Product, ...]
    """As often as they are bought."""
    new_business: Pipeline
    expansion: Pipeline


def found(dice: Dice, since: int, batch: Batch) -> Firm:
    """Found Meridian: add its rows, and return what stories refer to."""
    stamps = {"created_at": since, "updated_at": since}
    by_role = _staff(dice, since, batch, stamps)
    products = []
    for name, family, price, share in _PRODUCTS:
        made = Product(dice.identity(since), name, price)
        batch["product"].add(
            id=made.id, name=name, family=family, list_price=Decimal(price), currency=CURRENCY, **stamps
        )
        products += [made] * share
    pipelines = {name: _pipeline(name, dice, since, batch, stamps) for name in _PIPELINES}
    return Firm(
        marketers=tuple(by_role[MemberRole.MARKETER]),
        sdrs=tuple(by_role[MemberRole.SDR]),
        reps=tuple(by_role[MemberRole.SALES_REP]),
        products=tuple(products),
        new_business=pipelines["New business"],
        expansion=pipelines["Expansion"],
    )


def _staff(dice: Dice, since: int, batch: Batch, stamps: Stamps) -> dict[MemberRole, list[Id]]:
    teams: dict[str, Id] = {}
    heads: dict[str, Id] = {}
    leads: dict[MemberRole, Id] = {}
    by_role: dict[MemberRole, list[Id]] = {}
    for team, kind, role, name in _TEAMS:
        teams[team], heads[team] = dice.identity(since), dice.identity(since)
        batch["team"].add(id=teams[team], name=team, kind=kind, **stamps)
        batch["member"].add(
            id=heads[team], name=name, email=work_address(name), team_id=teams[team], role=role, **stamps
        )
    for team, role, is_lead, name in _MEMBERS:
        made = dice.identity(since)
        boss = heads[team] if is_lead else leads.get(role, heads[team])
        batch["member"].add(
            id=made, name=name, email=work_address(name), team_id=teams[team], manager_id=boss, role=role, **stamps
        )
        if is_lead:
            leads[role] = made
        by_role.setdefault(role, []).append(made)
    return by_role


def work_address(name: str) -> str:
    """The address of one of our own people."""
    return f"{name.lower().replace(' ', '.')}@{DOMAIN}"


def _pipeline(name: str, dice: Dice, since: int, batch: Batch, stamps: Stamps) -> Pipeline:
    pipeline, stages = dice.identity(since), []
    batch["pipeline"].add(id=pipeline, name=name, **stamps)
    for rank, (title, probability, category) in enumerate(_PIPELINES[name], start=1):
        stage = dice.identity(since)
        batch["pipeline_stage"].add(
            id=stage,
            pipeline_id=pipeline,
            name=title,
            rank=rank,
            probability=Decimal(probability),
            category=category,
            **stamps,
        )
        stages.append(stage)
    return Pipeline(open=tuple(stages[:-2]), won=stages[-2], lost=stages[-1])
