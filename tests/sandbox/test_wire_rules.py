"""The wire, by the numbers of the checklist (api.md section 6, A)."""

import json
import re
from base64 import b64encode
from datetime import timedelta

import pytest

from cliniko_mcp import registry
from cliniko_mcp.sandbox.core import Sandbox

from .front import BASE, NOW, Front, body_of, errors, last

NOBODY = "9999999999999999999"


def test_01_a_wrong_key_gets_plain_text_and_any_password_will_do(desk: Front) -> None:
    wrong = desk.ask("GET", "/user", authorization="Basic " + b64encode(b"nope-au1:").decode())
    assert (wrong.status, wrong.body) == (401, b"HTTP Basic: Access denied.\n")
    assert wrong.headers["Content-Type"].startswith("text/plain")
    for header in (None, "Bearer demo-au1", "Basic %%%", "Basic "):
        assert desk.ask("GET", "/user", authorization=header).status == 401
    assert desk.ask("GET", "/user", authorization="Basic " + b64encode(b"demo-au1:secret").decode()).status == 200
    assert desk.ask("GET", "/user", authorization="Basic " + b64encode(b"demo:").decode()).status == 200


def test_01_a_key_at_the_wrong_shard_is_as_good_as_none(desk: Front) -> None:
    assert desk.ask("GET", "/user", host="api.uk1.cliniko.com").status == 401
    assert desk.ask("GET", "/user", host="api.au1.cliniko.com").status == 200
    assert desk.ask("GET", "/user", host="127.0.0.1:8123").status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing_here"),
        ("DELETE", "/practitioners/1"),
        ("POST", "/users"),
        ("GET", "/patients/abc"),
        ("GET", "/patients/1%2F..%2Fusers"),
        ("GET", "/patients/123456789012345678901"),
        ("POST", "/invoices"),
        ("OPTIONS", "/patients"),
        ("GET", "/patients/1/archive"),
    ],
)
def test_02_what_is_not_routed_is_404(desk: Front, method: str, path: str) -> None:
    answer = desk.ask(method, path)
    assert (answer.status, answer.json()) == (404, {"status": "404", "error": "Not Found"})


def test_02_a_request_without_user_agent_is_refused(desk: Front) -> None:
    for agent in (None, "", "  "):
        answer = desk.ask("GET", "/user", user_agent=agent)
        assert answer.status == 400
        assert "User-Agent" in body_of(answer)["message"]


def test_02_only_json_is_read(desk: Front) -> None:
    form = desk.ask(
        "POST", "/patients", body=b"first_name=A&last_name=B", content_type="application/x-www-form-urlencoded"
    )
    assert set(errors(form.json())) == {"first_name", "last_name"}


@pytest.mark.parametrize(
    "body",
    [
        b"{first",
        b"[1]",
        b'"name"',
        b"null",
        b'{"first_name": NaN, "last_name": "B"}',
        b'{"first_name": "\xff", "last_name": "B"}',
        b'\xef\xbb\xbf{"first_name": "A", "last_name": "B"}',
        b'{"first_name": "A", "last_name": "B", "notes": "\\ud800"}',
        b'{"first_name": ' + b"9" * 5000 + b', "last_name": "B"}',
        b'{"first_name": "A", "last_name": "B", "custom_fields": {"sections": ' + b"[" * 900 + b"]" * 900 + b"}}",
        b"[" * 200_000,
    ],
    ids=lambda body: body[:45].decode("latin-1"),
)
def test_02_what_is_no_json_object_is_400_and_changes_nothing(desk: Front, body: bytes) -> None:
    before = desk.get("/patients")["total_entries"]
    refused = desk.ask("POST", "/patients", body=body)
    assert refused.status == 400 and "JSON" in body_of(refused)["message"]
    assert desk.get("/patients")["total_entries"] == before


def test_02_json_keeps_any_text_and_the_last_of_two_keys(desk: Front) -> None:
    sent = (
        '{"first_name": "Eve", "first_name": "\\ud83d\\ude00 Zoë", "last_name": "שלום", "notes": "' + "[" * 300 + '"}'
    )
    made = body_of(desk.ask("POST", "/patients", body=sent.encode(), content_type="Application/JSON; charset=UTF-8"))
    assert made["label"] == "😀 Zoë שלום" and made["notes"] == "[" * 300


