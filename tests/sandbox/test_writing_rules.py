"""What the wire does with writes, roles and limits: points 10 to 22 of the checklist."""

import json
import re
from datetime import timedelta

import pytest

from cliniko_mcp.cliniko import registry
from cliniko_mcp.sandbox.core import Sandbox

from .client import BASE, NOW, Client, body_of, errors, last

NOBODY = "9999999999999999999"


def test_10_archiving_twice_answers_differently(client: Client) -> None:
    made = client.post("/patients", {"first_name": "A", "last_name": "B"})
    answer = client.request("POST", f"/patients/{made['id']}/archive")
    assert (answer.status, answer.body) == (204, b"")
    client.post(f"/patients/{made['id']}/archive", status=404)
    row = client.get(f"/patients/{made['id']}", "archived_at:*")
    assert row["archived_at"] == row["deleted_at"] == "2026-11-23T22:00:00Z"


def test_10_the_deprecated_delete_archives_and_the_true_one_removes(client: Client) -> None:
    patient = client.post("/patients", {"first_name": "A", "last_name": "B"})["id"]
    client.delete(f"/patients/{patient}")
    assert client.get(f"/patients/{patient}", "archived_at:*")["archived_at"]
    tax = client.post("/taxes", {"name": "VAT", "rate": "20"})["id"]
    client.delete(f"/taxes/{tax}")
    client.get(f"/taxes/{tax}", status=404)
    client.delete(f"/taxes/{tax}", status=404)
    kinds = [operation for operation in registry.operations().values() if operation.method == "DELETE"]
    assert [operation.shape for operation in kinds].count("archive") == 15
    assert [operation.shape for operation in kinds].count("delete") == 4


def test_11_three_resources_come_back(client: Client) -> None:
    back = [operation.resource for operation in registry.operations().values() if operation.shape == "unarchive"]
    assert sorted(back) == ["businesses", "patients", "treatment_notes"]
    gone = client.id("patients", "Edith Former")
    shown = client.post(f"/patients/{gone}/unarchive", status=200)
    assert (shown["archived_at"], shown["deleted_at"]) == (None, None)
    assert client.get(f"/patients/{gone}")["label"] == "Edith Former"
    client.post(f"/patients/{gone}/unarchive", status=404)
    made = client.book("2026-11-30T00:00:00Z")
    client.post(f"/individual_appointments/{made['id']}/unarchive", status=404)


def test_12_a_422_has_one_sentence_for_each_field(client: Client) -> None:
    answer = client.post(
        "/patients", {"last_name": " ", "email": "x", "reminder_type": "Post", "title": "x" * 256}, status=422
    )
    assert list(answer) == ["message", "errors"]
    assert errors(answer) == {
        "first_name": "can’t be blank",
        "last_name": "can’t be blank",
        "email": "is invalid",
        "reminder_type": "is not included in the list",
        "title": "is too long (maximum is 255 characters)",
    }


def test_12_whole_records_are_refused_under_base(client: Client) -> None:
    system = client.id("unavailable_block_types", "Public holiday")
    assert set(errors(client.patch(f"/unavailable_block_types/{system}", {"name": "x"}, status=422))) == {"base"}


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/patients", {"first_name", "last_name"}),
        (
            "/individual_appointments",
            {"starts_at", "appointment_type_id", "business_id", "patient_id", "practitioner_id"},
        ),
        ("/group_appointments", {"starts_at", "appointment_type_id", "business_id", "practitioner_id"}),
        ("/unavailable_blocks", {"starts_at", "ends_at", "business_id", "practitioner_id"}),
        ("/availability_blocks", {"starts_at", "ends_at", "business_id", "practitioner_id"}),
        ("/attendees", {"booking_id", "patient_id"}),
        ("/appointment_types", {"name", "color", "duration_in_minutes", "max_attendees"}),
        ("/businesses", {"business_name"}),
        ("/taxes", {"name", "rate"}),
        ("/medical_alerts", {"name", "patient_id"}),
        ("/patient_forms", {"name", "patient_id"}),
        ("/stock_adjustments", {"adjustment_type", "product_id", "quantity"}),
        ("/relationships", {"patient_id", "related_patient_id", "relation"}),
        ("/practitioner_reference_numbers", {"name", "reference_number", "business_id", "practitioner_id"}),
        ("/patient_attachments", {"patient_id", "upload_url"}),
        ("/treatment_note_templates", {"name", "content"}),
        ("/patient_cases", {"name", "patient_id"}),
        ("/products", {"name", "price"}),
        ("/billable_items", {"name", "item_type", "price"}),
        ("/appointment_type_products", {"appointment_type_id", "product_id", "quantity"}),
    ],
)
def test_13_what_is_needed_cannot_be_blank(client: Client, path: str, needed: set[str]) -> None:
    assert errors(client.post(path, {}, status=422)) == dict.fromkeys(needed, "can’t be blank")


