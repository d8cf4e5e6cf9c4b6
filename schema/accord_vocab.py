"""The closed vocabularies of versions of the accord: their life, signatures and readings."""

from schema.vocab import Vocabulary


class AccordStatus(Vocabulary):
    """The status of a version of the accord."""

    DRAFT = "DRAFT", "The version is being written."
    IN_REVIEW = "IN_REVIEW", "The version is proposed to both teams."
    CHANGES_REQUESTED = "CHANGES_REQUESTED", "One team requested changes."
    SIGNED = "SIGNED", "Both teams signed this content."
    ACTIVE = "ACTIVE", "The version is in force."
    SUPERSEDED = "SUPERSEDED", "A later version replaced it."
    WITHDRAWN = "WITHDRAWN", "The version was withdrawn before it came into force."


class SignInMethod(Vocabulary):
    """How a member proved who they are before signing a version of the accord."""

    OIDC = "OIDC", "At the identity provider."
    API_KEY = "API_KEY", "With an API key of their own."


class Reading(Vocabulary):
    """Which version of the accord is applied to the history."""

    IN_FORCE = "IN_FORCE", "For each stage entry, the version in force at that instant."
    RESTATED = "RESTATED", "Today's version, for the whole history."
    PINNED = "PINNED", "One named version, for the whole history."


class EntryCause(Vocabulary):
    """Why a person entered a stage at that instant."""

    __graphql_name__ = "StageEntryCause"

    FACTS = "FACTS", "What happened then fulfilled the rule of the stage, or of a higher one."
    ACCORD = "ACCORD", "A version of the accord came into force then, and the person fulfilled its rule already before."


class StageChange(Vocabulary):
    """Whether a stage is in both of two compared versions of the accord."""

    KEPT = "KEPT", "Both versions have the stage."
    ADDED = "ADDED", "Only the newer version has the stage."
    REMOVED = "REMOVED", "Only the version that is compared to has the stage."


class PersonChange(Vocabulary):
    """What a version of the accord would change for a person, in one stage and one period."""

    GAINED = "GAINED", "Only the previewed version counts the person in the period."
    LOST = "LOST", "Only the version that is compared to counts the person in the period."
    MOVED = "MOVED", "Both versions count the person in the period, at different instants."


class PreviewCoverage(Vocabulary):
    """How much of the history that a preview needs is really there."""

    EXACT = "EXACT", "All of it: every value is known as it was at the time."
    PARTIAL = "PARTIAL", "At least four fifths of the people have all of it; for the others, values are assumed."
    ESTIMATED = "ESTIMATED", "Fewer people have all of it: read the figures as an estimate."


class AccordChangeKind(Vocabulary):
    """How a clause of the accord differs between two versions."""

    ADDED = "ADDED", "Only the second version has the clause."
    REMOVED = "REMOVED", "Only the first version has the clause."
    CHANGED = "CHANGED", "Both versions have the clause, and it says something else."


class AccordChangeMark(Vocabulary):
    """What a change of a clause does by itself, whatever the data are: it follows from the clause's structure alone."""

    RENAMES = "RENAMES", "Only names, words or their order change."
    WIDENS = (
        "WIDENS",
        (
            "Of a stage's rule: whoever entered the stage still enters it, and for the first time no later; others"
            " may enter, too. Of any other clause, such as `needs`: less is asked."
            " Whatever counted still counts, and whatever was allowed still is. Later entries of the same person, after"
            " an exit, may differ."
        ),
    )
    NARROWS = (
        "NARROWS",
        (
            "Of a stage's rule: nobody enters the stage who did not before, nor for the first time earlier; some may"
            " no longer enter. Of any other clause, such as `needs`: more is asked."
            " Nothing new counts, and nothing more is allowed. Later entries of the same person, after an exit, may"
            " differ."
        ),
    )
    MOVES = "MOVES", "The same people and handoffs are concerned: what is due, is due earlier or later."
    REPORTING_ONLY = "REPORTING_ONLY", "No entry of a stage changes, only how results are computed, judged or shown."
    UNKNOWN = "UNKNOWN", "The structure of the clause does not prove what the change does. See the preview."