def test_03_ids_are_long_digit_strings_in_one_space(desk: Front) -> None:
    seen: list[str] = []
    for name, operation in registry.operations().items():
        top = operation.listing and not operation.path_ids and not operation.deprecated
        if top and operation.path.count("/") == 1 and operation.resource not in ("bookings", "services"):
            seen += [row["id"] for row in desk.rows(operation.path)]
            assert name
    assert len(seen) == len(set(seen)) > 1000
    assert all(isinstance(row_id, str) and row_id.isdigit() for row_id in seen)
    made = desk.book("2026-11-30T00:00:00Z")
    assert len(made["id"]) == 19
    assert desk.get(f"/bookings/{made['id']}")["starts_at"] == made["starts_at"]
    assert int(made["id"]) != int(float(made["id"]))  # a double would have lost it


def test_04_the_envelope_and_its_links(desk: Front) -> None:
    first = desk.get("/patients", "last_name:?", per_page=2, sort="id")
    assert list(first) == ["patients", "total_entries", "links"]
    total = first["total_entries"]
    assert set(first["links"]) == {"self", "next"}
    assert first["links"]["self"] == f"{BASE}/patients?q%5B%5D=last_name%3A%3F&per_page=2&sort=id&page=1"
    assert first["links"]["next"].endswith("per_page=2&sort=id&page=2")
    final = desk.get("/patients", "last_name:?", per_page=2, sort="id", page=-(-total // 2))
    assert set(final["links"]) == {"self", "previous"}
    assert 1 <= len(final["patients"]) <= 2
    beyond = desk.get("/patients", per_page=2, page=999)
    assert (beyond["patients"], beyond["total_entries"] > 0, "next" in beyond["links"]) == ([], True, False)


def test_04_pages_are_of_fifty_and_at_most_a_hundred(desk: Front) -> None:
    assert len(desk.get("/bookings")["bookings"]) == 50
    assert len(desk.get("/bookings", per_page=500)["bookings"]) == 100
    assert len(desk.get("/bookings", per_page=0)["bookings"]) == 1
    assert len(desk.get("/bookings", per_page=100)["bookings"]) == 100
    assert desk.get("/bookings", page=0)["links"]["self"].endswith("page=1")


@pytest.mark.parametrize(
    ("given", "size"),
    [("100", 100), ("101", 100), ("9" * 30, 100), ("-9", 1), ("-" + "9" * 30, 1), ("0", 1), ("007", 7)]
    + [(text, 50) for text in ("", "ten", "1.5", "--5", "5-", "1e2", "٢", "２", "+5", " 5")],
)
def test_04_a_size_out_of_range_is_clamped_and_one_that_is_no_number_ignored(
    desk: Front, given: str, size: int
) -> None:
    assert len(desk.get("/bookings", per_page=given)["bookings"]) == size
    number = int(given) if size != 50 and int(given) > 0 else 1
    shown = desk.get("/taxes", page=given)
    assert shown["links"]["self"].endswith(f"page={str(number)[:9]}")
    assert bool(shown["taxes"]) is (number == 1) and shown["total_entries"] == 2


def test_04_pages_together_are_the_list_without_doubles(desk: Front) -> None:
    rows = desk.rows("/attendees", per_page=37)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids) == desk.get("/attendees")["total_entries"]


@pytest.mark.parametrize(
    "path", ["/practitioners/inactive", "/patients/{ana}/treatment_notes", "/patient_cases/active"]
)
def test_04_the_key_is_the_plural_on_every_route(desk: Front, path: str) -> None:
    answer = desk.get(path.format(ana=desk.id("patients", "Ana Lima")))
    plural = {"inactive": "practitioners", "active": "patient_cases"}.get(path.rsplit("/", 1)[-1], "treatment_notes")
    assert next(iter(answer)) == plural


def test_05_the_default_order_is_by_creation_then_id(desk: Front) -> None:
    rows = desk.rows("/individual_appointments")
    keys = [(row["created_at"], int(row["id"])) for row in rows]
    assert keys == sorted(keys)
    assert keys != sorted(keys, key=lambda key: key[1])


def test_05_ties_are_broken_by_the_number_of_an_id(desk: Front) -> None:
    store = desk.sandbox.desk.store
    for row_id in tuple(store.table("medical_alerts").rows):
        store.remove("medical_alerts", row_id)
    for row_id in ("1000", "998", "2000000000000000000"):
        stamps = {"created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z"}
        store.put("medical_alerts", {"id": row_id, "name": "Latex", **stamps})
    assert [row["id"] for row in desk.rows("/medical_alerts")] == ["998", "1000", "2000000000000000000"]
    assert [row["id"] for row in desk.rows("/medical_alerts", order="desc")] == ["998", "1000", "2000000000000000000"]


def test_05_sorting_takes_several_columns_each_with_its_direction(desk: Front) -> None:
    rows = desk.rows("/patients", sort="sex:desc,first_name")
    known = [(row["sex"], row["first_name"].casefold()) for row in rows if row["sex"]]
    assert known == sorted(sorted(known, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    assert len({sex for sex, _ in known}) == 2
    assert rows[0]["sex"] is None  # null first when descending
    assert desk.rows("/patients", sort="sex")[-1]["sex"] is None


def test_05_order_speaks_only_where_sort_is_silent(desk: Front) -> None:
    newest = desk.get("/patients", order="desc")["patients"]
    assert newest[0]["created_at"] > newest[-1]["created_at"]
    names = [row["first_name"] for row in desk.rows("/patients", "last_name:~a", sort="first_name:asc", order="desc")]
    assert names == sorted(names, key=str.casefold)
    falling = [row["first_name"] for row in desk.rows("/patients", "last_name:~a", sort="first_name", order="desc")]
    assert falling == names[::-1]


@pytest.mark.parametrize(
    "sort", ["shoe_size", "first_name:sideways", "patient_phone_numbers", "first_name,,last_name", "q"]
)
def test_05_an_unknown_column_is_400(desk: Front, sort: str) -> None:
    assert desk.get("/patients", sort=sort, status=400) == {"message": "Sort parameter must be a valid column name"}


def test_05_numbers_sort_as_numbers(desk: Front) -> None:
    ids = [int(row["id"]) for row in desk.rows("/patients", sort="id")]
    assert ids == sorted(ids)
    assert len(str(ids[0])) < len(str(ids[-1]))
    amounts = [float(row["total_amount"]) for row in desk.rows("/invoices", sort="total_amount:desc")]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] < 0


def _names(desk: Front, *filters: str) -> set[str]:
    return {row["label"] for row in desk.rows("/patients", *filters)}


def test_06_filters_of_every_family(desk: Front) -> None:
    everyone = _names(desk)
    ana, ben = desk.id("patients", "Ana Lima"), desk.id("patients", "Ben Adeyemi")
    assert _names(desk, f"id:={ana},{ben}") == {"Ana Lima", "Ben Adeyemi"}
    assert _names(desk, f"id:!={ana}") == everyone - {"Ana Lima"}
    assert _names(desk, "id:<5000") == {"Ben Adeyemi"}
    assert _names(desk, "last_name:=kim") == {"Daniel Kim", "Daniela Kim"}
    assert _names(desk, "last_name:=kim", "first_name:!=Daniel") == {"Daniela Kim"}
    assert _names(desk, "first_name:~anie") == {"Daniel Kim", "Daniela Kim"}
    assert _names(desk, "first_name:~~%a", "last_name:~~k%") == {"Daniela Kim", "Uma Krishnan"}
    assert _names(desk, "last_name:!?", "archived_at:*") == {"Walk-in", "Indra", None}
    assert _names(desk, "last_name:?") == everyone - {"Indra"}
    assert _names(desk, "email:!?") == everyone - _names(desk, "email:?") != set()
    assert _names(desk, "date_of_birth:=1984-03-17") == {"Ana Lima"}
    assert _names(desk, "date_of_birth:=****-02-29") == {"Siobhán O'Brien"}
    assert _names(desk, "date_of_birth:<=1944-06-06") == {"Henry Example"}
    assert _names(desk, "date_of_birth:>2010-04-01") == {"Oliver Sample"}
    assert _names(desk, "last_name:~a%e") == _names(desk, "last_name:~~%a%e%") != everyone
    assert _names(desk, "last_name:~.") == set()  # nothing but % is a pattern
    assert _names(desk, "email:!=ANA.LIMA@mail.example") == _names(desk, "email:?") - {
        "Ana Lima"
    }  # null is not unequal


def test_06_flags_arrays_and_instants(desk: Front) -> None:
    missed = desk.rows("/individual_appointments", "did_not_arrive:=true")
    assert missed and all(row["did_not_arrive"] for row in missed)
    ana = desk.id("patients", "Ana Lima")
    held = desk.rows("/bookings", f"patient_ids:~{ana}")
    assert len(held) == 4
    assert {last(row["patient"]) for row in held} == {ana}
    low, high = "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z"
    inside = desk.rows("/bookings", f"starts_at:>={low}", f"starts_at:<{high}")
    assert inside and all(low <= row["starts_at"] < high for row in inside)
    exact = inside[0]["starts_at"]
    assert exact in {row["starts_at"] for row in desk.rows("/bookings", f"starts_at:<={exact}")}
    assert exact not in {row["starts_at"] for row in desk.rows("/bookings", f"starts_at:<{exact}")}
    assert exact not in {row["starts_at"] for row in desk.rows("/bookings", f"starts_at:>{exact}")}


def test_06_a_single_q_is_read_too(desk: Front) -> None:
    assert desk.get("/patients", q="first_name:=Ana")["total_entries"] == 1


@pytest.mark.parametrize(
    "text", ["first_name", "first_name:Ana", "first_name:>A", "first_name:?x", "accepted_privacy_policy:?"]
)
def test_06_what_is_no_filter_is_400(desk: Front, text: str) -> None:
    assert "message" in desk.get("/patients", text, status=400)


def test_07_every_list_filters_by_its_own_fields_only(desk: Front) -> None:
    assert desk.get("/patients", "phone:=1", status=400) == {"message": "phone is not filterable"}
    assert desk.get("/patients", "deleted_at:?", status=400) == {"message": "deleted_at is not filterable"}
    business = desk.id("businesses", "Northside")
    path = f"/businesses/{business}/daily_availabilities"
    assert desk.get(path, f"business_id:={business}", status=400) == {"message": "business_id is not filterable"}
    assert desk.get("/daily_availabilities", f"business_id:={business}")["total_entries"] > 0


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24",
        "2026-11-24T00:00:00",
        "2026-11-24T00:00:00+10:00",
        "2026-11-24T00:00:00+00:00",
        "2026-02-30T00:00:00Z",
    ],
)
def test_08_an_instant_must_end_in_a_literal_z(desk: Front, value: str) -> None:
    refusal = {"message": "Timestamp needs to be in UTC format."}
    assert desk.get("/bookings", f"starts_at:>{value}", status=400) == refusal


