"""Why a person is erased."""

from schema.vocab import Vocabulary


class ErasureReason(Vocabulary):
    """Why a person is erased: the grounds of data protection law, such as article 17 (1) of the GDPR."""

    REQUESTED = "REQUESTED", "The person asked for it."
    NOT_NEEDED = "NOT_NEEDED", "The data are not needed any more, or their retention period is over."
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN", "The person withdrew the consent that the data were kept by."
    OBJECTION = "OBJECTION", "The person objected to the processing of their data."
    UNLAWFUL = "UNLAWFUL", "The data were processed without a legal basis."
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION", "A law or an authority demands it."
