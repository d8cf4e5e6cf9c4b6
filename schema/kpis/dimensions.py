"""What the values of a dimension are, and at which moment a record has its value: one declaration for each subject.

The words themselves, with a definition that fits both subjects, are in `schema.kpis.dimension_vocab`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from schema.described import described
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS, DIMENSION_TABLES
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Subject

_COUNTED = "The counted instant."
_RESPONSIBLE = (
    "The counted instant; if nobody was responsible yet, the first instant after it at which somebody was, if that is"
    " not after `asOf`."
)
_TODAY = "Today, for an earlier `asOf` as well."
_FIRST_TOUCH = "The first inbound touchpoint, if that is not after the counted instant."
_RESPONSE = "That touch or decision."


@dataclass(frozen=True, kw_only=True)
class DimensionMeaning:
    """What a dimension means in KPIs about one subject."""

    __graphql_name__ = "KpiDimensionMeaning"

    dimension: Dimension = described("The dimension.")
    definition: str = described("What its values are.")
    moment: str = described(
        "At which moment a record has its value. The counted instant is that of the counted event, such as the entry "
        "into a stage or the closing of a deal; of a state, the instant at which it is read."
    )

    @property
    def sentences(self) -> str:
        """The definition and the moment, for descriptions and display."""
        return f"{self.definition} Moment: {self.moment[0].lower()}{self.moment[1:]}"


def _meaning(dimension: Dimension, definition: str | None = None, *, moment: str = _COUNTED) -> DimensionMeaning:
    return DimensionMeaning(dimension=dimension, definition=definition or dimension.doc, moment=moment)


_RESPONSIBILITY = (
    _meaning(Dimension.OWNER, moment=_RESPONSIBLE),
    _meaning(Dimension.TEAM, moment=_RESPONSIBLE),
    _meaning(Dimension.MANAGER, moment=_RESPONSIBLE),
    _meaning(Dimension.CURRENT_OWNER, moment=_TODAY),
    _meaning(Dimension.CURRENT_TEAM, moment=_TODAY),
)
_COMPANY = (_meaning(Dimension.COMPANY), _meaning(Dimension.INDUSTRY), _meaning(Dimension.COMPANY_SIZE))
_PERSON = (
    _meaning(Dimension.LEAD_SOURCE),
    _meaning(Dimension.CHANNEL, "The channel of the person's first inbound touchpoint.", moment=_FIRST_TOUCH),
    _meaning(Dimension.CAMPAIGN, "The campaign of the person's first inbound touchpoint.", moment=_FIRST_TOUCH),
    _meaning(
        Dimension.CAMPAIGN_TYPE,
        "The present type of the campaign of the person's first inbound touchpoint.",
        moment=_FIRST_TOUCH,
    ),
    _meaning(
        Dimension.PARENT_CAMPAIGN,
        "The campaign that the campaign of the person's first inbound touchpoint is a part of at present; empty if of "
        "none.",
        moment=_FIRST_TOUCH,
    ),
    *_RESPONSIBILITY,
    _meaning(Dimension.COUNTRY, "The country of the contact."),
    *_COMPANY,
)
_DEAL = (
    _meaning(Dimension.CHANNEL, "The channel of the deal's primary campaign."),
    _meaning(Dimension.CAMPAIGN, "The deal's primary campaign."),
    _meaning(Dimension.CAMPAIGN_TYPE, "The present type of the deal's primary campaign."),
    _meaning(
        Dimension.PARENT_CAMPAIGN,
        "The campaign that the deal's primary campaign is a part of at present; empty if of none.",
    ),
    *_RESPONSIBILITY,
    _meaning(Dimension.COUNTRY, "The country of the deal's company."),
    *_COMPANY,
    _meaning(Dimension.PIPELINE),
    _meaning(Dimension.PIPELINE_STAGE),
    _meaning(Dimension.PRODUCT),
    _meaning(Dimension.PRODUCT_FAMILY),
    _meaning(Dimension.DEAL_TYPE),
    _meaning(Dimension.CURRENCY),
)
_DECLARED = {
    table: tuple(_meaning(Dimension[word]) for word, found in DECLARED_DIMENSIONS.items() if found.table == table)
    for table in DIMENSION_TABLES
}
_ALL_PERSON = (*_PERSON, *_DECLARED["contact"], *_DECLARED["company"])
_ALL_DEAL = (*_DEAL, *_DECLARED["deal"], *_DECLARED["company"])
# Dimensions of some KPIs about people only.
_SOME_PERSON = (
    _meaning(Dimension.STAGE),
    _meaning(Dimension.STAGE_GROUP),
    _meaning(Dimension.REJECT_REASON, moment="The decision."),
    _meaning(Dimension.RESPONDER, moment=_RESPONSE),
)
_MEANINGS = {
    Subject.PERSON: {meaning.dimension: meaning for meaning in (*_ALL_PERSON, *_SOME_PERSON)},
    Subject.DEAL: {meaning.dimension: meaning for meaning in _ALL_DEAL},
}
STAGE_DIMENSIONS = (Dimension.STAGE, Dimension.STAGE_GROUP)
PERSON_DIMENSIONS = tuple(meaning.dimension for meaning in _ALL_PERSON)
DEAL_DIMENSIONS = tuple(meaning.dimension for meaning in _ALL_DEAL)
# Of the company, not of the deal: every part of a customer's value has them, each at its own instant.
CUSTOMER_DIMENSIONS = (Dimension.COUNTRY, Dimension.COMPANY, Dimension.INDUSTRY, Dimension.COMPANY_SIZE)


def meanings(subject: Subject, dimensions: Iterable[Dimension]) -> tuple[DimensionMeaning, ...]:
    """What dimensions mean in KPIs about a subject, each once, in the given order.

    Errors: KeyError for a dimension that no KPI about the subject has.
    """
    return tuple(_MEANINGS[subject][dimension] for dimension in dict.fromkeys(dimensions))


def dimension_doc(dimension: Dimension) -> str:
    """The description of a dimension: what it means for every subject that has it."""
    found = {subject: known[dimension] for subject, known in _MEANINGS.items() if dimension in known}
    if len({meaning.sentences for meaning in found.values()}) == 1:
        return next(iter(found.values())).sentences
    parts = (
        f"Of a {subject.value.lower()}: {meaning.definition[0].lower()}{meaning.sentences[1:]}"
        for subject, meaning in found.items()
    )
    return " ".join((dimension.doc, *parts))
