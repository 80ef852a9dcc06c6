"""Words for ids, codes, orders and colours: the request that goes out is that of the plain spelling."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from conftest import in_process
from tools.curated.reception import Reception

pytestmark = pytest.mark.anyio

NAMED: dict[str, tuple[str, str, str, str]] = {
    "a practitioner": ("list_individual_appointments", "practitioner_id", "practitioners", "Dr Mei Ng"),
    "a site": ("list_bookings", "business_id", "businesses", "Riverside"),
    "a type": ("list_bookings", "appointment_type_id", "appointment_types", "Standard consult"),
    "a patient": ("list_treatment_notes", "patient_id", "patients", "Ana Lima"),
    "a patient among several": ("list_bookings", "patient_ids", "patients", "Ana Lima"),
    "a tax": ("list_products", "tax_id", "taxes", "GST"),
    "a product": ("list_stock_adjustments", "product_id", "products", "Resistance band, light"),
    "a concession": ("list_concession_prices", "concession_type_id", "concession_types", "Pensioner"),
    "a template": (
        "list_treatment_notes",
        "treatment_note_template_id",
        "treatment_note_templates",
        "Standard consultation",
    ),
    "a kind of block": ("list_unavailable_blocks", "unavailable_block_type_id", "unavailable_block_types", "Lunch"),
    "an id in the path": ("list_practitioner_appointment_types", "practitioner_id", "practitioners", "Dr Mei Ng"),
}


@pytest.fixture(scope="module")
async def reception() -> AsyncGenerator[Reception]:
    """A clinic in which nothing is changed."""
    async with in_process() as assistant:
        yield Reception(assistant)


async def last_request(reception: Reception, tool: str, **arguments: Any) -> tuple[str, str, object]:
    """The last request of a call that went well: after those by which names are looked up, and without zones."""
    reception.sandbox.requests.clear()
    answer = await reception.assistant.call(tool, **arguments)
    assert "code" not in answer, answer
    seen = [request for request in reception.sandbox.requests if "/user" not in request.path]
    operation = str(arguments.get("operation", tool))
    end = operation.removeprefix("list_").removeprefix("create_").split("_")[-1]
    found = [request for request in seen if end.rstrip("s") in request.path]
    return found[-1].method, found[-1].path, found[-1].query


@pytest.mark.long_but_one
@pytest.mark.parametrize("kind", NAMED)
async def test_a_name_sends_what_its_id_sends_in_a_list_and_in_a_count(reception: Reception, kind: str) -> None:
    tool, field, table, name = NAMED[kind]
    record_id = reception.id(table, name)
    by_id = await reception.assistant.call(tool, **{field: record_id}, limit=3)
    by_name = await reception.assistant.call(tool, **{field: name.upper()}, limit=3)

    assert by_name["items"] == by_id["items"]
    assert by_name["page"] == by_id["page"]
    assert any(f"{field} {record_id} is " in note for note in by_name["notes"])
    counted = {"operation": tool, "arguments": {field: name}}
    count = await reception.assistant.call("count_records", **counted)
    assert count["count"] == by_id["page"]["total"]
    by_executor = await reception.assistant.call("cliniko_read", operation=tool, arguments={field: name, "limit": 3})
    assert by_executor["items"] == by_id["items"]


async def test_several_names_and_names_left_out_send_their_ids(reception: Reception) -> None:
    mei, tom = (reception.id("practitioners", name) for name in ("Dr Mei Ng", "Tom Okafor"))
    for spelt, due in (
        (["Mei Ng", "Tom Okafor"], [mei, tom]),
        ("Mei Ng, Tom Okafor", f"{mei},{tom}"),
        (f"Mei Ng, {tom}", f"{mei},{tom}"),
        ("!=Mei Ng", f"!={mei}"),
    ):
        named = await reception.assistant.call("list_individual_appointments", practitioner_id=spelt, limit=2)
        plain = await reception.assistant.call("list_individual_appointments", practitioner_id=due, limit=2)
        assert named["items"] == plain["items"]
        assert named["page"]["total"] == plain["page"]["total"] > 0


async def test_a_list_goes_on_without_looking_a_name_up_again(reception: Reception) -> None:
    first = await reception.assistant.call("list_bookings", practitioner_id="Mei Ng", limit=2)
    reception.sandbox.requests.clear()
    following = await reception.assistant.call("list_bookings", cursor=first["page"]["next_cursor"], limit=2)

    assert following["items"]
    assert not [request for request in reception.sandbox.requests if request.path.endswith("/inactive")]
    repeated = await reception.assistant.call(
        "list_bookings", cursor=first["page"]["next_cursor"], limit=2, practitioner_id="Mei Ng"
    )
    assert repeated["items"] == following["items"]


async def test_a_name_that_several_have_or_nobody_has_is_asked_about() -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        twins = {reception.put("taxes", name="Levy", rate="1.0") for _ in range(2)}
        ambiguous = await assistant.call("list_products", tax_id="levy")
        assert (ambiguous["code"], ambiguous["field"]) == ("ambiguous", "tax_id")
        assert {row["id"] for row in ambiguous["candidates"]} == twins

        nobody = await assistant.call("count_records", operation="list_products", arguments={"tax_id": "Tythe"})
        assert (nobody["code"], nobody["field"]) == ("not_found", "tax_id")
        assert "list_taxes" in nobody["fix"]


async def test_a_name_of_one_who_left_is_found_and_said_to_be_out_of_use() -> None:
    async with in_process() as assistant:
        reception = Reception(assistant)
        kind = reception.put("unavailable_block_types", name="Old rounds", archived_at="2026-01-01T00:00:00Z")
        answer = await assistant.call("list_unavailable_blocks", unavailable_block_type_id="old rounds")

        assert f"unavailable_block_type_id {kind} is Old rounds." in answer["notes"]
        assert "Old rounds is archived." in answer["notes"]


async def test_names_of_what_is_switched_off_are_not_read() -> None:
    async with in_process(exclude_tools=("list_practitioners",)) as assistant:
        assert assistant.app is not None
        refused = await assistant.call("list_bookings", practitioner_id="Mei Ng")
        assert refused["code"] == "not_allowed"
        assert refused["fix"] == "Give the id in practitioner_id instead of a name."
        assert not [request for request in assistant.app.sandbox.requests if "practitioners" in request.path]


async def test_an_excluded_list_looks_no_name_up() -> None:
    async with in_process(exclude_tools=("list_bookings",)) as assistant:
        assert assistant.app is not None
        for call in (
            assistant.call("list_bookings", practitioner_id="Mei Ng"),
            assistant.call("cliniko_read", operation="list_bookings", arguments={"practitioner_id": "Nobody"}),
            assistant.call("count_records", operation="list_bookings", arguments={"practitioner_id": "Nobody"}),
        ):
            refused = await call
            assert (refused["code"], refused["operation"]) == ("not_allowed", "list_bookings")
        assert not [request for request in assistant.app.sandbox.requests if "practitioners" in request.path]


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"starts_at": "24/24/24"}, {"detail": "long"}, {"colour": "red"}], ids=str
)
async def test_what_else_is_wrong_is_said_before_a_name_is_looked_up(
    reception: Reception, wrong: dict[str, Any]
) -> None:
    reception.sandbox.requests.clear()
    answer = await reception.assistant.call("list_bookings", practitioner_id="Nobody", **wrong)

    assert answer["code"] == "invalid_arguments"
    assert list(answer["fields"]) == [*wrong]
    assert reception.sandbox.requests == []


async def test_a_write_keeps_to_ids(reception: Reception) -> None:
    answer = await reception.assistant.call(
        "cliniko_write", operation="create_medical_alert", arguments={"patient_id": "Ana Lima", "name": "Latex"}
    )
    assert answer["code"] == "invalid_arguments"
    assert "patient_id must be an id" in answer["message"]
    assert reception.assistant.changes() == []


@pytest.mark.parametrize(
    ("tool", "spelt", "plain"),
    [
        ("list_invoices", {"status": "Paid"}, {"status": "20"}),
        ("list_invoices", {"status": "unpaid", "sort": "-issue_date"}, {"status": "10", "sort": "issue_date:desc"}),
        ("list_bookings", {"invoice_status": "!=open-credit"}, {"invoice_status": "!=40"}),
        ("list_contacts", {"type_code": "doctors"}, {"type_code": "1"}),
        ("list_communications", {"category_code": ["Memo", "letter"]}, {"category_code": "12,5"}),
    ],
)
async def test_the_word_for_a_code_sends_the_code(
    reception: Reception, tool: str, spelt: dict[str, Any], plain: dict[str, Any]
) -> None:
    assert await last_request(reception, tool, **spelt) == await last_request(reception, tool, **plain)


async def test_a_colour_and_a_choice_are_stored_as_cliniko_writes_them() -> None:
    async with in_process() as assistant:
        made = await assistant.call(
            "create_unavailable_block_type", name="Rounds", color="Steel Blue", duration_in_minutes=30
        )
        assert made["item"]["color"] == "#4682b4"
        product = await assistant.first("list_products")
        change = {"product_id": product["id"], "quantity": 2, "adjustment_type": "stock-purchase"}
        stocked = await assistant.call("create_stock_adjustment", **change)
        assert stocked["item"]["adjustment_type"] == "Stock Purchase"


async def test_an_address_that_is_not_https_never_goes_out(reception: Reception) -> None:
    answer = await reception.assistant.call(
        "create_patient_attachment",
        patient_id=reception.id("patients", "Ana Lima"),
        upload_url="http://example.org/file",
        filename="a.pdf",
    )
    assert answer["fields"] == {"upload_url": "must be an https address"}
    assert reception.assistant.changes() == []
