"""What is wrong with the input of a mutation: errors with the path of the field that each concerns."""

from dataclasses import dataclass

from schema.writes.user_errors import UserErrorCode


class DocumentStep(str):
    """A step of a path within a document that an input holds, such as `stages[2] (mql)`: shown as it is."""

    __slots__ = ()


FieldPath = tuple[str, ...]  # GraphQL names and list positions, from `input` down


@dataclass(frozen=True, slots=True)
class UserError:
    """One thing that is wrong with an input."""

    path: FieldPath
    code: UserErrorCode
    message: str
