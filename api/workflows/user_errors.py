"""What is wrong with the input of a mutation: errors with the path of the field that each concerns."""

from dataclasses import dataclass

from schema.writes.user_errors import UserErrorCode

FieldPath = tuple[str, ...]  # GraphQL names and list positions, from `input` down


@dataclass(frozen=True, slots=True)
class UserError:
    """One thing that is wrong with an input."""

    path: FieldPath
    code: UserErrorCode
    message: str
