"""Generates the sample: Meridian first, then account after account, in batches of bounded size.

Every account and every person has a random stream of its own. So a person with a given number is the same however many
people are generated, and whichever process generates them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from api.sample.campaigns import CAMPAIGN_PLANS, create_campaigns
from api.sample.currencies import KRONA_DEALS, PriceConverter, create_exchange_rates
from api.sample.deals import Buyer, SampleDeal, add_colleague
from api.sample.firm import create_firm
from api.sample.journey import simulate_journey
from api.sample.lead_origins import LEAD_ORIGINS, LeadOrigin
from api.sample.people import PEOPLE_PER_COMPANY, SampleCompany, generate_company, generate_person, write_company
from api.sample.period import DAY, HOUR, SamplePeriod
from api.sample.person_history import PersonHistory, Scenario
from api.sample.random_source import SeededRandom, UuidBytes
from api.sample.row_buffers import TableBuffers
from schema.history import version_name

_FIRM_STREAM, _ACCOUNT_STREAM, _PERSON_STREAM = 1, 2, 3
_FIRM_TABLES = ("team", "member", "product", "pipeline", "pipeline_stage", "campaign", "campaign_cost", "exchange_rate")
_WITH_HISTORY = ("company", "contact", "deal")
_PEOPLE_TABLES = (
    *(name for table in _WITH_HISTORY for name in (table, version_name(table))),
    "deal_contact",
    "touchpoint",
    "handoff",
    "reported_stage",
)
TABLES = (*_FIRM_TABLES, *_PEOPLE_TABLES)
_BATCH_PEOPLE = 500
"""A batch ends with the account that reaches this number of people: about 8,500 rows."""
_COLLEAGUE_SHARE = 0.16
"""Share of colleagues who take part in a deal."""
_SUBSIDIARY_SHARE = 0.07
"""Share of companies that have a parent company."""
_PARENT_INTERVAL = 25
"""One account of this many can be a parent company."""
_ASSUMED_SHARE = 0.05
"""Share of people whose history is assumed."""
_TRACKED_SHARE = 0.3
"""Share of people whose stage sales keeps by hand."""
_WITHOUT_COMPANY_SHARE = 0.12
"""Share of accounts that are one person without a company."""
_EMPLOYEES_WITHOUT_COMPANY = 5
"""Company size by which the deals of a person without a company are priced."""


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """How many contacts to generate, from which seed, and the day before which the sample ends."""

    contacts: int
    seed: int
    until: date


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a person first appears, from which origin and campaign."""

    at: int
    origin: LeadOrigin
    campaign: UuidBytes | None


@dataclass(frozen=True, slots=True)
class AccountBatch:
    """Consecutive accounts and their people, which are generated together."""

    accounts: range
    first: int
    """The number of the first person."""
    people: int


@dataclass(frozen=True, slots=True)
class TableLoad:
    """Rows of one table, encoded for one binary COPY."""

    table: str
    columns: tuple[str, ...]
    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class GeneratedBatch:
    """The rows of a batch, in an order in which they can be stored."""

    loads: tuple[TableLoad, ...]
    contacts: int
    """How many people are generated up to and including this batch."""


@dataclass(frozen=True, slots=True)
class _Account:
    """A company and the arrivals of its people, or one person without a company."""

    rng: SeededRandom
    since: int
    company: SampleCompany | None
    arrivals: tuple[Arrival, ...]


def account_batches(request: SampleRequest) -> Iterator[AccountBatch]:
    """Divide the accounts of a sample into batches, without generating them."""
    people = account = 0
    while people < request.contacts:
        first_account, first = account, people
        while people < request.contacts and people - first < _BATCH_PEOPLE:
            rng = SeededRandom.stream(request.seed, _ACCOUNT_STREAM, account)
            people += min(max(1, _company_people(rng)), request.contacts - people)
            account += 1
        yield AccountBatch(range(first_account, account), first, people - first)


