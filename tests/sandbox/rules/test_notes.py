"""Treatment notes: point 55 of the checklist."""

from typing import Any

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from sandbox.client import Front, errors, last

SOAP = {
    "sections": [
        {
            "name": "Subjective",
            "questions": [
                {"name": "Story", "type": "paragraph", "answer": "<p>Onset:</p>"},
                {"name": "Side", "type": "radiobuttons", "answers": [{"value": "Left"}, {"value": "Right"}]},
            ],
        }
    ]
}


@pytest.fixture
def template(desk: Front) -> str:
    return desk.post("/treatment_note_templates", {"name": "SOAP", "content": SOAP})["id"]


def write(desk: Front, patient: str, status: int = 201, **more: object) -> Any:
    return desk.post("/treatment_notes", {"patient_id": patient, "title": "Visit", "draft": True, **more}, status)


def test_55_the_author_is_the_key_owner_whoever_is_named(desk: Front, tom: Front, ana: str) -> None:
    mei = desk.id("practitioners", "Dr Mei Ng")
    note = write(tom, ana, practitioner_id=mei, author_name="Somebody", finalized_at="2020-01-01T00:00:00Z")
    assert last(note["practitioner"]) == desk.id("practitioners", "Tom Okafor")
    assert (note["author_name"], note["finalized_at"], note["draft"]) == ("Tom Okafor", None, True)


def test_55_who_is_no_practitioner_writes_no_notes(sandbox: Sandbox, desk: Front, ana: str) -> None:
    mei = desk.id("practitioners", "Dr Mei Ng")
    sandbox.context.note("practitioners", mei, active=False)
    answer = desk.ask("POST", "/treatment_notes", body={"patient_id": ana, "title": "Visit", "draft": True})
    assert (answer.status, answer.body) == (403, b"")
    assert desk.get("/treatment_notes")["total_entries"] == 0


def test_55_a_template_gives_title_and_content_unless_they_are_sent(desk: Front, ana: str, template: str) -> None:
    body = {"patient_id": ana, "draft": True, "treatment_note_template_id": template}
    note = desk.post("/treatment_notes", body)
    assert (note["title"], note["content"]) == ("SOAP", SOAP)
    assert last(note["treatment_note_template"]) == template
    desk.patch(f"/treatment_notes/{note['id']}", {"content": None})
    assert desk.get(f"/treatment_note_templates/{template}")["content"] == SOAP
    own = {"sections": [{"questions": [{"name": "Plan", "type": "text", "answer": "Rest"}]}]}
    written = desk.post("/treatment_notes", body | {"title": "Mine", "content": own})
    assert (written["title"], written["content"]) == ("Mine", own)


@pytest.mark.parametrize("title", [None, "", "  "])
def test_55_without_a_template_a_title_is_needed(desk: Front, ana: str, title: str | None) -> None:
    body = {"patient_id": ana, "draft": True} | ({} if title is None else {"title": title})
    assert errors(desk.post("/treatment_notes", body, 422)) == {"title": "can’t be blank"}
    note = write(desk, ana)
    desk.patch(f"/treatment_notes/{note['id']}", {"title": ""}, 422)


@pytest.mark.parametrize("draft", [{}, {"draft": None}, {"draft": "true"}, {"draft": 1}])
def test_55_draft_is_true_or_false_and_nothing_else(desk: Front, ana: str, draft: dict[str, object]) -> None:
    body = {"patient_id": ana, "title": "Visit", **draft}
    assert errors(desk.post("/treatment_notes", body, 422)) == {"draft": "is not included in the list"}


def test_55_a_final_note_is_frozen(desk: Front, ana: str) -> None:
    note = write(desk, ana)
    path = f"/treatment_notes/{note['id']}"
    assert desk.patch(path, {"title": "Better"})["finalized_at"] is None
    final = desk.patch(path, {"draft": False})
    assert (final["draft"], final["finalized_at"]) == (False, "2026-11-23T22:00:00Z")
    for change in ({"title": "Worse"}, {"draft": True}, {}):
        answer = desk.ask("PATCH", path, body=change)
        assert (answer.status, answer.body) == (403, b"")
    assert desk.get(path) == final
    assert write(desk, ana, draft=False)["finalized_at"] == "2026-11-23T22:00:00Z"


def test_55_a_note_of_someone_else_is_read_but_not_changed(desk: Front, tom: Front, ana: str) -> None:
    note = write(desk, ana)
    path = f"/treatment_notes/{note['id']}"
    assert tom.get(path) == note
    assert tom.ask("PATCH", path, body={"title": "Mine now"}).status == 403
    assert tom.ask("POST", f"{path}/archive").status == 403
    desk.post(f"{path}/archive", status=204)
    desk.get(path, status=404)
    assert desk.get(path, "deleted_at:*")["deleted_at"] == "2026-11-23T22:00:00Z"
    assert tom.ask("POST", f"{path}/unarchive").status == 403
    assert desk.post(f"{path}/unarchive", status=200)["archived_at"] is None


def test_55_a_visit_shows_how_far_it_is_written_up(desk: Front, ana: str, ben: str) -> None:
    visit = desk.book("2026-11-30T22:00:00Z")
    place = desk.get("/attendees", f"booking_id:={visit['id']}")["attendees"][0]
    note = write(desk, ana, attendee_id=place["id"])
    assert last(note["booking"]) == visit["id"]
    assert last(write(desk, ana, booking_id=visit["id"], draft=False)["attendee"]) == place["id"]

    def shown() -> tuple[object, object]:
        paths = (f"/attendees/{place['id']}", f"/individual_appointments/{visit['id']}")
        return tuple(desk.get(path)["treatment_note_status"] for path in paths)  # pyright: ignore[reportReturnType]

    assert shown() == (10, 10)
    desk.patch(f"/treatment_notes/{note['id']}", {"draft": False})
    assert shown() == (90, 90)
    for row in desk.rows("/treatment_notes", f"booking_id:={visit['id']}"):
        desk.post(f"/treatment_notes/{row['id']}/archive", status=204)
    assert shown() == (None, None)
    assert errors(write(desk, ben, 422, attendee_id=place["id"])) == {"attendee_id": "is invalid"}
    assert errors(write(desk, ben, 422, booking_id=visit["id"])) == {"booking_id": "is invalid"}


def test_55_the_notes_of_one_patient_are_listed_under_the_patient(desk: Front, ana: str, ben: str) -> None:
    mine = [write(desk, ana)["id"], write(desk, ana, draft=False)["id"]]
    write(desk, ben)
    assert [row["id"] for row in desk.rows(f"/patients/{ana}/treatment_notes")] == mine
    assert [row["id"] for row in desk.rows(f"/patients/{ana}/treatment_notes", "draft:=true")] == mine[:1]
