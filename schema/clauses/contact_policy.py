"""The contact policy: how often both teams together may touch a person, and when."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from schema.clauses.calendars import TimeOfDay
from schema.clauses.reporting import require_zone
from schema.clauses.rules import AccordModel
from schema.clauses.unread_settings import waits_for
from schema.clauses.younger_keys import YOUNGER
from schema.durations import Duration
from schema.vocab import Channel

_PERMIT = waits_for("the permit to contact a person")


class Exemptions(AccordModel):
    """Which outbound touches do not count as contact pressure."""

    automated: bool = Field(default=False, description="Whether automated touches do not count.")
    reply_within: Duration | None = Field(
        default=None,
        description="A reply less than this after the person's own touch does not count; null: every reply counts.",
    )


class QuietHours(AccordModel):
    """The hours of every day in which nobody is touched, by the clock of the person."""

    starts_at: TimeOfDay = Field(alias="from", description="When they begin, such as 20:00." + _PERMIT)
    until: TimeOfDay = Field(description="When they end, such as 08:00; before `from`: on the next day." + _PERMIT)
    timezone: str | None = Field(
        default=None,
        description="The time zone (IANA name) for people whose own time zone is not known; null for the one in which "
        "days begin." + _PERMIT,
    )
    channels: tuple[Channel, ...] = Field(
        default=(), description="Only touches through these channels; empty for all." + _PERMIT
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return name and require_zone(name)

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.starts_at == self.until:
            raise ValueError(f"they begin and end at {self.until}; write two different times, or leave them out")
        return self


class ChannelCap(AccordModel):
    """How often both teams together may touch a person through one channel."""

    channel: Channel = Field(description="The channel." + _PERMIT)
    at_most: int = Field(ge=1, le=1000, description="The highest number of outbound touches." + _PERMIT)
    within: Duration = Field(description="A touch counts while it is younger than this, such as 7 days." + _PERMIT)


class ContactPolicy(AccordModel):
    """How often both teams together may touch a person, over all channels.

    A person is over the policy while more than `at_most` touches lie in `(t - within, t]`.
    """

    at_most: int = Field(ge=1, le=1000, description="The highest number of outbound touches within the policy.")
    within: Duration = Field(description="A touch counts while it is younger than this, such as 7 days.")
    exempt: Exemptions = Field(default=Exemptions(), description="The outbound touches that do not count.")
    quiet_hours: Annotated[QuietHours | None, YOUNGER] = Field(
        default=None, description="When nobody is touched; null if nothing is agreed."
    )
    channel_caps: Annotated[tuple[ChannelCap, ...], YOUNGER] = Field(
        default=(), description="Lower limits for some channels, beside the limit over all channels."
    )

    @field_validator("channel_caps")
    @classmethod
    def _separate_caps(cls, caps: tuple[ChannelCap, ...]) -> tuple[ChannelCap, ...]:
        spans = [(cap.channel, cap.within) for cap in caps]
        twice = next((channel.value for channel, within in spans if spans.count((channel, within)) > 1), None)
        if twice:
            raise ValueError(f"{twice} has two limits for the same time; keep one of them")
        return caps