def test_08_an_instant_knows_no_equals_and_a_number_no_text(desk: Front) -> None:
    assert "message" in desk.get("/bookings", "starts_at:=2026-11-24T00:00:00Z", status=400)
    wanted = {"message": "Filter value for id must be a number"}
    assert desk.get("/patients", "id:=abc", status=400) == wanted
    assert desk.get("/patients", "id:=1,x", status=400) == wanted
    assert desk.get("/bookings", "patient_ids:~x", status=400) == {
        "message": "Filter value for patient_ids must be a number"
    }


def test_09_hidden_rows_stay_out_unless_asked_for(desk: Front) -> None:
    gone = desk.id("patients", "Edith Former")
    assert "Edith Former" not in _names(desk)
    assert desk.get(f"/patients/{gone}", status=404)["error"] == "Not Found"
    assert desk.get(f"/patients/{gone}", "archived_at:*")["label"] == "Edith Former"
    assert desk.get(f"/patients/{gone}", "archived_at:?")["label"] == "Edith Former"
    hidden = {"Edith Former", "Anna Lima", "Olly Sample", "Walk-in", None}
    assert _names(desk, "archived_at:?") == hidden
    assert _names(desk, "archived_at:*") == _names(desk) | hidden
    assert _names(desk, "archived_at:!?") == _names(desk)
    assert _names(desk, "archived_at:>2026-09-10T00:00:00Z") == {"Anna Lima", "Walk-in"}
    live = desk.id("patients", "Ana Lima")
    desk.get(f"/patients/{live}", "archived_at:?", status=404)


