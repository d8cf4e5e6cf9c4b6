"""Exits: the facts that end stage entries, and the reasons for which sales rejects a handoff."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schema.clauses.rules import AccordModel
from schema.clauses.unread_settings import waits_for
from schema.vocab import Disposition, FaultDomain


class RejectReason(AccordModel):
    """A reason for which sales may reject a handoff, and what follows from it."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$", description="The reason's code, which a handoff stores.")
    label: str = Field(min_length=1, description="The reason for readers.")
    disposition: Disposition = Field(description="What happens to the person.")
    fault: FaultDomain = Field(
        description="The side on which the cause lies." + waits_for("the feedback of rejections by side")
    )


class Exit(AccordModel):
    """A fact that ends the open entries of some stages."""

    on: Literal["HANDOFF_REJECTED", "DEAL_LOST"] = Field(
        description="The fact: a rejected handoff, or a lost deal whose amount is not negative."
    )
    dispositions: tuple[Disposition, ...] = Field(
        default=(), description="Only handoffs rejected with one of these dispositions; empty for a lost deal."
    )
    closes_from: str = Field(description="The key of the lowest stage whose entries end.")
    closes_to: str = Field(description="The key of the highest stage whose entries end.")

    @model_validator(mode="after")
    def _dispositions_of_rejections(self) -> Self:
        if (self.on == "HANDOFF_REJECTED") != bool(self.dispositions):
            raise ValueError("an exit on HANDOFF_REJECTED needs dispositions; an exit on DEAL_LOST must not have any")
        if Disposition.RETURN_FOR_DATA in self.dispositions:
            raise ValueError("RETURN_FOR_DATA cannot end an entry, because the handoff continues; remove it")
        return self
