"""What Cliniko is known to refuse is said before one is asked: an end before its start, by the clock of its site."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cliniko_mcp.approvals.facts import Facts
from cliniko_mcp.approvals.refusals import check_possible
from cliniko_mcp.errors import Rejected
from tests.guards.every_kind import an_app
from tests.guards.gate import SYDNEY, App, call, run

ZONES = {"9": SYDNEY, "10": ZoneInfo("Australia/Perth")}


def checked(sent: dict[str, Any], held: dict[str, Any] | None = None) -> None:
    """The change of a visit from 9:30 to 10 am in Sydney. Raises Rejected where Cliniko would refuse it."""
    app: App = an_app()
    visit = app.clinic.records["individual_appointments"]["20"]
    visit.update(held or {})
    for name in [name for name, value in visit.items() if value is None]:
        del visit[name]

    async def zone(business_id: str | None = None) -> Any:
        return ZONES.get(business_id or "", UTC)

    app.clinic.zone = zone  # type: ignore[method-assign]

    async def story() -> None:
        record = await app.clinic.perform(call("get_individual_appointment", id="20"))
        changing = call("update_individual_appointment", id="20", **sent)
        await check_possible(Facts(app.clinic, app.clock()), changing, record)

    run(story)


def test_a_local_start_is_before_its_end_by_the_clock_of_the_site_of_the_visit() -> None:
    checked({"starts_at": "2026-11-24T09:45:00"})
    with pytest.raises(Rejected, match="it would end before it starts"):
        checked({"starts_at": "2026-11-24T10:15:00"})


def test_a_visit_that_moves_to_another_site_starts_and_ends_by_the_clock_there() -> None:
    with pytest.raises(Rejected, match="it would end before it starts"):
        checked({"starts_at": "2026-11-24T09:45:00", "business_id": "10"})
    checked({"starts_at": "2026-11-24T06:45:00", "business_id": "10"})


def test_a_visit_that_would_end_as_it_starts_is_refused() -> None:
    with pytest.raises(Rejected, match="it would end before it starts"):
        checked({"starts_at": "2026-11-23T23:00:00Z"})


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ({"ends_at": "2026-11-23T22:00:00Z"}, {"starts_at": None}),
        ({"starts_at": "2026-11-24T22:00:00Z"}, {"ends_at": None}),
        ({"notes": "Rang."}, {"ends_at": "2026-11-23T22:00:00Z"}),
    ],
    ids=["no start is known", "no end is known", "neither is sent"],
)
def test_where_no_span_is_sent_or_known_nothing_is_refused(sent: dict[str, Any], held: dict[str, Any]) -> None:
    checked(sent, held)


def test_a_patient_who_cannot_be_read_is_left_to_cliniko() -> None:
    checked({"patient_id": "404"})
