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