def test_13_a_flag_that_is_needed_is_reported_beside_what_is_blank(client: Client) -> None:
    blank = "can’t be blank"
    assert errors(client.post("/treatment_notes", {}, status=422)) == {
        "patient_id": blank,
        "title": blank,
        "draft": "is not included in the list",
    }
    memo = errors(client.post("/communications", {}, status=422))
    assert memo.pop("confidential") == "is not included in the list"
    assert memo == dict.fromkeys(("patient_id", "content", "direction_code", "type_code", "from", "to"), blank)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("duration_in_minutes", 0, "must be greater than or equal to 1"),
        ("duration_in_minutes", 1440, "must be less than or equal to 1439"),
        ("duration_in_minutes", "long", "is not a number"),
        ("duration_in_minutes", True, "is not a number"),
        ("deposit_price", "abc", "is not a number"),
        pytest.param("deposit_price", "1" * 200_000 + "x", "is not a number", id="two hundred thousand digits"),
        ("online_bookings_lead_time_hours", 3, "is not included in the list"),
        ("online_payments_mode", "maybe", "is not included in the list"),
        ("color", "reddish", "is invalid"),
        ("show_in_online_bookings", "yes", "is not included in the list"),
        ("name", None, "can’t be blank"),
        ("business_ids", ["x"], "is invalid"),
    ],
)
def test_13_types_ranges_and_enums(client: Client, field: str, value: object, sentence: str) -> None:
    kind = client.id("appointment_types", "Standard consult")
    assert errors(client.patch(f"/appointment_types/{kind}", {field: value}, status=422)) == {field: sentence}


def test_13_the_wire_knows_codes_and_utc_only(client: Client) -> None:
    made = client.book("2026-11-30T00:00:00Z")
    path = f"/individual_appointments/{made['id']}"
    assert errors(client.patch(f"{path}/cancel", {"cancellation_reason": "sick"}, status=422)) == {
        "cancellation_reason": "is not included in the list"
    }
    assert errors(client.patch(f"{path}/cancel", {"cancellation_reason": 31}, status=422)) == {
        "cancellation_reason": "is not included in the list"
    }
    for moment in ("2026-11-30T11:00", "2026-11-30", "2026-11-30T11:00:00+11:00"):
        refusal = client.patch(path, {"starts_at": moment}, status=400)
        assert refusal == {"message": "Timestamp needs to be in UTC format."}


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:00Z", "0999-12-31T00:00:00Z"])
def test_13_years_that_cannot_be_counted_on_are_refused(client: Client, moment: str) -> None:
    body = client.booking(moment)
    assert errors(client.post("/individual_appointments", body, status=422)) == {"starts_at": "is invalid"}


def test_14_an_id_must_name_a_live_record(client: Client) -> None:
    gone = client.id("patients", "Edith Former")
    retired = client.id("appointment_types", "Hydrotherapy")
    body = client.booking("2026-11-30T00:00:00Z", patient_id=gone, appointment_type_id=retired, business_id=NOBODY)
    wrong = errors(client.post("/individual_appointments", body, status=422))
    assert wrong == dict.fromkeys(("patient_id", "appointment_type_id", "business_id"), "is invalid")
    made = client.book("2026-11-30T00:00:00Z")
    assert "practitioner_id" in errors(
        client.patch(f"/individual_appointments/{made['id']}", {"practitioner_id": NOBODY}, status=422)
    )
    kind = client.id("appointment_types", "Standard consult")
    assert "practitioner_ids" in errors(
        client.patch(f"/appointment_types/{kind}", {"practitioner_ids": [NOBODY]}, status=422)
    )


def test_14_ids_are_read_as_text_or_number_and_never_as_float(client: Client) -> None:
    ana = client.id("patients", "Ana Lima")
    made = client.post("/medical_alerts", {"name": "Latex", "patient_id": int(ana)})
    assert last(made["patient"]) == ana
    body = json.dumps({"name": "Latex", "patient_id": 0}).replace("0}", f"{float(ana)!r}}}").encode()
    assert errors(client.request("POST", "/medical_alerts", body=body).json()) == {"patient_id": "is invalid"}


def test_15_unknown_and_read_only_fields_vanish(client: Client) -> None:
    stray = {
        "id": "1",
        "created_at": "2001-01-01T00:00:00Z",
        "archived_at": "2001-01-01T00:00:00Z",
        "label": "Nobody",
        "shoe_size": 44,
        "patient_phone_numbers": [{"phone_type": "Home", "number": "02 5550 1111", "normalized_number": "1", "x": 1}],
    }
    made = client.post("/patients", {"first_name": "Eve", "last_name": "Park", **stray})
    assert made["id"] != "1" and made["created_at"] == "2026-11-23T22:00:00Z"
    assert (made["archived_at"], made["label"], "shoe_size" in made) == (None, "Eve Park", False)
    assert made["patient_phone_numbers"] == [
        {"phone_type": "Home", "number": "02 5550 1111", "normalized_number": "61255501111"}
    ]
    after = client.patch(f"/patients/{made['id']}", {"archived_at": "2001-01-01T00:00:00Z"})
    assert (after["archived_at"], after["updated_at"]) == (None, made["updated_at"])


