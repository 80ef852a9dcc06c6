"""Patient forms and signatures: point 57 of the checklist."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.rules.forms import fits
from sandbox.client import Client, errors, last

Question = dict[str, Any]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="120"><path d="M0 0L9 9"/></svg>'
PICTURE = "data:image/svg+xml;base64," + b64encode(SVG.encode()).decode()


def content_of(*questions: Question) -> dict[str, Any]:
    return {"sections": [{"name": "Health", "questions": list(questions)}]}


SMOKER: Question = {"name": "Smoker?", "type": "radiobuttons", "answers": [{"value": "Yes"}], "required": True}
NAME: Question = {"name": "Name", "type": "text", "required": True}
SIGN: Question = {"name": "Signed", "type": "signature", "required": True}
YES = SMOKER | {"answers": [{"value": "Yes", "selected": True}]}


def form(client: Client, patient: str, status: int = 201, **more: object) -> Any:
    return client.post("/patient_forms", {"patient_id": patient, "name": "Intake", **more}, status)


@pytest.mark.parametrize(
    ("questions", "missing"),
    [
        ([NAME], 0),
        ([NAME | {"answer": "Ana"}, SMOKER], 1),
        ([YES, SIGN], 1),
    ],
)
def test_57_completion_needs_every_required_answer(
    client: Client, ana: str, questions: list[Question], missing: int
) -> None:
    content = content_of(*questions)
    sentence = f"sections[0].questions[{missing}] must be answered before the form is completed"
    refused = form(client, ana, 422, content=content, completed=True)
    assert errors(refused)["content"].startswith(sentence)
    made = form(client, ana, content=content)
    assert made["completed_at"] is None
    stored = client.patch(f"/patient_forms/{made['id']}", {"completed": True}, 422)
    assert errors(stored) == {"content": sentence}
    assert client.get(f"/patient_forms/{made['id']}") == made


@pytest.mark.parametrize(
    "question",
    [
        NAME | {"answer": "Ana"},
        YES,
        SMOKER | {"other": {"enabled": True, "selected": True, "value": "Once"}},
        SIGN | {"signature": PICTURE},
        {"name": "Not required", "type": "text"},
    ],
)
def test_57_an_answered_form_is_completed_at_once(client: Client, ana: str, question: Question) -> None:
    made = form(client, ana, content=content_of(question), completed=True)
    assert made["completed_at"] == "2026-11-23T22:00:00Z"
    assert "completed" not in made
    assert [row["id"] for row in client.rows("/patient_forms", "completed_at:?")] == [made["id"]]


def test_57_an_edit_after_completion_leaves_its_time_and_one_before_none(
    sandbox: Sandbox, client: Client, ana: str
) -> None:
    made = form(client, ana, content=content_of(NAME))
    path = f"/patient_forms/{made['id']}"
    sandbox.clock.advance(timedelta(minutes=1))
    done = client.patch(path, {"content": content_of(NAME | {"answer": "Ana"}), "completed": True})
    assert (done["completed_at"], done["edited_at"]) == ("2026-11-23T22:01:00Z", None)
    sandbox.clock.advance(timedelta(minutes=1))
    assert client.patch(path, {"content": done["content"], "restricted_to_practitioner": True})["edited_at"] is None
    edited = client.patch(path, {"content": content_of(NAME | {"answer": "Ana L"})})
    assert (edited["completed_at"], edited["edited_at"]) == ("2026-11-23T22:01:00Z", "2026-11-23T22:02:00Z")
    assert client.patch(path, {"completed": False})["completed_at"] is None


def test_57_a_drawn_signature_becomes_a_record_of_its_own(client: Client, tom: Client, ana: str) -> None:
    made = form(tom, ana, content=content_of(SIGN | {"signature": PICTURE}))
    question = made["content"]["sections"][0]["questions"][0]
    assert "signature" not in question
    own = f"/patient_forms/{made['id']}/signatures/{question['signature_id']}"
    assert made["signatures"]["links"]["self"].endswith(own)
    signature = client.get(own)
    assert signature["image"] == PICTURE
    assert last(signature["user"]) == tom.get("/user")["id"]
    kept = client.patch(f"/patient_forms/{made['id']}", {"content": made["content"], "completed": True})
    assert kept["content"] == made["content"]
    other = form(client, ana)
    assert other["signatures"] is None
    client.get(f"/patient_forms/{other['id']}/signatures/{question['signature_id']}", status=404)
    foreign = client.patch(f"/patient_forms/{other['id']}", {"content": made["content"]}, 422)
    assert errors(foreign) == {"content": "'signature_id' is invalid in sections[0].questions[0]"}
    client.post(f"/patient_forms/{made['id']}/archive", status=204)
    client.get(own, status=404)


@pytest.mark.parametrize(
    ("picture", "right"),
    [
        (PICTURE, True),
        ("data:image/svg+xml," + quote(SVG), True),
        ("data:image/svg+xml;utf8," + quote(SVG.replace("300", "500")), True),
        ("data:image/svg+xml," + quote(SVG.replace("300", "501")), False),
        ("data:image/svg+xml," + quote('<svg viewBox="0 0 900 100"></svg>'), False),
        ("data:image/svg+xml," + quote('<svg viewBox="0 0 400 100"></svg>'), True),
        ("data:image/svg+xml;base64,%%%", False),
        ("data:image/svg+xml,hello", False),
        pytest.param("data:image/svg+xml," + "<svg " * 100_000, False, id="never closed"),
        ("data:image/png;base64,AAAA", False),
    ],
)
def test_57_a_signature_is_a_small_svg_picture(client: Client, ana: str, picture: str, right: bool) -> None:
    assert fits(picture) is right
    answer = form(client, ana, 201 if right else 422, content=content_of(SIGN | {"signature": picture}))
    assert right or errors(answer)["content"].startswith("'signature' must be an SVG picture")


def test_57_a_template_gives_name_content_and_flags_unless_they_are_sent(client: Client, ana: str) -> None:
    template = client.post(
        "/patient_form_templates", {"name": "Consent", "content": content_of(NAME), "restricted_to_practitioner": True}
    )["id"]
    made = client.post("/patient_forms", {"patient_id": ana, "patient_form_template_id": template})
    assert (made["name"], made["content"], made["restricted_to_practitioner"]) == ("Consent", content_of(NAME), True)
    body = {"name": "Mine", "content": None, "restricted_to_practitioner": False, "patient_form_template_id": template}
    own = client.post("/patient_forms", {"patient_id": ana, **body})
    assert (own["name"], own["content"], own["restricted_to_practitioner"]) == ("Mine", None, False)


def test_57_name_and_patient_are_needed(client: Client, ana: str) -> None:
    assert errors(client.post("/patient_forms", {"patient_id": ana}, 422)) == {"name": "can’t be blank"}
    assert errors(form(client, ana, 422, name="")) == {"name": "can’t be blank"}
    assert errors(client.post("/patient_forms", {"name": "A"}, 422)) == {"patient_id": "can’t be blank"}


def test_57_every_form_has_a_secret_address_of_its_own(client: Client, ana: str) -> None:
    one, two = form(client, ana), form(client, ana)
    assert one["url"] != two["url"]
    assert one["url"].startswith("https://demo-clinic.invalid/forms/")
    assert one["id"] not in one["url"]
    assert client.get(f"/patient_forms/{one['id']}")["url"] == one["url"]


def test_57_a_form_for_a_visit_knows_the_booking_and_the_site(client: Client, ana: str, ben: str) -> None:
    visit = client.book("2026-11-30T22:00:00Z")
    place = client.get("/attendees", f"booking_id:={visit['id']}")["attendees"][0]["id"]
    made = form(client, ana, attendee_id=place)
    assert (last(made["booking"]), last(made["business"])) == (visit["id"], client.id("businesses", "Northside"))
    assert [row["id"] for row in client.rows(f"/attendees/{place}/patient_forms")] == [made["id"]]
    assert errors(form(client, ben, 422, attendee_id=place)) == {"attendee_id": "is invalid"}
