"""Generated contacts with history: values that the oracle reads, and that are loaded into the database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from api.db import WriteSession
from api.sql import Sql
from schema.accord import Accord

START = datetime(2026, 1, 10, tzinfo=UTC)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
STAGES = ("inquiry", "mql", "sal", "sql", "opportunity", "customer")
GROUPS = {stage: "Early" if stage in ("inquiry", "mql") else "Late" for stage in STAGES}
WINDOWS = ("20 days", "14 days", "30 days", "10 days", None, None)
EVALUATION = UUID(int=7)

ACCORD = Accord.model_validate(
    {
        "title": "Six stages",
        "reporting": {"timezone": "Europe/Berlin", "week_start": "SUNDAY", "fiscal_year_start_month": 3},
        "stages": [
            {
                "key": key,
                "title": key.title(),
                "group": GROUPS[key],
                "owner": "SALES",
                "meaning": "Made up.",
                "rule": {"all": []},
            }
            | ({"window": window} if window else {})
            for key, window in zip(STAGES, WINDOWS, strict=True)
        ],
    }
)


@dataclass(frozen=True)
class Entry:
    entered: datetime
    own: datetime | None
    exited: datetime | None

    @property
    def is_implied(self) -> bool:
        return self.own != self.entered


@dataclass(frozen=True)
class Version:
    since: datetime
    lead_source: str | None
    country: str | None
    owner: str | None
    company: str | None
    source_detail: str | None = None


@dataclass(frozen=True)
class Touch:
    at: datetime
    is_inbound: bool
    channel: str | None
    campaign: str | None


@dataclass(frozen=True)
class Person:
    entries: dict[str, tuple[Entry, ...]]
    versions: tuple[Version, ...]
    touches: tuple[Touch, ...]
    why_not: str | None  # the column that excludes the person; None if they count


TEAMS = {"Hunters": UUID(int=11), "Farmers": UUID(int=12)}
MEMBERS = {"Ada": (UUID(int=21), "Hunters"), "Ben": (UUID(int=22), "Farmers"), "Cyd": (UUID(int=23), None)}
MANAGERS = {"Ada": "Cyd", "Ben": "Ada", "Cyd": None}
CAMPAIGNS = {"Spring": UUID(int=31), "Autumn": UUID(int=32)}
CAMPAIGN_TYPES = {"Spring": "Fair", "Autumn": None}
PARENTS = {"Spring": "Autumn", "Autumn": None}
# A company: its id, and its industries with their start.
COMPANIES = {
    "Acme": (UUID(int=41), ((START - timedelta(days=400), "Tools"), (START + timedelta(days=40), "Toys"))),
    "Blank": (UUID(int=42), ((START - timedelta(days=400), None),)),
}

# The numbers of employees in these times.
EMPLOYEES: dict[str, tuple[int | None, ...]] = {"Acme": (250, 1001), "Blank": (0,)}

# Few different instants, so that ties and boundaries occur: quarters of a day, and midnights of the tested zones.
INSTANTS = st.one_of(
    st.integers(0, 4 * 120).map(lambda step: START + timedelta(hours=6 * step)),
    st.integers(0, 120).map(lambda day: START + timedelta(days=day, hours=22)),
)


def worlds() -> st.SearchStrategy[list[Person]]:
    """A few people; the first one is not merged into another."""
    return st.lists(people(), min_size=5, max_size=14).filter(lambda world: world[0].why_not != "merged_into_id")


@st.composite
def people(draw: st.DrawFn) -> Person:
    """A person with entries into all stages below every stage they entered."""
    entries = {stage: draw(st.lists(INSTANTS, max_size=3, unique=True).map(sorted)) for stage in STAGES}
    way: dict[str, tuple[Entry, ...]] = {}
    first_above: datetime | None = None
    for stage in reversed(STAGES):
        instants = entries[stage]
        # An entry into a higher stage implies one into this stage, unless there is an earlier one.
        skipped = first_above is not None and (not instants or first_above < instants[0])
        if skipped and first_above is not None:
            instants = [first_above, *instants]
        way[stage] = tuple(
            _entry(draw, instants, place, is_skip=skipped and place == 0) for place in range(len(instants))
        )
        first_above = min(instants, default=first_above)
    begin = START - timedelta(days=1)
    changes = draw(st.lists(INSTANTS, max_size=2, unique=True).map(sorted))
    versions = tuple(Version(since, *draw(_VALUES)) for since in (begin, *changes))
    return Person(way, versions, tuple(draw(st.lists(_TOUCH, max_size=4))), draw(_WHY_NOT))


def _entry(draw: st.DrawFn, instants: list[datetime], place: int, *, is_skip: bool) -> Entry:
    entered = instants[place]
    until = instants[place + 1] if place + 1 < len(instants) else entered + timedelta(days=30)
    own: datetime | None = entered
    if is_skip or draw(st.integers(0, 3)) == 0:
        late = entered + timedelta(hours=6 * draw(st.integers(1, 40)))
        own = late if draw(st.booleans()) and late < until else None
    exited = entered + timedelta(hours=6 * draw(st.integers(0, 40))) if draw(st.booleans()) else None
    return Entry(entered, own, exited)


_VALUES = st.tuples(
    st.sampled_from(["web", "fair", "unknown", None]),
    st.sampled_from(["DE", "BR", None]),
    st.sampled_from([*MEMBERS, None]),
    st.sampled_from([*COMPANIES, None]),
    st.sampled_from(["booth", "page", None]),
)
_TOUCH = st.builds(
    Touch,
    INSTANTS,
    st.booleans(),
    st.sampled_from(["EMAIL", "EVENT", "UNKNOWN", None]),
    st.sampled_from([*CAMPAIGNS, None]),
)
_WHY_NOT = st.sampled_from([None] * 12 + ["is_test", "is_internal", "deleted_at", "merged_into_id"])


async def prepare(session: WriteSession, version_id: UUID) -> None:
    """Write what all generated contacts refer to: teams, members, companies, campaigns, and the current evaluation."""
    await session.copy("team", ["id", "name", "kind"], [(key, name, "SALES") for name, key in TEAMS.items()])
    members = [(key, name, TEAMS[team] if team else None) for name, (key, team) in MEMBERS.items()]
    await session.copy("member", ["id", "name", "team_id"], members)
    await prepare_managers(session)
    await prepare_campaigns(session)
    await session.script("set local accord.history_is_given = on")
    companies = [(key, name, history[-1][1]) for name, (key, history) in COMPANIES.items()]
    await session.copy("company", ["id", "name", "industry"], companies)
    rows = []
    for name, (key, history) in COMPANIES.items():
        ends = [since for since, _ in history[1:]] + [None]
        rows += [
            (key, since, end, False, name, industry, employees)
            for (since, industry), end, employees in zip(history, ends, EMPLOYEES[name], strict=True)
        ]
    columns = ["company_id", "valid_from", "valid_to", "is_assumed", "name", "industry", "employees"]
    await session.copy("company_version", columns, rows)
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, finished_at, watermark, is_current)"
            " values ({}, 'IN_FORCE', {}, now(), now(), now(), true)",
            EVALUATION,
            version_id,
        )
    )


async def prepare_managers(session: WriteSession) -> None:
    """Write who manages whom among the members."""
    for name, manager in MANAGERS.items():
        if manager is not None:
            change = "update member set manager_id = {} where id = {}"
            await session.run(Sql(change, MEMBERS[manager][0], MEMBERS[name][0]))


async def prepare_campaigns(session: WriteSession) -> None:
    """Write the campaigns, a parent before the campaigns that are parts of it."""
    ordered = sorted(CAMPAIGNS.items(), key=lambda item: PARENTS[item[0]] is not None)
    rows = [(key, name, CAMPAIGN_TYPES[name], CAMPAIGNS.get(PARENTS[name] or "")) for name, key in ordered]
    await session.copy("campaign", ["id", "name", "type", "parent_id"], rows)


async def load(session: WriteSession, world: list[Person], version_id: UUID) -> None:
    """Replace the contacts in the database. Merged contacts are merged into the first one."""
    await session.script("delete from stage_entry; delete from touchpoint; delete from contact_version")
    await session.script("update contact set merged_into_id = null; delete from contact")
    await session.script("delete from contact_version; set local accord.history_is_given = on")
    ids = [UUID(int=1000 + place) for place in range(len(world))]
    columns = ["id", "is_test", "is_internal", "deleted_at", "merged_into_id", "owner_id"]
    columns += ["lead_source", "country", "company_id"]
    contacts = [_contact(key, person) for key, person in zip(ids, world, strict=True)]
    await session.copy("contact", columns, contacts)
    versions, touches, entries = [], [], []
    for key, person in zip(ids, world, strict=True):
        ends = [version.since for version in person.versions[1:]] + [None]
        versions += [_version(key, version, end) for version, end in zip(person.versions, ends, strict=True)]
        for place, touch in enumerate(person.touches):
            direction = "INBOUND" if touch.is_inbound else "OUTBOUND"
            campaign = CAMPAIGNS[touch.campaign] if touch.campaign else None
            touches.append(
                (key, UUID(int=(key.int << 8) + place), touch.at, touch.channel, "EVENT", direction, campaign)
            )
        entries += [
            (
                *(key, EVALUATION, stage, occurrence, STAGES.index(stage) + 1, entry.entered, entry.own, entry.exited),
                *("ADVANCED" if entry.exited else None, version_id, entry.is_implied),
            )
            for stage, found in person.entries.items()
            for occurrence, entry in enumerate(found, start=1)
        ]
    kept = ["contact_id", "valid_from", "valid_to", "is_assumed", "lead_source", "country", "owner_id", "company_id"]
    kept.append("source_detail")
    rights = ["email_opt_out", "do_not_call", "is_test", "is_internal"]
    await session.copy("contact_version", [*kept, *rights], versions)
    touched = ["contact_id", "id", "occurred_at", "channel", "kind", "direction", "campaign_id"]
    await session.copy("touchpoint", touched, touches)
    entered = ["contact_id", "evaluation_id", "stage", "occurrence", "rank", "entered_at", "own_at", "exited_at"]
    await session.copy("stage_entry", [*entered, "exit_kind", "accord_version_id", "is_implied"], entries)


def _contact(key: UUID, person: Person) -> tuple[object, ...]:
    why_not, now = person.why_not, person.versions[-1]
    survivor = UUID(int=1000) if why_not == "merged_into_id" else None
    deleted = NOW if why_not == "deleted_at" else None
    owner = MEMBERS[now.owner][0] if now.owner else None
    company = COMPANIES[now.company][0] if now.company else None
    marks = why_not == "is_test", why_not == "is_internal", deleted, survivor
    return (key, *marks, owner, now.lead_source, now.country, company)


def _version(key: UUID, version: Version, end: datetime | None) -> tuple[object, ...]:
    owner = MEMBERS[version.owner][0] if version.owner else None
    company = COMPANIES[version.company][0] if version.company else None
    values = (version.lead_source, version.country, owner, company, version.source_detail)
    return (key, version.since, end, False, *values, *[False] * 4)
