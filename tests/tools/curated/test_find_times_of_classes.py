"""find_times for a class: why somebody, or some site, has no place left in it."""

import pytest

from .reception import reception

pytestmark = pytest.mark.anyio


@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"practitioner": ["Priya Nair", "Mei Ng"]}, ["There is no Pilates class with Dr Mei Ng in the diary then."]),
        ({"practitioner": ["Mei Ng"]}, ["There is no Pilates class with Dr Mei Ng in the diary then."]),
        ({"business": "Riverside"}, ["There is no Pilates class at Riverside in the diary then."]),
        ({}, None),
    ],
)
async def test_a_class_with_places_left_is_not_called_full_for_those_who_do_not_give_it(
    asked: dict[str, object], why: list[str] | None
) -> None:
    async with reception() as clinic:
        found = await clinic.assistant.call("find_times", type="Pilates class", when="today 4pm to 6pm", **asked)
        assert found.get("why") == why


@pytest.mark.long
@pytest.mark.parametrize(
    ("classes", "why"),
    [
        (1, "The one session of Pilates class then is full or over."),
        (2, "All 2 sessions of Pilates class then are full or over."),
    ],
)
async def test_full_classes_are_counted(classes: int, why: str) -> None:
    async with reception() as clinic:
        someone = clinic.rows("patients")[0]["id"]
        for hour in range(classes):
            clinic.group([someone], "Northside", "Priya Nair", f"2026-11-26T{14 + hour}:00")
        for row in clinic.rows("group_appointments")[-classes:]:
            clinic.store.put("group_appointments", {**row, "max_attendees": 1})
        found = await clinic.assistant.call("find_times", type="Pilates class", when="26 November 2026")
        assert found["why"] == [why]