def test_09_cancelled_and_archived_are_asked_for_apart(desk: Front) -> None:
    cancelled = desk.rows("/individual_appointments", "cancelled_at:?")
    assert cancelled and all(row["cancelled_at"] for row in cancelled)
    made = desk.book("2026-11-30T00:00:00Z")
    desk.post(f"/individual_appointments/{made['id']}/archive", status=204)
    assert made["id"] not in {row["id"] for row in desk.rows("/individual_appointments", "cancelled_at:*")}
    for stamp in ("archived_at", "deleted_at"):
        assert made["id"] in {row["id"] for row in desk.rows("/individual_appointments", f"{stamp}:*")}
    desk.get(f"/individual_appointments/{cancelled[0]['id']}", "archived_at:*", status=404)
    desk.get(f"/bookings/{cancelled[0]['id']}", "cancelled_at:*")


def test_09_other_filters_on_a_read_are_400(desk: Front) -> None:
    ana = desk.id("patients", "Ana Lima")
    assert desk.get(f"/patients/{ana}", "first_name:=Ana", status=400) == {"message": "first_name is not filterable"}


def test_10_archiving_twice_answers_differently(desk: Front) -> None:
    made = desk.post("/patients", {"first_name": "A", "last_name": "B"})
    answer = desk.ask("POST", f"/patients/{made['id']}/archive")
    assert (answer.status, answer.body) == (204, b"")
    desk.post(f"/patients/{made['id']}/archive", status=404)
    row = desk.get(f"/patients/{made['id']}", "archived_at:*")
    assert row["archived_at"] == row["deleted_at"] == "2026-11-23T22:00:00Z"


