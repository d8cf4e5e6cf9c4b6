"""What can become of one row of a mutation's input."""

from schema.vocab import Vocabulary


class WriteStatus(Vocabulary):
    """What became of one row of a mutation's input."""

    CREATED = "CREATED", "The record is new."
    CHANGED = "CHANGED", "The record has other values now."
    UNCHANGED = "UNCHANGED", "The record had these values already. Nothing was written."
    REJECTED = "REJECTED", "The row is wrong, as its `userErrors` say. Nothing of it was written."
    ROLLED_BACK = "ROLLED_BACK", "Nothing of the row was written, because another row was rejected."
