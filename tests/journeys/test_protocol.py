"""The main job over the protocol: listing, reading, writing, and asking a person, in both eras, by real clients."""

import pytest
from conftest import CANCEL, DECLINE, UNTICKED, YES, Answer, in_process, over_stdio

pytestmark = pytest.mark.anyio
ERAS = ("legacy", "2026-07-28")


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ERAS)
async def test_an_assistant_lists_reads_and_writes_over_stdio(mode: str) -> None:
    async with over_stdio(mode=mode) as assistant:
        listed = await assistant.client.list_tools()
        assert listed.next_cursor is None
        assert 15 <= len(listed.tools) <= 32
        ana = await assistant.first("list_patients", first_name="Ana", last_name="Lima")
        created = (await assistant.call("create_patient", first_name="Otto", last_name="Example"))["item"]
        changed = await assistant.call("update_patient", id=created["id"], preferred_first_name="Otti")
        assert changed["item"]["preferred_first_name"] == "Otti"
        read = await assistant.call("get_patient", id=ana["id"])
        assert read["item"]["last_name"] == "Lima"
        assert read["time_zone"] == "Australia/Sydney"
        assert read["now"] == "2026-11-24T09:00+11:00 Tue"


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ERAS)
async def test_without_anybody_to_ask_nothing_is_archived_or_cancelled(mode: str) -> None:
    async with in_process(mode=mode, approval_wait=0) as assistant:
        patient = await assistant.first("list_patients", limit=1)
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-24", limit=1)
        for name, arguments in (
            ("archive_patient", {"id": patient["id"]}),
            ("delete_patient", {"id": patient["id"]}),
            ("cancel_individual_appointment", {"id": visit["id"], "cancellation_reason": "sick"}),
            ("cliniko_destroy", {"operation": "archive_patient", "arguments": {"id": patient["id"]}}),
        ):
            answer = await assistant.call(name, **arguments)
            assert answer["code"] == "approval_needed"
        assert assistant.changes() == []


@pytest.mark.parametrize("mode", ERAS)
async def test_a_yes_lets_it_happen_exactly_once(mode: str) -> None:
    async with in_process(mode=mode, answer=YES) as assistant:
        ana = await assistant.first("list_patients", last_name="Lima")
        answer = await assistant.call("archive_patient", id=ana["id"])
        assert answer["done"] == f"Archived patient {ana['id']}."
        assert len(assistant.asked) == 1
        assert "Ana Lima, born 1984" in assistant.asked[0]
        assert assistant.changes() == [f"POST /v1/patients/{ana['id']}/archive"]
        assert (await assistant.call("get_patient", id=ana["id"]))["code"] == "not_found"


@pytest.mark.parametrize("mode", ERAS)
@pytest.mark.parametrize("answer", [UNTICKED, DECLINE, CANCEL], ids=["unticked", "decline", "cancel"])
async def test_every_other_answer_changes_nothing(mode: str, answer: Answer) -> None:
    async with in_process(mode=mode, answer=answer) as assistant:
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-24", limit=1)
        refused = await assistant.call("cancel_individual_appointment", id=visit["id"], cancellation_reason="sick")
        assert refused["code"] == "declined"
        assert assistant.changes() == []


@pytest.mark.long_but_one
@pytest.mark.parametrize("mode", ERAS)
async def test_a_person_is_asked_over_stdio_too(mode: str) -> None:
    async with over_stdio(mode=mode, answer=YES) as assistant:
        visit = await assistant.first("list_individual_appointments", starts_at=">2026-11-24", limit=1)
        answer = await assistant.call("cancel_individual_appointment", id=visit["id"], cancellation_reason="sick")
        assert answer["done"].startswith("Cancelled individual appointment")
        assert len(assistant.asked) == 1
        gone = await assistant.call("get_individual_appointment", id=visit["id"])
        assert gone["code"] == "not_found"
        shown = await assistant.call("get_individual_appointment", id=visit["id"], include_archived=True)
        assert shown["item"]["cancellation_reason_description"] == "Sick"


@pytest.mark.parametrize(
    "hostile",
    [
        "1/../../users",
        "1?x=1",
        "%2e%2e",
        "1" * 21,
        "",
        " ",
        "1 ",
        "-1",
        "１２",
        "1\n2",
        "../users",
        "1#",
        "1%2f..",
        1.5,
        True,
        None,
        ["1"],
        {"id": "1"},
    ],
    ids=repr,
)
async def test_what_is_not_an_id_is_refused_before_any_request(hostile: object) -> None:
    async with in_process(answer=YES) as assistant:
        for name in ("get_patient", "update_patient", "archive_patient"):
            more = {"first_name": "X"} if name == "update_patient" else {}
            answer = await assistant.call(name, id=hostile, **more)
            assert answer["code"] == "invalid_arguments"
            assert "id" in answer["fields"]
        assert assistant.app is not None
        assert [request for request in assistant.app.sandbox.requests if "/user" not in request.path] == []
