"""Prompts, attachable records and completions, through a real client of a server on the demo clinic."""

import json
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from cliniko_mcp.protocol.resources import ALONE, BY_ID, target
from cliniko_mcp.protocol.routines import ROUTINES
from tests.conftest import Assistant, in_process

pytestmark = pytest.mark.anyio

PRACTITIONERS = types.ResourceTemplateReference(uri="cliniko://practitioners/{id}")
HUDDLE = types.PromptReference(name="morning_huddle")


def content_of(result: types.ReadResourceResult) -> dict[str, Any]:
    [only] = result.contents
    assert isinstance(only, types.TextResourceContents)
    assert only.mime_type == "application/json"
    return json.loads(only.text)


def requests_of(assistant: Assistant) -> int:
    assert assistant.app is not None
    return len(assistant.app.sandbox.requests)


async def test_the_days_routines_are_offered_with_what_can_be_chosen():
    async with in_process() as assistant:
        offered = (await assistant.client.list_prompts()).prompts

    assert [prompt.name for prompt in offered] == [
        "morning_huddle", "fill_a_gap", "chase_no_shows", "end_of_day", "week_ahead", "months_numbers",
        "new_patient_intake", "recall_round", "overdue_invoices",
    ]  # fmt: skip
    assert all(prompt.title and prompt.description for prompt in offered)
    assert all(not argument.required for prompt in offered for argument in prompt.arguments or [])


@pytest.mark.parametrize("name", [routine.name for routine in ROUTINES if "day" in routine.usual])
async def test_a_routine_without_choices_is_about_today(name: str):
    async with in_process() as assistant:
        [message] = (await assistant.client.get_prompt(name)).messages

    assert message.role == "user"
    assert isinstance(message.content, types.TextContent)
    assert message.content.text.endswith("Day: today")


async def test_what_was_chosen_stands_in_the_routine():
    async with in_process() as assistant:
        result = await assistant.client.get_prompt("fill_a_gap", {"day": "Friday", "appointment_type": "Massage\n60"})

    text = result.messages[0].content
    assert isinstance(text, types.TextContent)
    assert text.text.endswith("Day: Friday\nAppointment type: Massage 60")


async def test_a_routine_or_choice_that_does_not_exist_is_refused():
    async with in_process() as assistant:
        with pytest.raises(MCPError, match="no prompt called lunch"):
            await assistant.client.get_prompt("lunch")
        with pytest.raises(MCPError, match="takes day, practitioner, business"):
            await assistant.client.get_prompt("morning_huddle", {"room": "2"})


async def test_a_patient_is_attached_as_the_get_operation_reads_them():
    async with in_process() as assistant:
        patient = await assistant.first("list_patients", limit=1)
        read = content_of(await assistant.client.read_resource(f"cliniko://patients/{patient['id']}"))
        answer = await assistant.call("get_patient", id=patient["id"])

    assert read == answer


async def test_a_record_without_an_id_is_offered_and_read():
    async with in_process() as assistant:
        offered = (await assistant.client.list_resources()).resources
        user = content_of(await assistant.client.read_resource("cliniko://user"))

    records = [record.uri for record in offered if record.uri.startswith("cliniko:")]
    assert records == [f"cliniko://{kind.noun}" for kind in ALONE]
    assert user["item"]["id"]


async def test_every_kind_that_can_be_attached_is_read_by_a_get_operation():
    async with in_process() as assistant:
        offered = (await assistant.client.list_resource_templates()).resource_templates

    assert [template.uri_template for template in offered] == [f"cliniko://{kind.noun}/{{id}}" for kind in BY_ID]
    assert all(kind.operation().shape == "get" for kind in (*BY_ID, *ALONE))
    assert {kind.operation().name for kind in BY_ID} >= {"get_patient", "get_invoice", "get_treatment_note"}


async def test_what_the_operator_excluded_can_neither_be_seen_nor_attached():
    async with in_process(exclude_tools=("get_treatment_note", "list_practitioners")) as assistant:
        offered = (await assistant.client.list_resource_templates()).resource_templates
        with pytest.raises(MCPError, match="switched off"):
            await assistant.client.read_resource("cliniko://treatment_notes/1")
        names = await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": ""})

    assert "treatment_notes" not in {template.name for template in offered}
    assert names.completion.values == []


