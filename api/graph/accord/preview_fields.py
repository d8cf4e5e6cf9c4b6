"""The root field `accordPreview`, and its types, which are derived from `api/metrics/preview/figures.py`."""

from typing import Any

from api.errors import AccordError, ErrorCode
from api.graph.accord.preview_people import CONNECTION, people, people_types
from api.graph.context import Info
from api.graph.declared import Declared, Input, Output, TypeRef
from api.graph.derived.model_types import Derivation, model_types
from api.graph.derived.record_types import page_arguments
from api.graph.kpis.kpi_requests import read_period
from api.metrics.answer import AnsweredPeriod, AnswerWarning
from api.metrics.preview.figures import (
    Preview,
    PreviewBucket,
    PreviewKpi,
    PreviewSeller,
    PreviewStage,
    PreviewTarget,
)
from api.metrics.preview.requested import PreviewRequest, requested_preview

_ID = TypeRef("ID")
_SHARED = (AnsweredPeriod.__graphql_name__, AnswerWarning.__name__)  # types of KPIs, derived with them


def preview_fields() -> tuple[Output, ...]:
    """Return the root field about previews."""
    doc = (
        "What a version of the accord would have changed over a period: people, KPIs, targets, duties and the load on"
        " sellers, beside the version in force. It is computed once and stored, and computed anew when the period, one"
        " of the two documents or the data have changed. A version is signed on a preview of at most 7 days. It needs"
        " the reach ALL, because its figures are about everybody."
    )
    arguments = (
        Input("version", "The number of the version to preview.", TypeRef("Int").required),
        Input(
            "period",
            "The days to compare, with a beginning and an end, in the time zone of the previewed version. If left out:"
            " the last three whole months.",
            TypeRef("PeriodInput"),
        ),
        Input(
            "compareTo",
            "The number of the version to compare to. If left out: the version in force.",
            TypeRef("Int"),
        ),
    )
    return (Output("accordPreview", doc, TypeRef("AccordPreview"), _preview, arguments),)


async def _preview(
    _source: object,
    info: Info,
    *,
    version: int,
    period: dict[str, Any] | None = None,
    compareTo: int | None = None,  # noqa: N803 - the argument's name in GraphQL
) -> Preview:
    asked = None if period is None else read_period(period)
    request = PreviewRequest(version, compareTo, asked) if asked is not None else PreviewRequest(version, compareTo)
    return await requested_preview(info.context.database, info.context.principal, request)


def _stages(source: Preview, _info: Info, *, key: str | None = None) -> tuple[PreviewStage, ...]:
    """The stages of a preview, or one of them. Errors: UNKNOWN_STAGE if neither version has it."""
    if key is None:
        return source.stages
    found = tuple(stage for stage in source.stages if stage.key == key)
    if not found:
        known = ", ".join(stage.key for stage in source.stages)
        message = f"Neither version has a stage '{key}'."
        raise AccordError(ErrorCode.UNKNOWN_STAGE, message, f"Their stages are {known}.")
    return found


def preview_types() -> tuple[Declared, ...]:
    """Return the types of previews."""
    derived = (type_ for type_ in model_types((Preview, PreviewStage), _DERIVATION) if type_.name not in _SHARED)
    return (*derived, *people_types())


def _additions(model: type) -> tuple[Output, ...]:
    if model is Preview:
        doc = "The preview's id, for the argument `previewId` of `signAccord`."
        return (
            Output("id", doc, _ID.required, lambda preview, _info: f"accord_preview_{preview.id}"),
            Output(
                "stages",
                "The stages of both versions, from the lowest to the highest; with `key`, that one alone.",
                TypeRef(PreviewStage.__graphql_name__).required.listed.required,
                _stages,
                (Input("key", "The key of a stage of either version.", TypeRef("String")),),
            ),
        )
    if model is PreviewSeller:
        doc = "The seller's id; null for people whom nobody ever owned."
        read = lambda seller, _info: seller.member_id and f"member_{seller.member_id}"  # noqa: E731 - one expression
        return (Output("memberId", doc, _ID, read),)
    if model in (PreviewStage, PreviewBucket):
        arguments = (
            Input("change", "Which people: GAINED, LOST or MOVED.", TypeRef("PersonChange").required),
            *page_arguments(),
        )
        doc = "The people whom the change concerns, from the earliest instant to the latest, with the reason for each."
        return (Output("people", doc, TypeRef(CONNECTION), people, arguments),)
    return ()


_DERIVATION = Derivation(
    types={(PreviewKpi, "key"): "KpiKey", (PreviewTarget, "kpi"): "KpiKey"},
    left_out=frozenset({(Preview, "stages")}),  # it has an argument
    additions=_additions,
)
