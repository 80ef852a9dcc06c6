"""A site whose zone is not known: no tool writes by its clock, nor to a visit that only its clock would tell apart."""

from typing import Any

import pytest
from conftest import YES

from .reception import NORTHSIDE, reception
from .test_book_zones import with_zone

pytestmark = pytest.mark.anyio
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("book_appointment", {"patient": "Otto Zimt", "practitioner": "Ng", "type": "Standard consult",
                          "when": "20 January 2027 at 10:00"}),
    ("move_appointment", {"appointment": "COMING", "when": "20 January 2027 at 10:00"}),
    ("move_appointment", {"appointment": "Otto's 10:00 on 19 January 2027", "when": "the day after"}),
    ("cancel_appointment", {"appointment": "Otto's 10:00 on 19 January 2027", "reason": "sick"}),
    ("cancel_appointment", {"appointment": "the 10 am with Ng on 19 January 2027", "reason": "sick"}),
    ("set_attendance", {"patient": "Otto Zimt", "when": "yesterday", "state": "arrived"}),
    ("set_attendance", {"appointment": "Otto's 9:00 yesterday", "state": "did_not_arrive"}),
    ("block_time", {"practitioner": ["Ng"], "when": "20 January 2027 12:00 to 13:00"}),
    ("block_time", {"business": NORTHSIDE, "when": "20 January 2027"}),
    ("block_time", {"practitioner": ["Ng"], "when": "21 January 2027 12:00 to 12:30", "lift": True}),
]  # fmt: skip


@pytest.mark.long_but_one
@pytest.mark.parametrize(("tool", "arguments"), WRITES)
@pytest.mark.parametrize(("identifier", "label"), [(None, None), ("Nowhere/Else", "Atlantis")])
async def test_nothing_is_written_by_a_clock_that_is_not_known(
    tool: str, arguments: dict[str, Any], identifier: str | None, label: str | None
) -> None:
    async with reception(answer=YES) as clinic:
        otto = with_zone(clinic, identifier, label)
        coming = clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2027-01-19 10:00")
        clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-23 09:00")
        ng, site = clinic.id("practitioners", "Dr Mei Ng"), clinic.id("businesses", NORTHSIDE)
        clinic.put("unavailable_blocks", practitioner_id=ng, business_id=site,
                   starts_at="2027-01-21T01:00:00Z", ends_at="2027-01-21T02:00:00Z")  # fmt: skip
        arguments = {name: coming if value == "COMING" else value for name, value in arguments.items()}
        answer = await clinic.assistant.call(tool, **arguments)
        assert (answer.get("code"), answer.get("field")) == ("invalid_arguments", "business"), answer
        assert "time zone of Northside" in answer["message"] and "update_business" in answer["fix"]
        assert clinic.assistant.changes() == []


@pytest.mark.long_but_one
@pytest.mark.parametrize(("tool", "arguments"), [
    ("cancel_appointment", {"appointment": "COMING", "reason": "sick"}),
    ("cancel_appointment", {"appointment": "Otto's next one", "reason": "sick"}),
    ("set_attendance", {"appointment": "PAST", "state": "arrived"}),
    ("set_attendance", {"appointment": "Otto's last one", "state": "did_not_arrive"}),
])  # fmt: skip
async def test_a_visit_that_is_said_without_a_time_is_changed_all_the_same(
    tool: str, arguments: dict[str, Any]
) -> None:
    async with reception(answer=YES) as clinic:
        otto = with_zone(clinic, None, None)
        ids = {
            "COMING": clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2027-01-19 10:00"),
            "PAST": clinic.book(otto, NORTHSIDE, "Dr Mei Ng", "2026-11-23 09:00"),
        }
        arguments = {name: ids.get(value, value) for name, value in arguments.items()}
        answer = await clinic.assistant.call(tool, **arguments)
        assert "code" not in answer and len(clinic.assistant.changes()) == 1, answer
