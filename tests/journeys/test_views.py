"""What a run lists and refuses: fixed at start, the same on every route and transport, and said truly to the model."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from conftest import YES, Assistant, in_process, over_stdio
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from cliniko_mcp.cliniko.registry import operations
from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.protocol.server import instructions
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import entries
from cliniko_mcp.tools.views import CORE, META, View, view_of
from tests.journeys.test_http import listening, over_http

pytestmark = pytest.mark.anyio

DESCRIBE = "cliniko_describe"
FLAGS: dict[str, tuple[Any, ...]] = {
    "view": ("core", "all"),
    "resources": ((), ("patients", "bookings")),
    "tools": ((), ("book_appointment", "get_tax", "delete_patient")),
    "exclude_tools": ((), ("get_patient", "archive_patient", "cliniko_destroy", "create_individual_appointment")),
    "read_only": (False, True),
}
COMBINATIONS = [dict(zip(FLAGS, values, strict=True)) for values in product(*FLAGS.values())]


def seen(flags: dict[str, Any]) -> View:
    return view_of(Settings(sandbox=True, **flags))


def names_of(result: Any) -> list[str]:
    return [tool.name for tool in result.tools]


@pytest.mark.parametrize(
    "flags", COMBINATIONS, ids=lambda flags: ",".join(key for key, value in flags.items() if value)
)
def test_in_every_combination_the_list_holds_what_may_be_called_in_the_order_of_the_whole(flags: dict[str, Any]):
    view, known = seen(flags), entries()

    assert list(view.listed) == [name for name in known if name in view.listed]
    assert view.excluded.isdisjoint(view.listed)
    assert view.excluded.isdisjoint(META) or "cliniko_destroy" in flags["exclude_tools"]
    for name in flags["exclude_tools"]:
        assert name in view.excluded
    if flags["exclude_tools"]:
        assert {"delete_patient", "book_appointment"} <= view.excluded
    if flags["read_only"]:
        assert {known[name].risk for name in view.listed} == {"read"}
        assert "get_attachment_presigned_post" not in view.listed
    if flags["resources"] or flags["tools"]:
        ours = {name for name, entry in known.items() if entry.resource in flags["resources"]}
        assert {*view.listed} <= ours | {*flags["tools"], *META}
    elif flags["view"] == "core":
        assert {*view.listed} <= CORE
    else:
        assert not [name for name in view.listed if known[name].deprecated]


def test_read_only_wins_over_tools_that_are_named():
    assert seen({"tools": ("create_patient", "get_patient"), "read_only": True}).listed == (
        "count_records",
        "cliniko_describe",
        "cliniko_read",
        "get_patient",
    )


@pytest.mark.parametrize("flag", ["resources", "tools", "exclude_tools", "allow_destroy"])
def test_a_name_that_does_not_exist_is_refused_at_start_with_where_to_look(flag: str):
    refusal = r"--[a-z-]+: there is no .*get_patiant; `cliniko-mcp tools --view all` lists"
    with pytest.raises(ConfigurationError, match=refusal):
        seen({flag: ("get_patiant",)})


@asynccontextmanager
async def client_over(transport: str, mode: str) -> AsyncGenerator[Client]:
    if transport == "stdio":
        async with over_stdio(mode=mode) as assistant:
            yield assistant.client
    else:
        with listening("--transport", "http") as address:
            async with Client(over_http(address), mode=mode) as client:
                yield client


@pytest.mark.long
@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_every_transport_and_era_shows_the_same_page(transport: str, mode: str):
    async with in_process() as assistant:
        here = await assistant.client.list_tools()
    async with client_over(transport, mode) as client:
        there = await client.list_tools()
        again = await client.list_tools()

    assert there.next_cursor is None
    assert [tool.model_dump() for tool in there.tools] == [tool.model_dump() for tool in here.tools]
    assert [tool.model_dump() for tool in again.tools] == [tool.model_dump() for tool in there.tools]


async def refused(assistant: Assistant, name: str, **arguments: Any) -> str:
    answer = await assistant.call(name, **arguments)
    assert "switched off" in answer["message"], answer
    return answer["code"]


@pytest.mark.long
async def test_what_is_not_listed_still_works():
    async with in_process() as assistant:
        assert "list_taxes" not in names_of(await assistant.client.list_tools())
        typed = await assistant.call("list_taxes")
        assert typed["items"] == (await assistant.call("cliniko_read", operation="list_taxes"))["items"]
        assert (await assistant.call("cliniko_read", operation="show_diary", arguments={"when": "today"}))["items"]


@pytest.mark.long
async def test_what_is_excluded_is_refused_by_every_route():
    gone = ("list_patients", "get_patient", "archive_patient", "create_tax")
    async with in_process(view="all", exclude_tools=gone, answer=YES) as assistant:
        listed = names_of(await assistant.client.list_tools())
        assert not {*gone, "delete_patient", "find_patients", "book_appointment"} & {*listed}
        who = "1104000000422323183"
        codes = [
            await refused(assistant, "list_patients"),
            await refused(assistant, "count_records", operation="list_patients"),
            await refused(assistant, "cliniko_read", operation="list_patients"),
            await refused(assistant, "get_patient", id=who),
            await refused(assistant, "archive_patient", id=who),
            await refused(assistant, "delete_patient", id=who),
            await refused(assistant, "cliniko_destroy", operation="delete_patient", arguments={"id": who}),
            await refused(assistant, "cliniko_write", operation="create_tax", arguments={"name": "x", "rate": "1"}),
            await refused(assistant, "cliniko_describe", names=["create_tax"]),
            await refused(assistant, "find_patients", query="Lima"),
        ]
        assert {*codes} == {"not_allowed"}
        found = await assistant.call("cliniko_describe", query="add a tax rate or archive a patient")
        assert not {*gone, "delete_patient"} & {item["name"] for item in found["items"]}
        templates = (await assistant.client.list_resource_templates()).resource_templates
        assert "patients" not in {template.name for template in templates}
        with pytest.raises(MCPError, match="switched off"):
            await assistant.client.read_resource(f"cliniko://patients/{who}")
        # Nobody is named in a list of appointments either, whose names come from the list of patients.
        rows = await assistant.rows("list_individual_appointments", limit=5)
        assert not [row for row in rows if "patient" in row]
        assert assistant.changes() == []
        assert assistant.asked == []


@pytest.mark.long
async def test_where_a_record_may_not_be_read_a_change_of_it_shows_nothing_of_it_and_nobody_is_named():
    async with in_process(view="all", exclude_tools=("get_patient",), answer=YES) as assistant:
        who = (await assistant.rows("list_patients", limit=1))[0]["id"]
        shown = [
            await assistant.call("update_patient", id=who, occupation="Baker"),
            await assistant.call(
                "cliniko_write", operation="update_patient", arguments={"id": who, "patient_phone_numbers": []}
            ),
            await assistant.call("create_patient", first_name="Otto", last_name="Example"),
        ]
        done = [told["done"].rpartition(" ")[0] for told in shown]
        assert done == ["Updated patient", "Updated patient", "Created patient"]
        for told in shown:
            assert "item" not in told and "reading it is switched off here" in told["notes"][0]
            assert not {"Ana", "Lima", "Otto"} & set(re.findall(r"\w+", json.dumps(told)))
        assert await refused(assistant, "archive_patient", id=who) == "not_allowed"
        assert assistant.asked == []
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-25", limit=1)
        assert (await assistant.call("cancel_individual_appointment", id=visit["id"], cancellation_reason="sick"))[
            "done"
        ]
        assert f"Patient: file {visit['patient_id']}" in assistant.asked[0]


async def test_what_is_excluded_is_refused_whatever_the_arguments_and_the_refusal_is_written_down(tmp_path: Path):
    log = tmp_path / "audit.jsonl"
    gone = ("archive_patient", "list_patients")
    async with in_process(exclude_tools=gone, audit_file=str(log), answer=YES) as assistant:
        who = {"id": "1104000000422323183"}
        for name, arguments in (
            ("archive_patient", who),
            ("delete_patient", who),
            ("cliniko_destroy", {"operation": "archive_patient", "arguments": who}),
            ("list_patients", {}),
            ("count_records", {"operation": "list_patients"}),
        ):
            assert await refused(assistant, name, **arguments) == "not_allowed"
        written = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        # What is read for a zone or a preview is written down as well, beside what the tools were asked for.
        outcomes = [line["outcome"] for line in written if line["outcome"] != "begun" and "for" not in line]
        assert outcomes == ["not_allowed"] * 5
        for name, arguments in (
            ("archive_patient", {"id": "x"}),
            ("list_patients", {"shoe_size": "1"}),
            ("count_records", {"operation": "list_patients", "arguments": {"shoe_size": "1"}}),
            ("cliniko_read", {"operation": "list_patients", "arguments": {"shoe_size": "1"}}),
            ("cliniko_read", {"operation": "archive_patient"}),
        ):
            answer = await assistant.call(name, **arguments)
            assert answer["code"] == "not_allowed", answer
            assert "schema" not in answer


@pytest.mark.long
async def test_a_curated_tool_on_the_list_of_allowed_ones_does_its_whole_work_and_no_other():
    async with in_process(tools=("book_appointment", "show_diary")) as assistant:
        listed = names_of(await assistant.client.list_tools())
        assert listed == ["book_appointment", "show_diary", *META]
        booked = await assistant.call(
            "book_appointment", patient="Ana Lima", practitioner="Mei Ng", type="Standard consult", when="Friday 10:00"
        )
        assert booked["done"] == "Booked."
        diary = await assistant.call("show_diary", when="Friday")
        assert any("Lima" in json.dumps(row) for row in diary["items"])
        again = await assistant.call("cliniko_read", operation="show_diary", arguments={"when": "Friday"})
        assert again == diary
        assert await refused(assistant, "list_patients") == "not_allowed"
        assert await refused(assistant, "cliniko_read", operation="list_patients") == "not_allowed"
        assert await refused(assistant, "cliniko_write", operation="create_individual_appointment") == "not_allowed"
        assert await refused(assistant, "cancel_appointment", appointment="1") == "not_allowed"


async def test_an_old_name_on_the_list_of_allowed_ones_works_and_its_heir_does_not():
    async with in_process(tools=("delete_patient",), answer=YES) as assistant:
        who = "1104000000422323183"
        assert await refused(assistant, "archive_patient", id=who) == "not_allowed"
        assert "done" in await assistant.call("delete_patient", id=who)
        assert "done" in await assistant.call("cliniko_destroy", operation="delete_patient", arguments={"id": "4211"})
        assert len(assistant.asked) == 2


def test_what_is_excluded_takes_the_curated_tools_along_that_need_it_even_where_they_are_named():
    view = seen({"tools": ("book_appointment", "find_patients"), "exclude_tools": ("create_individual_appointment",)})

    assert view.listed == ("find_patients", *META)


@pytest.mark.parametrize(
    ("flags", "gone", "left"),
    [
        (
            {"exclude_tools": ("archive_patient",)},
            "archive unarchive: businesses patients",
            "update unarchive: patients",
        ),
        ({"resources": ("patients",)}, "taxes", "patients"),
        ({"read_only": True}, "create", "list get: "),
    ],
)
async def test_the_map_holds_only_what_may_be_called(flags: dict[str, Any], gone: str, left: str):
    async with in_process() as whole, in_process(**flags) as narrowed:
        maps = [
            next(
                tool.description or "" for tool in (await assistant.client.list_tools()).tools if tool.name == DESCRIBE
            )
            for assistant in (whole, narrowed)
        ]
    assert maps[0] == entries()[DESCRIBE].description
    assert gone in maps[0] and gone not in maps[1] and left in maps[1]


async def test_in_read_only_a_change_is_refused_at_once_and_not_sent_round_the_executors():
    async with in_process(read_only=True, answer=YES) as assistant:
        listed = names_of(await assistant.client.list_tools())
        assert not {"cliniko_write", "cliniko_destroy"} & {*listed}
        for name, arguments in (
            ("cliniko_read", {"operation": "archive_patient", "arguments": {"id": "1"}}),
            ("cliniko_write", {"operation": "archive_patient", "arguments": {"id": "1"}}),
            ("archive_patient", {"id": "1104000000422323183"}),
            ("cliniko_describe", {"names": ["create_tax"]}),
        ):
            answer = await assistant.call(name, **arguments)
            assert answer["code"] == "not_allowed", answer
            assert "not change anything" in answer["message"]
        assert assistant.changes() == []
        assert assistant.asked == []


@pytest.mark.parametrize(
    "flags", COMBINATIONS, ids=lambda flags: ",".join(key for key, value in flags.items() if value)
)
def test_the_instructions_say_what_this_run_refuses(flags: dict[str, Any]):
    text = instructions(Settings(sandbox=True, confirm="block", **flags))

    assert len(text) <= 2_048
    assert ("only reads" in text) == flags["read_only"]
    assert ("Some tools are switched off" in text) == bool(
        flags["resources"] or flags["tools"] or flags["exclude_tools"]
    )


def test_the_instructions_call_only_the_built_in_clinic_a_demo():
    local = Settings(base_url="http://127.0.0.1:9000/v1")

    assert "demo clinic" in instructions(Settings(sandbox=True))
    assert "demo clinic" not in instructions(local)


def test_the_instructions_are_true_of_what_can_be_unarchived():
    unarchived = {operation.resource for operation in operations().values() if operation.shape == "unarchive"}

    assert unarchived == {"patients", "businesses", "treatment_notes"}
    assert "Only patients, sites and treatment notes can be unarchived here." in instructions(Settings(sandbox=True))