def test_10_the_deprecated_delete_archives_and_the_true_one_removes(desk: Front) -> None:
    patient = desk.post("/patients", {"first_name": "A", "last_name": "B"})["id"]
    desk.delete(f"/patients/{patient}")
    assert desk.get(f"/patients/{patient}", "archived_at:*")["archived_at"]
    tax = desk.post("/taxes", {"name": "VAT", "rate": "20"})["id"]
    desk.delete(f"/taxes/{tax}")
    desk.get(f"/taxes/{tax}", status=404)
    desk.delete(f"/taxes/{tax}", status=404)
    kinds = [each for each in registry.operations().values() if each.method == "DELETE"]
    assert [each.shape for each in kinds].count("archive") == 15
    assert [each.shape for each in kinds].count("delete") == 4


def test_11_three_resources_come_back(desk: Front) -> None:
    back = [each.resource for each in registry.operations().values() if each.shape == "unarchive"]
    assert sorted(back) == ["businesses", "patients", "treatment_notes"]
    gone = desk.id("patients", "Edith Former")
    shown = desk.post(f"/patients/{gone}/unarchive", status=200)
    assert (shown["archived_at"], shown["deleted_at"]) == (None, None)
    assert desk.get(f"/patients/{gone}")["label"] == "Edith Former"
    desk.post(f"/patients/{gone}/unarchive", status=404)
    made = desk.book("2026-11-30T00:00:00Z")
    desk.post(f"/individual_appointments/{made['id']}/unarchive", status=404)


def test_12_a_422_has_one_sentence_for_each_field(desk: Front) -> None:
    answer = desk.post(
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


def test_12_whole_records_are_refused_under_base(desk: Front) -> None:
    system = desk.id("unavailable_block_types", "Public holiday")
    assert set(errors(desk.patch(f"/unavailable_block_types/{system}", {"name": "x"}, status=422))) == {"base"}


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
def test_13_what_is_needed_cannot_be_blank(desk: Front, path: str, needed: set[str]) -> None:
    assert errors(desk.post(path, {}, status=422)) == dict.fromkeys(needed, "can’t be blank")


def test_13_a_flag_that_is_needed_is_said_beside_what_is_blank(desk: Front) -> None:
    blank = "can’t be blank"
    assert errors(desk.post("/treatment_notes", {}, status=422)) == {
        "patient_id": blank,
        "title": blank,
        "draft": "is not included in the list",
    }
    memo = errors(desk.post("/communications", {}, status=422))
    assert memo.pop("confidential") == "is not included in the list"
    assert memo == dict.fromkeys(("patient_id", "content", "direction_code", "type_code", "from", "to"), blank)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("duration_in_minutes", 0, "must be greater than or equal to 1"),
        ("duration_in_minutes", 1440, "must be less than or equal to 1439"),
        ("duration_in_minutes", "long", "is not a number"),
        ("duration_in_minutes", True, "is not a number"),
        ("online_bookings_lead_time_hours", 3, "is not included in the list"),
        ("online_payments_mode", "maybe", "is not included in the list"),
        ("color", "red", "is invalid"),
        ("show_in_online_bookings", "yes", "is not included in the list"),
        ("name", None, "can’t be blank"),
        ("business_ids", ["x"], "is invalid"),
    ],
)
def test_13_types_ranges_and_enums(desk: Front, field: str, value: object, sentence: str) -> None:
    kind = desk.id("appointment_types", "Standard consult")
    assert errors(desk.patch(f"/appointment_types/{kind}", {field: value}, status=422)) == {field: sentence}


