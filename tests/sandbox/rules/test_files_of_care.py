"""Communications, invoices and patient cases: points 60, 62 and 63 of the checklist."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cliniko_mcp.sandbox.core import Sandbox
from sandbox.client import Client, errors, last

MEMO: dict[str, object] = {
    "type_code": 3,
    "direction_code": 2,
    "from": "Ana",
    "to": "RequestContext",
    "content": "Will be late",
    "confidential": False,
}


def test_60_what_is_written_is_a_memo(client: Client, ana: str) -> None:
    made = client.post("/communications", {"patient_id": ana, **MEMO})
    assert (made["category_code"], made["category"]) == (12, "Memo")
    assert (made["type"], made["direction_description"]) == ("Phone call", "Received")
    assert "content_subject" not in made
    path = f"/communications/{made['id']}"
    changed = client.patch(path, {"type_code": 1, "direction_code": 1, "category_code": None})
    assert (changed["type"], changed["direction_description"], changed["category"]) == ("SMS", "Sent", "Memo")
    client.post(f"{path}/archive", status=204)
    client.get(path, status=404)
    for category in (1, 3):
        wrong = client.post("/communications", {"patient_id": ana, **MEMO, "category_code": category}, 422)
        assert set(errors(wrong)) == {"category_code"}


@pytest.mark.parametrize("field", [*MEMO, "patient_id"])
def test_60_a_memo_needs_all_its_fields(client: Client, ana: str, field: str) -> None:
    body = {"patient_id": ana, **MEMO}
    del body[field]
    assert set(errors(client.post("/communications", body, 422))) == {field}


@pytest.mark.parametrize(
    ("kind", "category", "words"), [(1, 8, "Reply from Patient"), (2, 4, "Appointment Confirmation")]
)
def test_60_messages_that_were_sent_are_read_only(
    sandbox: Sandbox, client: Client, ana: str, kind: int, category: int, words: str
) -> None:
    row: dict[str, Any] = {"patient_id": ana, "type_code": kind, "category_code": category, "direction_code": 1}
    message = sandbox.context.insert("communications", {**row, "content": "Hello", "content_subject": "Yours"})
    path = f"/communications/{message['id']}"
    shown = client.get(path)
    assert shown["category"] == words
    assert "confidential" not in shown
    assert ("content_subject" in shown) is (kind == 2)
    assert set(errors(client.patch(path, {"content": "Forged"}, 422))) == {"base"}
    assert set(errors(client.post(f"{path}/archive", status=422))) == {"base"}
    assert client.get(path) == shown
    assert client.get("/communications", f"category_code:={category}", f"type_code:={kind}")["total_entries"] == 1


@pytest.mark.long
def test_62_every_invoice_is_the_sum_of_its_lines(client: Client) -> None:
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in client.rows("/invoice_items"):
        lines.setdefault(last(line["invoice"]), []).append(line)
        net, tax = Decimal(line["net_price"]), Decimal(line["tax_amount"])
        assert isinstance(line["total_including_tax"], int | float)
        assert abs(net + tax - Decimal(str(line["total_including_tax"]))) < Decimal("0.005")
    for invoice in client.rows("/invoices"):
        net, tax = Decimal(invoice["net_amount"]), Decimal(invoice["tax_amount"])
        assert net + tax == Decimal(invoice["total_amount"])
        assert net == sum(Decimal(line["net_price"]) for line in lines[invoice["id"]])
        assert tax == sum(Decimal(line["tax_amount"]) for line in lines[invoice["id"]])


@pytest.mark.long
def test_62_all_four_states_occur_and_visits_show_theirs(client: Client) -> None:
    invoices = client.rows("/invoices")
    words = {(row["status"], row["status_description"]) for row in invoices}
    assert words == {(10, "Open"), (20, "Paid"), (30, "Closed"), (40, "Open credit")}
    attendees = {row["id"]: row for row in client.rows("/attendees", "archived_at:*", "cancelled_at:*")}
    for row in invoices:
        if "original_invoice" not in row and "attendee" in row:
            assert attendees[last(row["attendee"])]["invoice_status"] == row["status"]
        assert (row["closed_at"] is not None) == (row["status"] in (20, 30))
    billed = {last(row["attendee"]) for row in invoices if "attendee" in row}
    assert {row_id for row_id, row in attendees.items() if row["invoice_status"] is not None} <= billed


@pytest.mark.long
def test_62_a_reversal_takes_back_what_its_original_asked(client: Client) -> None:
    reversals = [row for row in client.rows("/invoices") if "original_invoice" in row]
    assert reversals
    for row in reversals:
        original = client.get(f"/invoices/{last(row['original_invoice'])}")
        assert Decimal(row["total_amount"]) == -Decimal(original["total_amount"])
        link = original["reversed_invoices"]["links"]["self"]
        assert link.endswith(f"/invoices?q%5B%5D=invoice_id%3A%3D{original['id']}")
        assert [invoice["id"] for invoice in client.rows("/invoices", f"invoice_id:={original['id']}")] == [row["id"]]


@pytest.mark.long
def test_62_invoices_are_only_read(client: Client) -> None:
    invoice = client.rows("/invoices")[0]["id"]
    line = client.rows(f"/invoices/{invoice}/invoice_items")[0]["id"]
    for method, path in (
        ("POST", "/invoices"),
        ("PATCH", f"/invoices/{invoice}"),
        ("DELETE", f"/invoices/{invoice}"),
        ("POST", f"/invoices/{invoice}/archive"),
        ("POST", "/invoice_items"),
        ("PATCH", f"/invoice_items/{line}"),
    ):
        assert client.request(method, path, body={"notes": "x"}).status == 404


def case(client: Client, patient: str, status: int = 201, **more: object) -> Any:
    return client.post("/patient_cases", {"name": "Knee", "patient_id": patient, **more}, status)


def visit(client: Client, starts_at: str, **more: object) -> tuple[str, str]:
    booking = client.book(starts_at, **more)["id"]
    return booking, client.get("/attendees", f"booking_id:={booking}")["attendees"][0]["id"]


def test_63_closing_is_written_one_way_and_remembered_the_other(sandbox: Sandbox, client: Client, ana: str) -> None:
    made = case(client, ana)
    path = f"/patient_cases/{made['id']}"
    assert (made["closed"], made["closed_at"]) == (False, None)
    closed = client.patch(path, {"closed": True, "closed_at": "2020-01-01T00:00:00Z"})
    assert (closed["closed"], closed["closed_at"]) == (True, "2026-11-23T22:00:00Z")
    sandbox.clock.advance(timedelta(days=1))
    assert client.patch(path, {"closed": True, "notes": "x"})["closed_at"] == "2026-11-23T22:00:00Z"
    assert client.patch(path, {"closed": False})["closed_at"] is None


def test_63_active_cases_are_neither_closed_nor_past_their_last_day(client: Client, ana: str) -> None:
    today = case(client, ana, expiry_date="2026-11-24")["id"]
    endless = case(client, ana)["id"]
    case(client, ana, expiry_date="2026-11-23")
    case(client, ana, closed=True)
    gone = case(client, ana)["id"]
    client.post(f"/patient_cases/{gone}/archive", status=204)
    assert [row["id"] for row in client.rows("/patient_cases/active")] == [today, endless]
    assert client.get("/patient_cases/active", "expiry_date:?")["total_entries"] == 1
    assert client.get("/patient_cases")["total_entries"] == 4


@pytest.mark.parametrize(("sessions", "right"), [(1, True), (200, True), (0, False), (201, False)])
def test_63_sessions_and_money_have_their_limits(client: Client, ana: str, sessions: int, right: bool) -> None:
    made = case(client, ana, 201 if right else 422, max_sessions=sessions)
    assert made["max_sessions"] == sessions if right else set(errors(made)) == {"max_sessions"}
    assert set(errors(case(client, ana, 422, max_invoiceable_amount="0"))) == {"max_invoiceable_amount"}
    assert set(errors(case(client, ana, 422, referral_type="epc"))) == {"referral_type"}


def test_63_the_contact_is_a_doctor(client: Client, ana: str) -> None:
    gp = client.post("/contacts", {"first_name": "Ida", "type_code": 1})["id"]
    payer = client.post("/contacts", {"company_name": "Acme Cover", "type_code": 2})["id"]
    assert last(case(client, ana, contact_id=gp)["contact"]) == gp
    assert errors(case(client, ana, 422, contact_id=payer)) == {"contact_id": "is invalid"}


def test_63_the_visits_that_are_sent_are_those_that_count(client: Client, ana: str) -> None:
    one, two, three = (visit(client, f"2026-12-0{day}T22:00:00Z") for day in (1, 2, 3))
    made = case(client, ana, attendee_ids=[one[1], two[1]])
    path = f"/patient_cases/{made['id']}"
    assert set(made["attendee_ids"]) == {one[1], two[1]}
    assert last(client.get(f"/individual_appointments/{one[0]}")["patient_case"]) == made["id"]
    assert set(client.patch(path, {"attendee_ids": [two[1], three[1]]})["attendee_ids"]) == {two[1], three[1]}
    assert "patient_case" not in client.get(f"/attendees/{one[1]}")
    assert "patient_case" not in client.get(f"/individual_appointments/{one[0]}")
    assert {row["id"] for row in client.rows(f"{path}/attendees")} == {two[1], three[1]}
    assert {row["id"] for row in client.rows(f"{path}/bookings")} == {two[0], three[0]}
    client.patch(f"/attendees/{one[1]}", {"patient_case_id": made["id"]})
    assert set(client.get(path)["attendee_ids"]) == {one[1], two[1], three[1]}
    assert client.patch(path, {"notes": "x"})["attendee_ids"] == client.get(path)["attendee_ids"]
    assert client.patch(path, {"attendee_ids": []})["attendee_ids"] == []


def test_63_visits_cases_and_papers_are_of_one_patient(client: Client, ana: str, ben: str) -> None:
    booking, attendee = visit(client, "2026-12-01T22:00:00Z", patient_id=ben)
    assert errors(case(client, ana, 422, attendee_ids=[attendee])) == {"attendee_ids": "is invalid"}
    wrong = {"patient_case_id": case(client, ana)["id"]}
    for path in (f"/attendees/{attendee}", f"/individual_appointments/{booking}"):
        assert errors(client.patch(path, wrong, 422)) == {"patient_case_id": "is invalid"}


@pytest.mark.long
def test_63_the_invoices_of_a_case_are_those_of_its_visits(client: Client) -> None:
    invoice = next(row for row in client.rows("/invoices") if "original_invoice" not in row)
    attendee = last(invoice["attendee"])
    patient = last(invoice["patient"])
    made = case(client, patient, attendee_ids=[attendee])
    found = client.rows(f"/patient_cases/{made['id']}/invoices")
    assert invoice["id"] in {row["id"] for row in found}
    assert {last(row["attendee"]) for row in found} == {attendee}
    assert client.rows(f"/patient_cases/{case(client, patient)['id']}/invoices") == []
    client.get("/patient_cases/999/invoices", status=404)
