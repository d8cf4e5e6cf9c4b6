"""Likely duplicates among companies: which pairs are found, and why."""

from api.access.principal import Principal
from api.db import Database
from schema.access.rights import Reach
from tests.support.graphql import answered, put, uid

COMPANIES = {
    "Acme GmbH": ("acme.example", None),
    "ACME, Inc.": ("acme.test", None),
    "Acme Holding": ("acme.example", None),
    "Ácme S.A.": (None, "Acme GmbH"),
    "Beta & Co. KG": ("gmail.com", None),
    "Gamma": ("gmail.com", None),
    "Inc.": (None, None),
    "Ltd": (None, None),
}


async def test_companies_are_found_by_domain_and_by_name_without_the_legal_form(database: Database) -> None:
    ids = {name: uid(200 + place) for place, name in enumerate(COMPANIES)}
    async with database.write() as session:
        for name, (domain, parent) in COMPANIES.items():
            values = {"domain": domain, "parent_id": None if parent is None else ids[parent]}
            await put(session, "company", {"id": ids[name], "name": name, **values})
    selected = "nodes { company { name } duplicate { name } reasons } totalCount"
    found = (await answered(database, f"{{ likelyDuplicateCompanies {{ {selected} }} }}"))["likelyDuplicateCompanies"]
    pairs = [(node["company"]["name"], node["duplicate"]["name"], node["reasons"]) for node in found["nodes"]]
    assert pairs == [
        ("Acme GmbH", "Acme Holding", ["SAME_DOMAIN"]),
        ("Acme GmbH", "ACME, Inc.", ["SAME_NAME"]),
        # Not the first and the last of them: one is the parent of the other.
        ("ACME, Inc.", "Ácme S.A.", ["SAME_NAME"]),
    ]
    assert found["totalCount"] == 3
    one = (
        f'{{ likelyDuplicateCompanies(company: "company_{ids["ACME, Inc."]}", reasons: [SAME_NAME]) {{ {selected} }} }}'
    )
    found = (await answered(database, one, Principal(Reach.ALL)))["likelyDuplicateCompanies"]
    assert [node["company"]["name"] for node in found["nodes"]] == ["ACME, Inc."] * 2