def test_13_the_wire_knows_codes_and_utc_only(desk: Front) -> None:
    made = desk.book("2026-11-30T00:00:00Z")
    path = f"/individual_appointments/{made['id']}"
    assert errors(desk.patch(f"{path}/cancel", {"cancellation_reason": "sick"}, status=422)) == {
        "cancellation_reason": "is not included in the list"
    }
    assert errors(desk.patch(f"{path}/cancel", {"cancellation_reason": 31}, status=422)) == {
        "cancellation_reason": "is not included in the list"
    }
    for moment in ("2026-11-30T11:00", "2026-11-30", "2026-11-30T11:00:00+11:00"):
        refusal = desk.patch(path, {"starts_at": moment}, status=400)
        assert refusal == {"message": "Timestamp needs to be in UTC format."}


def test_14_an_id_must_name_a_live_record(desk: Front) -> None:
    gone = desk.id("patients", "Edith Former")
    retired = desk.id("appointment_types", "Hydrotherapy")
    body = desk.booking("2026-11-30T00:00:00Z", patient_id=gone, appointment_type_id=retired, business_id=NOBODY)
    wrong = errors(desk.post("/individual_appointments", body, status=422))
    assert wrong == dict.fromkeys(("patient_id", "appointment_type_id", "business_id"), "is invalid")
    made = desk.book("2026-11-30T00:00:00Z")
    assert "practitioner_id" in errors(
        desk.patch(f"/individual_appointments/{made['id']}", {"practitioner_id": NOBODY}, status=422)
    )
    kind = desk.id("appointment_types", "Standard consult")
    assert "practitioner_ids" in errors(
        desk.patch(f"/appointment_types/{kind}", {"practitioner_ids": [NOBODY]}, status=422)
    )


def test_14_ids_are_read_as_text_or_number_and_never_as_float(desk: Front) -> None:
    ana = desk.id("patients", "Ana Lima")
    made = desk.post("/medical_alerts", {"name": "Latex", "patient_id": int(ana)})
    assert last(made["patient"]) == ana
    body = json.dumps({"name": "Latex", "patient_id": 0}).replace("0}", f"{float(ana)!r}}}").encode()
    assert errors(desk.ask("POST", "/medical_alerts", body=body).json()) == {"patient_id": "is invalid"}


def test_15_unknown_and_read_only_fields_vanish(desk: Front) -> None:
    stray = {
        "id": "1",
        "created_at": "2001-01-01T00:00:00Z",
        "archived_at": "2001-01-01T00:00:00Z",
        "label": "Nobody",
        "shoe_size": 44,
        "patient_phone_numbers": [{"phone_type": "Home", "number": "02 5550 1111", "normalized_number": "1", "x": 1}],
    }
    made = desk.post("/patients", {"first_name": "Eve", "last_name": "Park", **stray})
    assert made["id"] != "1" and made["created_at"] == "2026-11-23T22:00:00Z"
    assert (made["archived_at"], made["label"], "shoe_size" in made) == (None, "Eve Park", False)
    assert made["patient_phone_numbers"] == [
        {"phone_type": "Home", "number": "02 5550 1111", "normalized_number": "61255501111"}
    ]
    after = desk.patch(f"/patients/{made['id']}", {"archived_at": "2001-01-01T00:00:00Z"})
    assert (after["archived_at"], after["updated_at"]) == (None, made["updated_at"])


