"""Two people, a company and an open deal, evaluated by an accord that reads all of them."""

from datetime import UTC, datetime

from api.db import WriteSession
from api.funnel.evaluate import discard_former_entries, evaluate
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from tests.support.graphql import put, uid

ANN, BOB = uid(1), uid(2)
ACME, DEAL = uid(11), uid(12)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ACCORD = Accord.model_validate(
    {
        "title": "t",
        "stages": [
            {"key": key, "title": key, "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
            for key, rule in (
                ("suspect", {"all": []}),
                ("warm", {"touches": {"at_least": 2}}),
                ("fitting", {"field": "company.industry", "op": "eq", "value": "steel"}),
                ("customer", {"deal": {"state": "WON"}}),
            )
        ],
    }
)


async def write_small_world(session: WriteSession) -> None:
    """Write the records, adopt the accord, and evaluate."""
    await adopt_accord(session, ACCORD)
    await put(session, "company", {"id": ACME, "name": "Acme", "effective_at": LONG_AGO})
    for contact in (ANN, BOB):
        await put(session, "contact", {"id": contact, "effective_at": LONG_AGO})
    await put(session, "deal", {"id": DEAL, "effective_at": LONG_AGO})
    await evaluate(session)
    await discard_former_entries(session)
