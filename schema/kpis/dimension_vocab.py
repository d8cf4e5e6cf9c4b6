"""The dimensions: what KPIs can be broken down and filtered by.

They stand apart from `schema.vocab` because they follow from the tables: a column may declare that it is a dimension.
"""

from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.vocab import Vocabulary


class Dimension(Vocabulary):
    """What a KPI can be broken down and filtered by."""

    __graphql_name__ = "KpiDimension"

    LEAD_SOURCE = "LEAD_SOURCE", "The lead source of the contact, as the source system writes it."
    CHANNEL = "CHANNEL", "The channel that brought the person or the deal."
    CAMPAIGN = "CAMPAIGN", "The campaign that brought the person or the deal."
    CAMPAIGN_TYPE = "CAMPAIGN_TYPE", "The present type of that campaign, as the source system writes it."
    PARENT_CAMPAIGN = "PARENT_CAMPAIGN", "The campaign that that campaign is a part of at present; empty if of none."
    OWNER = "OWNER", "Who was responsible for the contact or the deal."
    TEAM = "TEAM", "The present team of the member who was responsible for the contact or the deal."
    MANAGER = "MANAGER", "The present manager of the member who was responsible for the contact or the deal."
    CURRENT_OWNER = "CURRENT_OWNER", "Who is responsible for the contact or the deal."
    CURRENT_TEAM = "CURRENT_TEAM", "The team of the member who is responsible for the contact or the deal."
    RESPONDER = "RESPONDER", "Who made the touch by hand, or the decision on the handoff, that the KPI measures."
    COUNTRY = "COUNTRY", "The country of the person or of the deal's company."
    COMPANY = "COMPANY", "The company of the contact or of the deal; empty if it is not visible to you."
    INDUSTRY = "INDUSTRY", "The industry of the company."
    COMPANY_SIZE = (
        "COMPANY_SIZE",
        "The company's band of size by its employees: 1-10, 11-50, 51-250, 251-1000, or 1001+ for more.",
    )
    STAGE = "STAGE", "The stage of the accord's funnel."
    STAGE_GROUP = "STAGE_GROUP", "The group that the accord in force puts the stage into, such as Prospect."
    PIPELINE = "PIPELINE", "The pipeline of the deal."
    PIPELINE_STAGE = "PIPELINE_STAGE", "The pipeline stage of the deal. Two pipelines may have stages of one name."
    PRODUCT = "PRODUCT", "The product of the deal."
    PRODUCT_FAMILY = "PRODUCT_FAMILY", "The present family of the deal's product."
    DEAL_TYPE = "DEAL_TYPE", "What kind of sale the deal is: NEW, EXPANSION or RENEWAL."
    CURRENCY = "CURRENCY", "The currency of the deal's amount (ISO 4217)."
    REJECT_REASON = "REJECT_REASON", "Why sales rejected the handoff. The shares of the reasons sum to the rate."
    # After those that stand here for type checkers, the columns that tables declare as dimensions.
    vars().update({word: (word, declared.column.doc) for word, declared in DECLARED_DIMENSIONS.items()})