class SampleGenerator:
    """Generates the batches of one sample, in any order."""

    def __init__(self, request: SampleRequest) -> None:
        period = SamplePeriod(request.until)
        rng = SeededRandom.stream(request.seed, _FIRM_STREAM, 0)
        buffers = TableBuffers(_FIRM_TABLES)
        # The calls share one random stream: their order determines the rows.
        firm = create_firm(rng, period.start, buffers)
        campaigns = create_campaigns(rng, period, request.contacts, buffers)
        prices = PriceConverter(create_exchange_rates(rng, period, buffers))
        self.scenario = Scenario(period, firm, campaigns, prices)
        self.seed = request.seed
        self.firm = _encoded(buffers, 0)
        """The rows of Meridian, which all batches refer to."""

    def generate(self, batch: AccountBatch) -> GeneratedBatch:
        """Generate the accounts of a batch, encoded for COPY."""
        return _encoded(self.buffers(batch), batch.first + batch.people)

    def buffers(self, batch: AccountBatch) -> TableBuffers:
        """Generate the accounts of a batch. Rows refer to rows of this batch, of earlier ones, or of the firm."""
        buffers, people, end = TableBuffers(_PEOPLE_TABLES), batch.first, batch.first + batch.people
        prices = replace(self.scenario.prices, kronor_left=0 if batch.first else KRONA_DEALS)
        scenario = replace(self.scenario, prices=prices)
        for number in batch.accounts:
            people += self._generate_account(scenario, number, people, end, buffers)
        return buffers

    def _generate_account(self, scenario: Scenario, number: int, first: int, end: int, buffers: TableBuffers) -> int:
        """Generate a company and its people, or one person, up to the person number `end`; return how many people."""
        account = _account(scenario, self.seed, number)
        rng, company = account.rng, account.company
        histories: list[PersonHistory] = []
        deals: list[tuple[PersonHistory, SampleDeal]] = []
        for person, arrival in enumerate(account.arrivals[: end - first], start=first):
            history, buyer = _start_history(scenario, self.seed, person, buffers, company, arrival)
            histories.append(history)
            deals += ((history, deal) for deal in simulate_journey(history, buyer))
        for main_contact, deal in deals:
            for history in histories:
                if history is not main_contact and rng.chance(_COLLEAGUE_SHARE):
                    add_colleague(history, deal)
        for history in histories:
            history.write_contact()
        if company is not None:
            owner = min(((deal.opened, deal.rep) for _, deal in deals), default=None)
            parent = self._parent(rng, number)
            write_company(company, rng, scenario, buffers, since=account.since, owner=owner, parent=parent)
        return len(histories)

    def _parent(self, rng: SeededRandom, number: int) -> tuple[int, UuidBytes] | None:
        """Pick the parent among earlier companies; return the instant from which it applies, and its id."""
        if not number or not rng.chance(_SUBSIDIARY_SHARE):
            return None
        parent_number = rng.integer(0, (number - 1) // _PARENT_INTERVAL) * _PARENT_INTERVAL
        parent = _account(self.scenario, self.seed, parent_number)
        return (parent.since, parent.company.id) if parent.company else None


def _encoded(buffers: TableBuffers, contacts: int) -> GeneratedBatch:
    loads = (
        TableLoad(buffer.table, buffer.columns, len(buffer.rows), buffer.copy_data()) for buffer in buffers.filled()
    )
    return GeneratedBatch(tuple(loads), contacts)


def _company_people(rng: SeededRandom) -> int:
    """Return how many people of an account appear; 0 for one person without a company."""
    return 0 if rng.chance(_WITHOUT_COMPANY_SHARE) else rng.pick_weighted(PEOPLE_PER_COMPANY)


def _account(scenario: Scenario, seed: int, number: int) -> _Account:
    """Generate an account up to its arrivals."""
    rng = SeededRandom.stream(seed, _ACCOUNT_STREAM, number)
    people = _company_people(rng)
    arrivals = tuple(_arrival(scenario, rng) for _ in range(max(1, people)))
    since = max(scenario.period.start, min(arrival.at for arrival in arrivals) - rng.integer(1, 20) * DAY)
    return _Account(rng, since, generate_company(rng, number, since) if people else None, arrivals)


def _arrival(scenario: Scenario, rng: SeededRandom) -> Arrival:
    """Pick an origin, and an instant at which one of its campaigns runs."""
    origin = rng.pick_weighted(LEAD_ORIGINS)
    if origin.campaigns is None:
        return Arrival(scenario.period.arrival(rng), origin, None)
    if CAMPAIGN_PLANS[origin.campaigns].has_gaps:
        campaign = rng.pick(scenario.campaigns.of_plan(origin.campaigns))
        # A fair opens at 9:00 on its first day and closes at 21:00 on its last.
        at = campaign.starts + 9 * HOUR + int(rng.random() * (campaign.ends - campaign.starts - 12 * HOUR))
        return Arrival(at, origin, campaign.id)
    at = scenario.period.arrival(rng)
    return Arrival(at, origin, scenario.campaigns.latest(origin.campaigns, at).id)


def _start_history(
    scenario: Scenario,
    seed: int,
    number: int,
    buffers: TableBuffers,
    company: SampleCompany | None,
    arrival: Arrival,
) -> tuple[PersonHistory, Buyer]:
    """Generate a person, and start the person's history at the arrival."""
    rng, origin = SeededRandom.stream(seed, _PERSON_STREAM, number), arrival.origin
    person = generate_person(rng, number, company)
    source_fields: dict[str, object] = {
        "lead_source": origin.lead_source,
        "source_detail": rng.pick(origin.details) if origin.details else None,
    }
    history = PersonHistory(
        scenario, buffers, rng, origin,
        contact=rng.uuid7(arrival.at),
        created_at=arrival.at,
        changes=[(arrival.at, {**person.fields, **source_fields})],
        missing_fields=person.missing_fields,
        next_title=person.next_title,
        is_assumed=rng.chance(_ASSUMED_SHARE),
        is_tracked=rng.chance(_TRACKED_SHARE),
    )  # fmt: skip
    if company is None:
        name = f"{person.fields['first_name']} {person.fields['last_name']}"
        return history, Buyer(None, name, _EMPLOYEES_WITHOUT_COMPANY, person.country, arrival.campaign)
    return history, Buyer(company.id, company.name, company.employees, company.country.code, arrival.campaign)
