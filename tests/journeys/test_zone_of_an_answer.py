"""Every answer says the time and its zone. Where the zone cannot be known it says so, and is given all the same."""

import base64
from typing import Any

import pytest
from conftest import Assistant, in_process

pytestmark = pytest.mark.anyio

UNREAD = "The clinic's time zone could not be read, so the time now is in UTC."


def forget_the_users_zone(assistant: Assistant) -> None:
    assert assistant.app is not None
    store = assistant.app.sandbox.context.store
    for row in [*store.table("users").rows.values()]:
        store.put("users", {**row, "time_zone_identifier": None, "time_zone": None})


@pytest.mark.long_but_one
@pytest.mark.parametrize("trouble", ["5xx", "dropped", "non-json"])
async def test_an_operation_is_looked_up_while_cliniko_cannot_be_reached(trouble: str) -> None:
    async with in_process(faults=(trouble,)) as assistant:
        answer = await assistant.call("cliniko_describe", names=["list_taxes"])
        assert answer["items"][0]["name"] == "list_taxes"
        assert (answer["now"], answer["time_zone"]) == ("2026-11-23T22:00+00:00 Mon", "UTC")
        assert answer["notes"] == [UNREAD]


@pytest.mark.long
async def test_a_file_that_was_attached_is_told_of_though_the_zone_cannot_be_read() -> None:
    async with in_process(faults=("5xx:/user",)) as assistant:
        content = base64.b64encode(b"%PDF-1.4 a letter").decode()
        arguments: dict[str, Any] = {"patient": "Ana Lima", "filename": "letter.pdf", "content": content}
        answer = await assistant.call("upload_patient_attachment", **arguments)
        assert "POST /v1/patient_attachments" in assistant.changes()
        assert answer["item"]["filename"] == "letter.pdf"
        assert UNREAD in answer["notes"]


async def test_times_in_a_zone_that_was_guessed_are_said_to_be() -> None:
    note = "The key's user has no time zone in Cliniko, so times are in UTC."
    async with in_process() as assistant:
        forget_the_users_zone(assistant)
        answer = await assistant.call("list_patients", limit=1)
        assert (answer["time_zone"], note in answer["notes"]) == ("UTC", True)
        at_a_site = await assistant.call("list_individual_appointments", limit=1)
        assert at_a_site["time_zone"] != "UTC"
        assert note not in at_a_site["notes"]
