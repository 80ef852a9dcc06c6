"""A note filled in by question name: choices, dates and paragraphs land where they belong, and nothing is guessed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from conftest import Assistant, in_process

from cliniko_mcp.cliniko.shapes.written_answers import as_html

pytestmark = pytest.mark.anyio

SOAP = {
    "sections": [
        {
            "name": "Subjective",
            "questions": [
                {"name": "History", "type": "paragraph", "answer": "<p>Usual history</p>"},
                {
                    "name": "Pain",
                    "type": "radiobuttons",
                    "answers": [{"value": "Mild"}, {"value": "Severe"}],
                    "other": {"enabled": True},
                },
                {"name": "Side", "type": "radiobuttons", "answers": [{"value": "Left"}, {"value": "Right"}]},
            ],
        },
        {
            "name": "Plan",
            "description": "What comes next",
            "questions": [
                {"name": "Next steps", "type": "checkboxes", "answers": [{"value": "Ice"}, {"value": "Rest"}]},
                {"name": "Review", "type": "date"},
                {"name": "History", "type": "text"},
                {"name": "Chart", "type": "bodycharts"},
            ],
        },
    ]
}


@asynccontextmanager
async def clinic(**settings: Any) -> AsyncGenerator[Assistant]:
    async with in_process(**settings) as assistant:
        made = await assistant.call("create_treatment_note_template", name="SOAP", content=SOAP)
        assert "item" in made
        yield assistant


def stored(assistant: Assistant, note_id: str) -> Any:
    assert assistant.app is not None
    return assistant.app.sandbox.context.store.table("treatment_notes").rows[note_id]


def question(row: Any, section: int, number: int) -> dict[str, Any]:
    return row["content"]["sections"][section]["questions"][number]


async def test_answers_land_in_their_questions_and_the_note_stays_a_draft() -> None:
    async with clinic() as assistant:
        answer = await assistant.call(
            "write_treatment_note",
            patient="Ana Lima",
            template="soap",
            answers={
                "Subjective / History": "ROM < 90\nsore & stiff\n\nsleeps well",
                "pain": "severe",
                "next steps": ["rest", "ICE"],
                "Review": "next Thursday",
                "Plan: History": "one\nline",
            },
        )
        item = answer["item"]
        assert item["state"] == "draft" and item["patient"] == "Ana Lima"
        assert item["answered"] == ["Subjective: History", "Pain", "Next steps", "Review", "Plan: History"]
        assert item["unanswered"] == ["Side", "Chart"]
        row = stored(assistant, item["id"])
        assert row["draft"] is True and row["title"] == "SOAP" and "finalized_at" not in row
        assert question(row, 0, 0)["answer"] == "<p>ROM &lt; 90<br>sore &amp; stiff</p><p>sleeps well</p>"
        assert question(row, 0, 1)["answers"] == [{"value": "Mild"}, {"value": "Severe", "selected": True}]
        assert question(row, 1, 0)["answers"] == [
            {"value": "Ice", "selected": True},
            {"value": "Rest", "selected": True},
        ]
        assert question(row, 1, 1)["answer"] == "2026-12-03"
        assert question(row, 1, 2)["answer"] == "one line"
        assert any("one line" in note for note in answer["notes"])
        assert row["content"]["sections"][1]["description"] == "What comes next"


async def test_without_answers_the_questions_are_listed_and_nothing_is_written() -> None:
    async with clinic() as assistant:
        before = assistant.changes()
        answer = await assistant.call("write_treatment_note", template="SOAP", patient="Ana Lima")
        listed = {(question["section"], question["name"]): question for question in answer["questions"]}
        assert listed["Subjective", "Pain"]["choices"] == ["Mild", "Severe"] and listed["Subjective", "Pain"]["other"]
        assert len(listed) == 7
        assert assistant.changes() == before


async def test_what_does_not_fit_is_named_together_and_nothing_is_written() -> None:
    async with clinic() as assistant:
        before = assistant.changes()
        refused = await assistant.call(
            "write_treatment_note",
            patient="Ana Lima",
            template="SOAP",
            answers={
                "History": "x",
                "Side": "Middle",
                "Foo": "1",
                "Review": "soon",
                "Next steps": [],
                "Pain": ["Mild", "Severe"],
                "Chart": "a drawing",
            },
        )
        assert refused["code"] == "invalid_arguments"
        assert ".." not in refused["message"]
        for name, problem in (
            ("History", "stands in several sections"),
            ("Side", "must be one of Left, Right"),
            ("Foo", "is no question here; there are History, Pain"),
            ("Review", "must be one day, such as 2026-11-24"),
            ("Pain", "takes one answer"),
            ("Next steps", "must not be empty"),
            ("Chart", "takes ids of body charts"),
        ):
            assert f"answers.{name} {problem}" in refused["message"]
        assert assistant.changes() == before


async def test_an_answer_that_is_no_choice_goes_to_other_and_is_said() -> None:
    async with clinic() as assistant:
        answer = await assistant.call(
            "write_treatment_note", patient="Ana Lima", template="SOAP", answers={"Pain": "Burning at night"}
        )
        other = question(stored(assistant, answer["item"]["id"]), 0, 1)["other"]
        assert other == {"enabled": True, "selected": True, "value": "Burning at night"}
        assert any("other: Pain" in note for note in answer["notes"])


async def test_of_many_choices_a_refusal_names_the_first_fifteen() -> None:
    async with in_process() as assistant:
        question = {"name": "Level", "type": "checkboxes", "answers": [{"value": f"C{number}"} for number in range(16)]}
        content = {"sections": [{"questions": [question]}]}
        assert (await assistant.call("create_treatment_note_template", name="Spine", content=content))["item"]
        refused = await assistant.call(
            "write_treatment_note", patient="Ana Lima", template="Spine", answers={"Level": ["C1", "T1"]}
        )
        names = "C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14"
        assert refused["message"] == f"write_treatment_note: answers.Level must be some of {names}."


@pytest.mark.long
async def test_a_note_is_linked_to_the_visit_and_a_second_draft_is_refused_with_the_first_ones_id() -> None:
    async with clinic() as assistant:
        first = await assistant.call(
            "write_treatment_note",
            patient="Ana Lima",
            template="SOAP",
            visit="past 14 days",
            answers={"Pain": "Mild"},
        )
        row = stored(assistant, first["item"]["id"])
        assert row["booking_id"] == first["item"]["visit"]["appointment_id"]
        store = assistant.app.sandbox.context.store  # pyright: ignore[reportOptionalMemberAccess]
        attendee = store.table("attendees").rows[row["attendee_id"]]
        assert attendee["booking_id"] == row["booking_id"] and attendee["treatment_note_status"] == 10
        arguments = {"patient": "Ana Lima", "template": "SOAP", "visit": row["booking_id"]}
        before = assistant.changes()
        again = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Mild"})
        assert again["item"]["id"] == first["item"]["id"] and assistant.changes() == before
        assert f"Already there, id {first['item']['id']}" in again["notes"][0]
        other = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Severe"})
        assert other["note"] == first["item"]["id"] and first["item"]["id"] in other["fix"]
        await assistant.call("write_treatment_note", note=first["item"]["id"], final=True)
        before = assistant.changes()
        done = await assistant.call("write_treatment_note", note=first["item"]["id"], final=True)
        assert done["item"]["state"] == "final" and "Already there" in done["notes"][0]
        late = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Mild"})
        assert late["code"] == "not_allowed" and "finished" in late["message"] and assistant.changes() == before
        whole = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Mild"}, final=True)
        assert whole["item"]["id"] == first["item"]["id"] and assistant.changes() == before


async def test_what_a_correction_replaces_is_told_by_value_and_the_rest_stays() -> None:
    async with clinic() as assistant:
        answers = {"Pain": "Severe", "Subjective: History": "Fell off a ladder", "Next steps": ["Ice", "Rest"]}
        first = await assistant.call("write_treatment_note", patient="Ana Lima", template="SOAP", answers=answers)
        note = first["item"]["id"]
        changed = await assistant.call("write_treatment_note", note=note, answers={"Pain": "Mild", "Next steps": "Ice"})
        assert changed["notes"][0] == "Replaced: Pain: Severe (now Mild); Next steps: “Ice; Rest” (now Ice)."
        assert "ladder" in question(stored(assistant, note), 0, 0)["answer"]
        before = assistant.changes()
        again = await assistant.call("write_treatment_note", note=note, answers={"Pain": "Mild", "Next steps": "Ice"})
        assert f"Already there, id {note}" in again["notes"][0] and assistant.changes() == before


@pytest.mark.long
async def test_a_note_without_a_visit_is_not_written_twice_after_a_lost_answer() -> None:
    async with clinic() as assistant:
        arguments = {"patient": "Ana Lima", "template": "SOAP"}
        first = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Mild"})
        before = assistant.changes()
        again = await assistant.call("write_treatment_note", **arguments, answers={"pain": "mild"})
        assert again["item"]["id"] == first["item"]["id"] and assistant.changes() == before
        other = await assistant.call("write_treatment_note", **arguments, answers={"Pain": "Severe"})
        assert other["item"]["id"] != first["item"]["id"]


@pytest.mark.long
async def test_a_draft_is_gone_on_with_keeps_its_answers_and_is_finalised_only_when_told() -> None:
    async with clinic() as assistant:
        first = await assistant.call(
            "write_treatment_note", patient="Ana Lima", template="SOAP", answers={"Pain": "Mild", "Side": "Left"}
        )
        note = first["item"]["id"]
        more = await assistant.call(
            "write_treatment_note", note=note, answers={"Side": "Right", "Review": "2026-12-01"}
        )
        row = stored(assistant, note)
        assert more["item"]["state"] == "draft"
        assert question(row, 0, 1)["answers"][0] == {"value": "Mild", "selected": True}
        assert question(row, 0, 2)["answers"] == [{"value": "Left"}, {"value": "Right", "selected": True}]
        wrong = await assistant.call("write_treatment_note", note=note, patient="Ben Adeyemi", final=True)
        assert wrong["code"] == "invalid_arguments" and stored(assistant, note)["draft"] is True
        done = await assistant.call("write_treatment_note", note=note, final=True)
        assert done["item"]["state"] == "final" and stored(assistant, note)["draft"] is False
        late = await assistant.call("write_treatment_note", note=note, answers={"Pain": "Mild"})
        assert late["code"] == "not_allowed" and "final" in late["message"]


async def test_a_template_or_patient_that_is_not_clear_is_asked_about() -> None:
    async with clinic() as assistant:
        assert (await assistant.call("create_treatment_note_template", name="SOAP short", content=SOAP))["item"]
        none = await assistant.call("write_treatment_note", patient="Ana Lima", answers={"Pain": "Mild"})
        assert none["code"] == "ambiguous" and len(none["candidates"]) >= 2
        exact = await assistant.call(
            "write_treatment_note", patient="Ana Lima", template="soap", answers={"Side": "Left"}
        )
        assert exact["item"]["title"] == "SOAP"
        who = await assistant.call("write_treatment_note", patient="Kim", template="SOAP", answers={"Side": "Left"})
        assert who["code"] == "ambiguous" and {candidate["born"] for candidate in who["candidates"]} == {1979}


async def test_the_number_of_requests_does_not_grow_with_the_answers() -> None:
    async with clinic() as assistant:
        assert assistant.app is not None
        patient = (await assistant.rows("list_patients", first_name="Ana", last_name="Lima"))[0]["id"]
        counts: list[int] = []
        for answers in ({"Side": "Left"}, {"Side": "Left", "Pain": "Mild", "Review": "today", "Next steps": "Ice"}):
            seen = len(assistant.app.sandbox.requests)
            await assistant.call("write_treatment_note", patient=patient, template="SOAP", answers=answers)
            counts.append(len(assistant.app.sandbox.requests) - seen)
        assert max(counts) <= 4


def test_html_keeps_allowed_tags_and_writes_out_everything_else() -> None:
    assert as_html("plain <5 & more") == "<p>plain &lt;5 &amp; more</p>"
    assert as_html("<b>flexion</b> <90 & fine &amp; well") == "<b>flexion</b> &lt;90 &amp; fine &amp; well"
    assert as_html("<script>x</script>\n\nb") == "<p>&lt;script&gt;x&lt;/script&gt;</p><p>b</p>"