def test_16_create_says_where_and_put_is_patch(desk: Front) -> None:
    answer = desk.ask("POST", "/patients", body={"first_name": "A", "last_name": "B", "email": "a@b.example"})
    made = body_of(answer)
    assert (answer.status, answer.headers["Location"]) == (201, f"{BASE}/patients/{made['id']}")
    assert made["links"] == {"self": f"{BASE}/patients/{made['id']}"}
    put = desk.ask("PUT", f"/patients/{made['id']}", body={"last_name": "C"})
    changed = body_of(put)
    assert (put.status, changed["last_name"], changed["email"]) == (200, "C", "a@b.example")
    assert desk.patch(f"/patients/{made['id']}", {"email": None})["email"] is None


def test_17_updated_at_moves_only_on_a_real_change(desk: Front) -> None:
    made = desk.post("/patients", {"first_name": "A", "last_name": "B"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["created_at"])
    desk.sandbox.clock.advance(timedelta(minutes=5))
    assert desk.patch(f"/patients/{made['id']}", {"last_name": "B"})["updated_at"] == made["updated_at"]
    assert desk.patch(f"/patients/{made['id']}", {"last_name": "C"})["updated_at"] == "2026-11-23T22:05:00Z"


def test_18_links_are_absolute_and_unset_ones_left_out(desk: Front) -> None:
    made = desk.book("2026-11-30T00:00:00Z")
    assert made["patient"] == {"links": {"self": f"{BASE}/patients/{desk.id('patients', 'Ana Lima')}"}}
    assert made["attendees"] == {"links": {"self": f"{BASE}/individual_appointments/{made['id']}/attendees"}}
    assert "patient_case" not in made and "repeated_from" not in made
    assert made["repeats"] is None
    assert "patient_id" not in made
    booking = desk.get(f"/bookings/{made['id']}")
    assert booking["links"] == {"self": f"{BASE}/bookings/{made['id']}"}
    assert booking["conflicts"] == made["conflicts"]
    elsewhere = Sandbox(now=NOW, frozen=True, base_url="https://api.au1.cliniko.com/v1")
    assert Front(elsewhere).get("/user")["links"]["self"].startswith("https://api.au1.cliniko.com/v1/users/")


def test_19_decimals_are_normalised_strings_and_totals_numbers(desk: Front) -> None:
    made = desk.post("/taxes", {"name": "VAT", "rate": 20})
    assert made["rate"] == "20.0"
    assert desk.patch(f"/taxes/{made['id']}", {"rate": "7.50"})["rate"] == "7.5"
    item = desk.get("/invoice_items")["invoice_items"][0]
    assert isinstance(item["total_including_tax"], float)
    assert isinstance(item["net_price"], str) and "." in item["net_price"]


def test_20_too_many_requests_in_a_minute_wait_for_the_next(seconds: int = 60) -> None:
    clinic = Sandbox(now=NOW + timedelta(seconds=20), frozen=True, rate_limit=3)
    desk, other = Front(clinic), Front(clinic, "receptionist")
    assert [desk.ask("GET", "/user").status for _ in range(4)] == [200, 200, 200, 429]
    refused = desk.ask("GET", "/user")
    assert int(refused.headers["X-RateLimit-Reset"]) == int(NOW.timestamp()) + seconds
    assert other.ask("GET", "/user").status == 200
    clinic.clock.advance(timedelta(seconds=39))
    assert desk.ask("GET", "/user").status == 429
    clinic.clock.advance(timedelta(seconds=1))
    assert desk.ask("GET", "/user").status == 200


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
    answer = Front(sandbox, role).ask(method, path)
    assert answer.status == status
    assert status != 403 or answer.body == b""


def test_21_each_key_belongs_to_a_user_of_its_role(sandbox: Sandbox) -> None:
    assert next(iter(sandbox.keys.items())) == ("administrator", "demo-au1")
    for role in sandbox.keys:
        assert Front(sandbox, role).get("/user")["role"] == role


def test_22_services_take_no_q_and_strange_parameters_are_ignored(desk: Front) -> None:
    plain = desk.get("/services")
    assert desk.get("/services", "nonsense:=1")["services"] == plain["services"]
    assert desk.get("/patients", color="blue")["total_entries"] == desk.get("/patients")["total_entries"]
