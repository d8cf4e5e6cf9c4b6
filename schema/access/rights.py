"""What principals may do: one table, which the gateway, the workflows and the documentation read.

A principal is a member or a machine. It has one access level, a reach (which records) and rights (beyond the level).
Each permission belongs to the lowest level that has it; higher levels have it, too.
"""

from collections.abc import Mapping
from types import MappingProxyType

from schema.vocab import Vocabulary


class AccessLevel(Vocabulary):
    """What a principal may do. Each level includes those before it."""

    VIEWER = "VIEWER", "Reads records, KPIs and the accord."
    CONTRIBUTOR = "CONTRIBUTOR", "Also works on records: creates and changes them, logs touchpoints, moves deals."
    OPERATOR = (
        "OPERATOR",
        "Also maintains the accord and the data: imports, merges, erasure, pipelines, rates.",
    )
    ADMIN = "ADMIN", "Also manages access: members, API keys and sessions, and reads the audit."

    def includes(self, other: "AccessLevel") -> bool:
        """Return whether this level may do everything that the other one may."""
        order = list(AccessLevel)
        return order.index(self) >= order.index(other)


class Reach(Vocabulary):
    """Which records a principal reaches."""

    ALL = "ALL", "Every record."
    TEAM = "TEAM", "Records that members of the principal's team own, those that nobody owns, and the rows about them."
    OWN = "OWN", "Records that the principal owns, and the rows about them."


class Right(Vocabulary):
    """A right that a principal has beside its access level."""

    PERSONAL_DATA = "PERSONAL_DATA", "Reads names, e-mail addresses, telephone numbers and notes of contacts."
    EXPORT = "EXPORT", "Exports lists, KPIs and records to files."


class Permission(Vocabulary):
    """An action that needs an access level."""

    READ = "READ", "Read records, KPIs, the accord and the changes of records."
    EDIT_RECORDS = (
        "EDIT_RECORDS",
        "Create, change, delete and restore contacts, companies, campaigns and deals; log touchpoints, hand off.",
    )
    DECIDE_ANY_HANDOFF = (
        "DECIDE_ANY_HANDOFF",
        "Decide handoffs that are assigned to members of other teams. Everybody else decides those of their own team.",
    )
    EDIT_SETUP = "EDIT_SETUP", "Create, change and deactivate pipelines, products, teams, members and exchange rates."
    MERGE_RECORDS = "MERGE_RECORDS", "Merge contacts or companies, and undo merges."
    IMPORT = "IMPORT", "Import files, and undo imports."
    EDIT_ACCORD = (
        "EDIT_ACCORD",
        "With the reach ALL: propose, change, submit and comment versions of the accord, and withdraw their own.",
    )
    SIGN_ACCORD = (
        "SIGN_ACCORD",
        "With the reach ALL, as a member of a marketing or sales team: sign versions of the accord for the team.",
    )
    ACTIVATE_ACCORD = (
        "ACTIVATE_ACCORD",
        "Activate signed versions of the accord, and withdraw versions that others proposed.",
    )
    ERASE_PEOPLE = "ERASE_PEOPLE", "Erase a person, and read everything that is held on a person."
    MANAGE_ACCESS = "MANAGE_ACCESS", "Manage the access of members, API keys and sessions."
    READ_AUDIT = "READ_AUDIT", "Read the audit: who changed what."


LOWEST_LEVEL: Mapping[Permission, AccessLevel] = MappingProxyType(
    {
        Permission.READ: AccessLevel.VIEWER,
        Permission.EDIT_RECORDS: AccessLevel.CONTRIBUTOR,
        Permission.DECIDE_ANY_HANDOFF: AccessLevel.OPERATOR,
        Permission.EDIT_SETUP: AccessLevel.OPERATOR,
        Permission.MERGE_RECORDS: AccessLevel.OPERATOR,
        Permission.IMPORT: AccessLevel.OPERATOR,
        Permission.EDIT_ACCORD: AccessLevel.CONTRIBUTOR,
        Permission.SIGN_ACCORD: AccessLevel.CONTRIBUTOR,
        Permission.ACTIVATE_ACCORD: AccessLevel.OPERATOR,
        Permission.ERASE_PEOPLE: AccessLevel.OPERATOR,
        Permission.MANAGE_ACCESS: AccessLevel.ADMIN,
        Permission.READ_AUDIT: AccessLevel.ADMIN,
    }
)
"""The lowest access level that has each permission."""


def level_allows(level: AccessLevel, permission: Permission) -> bool:
    """Return whether principals of an access level have a permission."""
    return level.includes(LOWEST_LEVEL[permission])
