"""Calendars and quiet hours that state no time zone follow the one in which days begin."""

from schema.accord import Accord


def with_followed_zone(accord: Accord) -> Accord:
    """Return a document in which calendars and quiet hours state the time zone that they follow.

    In two such documents a changed time zone of the reports is a change of what follows it, too: opening hours and
    quiet hours begin at other instants.
    """
    followed = {"timezone": accord.reporting.timezone}
    calendars = tuple(
        calendar if calendar.timezone else calendar.model_copy(update=followed) for calendar in accord.calendars
    )
    policy = accord.contact_policy
    if policy is not None and policy.quiet_hours is not None and not policy.quiet_hours.timezone:
        policy = policy.model_copy(update={"quiet_hours": policy.quiet_hours.model_copy(update=followed)})
    return accord.model_copy(update={"calendars": calendars, "contact_policy": policy})
