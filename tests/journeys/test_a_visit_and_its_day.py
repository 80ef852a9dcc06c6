"""A day at the front desk and in the treatment room, told through a real client over stdio."""

from base64 import b64encode
from datetime import date

import pytest
from conftest import DECLINE, in_process, over_stdio

pytestmark = pytest.mark.anyio


@pytest.mark.long
async def test_from_the_brief_to_the_written_note() -> None:
    async with over_stdio() as assistant:
        brief = (await assistant.call("patient_brief", patient="Ana Lima"))["item"]
        last = brief["last_visits"][0]
        assert last["attendance"] == "arrived" and brief["counts"]["coming"] >= 3
        missed = await assistant.call("set_attendance", state="did_not_arrive", appointment=last["appointment_id"])
        assert (missed["item"]["was"], missed["item"]["attendance"]) == ("arrived", "did not arrive")
        report = await assistant.call("report", kind="no_shows", when=last["starts_at"][:10], limit=50)
        assert "Ana Lima" in [row["patient"] for row in report["items"]]
        back = await assistant.call("set_attendance", state="arrived", patient="Ana Lima", when=last["starts_at"][:10])
        assert back["item"]["appointment_id"] == last["appointment_id"]
        content = {"sections": [{"name": "S", "questions": [{"name": "Progress", "type": "paragraph"}]}]}
        await assistant.call("create_treatment_note_template", name="Visit in short", content=content)
        note = await assistant.call(
            "write_treatment_note",
            patient="Ana Lima",
            template="visit in short",
            visit=last["appointment_id"],
            answers={"progress": "Walks without a stick < 1 km."},
        )
        assert note["item"]["state"] == "draft" and note["item"]["visit"]["appointment_id"] == last["appointment_id"]
        after = (await assistant.call("patient_brief", patient="Ana Lima", notes=True))["item"]
        assert after["last_visits"][0]["note"] == "draft"
        notes = {row["id"]: row for row in after["last_visits"][0]["free_text"]["treatment_notes"]}
        assert notes[note["item"]["id"]]["text"] == "Progress: Walks without a stick < 1 km."


@pytest.mark.long
async def test_a_letter_is_kept_and_a_gap_is_offered_without_anyone_being_asked_to_approve() -> None:
    async with over_stdio(answer=DECLINE) as assistant:
        letter = await assistant.call(
            "upload_patient_attachment",
            patient="Ana Lima",
            content=b64encode(b"Dear colleague").decode(),
            filename="referral.txt",
        )
        kept = await assistant.first("list_patient_attachments", patient_id=letter["item"]["patient_id"])
        assert kept["id"] == letter["item"]["id"]
        gap = await assistant.call(
            "fill_gap", practitioner="Mei Ng", when="Friday 10 to 10:30", type="Standard consult"
        )
        assert gap["items"] and date.fromisoformat(gap["gap"]["starts_at"][:10]).isoweekday() == 5
        assert assistant.asked == []


@pytest.mark.long
async def test_a_read_only_server_still_briefs_and_reports() -> None:
    async with in_process(read_only=True) as assistant:
        assert (await assistant.call("patient_brief", patient="Ana Lima"))["item"]["name"] == "Ana Lima"
        assert (await assistant.call("report", kind="utilisation", when="last week"))["items"]
        assert (await assistant.call("fill_gap", practitioner="Mei Ng", when="Friday at 10"))["gap"]
        listed = {tool.name for tool in (await assistant.client.list_tools()).tools}
        assert not listed & {"set_attendance", "write_treatment_note", "upload_patient_attachment"}