def test_16_create_says_where_and_put_is_patch(client: Client) -> None:
    answer = client.request("POST", "/patients", body={"first_name": "A", "last_name": "B", "email": "a@b.example"})
    made = body_of(answer)
    assert (answer.status, answer.headers["Location"]) == (201, f"{BASE}/patients/{made['id']}")
    assert made["links"] == {"self": f"{BASE}/patients/{made['id']}"}
    put = client.request("PUT", f"/patients/{made['id']}", body={"last_name": "C"})
    changed = body_of(put)
    assert (put.status, changed["last_name"], changed["email"]) == (200, "C", "a@b.example")
    assert client.patch(f"/patients/{made['id']}", {"email": None})["email"] is None


def test_17_updated_at_moves_only_on_a_real_change(client: Client) -> None:
    made = client.post("/patients", {"first_name": "A", "last_name": "B"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["created_at"])
    client.sandbox.clock.advance(timedelta(minutes=5))
    assert client.patch(f"/patients/{made['id']}", {"last_name": "B"})["updated_at"] == made["updated_at"]
    assert client.patch(f"/patients/{made['id']}", {"last_name": "C"})["updated_at"] == "2026-11-23T22:05:00Z"


def test_18_links_are_absolute_and_unset_ones_left_out(client: Client) -> None:
    made = client.book("2026-11-30T00:00:00Z")
    assert made["patient"] == {"links": {"self": f"{BASE}/patients/{client.id('patients', 'Ana Lima')}"}}
    assert made["attendees"] == {"links": {"self": f"{BASE}/individual_appointments/{made['id']}/attendees"}}
    assert "patient_case" not in made and "repeated_from" not in made
    assert made["repeats"] is None
    assert "patient_id" not in made
    booking = client.get(f"/bookings/{made['id']}")
    assert booking["links"] == {"self": f"{BASE}/bookings/{made['id']}"}
    assert booking["conflicts"] == made["conflicts"]
    elsewhere = Sandbox(now=NOW, frozen=True, base_url="https://api.au1.cliniko.com/v1")
    assert Client(elsewhere).get("/user")["links"]["self"].startswith("https://api.au1.cliniko.com/v1/users/")


def test_19_decimals_are_normalised_strings_and_totals_numbers(client: Client) -> None:
    made = client.post("/taxes", {"name": "VAT", "rate": 20})
    assert made["rate"] == "20.0"
    assert client.patch(f"/taxes/{made['id']}", {"rate": "7.50"})["rate"] == "7.5"
    item = client.get("/invoice_items")["invoice_items"][0]
    assert isinstance(item["total_including_tax"], float)
    assert isinstance(item["net_price"], str) and "." in item["net_price"]


@pytest.mark.long
def test_20_too_many_requests_in_a_minute_wait_for_the_next(seconds: int = 60) -> None:
    clinic = Sandbox(now=NOW + timedelta(seconds=20), frozen=True, rate_limit=3)
    client, other = Client(clinic), Client(clinic, "receptionist")
    assert [client.request("GET", "/user").status for _ in range(4)] == [200, 200, 200, 429]
    refused = client.request("GET", "/user")
    assert int(refused.headers["X-RateLimit-Reset"]) == int(NOW.timestamp()) + seconds
    assert other.request("GET", "/user").status == 200
    clinic.clock.advance(timedelta(seconds=39))
    assert client.request("GET", "/user").status == 429
    clinic.clock.advance(timedelta(seconds=1))
    assert client.request("GET", "/user").status == 200


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("receptionist", "GET", "/users", 403),
        ("practitioner", "GET", "/users", 403),
        ("administrator", "GET", "/users", 200),
        ("receptionist", "GET", "/user", 200),
        ("bookkeeper", "GET", "/settings", 403),
        ("administrator", "GET", "/settings", 200),
        ("scheduler", "GET", "/settings/public", 200),
        ("receptionist", "GET", "/treatment_notes", 403),
        ("receptionist", "POST", "/treatment_notes", 403),
        ("practitioner", "GET", "/treatment_notes", 200),
        ("scheduler", "GET", "/invoices", 403),
        ("receptionist", "GET", "/invoices", 200),
        ("receptionist", "GET", "/patients", 200),
    ],
)
def test_21_roles_open_doors(sandbox: Sandbox, role: str, method: str, path: str, status: int) -> None:
    answer = Client(sandbox, role).request(method, path)
    assert answer.status == status
    assert status != 403 or answer.body == b""


def test_21_each_key_belongs_to_a_user_of_its_role(sandbox: Sandbox) -> None:
    assert next(iter(sandbox.keys.items())) == ("administrator", "demo-au1")
    for role in sandbox.keys:
        assert Client(sandbox, role).get("/user")["role"] == role


def test_22_services_take_no_q_and_strange_parameters_are_ignored(client: Client) -> None:
    plain = client.get("/services")
    assert client.get("/services", "nonsense:=1")["services"] == plain["services"]
    assert client.get("/patients", color="blue")["total_entries"] == client.get("/patients")["total_entries"]
