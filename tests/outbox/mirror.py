"""A copy of records that follows `changes`, as the description of the field says."""

from typing import Any

from api.access.principal import Principal
from api.db import Database
from api.errors import AccordError, ErrorCode
from tests.support.followed_changes import end
from tests.support.graphql import answered, executed

_CONTACT = "id jobTitle owner { id } stage { key } mergedInto { id }"
_DEAL = "id name owner { id }"
_ROLES = "nodes { contact { id } deal { id } role isPrimary }"
CHANGES = f"""
query ($after: String) {{
  changes(after: $after, first: 7) {{
    nodes {{
      type recordType recordId
      contact {{ id }}
      record {{
        id
        ... on Contact {{
          {_CONTACT}
          touchpoints(first: 100) {{ nodes {{ id contact {{ id }} }} }}
          dealRoles(first: 100) {{ {_ROLES} }}
          mergedContacts(first: 100) {{ nodes {{ id }} }}
        }}
        ... on Deal {{ {_DEAL} contactRoles(first: 100) {{ {_ROLES} }} }}
        ... on Touchpoint {{ contact {{ id }} }}
      }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
ORIGINAL = f"""
{{
  contacts(first: 200, includeMerged: true) {{ nodes {{ {_CONTACT} }} }}
  touchpoints(first: 200) {{ nodes {{ id contact {{ id }} }} }}
  deals(first: 200) {{ nodes {{ {_DEAL} }} }}
  dealContacts(first: 200) {{ {_ROLES} }}
}}
"""

Json = Any
Copy = tuple[dict[str, Json], dict[str, str], dict[str, Json], dict[tuple[str, str], Json]]


class Mirror:
    """A copy of the contacts, touchpoints, deals and roles that a principal reaches."""

    def __init__(self, database: Database, who: Principal) -> None:
        self.database, self.who = database, who
        self.cursor = ""
        self.contacts: dict[str, Json] = {}
        self.facts: dict[str, str] = {}  # touchpoint -> its contact
        self.deals: dict[str, Json] = {}
        self.roles: dict[tuple[str, str], Json] = {}  # contact and deal

    async def begin(self) -> None:
        """Take the cursor first, then copy: what changes in between is applied again."""
        self.cursor = await end(self.database, self.who)
        self.contacts, self.facts, self.deals, self.roles = await self.original()

    async def original(self) -> Copy:
        """Read the records that a copy should have."""
        found = await answered(self.database, ORIGINAL, self.who)
        contacts = {contact["id"]: contact for contact in found["contacts"]["nodes"]}
        facts = facts_of(found["touchpoints"])
        deals = {deal["id"]: deal for deal in found["deals"]["nodes"]}
        return contacts, facts, deals, roles_of(found["dealContacts"])

    async def follow(self) -> None:
        """Apply all changes so far. A copy whose cursor has expired begins anew."""
        has_more = True
        while has_more:
            result = await executed(self.database, CHANGES, self.who, after=self.cursor)
            if result.errors is not None:
                [error] = result.errors
                assert isinstance(error.original_error, AccordError)
                assert error.original_error.code is ErrorCode.CURSOR_EXPIRED
                await self.begin()
                continue
            for change in result.data["changes"]["nodes"]:
                self.apply(change)
            page = result.data["changes"]["pageInfo"]
            self.cursor, has_more = page["endCursor"], page["hasNextPage"]

    def apply(self, change: Json) -> None:
        """Apply one change. Its record is that of now, so that its type alone does not say what to do."""
        id_, record = change["recordId"], change["record"]
        match change["recordType"]:
            case "TOUCHPOINT":
                self.facts.pop(id_, None)
                if record is not None and record["contact"] is not None:
                    self.facts[id_] = record["contact"]["id"]
            case "CONTACT" if record is None:
                self.contacts.pop(id_, None)
                self.facts = {fact: contact for fact, contact in self.facts.items() if contact != id_}
                self.roles = {key: role for key, role in self.roles.items() if key[0] != id_}
                for contact in self.contacts.values():  # a link to it reads null now
                    if contact["mergedInto"] == {"id": id_}:
                        contact["mergedInto"] = None
            case "CONTACT":
                if id_ not in self.contacts:
                    self._come_in(record)
                of_contact = ("touchpoints", "dealRoles", "mergedContacts")
                self.contacts[id_] = {key: value for key, value in record.items() if key not in of_contact}
            case "DEAL" | "DEAL_CONTACT" if record is None:
                self.deals.pop(id_, None)
                self.roles = {key: role for key, role in self.roles.items() if key[1] != id_}
            case "DEAL" | "DEAL_CONTACT":
                self.roles = {key: role for key, role in self.roles.items() if key[1] != id_}
                self.roles |= roles_of(record["contactRoles"])
                self.deals[id_] = {key: value for key, value in record.items() if key != "contactRoles"}

    def _come_in(self, contact: Json) -> None:
        """Copy what is about a contact that has come into reach, and what names it."""
        self.facts |= facts_of(contact["touchpoints"])
        self.roles |= roles_of(contact["dealRoles"])
        for merged in contact["mergedContacts"]["nodes"]:
            if merged["id"] in self.contacts:
                self.contacts[merged["id"]]["mergedInto"] = {"id": contact["id"]}

    async def require_equal(self) -> None:
        """Require that the copy is what a principal would read now."""
        await self.follow()
        assert (self.contacts, self.facts, self.deals, self.roles) == await self.original(), self.who


def facts_of(connection: Json) -> dict[str, str]:
    """Return the contacts of touchpoints, without those of deleted contacts, which a copy does not have."""
    return {fact["id"]: fact["contact"]["id"] for fact in connection["nodes"] if fact["contact"]}


def roles_of(connection: Json) -> dict[tuple[str, str], Json]:
    """Return the roles of a list, by contact and deal, without those of deleted records, which a copy does not have."""
    found = (role for role in connection["nodes"] if role["contact"] and role["deal"])
    return {(role["contact"]["id"], role["deal"]["id"]): role for role in found}