async def test_a_record_that_does_not_exist_is_said_to():
    async with in_process() as assistant:
        with pytest.raises(MCPError) as refused:
            await assistant.client.read_resource("cliniko://patients/404404404404")

    assert refused.value.error.data["code"] == "not_found"


@pytest.mark.parametrize(
    "uri",
    [
        "cliniko://patients",
        "cliniko://patients/",
        "cliniko://patients/../users/1",
        "cliniko://patients/1?x=1",
        "cliniko://patients/%31",
        "cliniko://user/1",
        "cliniko://taxes/1",
        "cliniko://patients/" + "1" * 21,
        "https://api.au1.cliniko.com/v1/patients/1",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_of_nothing_here_is_refused_before_anything_is_asked(uri: str):
    with pytest.raises(MCPError, match="no such resource"):
        target(uri)


async def test_names_are_completed_while_they_are_typed():
    async with in_process() as assistant:
        everyone = (await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": ""})).completion
        first = everyone.values[0]
        some = (
            await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": first[:3].upper()})
        ).completion
        sites = (await assistant.client.complete(HUDDLE, {"name": "business", "value": ""})).completion
        nothing = (await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": "zzz"})).completion

    assert len(everyone.values) >= 8
    assert first in some.values
    assert len(some.values) < len(everyone.values)
    assert len(sites.values) >= 2
    assert nothing.values == []


async def test_an_id_in_an_address_is_completed_by_the_name():
    async with in_process() as assistant:
        who = await assistant.first("list_practitioners", limit=1, detail="full")
        label = who.get("display_name") or who["label"]
        ids = (await assistant.client.complete(PRACTITIONERS, {"name": "id", "value": label})).completion

    assert ids.values == [who["id"]]


async def test_typing_letter_after_letter_reads_the_names_once():
    async with in_process() as assistant:
        await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": ""})
        before = requests_of(assistant)
        for typed in ("d", "dr", "dr "):
            await assistant.client.complete(HUDDLE, {"name": "practitioner", "value": typed})
        after = requests_of(assistant)

    assert before >= 1
    assert after == before


async def test_days_are_completed_without_asking_cliniko_at_all():
    async with in_process() as assistant:
        days = (await assistant.client.complete(HUDDLE, {"name": "day", "value": "t"})).completion.values
        patients = types.ResourceTemplateReference(uri="cliniko://patients/{id}")
        nobody = (await assistant.client.complete(patients, {"name": "id", "value": "Lee"})).completion.values

    assert days == ["today", "tomorrow", "tuesday", "thursday"]
    assert nobody == []
    assert requests_of(assistant) == 0


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_prompts_resources_and_completions_are_there_in_both_eras_of_the_protocol(mode: str):
    async with in_process(mode=mode) as assistant:
        assert (await assistant.client.list_prompts()).prompts
        assert (await assistant.client.list_resource_templates()).resource_templates
        assert (await assistant.client.complete(HUDDLE, {"name": "day", "value": ""})).completion.values


HOSTILE = "lunch\u202e\x07\u200b ⁦break" * 40


async def test_no_error_repeats_invisible_characters_or_a_long_name():
    async with in_process() as assistant:
        client = assistant.client
        tried = [
            lambda: client.get_prompt(HOSTILE),
            lambda: client.get_prompt("morning_huddle", {HOSTILE: "x"}),
            lambda: client.read_resource(f"cliniko://{HOSTILE}"),
            lambda: client.read_resource("cliniko://patients/" + "1" * 200_000),
        ]
        for attempt in tried:
            with pytest.raises(MCPError) as refused:
                await attempt()
            text = refused.value.error.model_dump_json()
            assert len(text) < 600
            assert not any(sign in json.loads(text)["message"] + text for sign in "\u202e\x07\u200b\u2066")
            assert "\\u202e" not in text


async def test_what_a_person_types_into_a_prompt_is_shown_without_invisible_characters():
    async with in_process() as assistant:
        filled_in = await assistant.client.get_prompt(
            "morning_huddle", {"day": "to\u202eday\u2066", "business": "\u200b"}
        )
    text = filled_in.model_dump_json()
    assert "Day: today" in text
    assert "Business" not in text and "\u202e" not in text
