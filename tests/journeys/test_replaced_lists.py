"""An update that replaces a list says by value what went, and what is not known."""

import re
from typing import Any

import pytest
from conftest import Assistant, in_process

from cliniko_mcp.client.clinic import Clinic
from cliniko_mcp.errors import Unavailable

pytestmark = pytest.mark.anyio

MOBILE = {"phone_type": "Mobile", "number": "0491 570 037"}
UNKNOWN = "Replaced: what patient_phone_numbers held before is not known, because it could not be read."
HOME = {"phone_type": "Home", "number": "02 5550 1234"}


async def made(assistant: Assistant, **fields: Any) -> str:
    answer = await assistant.call("create_patient", first_name="Tia", last_name="Doe", **fields)
    if "item" in answer:
        return answer["item"]["id"]
    (made_id,) = re.findall("[0-9]+", answer["done"])  # all that is told where reading is switched off
    return made_id


def replaced(answer: dict[str, Any]) -> list[str]:
    return [note for note in answer.get("notes", []) if note.startswith("Replaced")]


def reads(assistant: Assistant, path: str) -> int:
    assert assistant.app is not None
    return sum(request.method == "GET" and path in request.path for request in assistant.app.sandbox.requests)


async def test_a_phone_number_that_went_is_told() -> None:
    async with in_process() as assistant:
        patient = await made(assistant, patient_phone_numbers=[MOBILE])
        answer = await assistant.call("update_patient", id=patient, patient_phone_numbers=[HOME])
        assert replaced(answer) == ["Replaced: Mobile 0491 570 037 is no longer there (patient_phone_numbers)."]
        assert reads(assistant, f"/patients/{patient}") == 1

        emptied = await assistant.call("update_patient", id=patient, patient_phone_numbers=[])
        assert replaced(emptied) == ["Replaced: Home 02 5550 1234 is no longer there (patient_phone_numbers)."]


async def test_what_stays_is_not_told_and_without_a_list_nothing_is_read() -> None:
    async with in_process() as assistant:
        patient = await made(assistant, patient_phone_numbers=[MOBILE])
        both = [{**MOBILE, "number": "0491570037"}, HOME]
        assert replaced(await assistant.call("update_patient", id=patient, patient_phone_numbers=both)) == []
        before = reads(assistant, f"/patients/{patient}")
        assert replaced(await assistant.call("update_patient", id=patient, notes="Rang")) == []
        assert reads(assistant, f"/patients/{patient}") == before


async def test_a_contact_s_number_through_the_executor() -> None:
    async with in_process() as assistant:
        contact = await assistant.call("create_contact", last_name="Ng", phone_numbers=[MOBILE])
        change = {"id": contact["item"]["id"], "phone_numbers": HOME}
        answer = await assistant.call("cliniko_write", operation="update_contact", arguments=change)
        assert replaced(answer) == ["Replaced: Mobile 0491 570 037 is no longer there (phone_numbers)."]


async def test_a_custom_field_that_went_is_told() -> None:
    async with in_process() as assistant:
        settings = (await assistant.call("get_public_settings"))["item"]
        section = settings["patient_custom_fields_definition"]["sections"][0]
        hobby, *_ = [field["token"] for field in section["fields"] if field["type"] in ("checkboxes", "radiobuttons")]
        day, *_ = [field["token"] for field in section["fields"] if field["type"] == "date"]

        def custom(*fields: dict[str, Any]) -> dict[str, Any]:
            return {"sections": [{"token": section["token"], "fields": [*fields]}]}

        chess = {"token": hobby, "other": {"selected": True, "value": "Chess"}}
        patient = await made(assistant, custom_fields=custom(chess, {"token": day, "value": "2026-03-06"}))
        later = custom(chess, {"token": day, "value": "2026-04-07"})
        answer = await assistant.call("update_patient", id=patient, custom_fields=later)
        assert replaced(answer) == ["Replaced: “Symptoms since: 2026-03-06” is no longer there (custom_fields)."]


async def test_where_the_read_is_switched_off_the_update_goes_on_and_says_so() -> None:
    async with in_process(exclude_tools=("get_patient",)) as assistant:
        patient = await made(assistant, patient_phone_numbers=[MOBILE])
        answer = await assistant.call("update_patient", id=patient, patient_phone_numbers=[HOME])
        assert "done" in answer and "item" not in answer
        assert replaced(answer) == [UNKNOWN]
        assert reads(assistant, f"/patients/{patient}") == 0


async def test_a_read_that_fails_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Clinic.perform

    async def perform(self: Clinic, call: Any, **options: Any) -> Any:
        if call.operation.name == "get_patient":
            raise Unavailable("Cliniko could not be reached.", "Try again.")
        return await real(self, call, **options)

    monkeypatch.setattr(Clinic, "perform", perform)
    async with in_process() as assistant:
        patient = await made(assistant, patient_phone_numbers=[MOBILE])
        answer = await assistant.call("update_patient", id=patient, patient_phone_numbers=[HOME])
        assert replaced(answer) == [UNKNOWN]


async def test_an_update_that_is_refused_reads_nothing() -> None:
    async with in_process(read_only=True) as assistant:
        patient = (await assistant.first("list_patients"))["id"]
        refused = await assistant.call("update_patient", id=patient, patient_phone_numbers=[HOME])
        assert refused["code"] == "not_allowed"
        assert reads(assistant, f"/patients/{patient}") == 0


async def test_an_update_that_is_offered_alone_knows_what_went() -> None:
    async with in_process(tools=("create_patient", "update_patient")) as assistant:
        patient = await made(assistant, patient_phone_numbers=[MOBILE])
        answer = await assistant.call("update_patient", id=patient, patient_phone_numbers=[HOME])
        assert replaced(answer) == ["Replaced: Mobile 0491 570 037 is no longer there (patient_phone_numbers)."]
