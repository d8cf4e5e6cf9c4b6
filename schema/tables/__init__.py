"""Every table of Accord. A new entity is one module, one import and one entry in TABLES."""

from schema.base import Table, TableShape, declare, describe, sql_table
from schema.corrections import add_corrections
from schema.duplicates.matched_columns import add_matched_columns
from schema.history import add_history
from schema.tables.access.api_key import ApiKey
from schema.tables.access.member_access import MemberAccess
from schema.tables.access.page_session import PageSession
from schema.tables.accord.comment import AccordComment
from schema.tables.accord.guards import add_accord_guards
from schema.tables.accord.preview import AccordPreview, AccordPreviewPerson
from schema.tables.accord.signature import AccordSignature
from schema.tables.accord.version import AccordVersion
from schema.tables.audit import AuditEvent, IdempotencyKey, OutboxEvent, OutboxState
from schema.tables.campaign import Campaign, CampaignCost
from schema.tables.company import Company
from schema.tables.contact import Contact
from schema.tables.day_sum import DaySum, DaySumRun, JourneyChange
from schema.tables.deal import Deal
from schema.tables.deal_contact import DealContact
from schema.tables.deal_span import DealSpan
from schema.tables.erasure import ErasedKey, ErasureSecret
from schema.tables.evaluation import Evaluation, StageEntry
from schema.tables.exchange_rate import ExchangeRate
from schema.tables.handoff import Handoff
from schema.tables.intake import ExternalKey, ImportChange, ImportCount, ImportFile, ImportJob, ImportReason, SourceGap
from schema.tables.journey import DealJourney, HandoffJourney, Journey
from schema.tables.member import Member
from schema.tables.pipeline import Pipeline, PipelineStage
from schema.tables.product import Product
from schema.tables.record_merge import RecordMerge
from schema.tables.reevaluation import TouchedRecord, WakeUp
from schema.tables.reported_stage import ReportedStage
from schema.tables.team import Team
from schema.tables.touchpoint import Touchpoint

TABLES: tuple[type[Table], ...] = (
    Team,
    Member,
    Company,
    Contact,
    Campaign,
    CampaignCost,
    Touchpoint,
    Pipeline,
    PipelineStage,
    Product,
    ExchangeRate,
    Deal,
    DealContact,
    AccordVersion,
    Handoff,
    ReportedStage,
    RecordMerge,
    ErasedKey,
    ErasureSecret,
    Evaluation,
    StageEntry,
    Journey,
    HandoffJourney,
    DealJourney,
    DealSpan,
    DaySum,
    DaySumRun,
    JourneyChange,
    ExternalKey,
    ImportJob,
    ImportChange,
    ImportFile,
    ImportCount,
    ImportReason,
    SourceGap,
    AuditEvent,
    OutboxEvent,
    OutboxState,
    IdempotencyKey,
    MemberAccess,
    ApiKey,
    PageSession,
    AccordPreview,
    AccordPreviewPerson,
    AccordSignature,
    AccordComment,
    WakeUp,
    TouchedRecord,
)

for _table in TABLES:
    declare(_table)
    add_history(_table)
    add_corrections(_table)
    add_matched_columns(sql_table(_table))

add_accord_guards()

SHAPES: dict[str, TableShape] = {shape.name: shape for shape in map(describe, TABLES)}
METADATA = Table.metadata
