"""The kinds of changes that the audit and the outbox record."""

from schema.vocab import Vocabulary


class ChangeType(Vocabulary):
    """What happened to a record."""

    CREATED = "CREATED", "The record is new."
    CHANGED = "CHANGED", "Values of the record changed."
    DELETED = "DELETED", "The record was deleted, or voided."
    RESTORED = "RESTORED", "A deleted record was restored."
    MERGED = "MERGED", "The record was merged into another one."
    UNMERGED = "UNMERGED", "A merge of the record was undone."
    ERASED = "ERASED", "The person was erased: the record keeps no personal data."
    ENTERED = "ENTERED", "The person entered a stage."
    LEFT = "LEFT", "The person left a stage, or turned out not to have entered it."
    WITHDRAWN = (
        "WITHDRAWN",
        "The record left your reach: another owner has it now, or a fact another contact. Only `changes` reports this.",
    )
