"""The codes of `userErrors`: what can be wrong with the input of a mutation."""

from schema.vocab import Vocabulary


class UserErrorCode(Vocabulary):
    """What is wrong with one value of a mutation's input."""

    REQUIRED = "REQUIRED", "A value is missing."
    INVALID = "INVALID", "The value is malformed, or out of its bounds."
    TOO_LONG = "TOO_LONG", "The text is longer than the limit."
    NOT_FOUND = "NOT_FOUND", "No record that you reach has this id or external key."
    UNKNOWN_VALUE = "UNKNOWN_VALUE", "A closed set, such as the stages or the reject reasons, does not have this value."
    STALE_VERSION = "STALE_VERSION", "Somebody changed the record since that version. Read it again."
    DUPLICATE = "DUPLICATE", "Another record, or another row of the input, has this key already."
    DELETED = "DELETED", "The record is deleted. Restore it first."
    NOT_DELETED = "NOT_DELETED", "The record is not deleted."
    MERGED = "MERGED", "The record was merged into another one. Change that one."
    INACTIVE = "INACTIVE", "The pipeline, its stage, the team or the member is deactivated."
    WRONG_STATE = "WRONG_STATE", "The record is not in a state that allows this, such as a closed deal."
    ERASED = "ERASED", "This person was erased. Nothing that identifies them is stored again."
    CIRCLE = "CIRCLE", "The record would be its own parent or survivor, directly or through others."
    IN_FUTURE = "IN_FUTURE", "The instant is in the future."
    OUT_OF_ORDER = (
        "OUT_OF_ORDER",
        "The instant is before one that it follows, such as a closing before the opening.",
    )
