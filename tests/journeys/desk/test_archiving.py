"""What is archived is that which was said and nothing else, named to the person who is asked and to the model alike."""

from zoneinfo import ZoneInfo

import pytest
from clinics.rows import stamp

from .conftest import OpenStory
from .office import Scene, told

pytestmark = pytest.mark.anyio


@pytest.mark.long
@pytest.mark.parametrize(("scene", "words"), told([
    "Faye Lindqvist", "lindqvist", "Lindqvist, Faye", "0491 570 156", "faye@mail.example", "3 May 1990", "faye 1990",
]), ids=str)  # fmt: skip
async def test_archiving_a_patient_tells_person_and_model_of_coming_visits(
    desk_in: OpenStory, scene: Scene, words: str
) -> None:
    desk = desk_in(scene)
    faye = desk.patient(
        "Faye Lindqvist", email="faye@mail.example", date_of_birth="1990-05-03",
        patient_phone_numbers=[{"phone_type": "Mobile", "number": "0491 570 156"}],
    )  # fmt: skip
    desk.patient("Frida Lindgren", date_of_birth="1991-05-03")
    desk.visit(faye, 4, "09:15")
    (found,) = (await desk.tell("find_patients", query=words))["items"]
    answer = await desk.tell("cliniko_destroy", operation="archive_patient", arguments={"id": found["id"]})
    assert [row["id"] for row in await desk.rows("patients") if row.get("archived_at")] == [faye["id"]]
    assert await desk.wrote() == ["POST patients/archive"]
    (question,) = desk.assistant.asked
    for text in (question, str(answer)):
        assert "Faye Lindqvist, born 1990" in text and "1 coming" in text, text


@pytest.mark.parametrize(("scene", "kind"), told([
    "individual_appointment", "unavailable_block", "patient_case", "group_appointment", "medical_alert", "attendee",
]), ids=str)  # fmt: skip
async def test_what_is_archived_is_named_with_whose_it_is_and_when(desk_in: OpenStory, scene: Scene, kind: str) -> None:
    desk = desk_in(scene)
    faye, who = desk.patient("Faye Lindqvist"), desk.staff[desk.who]
    noon, one = (stamp(scene.at(4, at).astimezone(ZoneInfo("UTC"))) for at in ("12:00", "13:00"))
    session = desk.session([faye], 4, "17:00")
    rows = {
        "individual_appointment": desk.visit(faye, 4, "09:15"),
        "unavailable_block": desk.add(
            "unavailable_blocks", practitioner_id=who["id"], business_id=desk.sites[scene.site]["id"],
            starts_at=noon, ends_at=one,
        ),
        "patient_case": desk.add("patient_cases", patient_id=faye["id"], name="Left knee"),
        "group_appointment": session,
        "medical_alert": desk.add("medical_alerts", patient_id=faye["id"], name="Latex"),
        "attendee": next(row for row in desk.clinic.rows("attendees") if row["booking_id"] == session["id"]),
    }  # fmt: skip
    day, known = f"{scene.at(4, '09:15'):%a %-d %b}", "Faye Lindqvist"
    said = {
        "individual_appointment": (known, day, "9:15", desk.who, "Standard consult"),
        "unavailable_block": (desk.who, day, "12:00"),
        "patient_case": (known, "Left knee"),
        "group_appointment": (desk.who, day, "5:00", "Pilates class", "1 patient"),
        "medical_alert": (known, "Latex"),
        "attendee": (known, day, "Pilates class"),
    }[kind]
    call = {"id": rows[kind]["id"]}
    answer = await desk.tell("cliniko_destroy", operation=f"archive_{kind}", arguments=call)
    assert (await desk.row(f"{kind}s", rows[kind]["id"])).get("archived_at"), answer
    (question,) = desk.assistant.asked
    for text in (question, str(answer)):
        assert all(words in text for words in said), text
