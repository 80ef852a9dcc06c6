"""What a tool chooses that was not said stands in its answer, by name: arguments are left out one by one, and whatever
the written rows then hold, at which site, with whom, of what type and length, of which visit, is looked for there."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from clinics.rows import KEY_OWNER, Clinic, Row
from clinics.tools import Change, Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime.fromisoformat("2026-11-24T09:00:00+11:00")
SITES = (("Northside", "Australia/Sydney"), ("Riverside", "Australia/Adelaide"))
STAFF = (("Mei", "Ng"), ("Tom", "Okafor"), ("Sam", "Iyer"))
SECTIONS = [{"name": "S", "questions": [{"name": "Plan", "type": "text"}]}]
MONDAY = datetime.fromisoformat("2026-11-30T00:00:00+11:00")


class Deed(NamedTuple):
    """A call with all that can be said, and which of it may be left out."""

    tool: str
    arguments: dict[str, Any]
    optional: tuple[str, ...]


DEEDS = (
    Deed(
        "book_appointment",
        {"patient": "Faye Lindqvist", "practitioner": "Sam Iyer", "type": "Standard consult", "when": "Monday 2pm",
         "business": "Northside", "minutes": 40, "patient_case": "Knee"},
        ("practitioner", "business", "minutes", "patient_case"),
    ),
    Deed(
        "book_appointment",
        {"patient": "Faye Lindqvist", "practitioner": "Mei Ng", "type": "Pilates class", "when": "Monday",
         "business": "Northside"},
        ("practitioner", "business"),
    ),
    Deed(
        "move_appointment",
        {"appointment": "Omar Haddad's 10 on Monday", "when": "Monday at 3", "practitioner": "Sam Iyer",
         "business": "Northside", "minutes": 50},
        ("when", "practitioner", "business", "minutes"),
    ),
    Deed("cancel_appointment", {"appointment": "Omar Haddad", "reason": "sick", "series": "one", "note": "Rang."},
         ("series", "note")),
    Deed("set_attendance", {"patient": "Ruth Okoye", "when": "today at 8", "practitioner": "Mei Ng",
                            "state": "arrived"}, ("when", "practitioner")),
    Deed("block_time", {"practitioner": ["Sam Iyer"], "business": "Northside", "when": "Monday 12 to 1",
                        "type": "Meeting"}, ("practitioner", "business", "type")),
    Deed("block_time", {"practitioner": ["Sam Iyer"], "when": "Monday at 4", "type": "Meeting"}, ("type",)),
    Deed("write_treatment_note", {"patient": "Ruth Okoye", "visit": "today at 8", "template": "Follow up",
                                  "answers": {"Plan": "Rest."}, "final": False}, ("visit", "template", "final")),
    Deed("register_patient", {"first_name": "Ines", "last_name": "Duarte", "born": "12/4/1990", "case": "Hip",
                              "mobile": "0491 570 156"}, ("born", "case", "mobile")),
)  # fmt: skip


def practice(both: bool, sessions: int, cases: int, visits: int) -> Clinic:
    """Two sites, Sam at both where `both`; so many classes on Monday, cases of Faye's and visits of Omar's."""
    clinic = Clinic(NOW, "Australia/Sydney")
    sites = [
        clinic.add("businesses", business_name=name, label=name, display_name=name, time_zone_identifier=zone)
        for name, zone in SITES
    ]
    staff = [
        clinic.add("practitioners", first_name=first, last_name=last, label=f"{first} {last}", active=True,
                   user_id=KEY_OWNER if first == "Mei" else None)
        for first, last in STAFF
    ]  # fmt: skip
    for person, where in ((staff[0], sites[:1]), (staff[1], sites[1:]), (staff[2], sites if both else sites[:1])):
        for site in where:
            for day in range(7):
                clinic.add("daily_availabilities", practitioner_id=person["id"], business_id=site["id"],
                           day_of_week=day, availabilities=[{"starts_at": "08:00", "ends_at": "18:00"}])  # fmt: skip
    kinds = [
        clinic.add("appointment_types", name=name, duration_in_minutes=minutes, max_attendees=most,
                   practitioner_ids=[one["id"] for one in staff])
        for name, minutes, most in (("Standard consult", 30, 1), ("Pilates class", 60, 4))
    ]  # fmt: skip
    clinic.add("unavailable_block_types", name="Meeting", duration_in_minutes=25)
    clinic.add("treatment_note_templates", name="Follow up", content={"sections": SECTIONS})
    faye, omar, ruth = (
        clinic.add("patients", first_name=first, last_name=last, label=f"{first} {last}", reminder_type="SMS & Email")
        for first, last in (("Faye", "Lindqvist"), ("Omar", "Haddad"), ("Ruth", "Okoye"))
    )
    for name in ("Knee", "Hip", "Back")[:cases]:
        clinic.add("patient_cases", name=name, patient_id=faye["id"], closed=False)
    for place in range(sessions):
        at = (MONDAY + timedelta(hours=11 + 4 * place)).astimezone(UTC)
        clinic.gather([(omar, "")], staff[place % 2], sites[place % 2], kinds[1], at, 60, 4)
    for place in range(visits):
        clinic.book(omar, staff[0], sites[0], kinds[0], (MONDAY + timedelta(hours=10 + 3 * place)).astimezone(UTC), 30)
    clinic.book(
        ruth,
        staff[0],
        sites[0],
        kinds[0],
        (NOW - timedelta(hours=1)).astimezone(UTC),
        30,
        "arrived" if cases > 2 else "",
    )
    return clinic


def zone_of(clinic: Clinic, site_id: str) -> str:
    return next(row["time_zone_identifier"] for row in clinic.sites if row["id"] == site_id)


def chosen(clinic: Clinic, row: Row, old: Row | None) -> list[str]:
    """What a written row holds that somebody may have chosen, in the words of an answer."""
    names = {
        one["id"]: one.get("label") or one.get("name") or ""
        for table in ("businesses", "practitioners", "appointment_types", "patients", "patient_cases",
                      "unavailable_block_types", "treatment_note_templates")
        for one in clinic.rows(table)
    }  # fmt: skip
    links = [names[value] for name, value in row.items() if name.endswith("_id") and value in names]
    times: list[str] = []
    if row.get("business_id") and row.get("starts_at"):
        zone = ZoneInfo(zone_of(clinic, row["business_id"]))
        starts, ends = (datetime.fromisoformat(row[name]).astimezone(zone) for name in ("starts_at", "ends_at"))
        kept = old is not None and all(old.get(name) == row.get(name) for name in ("starts_at", "ends_at"))
        times = [f"{starts:%Y-%m-%dT%H:%M}", *([] if kept else [f"{ends:%H:%M}"])]
    if old is not None and old.get("starts_at") != row.get("starts_at"):
        was = datetime.fromisoformat(old["starts_at"]).astimezone(ZoneInfo(zone_of(clinic, old["business_id"])))
        times.append(f"{was:%Y-%m-%dT%H:%M}")
    if row.get("booking_id"):
        booking = next(
            (one for table in ("individual_appointments", "group_appointments") for one in clinic.rows(table)
             if one["id"] == row["booking_id"]), None,
        )  # fmt: skip
        if booking is not None:
            return [*links, *chosen(clinic, booking, None)[:-1]]  # the start, and not the end
    return [*links, *times]


def shown(answer: Row) -> str:
    return json.dumps(answer, ensure_ascii=False)


def held(clinic: Clinic, answer: Row, changes: list[Change]) -> list[str]:
    """What was written and is not in the answer."""
    derived = {"updated_at", "latest_booking_id", "created_at"}
    missing: list[str] = []
    for table, old, new in changes:
        if new is None or (table == "patients" and old is not None):
            continue
        differing = {name for name in {*(old or {}), *new} if (old or {}).get(name) != new.get(name)} - derived
        if table == "treatment_notes" and answer["item"].get("author"):
            new = {**new, "practitioner_id": None}  # the author, by the name of their login
        if differing:
            missing += [f"{table}: {text}" for text in chosen(clinic, new, old) if text not in shown(answer)]
        if table == "patients" and new.get("reminder_type") and "reminders" not in shown(answer):
            missing.append("patients: how they are reminded")
        if table == "treatment_notes" and ("draft" if new["draft"] else "final") not in shown(answer):
            missing.append("treatment_notes: draft or final")
    return missing


@pytest.mark.long
@given(st.sampled_from(DEEDS), st.data(), st.booleans(), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3))
@settings(max_examples=60)
def test_what_was_not_said_and_chosen_stands_in_the_answer(
    deed: Deed, data: st.DataObject, both: bool, sessions: int, cases: int, visits: int
) -> None:
    left_out = data.draw(st.sets(st.sampled_from(deed.optional), max_size=2))
    clinic = practice(both, sessions, cases, visits)
    arguments = {name: value for name, value in deed.arguments.items() if name not in left_out}
    if deed.arguments.get("patient_case") and not cases:
        arguments.pop("patient_case", None)

    async def act(tools: Tools) -> None:
        answer, changes = await tools.changed(deed.tool, **arguments)
        if "code" in answer:
            assert changes == [], answer
            return
        assert held(tools.clinic, answer, changes) == [], (arguments, answer)

    play(clinic, act)


@pytest.mark.long
@given(st.integers(2, 3), st.integers(2, 3))
@settings(max_examples=4)
def test_where_several_could_be_meant_and_it_matters_they_are_named_and_nothing_is_written(
    sessions: int, visits: int
) -> None:
    clinic = practice(True, sessions, 2, visits)
    calls: list[tuple[str, dict[str, Any], int]] = [
        ("book_appointment", {"patient": "Faye Lindqvist", "type": "Pilates", "when": "Monday"}, sessions),
        ("book_appointment", {"patient": "Faye Lindqvist", "practitioner": "Sam Iyer", "type": "Standard",
                              "when": "Monday at 2"}, 2),
        ("cancel_appointment", {"appointment": "Omar Haddad", "reason": "sick"}, visits + sessions),
        ("move_appointment", {"appointment": "Omar Haddad", "when": "an hour later"}, visits + sessions),
    ]  # fmt: skip

    async def act(tools: Tools) -> None:
        for tool, arguments, number in calls:
            answer, changes = await tools.changed(tool, **arguments)
            assert changes == [] and answer.get("code") == "ambiguous", (tool, answer)
            assert len(answer["candidates"]) + answer.get("left_out_for_room", 0) == min(number, 5), (tool, answer)

    play(clinic, act)
