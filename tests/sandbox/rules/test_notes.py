"""Treatment notes: point 55 of the checklist."""

from typing import Any

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from sandbox.client import Client, errors, last

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
def template(client: Client) -> str:
    return client.post("/treatment_note_templates", {"name": "SOAP", "content": SOAP})["id"]


def write(client: Client, patient: str, status: int = 201, **more: object) -> Any:
    return client.post("/treatment_notes", {"patient_id": patient, "title": "Visit", "draft": True, **more}, status)


def test_55_the_author_is_the_key_owner_whoever_is_named(client: Client, tom: Client, ana: str) -> None:
    mei = client.id("practitioners", "Dr Mei Ng")
    note = write(tom, ana, practitioner_id=mei, author_name="Somebody", finalized_at="2020-01-01T00:00:00Z")
    assert last(note["practitioner"]) == client.id("practitioners", "Tom Okafor")
    assert (note["author_name"], note["finalized_at"], note["draft"]) == ("Tom Okafor", None, True)


def test_55_who_is_no_practitioner_writes_no_notes(sandbox: Sandbox, client: Client, ana: str) -> None:
    mei = client.id("practitioners", "Dr Mei Ng")
    sandbox.context.set_derived("practitioners", mei, active=False)
    answer = client.request("POST", "/treatment_notes", body={"patient_id": ana, "title": "Visit", "draft": True})
    assert (answer.status, answer.body) == (403, b"")
    assert client.get("/treatment_notes")["total_entries"] == 0


def test_55_a_template_gives_title_and_content_unless_they_are_sent(client: Client, ana: str, template: str) -> None:
    body = {"patient_id": ana, "draft": True, "treatment_note_template_id": template}
    note = client.post("/treatment_notes", body)
    assert (note["title"], note["content"]) == ("SOAP", SOAP)
    assert last(note["treatment_note_template"]) == template
    client.patch(f"/treatment_notes/{note['id']}", {"content": None})
    assert client.get(f"/treatment_note_templates/{template}")["content"] == SOAP
    own = {"sections": [{"questions": [{"name": "Plan", "type": "text", "answer": "Rest"}]}]}
    written = client.post("/treatment_notes", body | {"title": "Mine", "content": own})
    assert (written["title"], written["content"]) == ("Mine", own)


@pytest.mark.parametrize("title", [None, "", "  "])
def test_55_without_a_template_a_title_is_needed(client: Client, ana: str, title: str | None) -> None:
    body = {"patient_id": ana, "draft": True} | ({} if title is None else {"title": title})
    assert errors(client.post("/treatment_notes", body, 422)) == {"title": "can’t be blank"}
    note = write(client, ana)
    client.patch(f"/treatment_notes/{note['id']}", {"title": ""}, 422)


@pytest.mark.parametrize("draft", [{}, {"draft": None}, {"draft": "true"}, {"draft": 1}])
def test_55_draft_is_true_or_false_and_nothing_else(client: Client, ana: str, draft: dict[str, object]) -> None:
    body = {"patient_id": ana, "title": "Visit", **draft}
    assert errors(client.post("/treatment_notes", body, 422)) == {"draft": "is not included in the list"}


def test_55_a_final_note_is_frozen(client: Client, ana: str) -> None:
    note = write(client, ana)
    path = f"/treatment_notes/{note['id']}"
    assert client.patch(path, {"title": "Better"})["finalized_at"] is None
    final = client.patch(path, {"draft": False})
    assert (final["draft"], final["finalized_at"]) == (False, "2026-11-23T22:00:00Z")
    for change in ({"title": "Worse"}, {"draft": True}, {}):
        answer = client.request("PATCH", path, body=change)
        assert (answer.status, answer.body) == (403, b"")
    assert client.get(path) == final
    assert write(client, ana, draft=False)["finalized_at"] == "2026-11-23T22:00:00Z"


def test_55_a_note_of_someone_else_is_read_but_not_changed(client: Client, tom: Client, ana: str) -> None:
    note = write(client, ana)
    path = f"/treatment_notes/{note['id']}"
    assert tom.get(path) == note
    assert tom.request("PATCH", path, body={"title": "Mine now"}).status == 403
    assert tom.request("POST", f"{path}/archive").status == 403
    client.post(f"{path}/archive", status=204)
    client.get(path, status=404)
    assert client.get(path, "deleted_at:*")["deleted_at"] == "2026-11-23T22:00:00Z"
    assert tom.request("POST", f"{path}/unarchive").status == 403
    assert client.post(f"{path}/unarchive", status=200)["archived_at"] is None


def test_55_a_visit_shows_how_far_it_is_written_up(client: Client, ana: str, ben: str) -> None:
    visit = client.book("2026-11-30T22:00:00Z")
    place = client.get("/attendees", f"booking_id:={visit['id']}")["attendees"][0]
    note = write(client, ana, attendee_id=place["id"])
    assert last(note["booking"]) == visit["id"]
    assert last(write(client, ana, booking_id=visit["id"], draft=False)["attendee"]) == place["id"]

    def shown() -> tuple[object, object]:
        paths = (f"/attendees/{place['id']}", f"/individual_appointments/{visit['id']}")
        return tuple(client.get(path)["treatment_note_status"] for path in paths)  # pyright: ignore[reportReturnType]

    assert shown() == (10, 10)
    client.patch(f"/treatment_notes/{note['id']}", {"draft": False})
    assert shown() == (90, 90)
    for row in client.rows("/treatment_notes", f"booking_id:={visit['id']}"):
        client.post(f"/treatment_notes/{row['id']}/archive", status=204)
    assert shown() == (None, None)
    assert errors(write(client, ben, 422, attendee_id=place["id"])) == {"attendee_id": "is invalid"}
    assert errors(write(client, ben, 422, booking_id=visit["id"])) == {"booking_id": "is invalid"}


def test_55_the_notes_of_one_patient_are_listed_under_the_patient(client: Client, ana: str, ben: str) -> None:
    mine = [write(client, ana)["id"], write(client, ana, draft=False)["id"]]
    write(client, ben)
    assert [row["id"] for row in client.rows(f"/patients/{ana}/treatment_notes")] == mine
    assert [row["id"] for row in client.rows(f"/patients/{ana}/treatment_notes", "draft:=true")] == mine[:1]
