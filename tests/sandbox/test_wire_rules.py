"""The wire, by the numbers of the checklist."""

from base64 import b64encode

import pytest

from cliniko_mcp.cliniko import registry

from .client import BASE, Client, body_of, errors, last


def test_01_a_wrong_key_gets_plain_text_and_any_password_will_do(client: Client) -> None:
    wrong = client.request("GET", "/user", authorization="Basic " + b64encode(b"nope-au1:").decode())
    assert (wrong.status, wrong.body) == (401, b"HTTP Basic: Access denied.\n")
    assert wrong.headers["Content-Type"].startswith("text/plain")
    for header in (None, "Bearer demo-au1", "Basic %%%", "Basic "):
        assert client.request("GET", "/user", authorization=header).status == 401
    assert client.request("GET", "/user", authorization="Basic " + b64encode(b"demo-au1:secret").decode()).status == 200
    assert client.request("GET", "/user", authorization="Basic " + b64encode(b"demo:").decode()).status == 200


def test_01_a_key_at_the_wrong_shard_is_as_good_as_none(client: Client) -> None:
    assert client.request("GET", "/user", host="api.uk1.cliniko.com").status == 401
    assert client.request("GET", "/user", host="api.au1.cliniko.com").status == 200
    assert client.request("GET", "/user", host="127.0.0.1:8123").status == 200


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
def test_02_what_is_not_routed_is_404(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status, answer.json()) == (404, {"status": "404", "error": "Not Found"})


def test_02_a_request_without_user_agent_is_refused(client: Client) -> None:
    for agent in (None, "", "  "):
        answer = client.request("GET", "/user", user_agent=agent)
        assert answer.status == 400
        assert "User-Agent" in body_of(answer)["message"]


def test_02_only_json_is_read(client: Client) -> None:
    form = client.request(
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
def test_02_what_is_no_json_object_is_400_and_changes_nothing(client: Client, body: bytes) -> None:
    before = client.get("/patients")["total_entries"]
    refused = client.request("POST", "/patients", body=body)
    assert refused.status == 400 and "JSON" in body_of(refused)["message"]
    assert client.get("/patients")["total_entries"] == before


def test_02_json_keeps_any_text_and_the_last_of_two_keys(client: Client) -> None:
    sent = (
        '{"first_name": "Eve", "first_name": "\\ud83d\\ude00 Zoë", "last_name": "שלום", "notes": "' + "[" * 300 + '"}'
    )
    made = body_of(
        client.request("POST", "/patients", body=sent.encode(), content_type="Application/JSON; charset=UTF-8")
    )
    assert made["label"] == "😀 Zoë שלום" and made["notes"] == "[" * 300


@pytest.mark.long
def test_03_ids_are_long_digit_strings_in_one_space(client: Client) -> None:
    seen: list[str] = []
    for name, operation in registry.operations().items():
        top = operation.listing and not operation.path_ids and not operation.deprecated
        if top and operation.path.count("/") == 1 and operation.resource not in ("bookings", "services"):
            seen += [row["id"] for row in client.rows(operation.path)]
            assert name
    assert len(seen) == len(set(seen)) > 1000
    assert all(isinstance(row_id, str) and row_id.isdigit() for row_id in seen)
    made = client.book("2026-11-30T00:00:00Z")
    assert len(made["id"]) == 19
    assert client.get(f"/bookings/{made['id']}")["starts_at"] == made["starts_at"]
    assert int(made["id"]) != int(float(made["id"]))  # a double would have lost it


def test_04_the_envelope_and_its_links(client: Client) -> None:
    first = client.get("/patients", "last_name:?", per_page=2, sort="id")
    assert list(first) == ["patients", "total_entries", "links"]
    total = first["total_entries"]
    assert set(first["links"]) == {"self", "next"}
    assert first["links"]["self"] == f"{BASE}/patients?q%5B%5D=last_name%3A%3F&per_page=2&sort=id&page=1"
    assert first["links"]["next"].endswith("per_page=2&sort=id&page=2")
    final = client.get("/patients", "last_name:?", per_page=2, sort="id", page=-(-total // 2))
    assert set(final["links"]) == {"self", "previous"}
    assert 1 <= len(final["patients"]) <= 2
    beyond = client.get("/patients", per_page=2, page=999)
    assert (beyond["patients"], beyond["total_entries"] > 0, "next" in beyond["links"]) == ([], True, False)


def test_04_pages_are_of_fifty_and_at_most_a_hundred(client: Client) -> None:
    assert len(client.get("/bookings")["bookings"]) == 50
    assert len(client.get("/bookings", per_page=500)["bookings"]) == 100
    assert len(client.get("/bookings", per_page=0)["bookings"]) == 1
    assert len(client.get("/bookings", per_page=100)["bookings"]) == 100
    assert client.get("/bookings", page=0)["links"]["self"].endswith("page=1")


@pytest.mark.parametrize(
    ("text", "size"),
    [("100", 100), ("101", 100), ("9" * 30, 100), ("-9", 1), ("-" + "9" * 30, 1), ("0", 1), ("007", 7)]
    + [(text, 50) for text in ("", "ten", "1.5", "--5", "5-", "1e2", "٢", "２", "+5", " 5")],
)
def test_04_a_size_out_of_range_is_clamped_and_one_that_is_no_number_ignored(
    client: Client, text: str, size: int
) -> None:
    assert len(client.get("/bookings", per_page=text)["bookings"]) == size
    number = int(text) if size != 50 and int(text) > 0 else 1
    shown = client.get("/taxes", page=text)
    assert shown["links"]["self"].endswith(f"page={str(number)[:9]}")
    assert bool(shown["taxes"]) is (number == 1) and shown["total_entries"] == 2


@pytest.mark.long
def test_04_pages_together_are_the_list_without_doubles(client: Client) -> None:
    rows = client.rows("/attendees", per_page=37)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids) == client.get("/attendees")["total_entries"]


@pytest.mark.parametrize(
    "path", ["/practitioners/inactive", "/patients/{ana}/treatment_notes", "/patient_cases/active"]
)
def test_04_the_key_is_the_plural_on_every_route(client: Client, path: str) -> None:
    answer = client.get(path.format(ana=client.id("patients", "Ana Lima")))
    plural = {"inactive": "practitioners", "active": "patient_cases"}.get(path.rsplit("/", 1)[-1], "treatment_notes")
    assert next(iter(answer)) == plural


@pytest.mark.long
def test_05_the_default_order_is_by_creation_then_id(client: Client) -> None:
    rows = client.rows("/individual_appointments")
    keys = [(row["created_at"], int(row["id"])) for row in rows]
    assert keys == sorted(keys)
    assert keys != sorted(keys, key=lambda key: key[1])


def test_05_ties_are_broken_by_the_number_of_an_id(client: Client) -> None:
    store = client.sandbox.context.store
    for row_id in tuple(store.table("medical_alerts").rows):
        store.remove("medical_alerts", row_id)
    for row_id in ("1000", "998", "2000000000000000000"):
        stamps = {"created_at": "2001-01-01T00:00:00Z", "updated_at": "2001-01-01T00:00:00Z"}
        store.put("medical_alerts", {"id": row_id, "name": "Latex", **stamps})
    assert [row["id"] for row in client.rows("/medical_alerts")] == ["998", "1000", "2000000000000000000"]
    assert [row["id"] for row in client.rows("/medical_alerts", order="desc")] == ["998", "1000", "2000000000000000000"]


def test_05_sorting_takes_several_columns_each_with_its_direction(client: Client) -> None:
    rows = client.rows("/patients", sort="sex:desc,first_name")
    known = [(row["sex"], row["first_name"].casefold()) for row in rows if row["sex"]]
    assert known == sorted(sorted(known, key=lambda key: key[1]), key=lambda key: key[0], reverse=True)
    assert len({sex for sex, _ in known}) == 2
    assert rows[0]["sex"] is None  # null first when descending
    assert client.rows("/patients", sort="sex")[-1]["sex"] is None


def test_05_order_speaks_only_where_sort_is_silent(client: Client) -> None:
    newest = client.get("/patients", order="desc")["patients"]
    assert newest[0]["created_at"] > newest[-1]["created_at"]
    names = [row["first_name"] for row in client.rows("/patients", "last_name:~a", sort="first_name:asc", order="desc")]
    assert names == sorted(names, key=str.casefold)
    falling = [row["first_name"] for row in client.rows("/patients", "last_name:~a", sort="first_name", order="desc")]
    assert falling == names[::-1]


@pytest.mark.parametrize(
    "sort", ["shoe_size", "first_name:sideways", "patient_phone_numbers", "first_name,,last_name", "q"]
)
def test_05_an_unknown_column_is_400(client: Client, sort: str) -> None:
    assert client.get("/patients", sort=sort, status=400) == {"message": "Sort parameter must be a valid column name"}


@pytest.mark.long
def test_05_numbers_sort_as_numbers(client: Client) -> None:
    ids = [int(row["id"]) for row in client.rows("/patients", sort="id")]
    assert ids == sorted(ids)
    assert len(str(ids[0])) < len(str(ids[-1]))
    amounts = [float(row["total_amount"]) for row in client.rows("/invoices", sort="total_amount:desc")]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] < 0


def _names(client: Client, *filters: str) -> set[str]:
    return {row["label"] for row in client.rows("/patients", *filters)}


@pytest.mark.long
def test_06_filters_of_every_family(client: Client) -> None:
    everyone = _names(client)
    ana, ben = client.id("patients", "Ana Lima"), client.id("patients", "Ben Adeyemi")
    assert _names(client, f"id:={ana},{ben}") == {"Ana Lima", "Ben Adeyemi"}
    assert _names(client, f"id:!={ana}") == everyone - {"Ana Lima"}
    assert _names(client, "id:<5000") == {"Ben Adeyemi"}
    assert _names(client, "last_name:=kim") == {"Daniel Kim", "Daniela Kim"}
    assert _names(client, "last_name:=kim", "first_name:!=Daniel") == {"Daniela Kim"}
    assert _names(client, "first_name:~anie") == {"Daniel Kim", "Daniela Kim"}
    assert _names(client, "first_name:~~%a", "last_name:~~k%") == {"Daniela Kim", "Uma Krishnan"}
    assert _names(client, "last_name:!?", "archived_at:*") == {"Walk-in", "Indra", None}
    assert _names(client, "last_name:?") == everyone - {"Indra"}
    assert _names(client, "email:!?") == everyone - _names(client, "email:?") != set()
    assert _names(client, "date_of_birth:=1984-03-17") == {"Ana Lima"}
    assert _names(client, "date_of_birth:=****-02-29") == {"Siobhán O'Brien"}
    assert _names(client, "date_of_birth:<=1944-06-06") == {"Henry Example"}
    assert _names(client, "date_of_birth:>2010-04-01") == {"Oliver Sample"}
    assert _names(client, "last_name:~a%e") == _names(client, "last_name:~~%a%e%") != everyone
    assert _names(client, "last_name:~.") == set()  # nothing but % is a pattern
    assert _names(client, "email:!=ANA.LIMA@mail.example") == _names(client, "email:?") - {
        "Ana Lima"
    }  # null is not unequal


@pytest.mark.long
def test_06_flags_arrays_and_instants(client: Client) -> None:
    missed = client.rows("/individual_appointments", "did_not_arrive:=true")
    assert missed and all(row["did_not_arrive"] for row in missed)
    ana = client.id("patients", "Ana Lima")
    held = client.rows("/bookings", f"patient_ids:~{ana}")
    assert len(held) == 4
    assert {last(row["patient"]) for row in held} == {ana}
    low, high = "2026-11-24T00:00:00Z", "2026-11-24T01:00:00Z"
    inside = client.rows("/bookings", f"starts_at:>={low}", f"starts_at:<{high}")
    assert inside and all(low <= row["starts_at"] < high for row in inside)
    exact = inside[0]["starts_at"]
    assert exact in {row["starts_at"] for row in client.rows("/bookings", f"starts_at:<={exact}")}
    assert exact not in {row["starts_at"] for row in client.rows("/bookings", f"starts_at:<{exact}")}
    assert exact not in {row["starts_at"] for row in client.rows("/bookings", f"starts_at:>{exact}")}


def test_06_a_single_q_is_read_too(client: Client) -> None:
    assert client.get("/patients", q="first_name:=Ana")["total_entries"] == 1


@pytest.mark.parametrize(
    "text", ["first_name", "first_name:Ana", "first_name:>A", "first_name:?x", "accepted_privacy_policy:?"]
)
def test_06_what_is_no_filter_is_400(client: Client, text: str) -> None:
    assert "message" in client.get("/patients", text, status=400)


def test_07_every_list_filters_by_its_own_fields_only(client: Client) -> None:
    assert client.get("/patients", "phone:=1", status=400) == {"message": "phone is not filterable"}
    assert client.get("/patients", "deleted_at:?", status=400) == {"message": "deleted_at is not filterable"}
    business = client.id("businesses", "Northside")
    path = f"/businesses/{business}/daily_availabilities"
    assert client.get(path, f"business_id:={business}", status=400) == {"message": "business_id is not filterable"}
    assert client.get("/daily_availabilities", f"business_id:={business}")["total_entries"] > 0


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
def test_08_an_instant_must_end_in_a_literal_z(client: Client, value: str) -> None:
    refusal = {"message": "Timestamp needs to be in UTC format."}
    assert client.get("/bookings", f"starts_at:>{value}", status=400) == refusal


def test_08_an_instant_knows_no_equals_and_a_number_no_text(client: Client) -> None:
    assert "message" in client.get("/bookings", "starts_at:=2026-11-24T00:00:00Z", status=400)
    wanted = {"message": "Filter value for id must be a number"}
    assert client.get("/patients", "id:=abc", status=400) == wanted
    assert client.get("/patients", "id:=1,x", status=400) == wanted
    assert client.get("/bookings", "patient_ids:~x", status=400) == {
        "message": "Filter value for patient_ids must be a number"
    }


def test_09_hidden_rows_stay_out_unless_asked_for(client: Client) -> None:
    gone = client.id("patients", "Edith Former")
    assert "Edith Former" not in _names(client)
    assert client.get(f"/patients/{gone}", status=404)["error"] == "Not Found"
    assert client.get(f"/patients/{gone}", "archived_at:*")["label"] == "Edith Former"
    assert client.get(f"/patients/{gone}", "archived_at:?")["label"] == "Edith Former"
    hidden = {"Edith Former", "Anna Lima", "Olly Sample", "Walk-in", None}
    assert _names(client, "archived_at:?") == hidden
    assert _names(client, "archived_at:*") == _names(client) | hidden
    assert _names(client, "archived_at:!?") == _names(client)
    assert _names(client, "archived_at:>2026-09-10T00:00:00Z") == {"Anna Lima", "Walk-in"}
    live = client.id("patients", "Ana Lima")
    client.get(f"/patients/{live}", "archived_at:?", status=404)


@pytest.mark.long
def test_09_cancelled_and_archived_are_asked_for_apart(client: Client) -> None:
    cancelled = client.rows("/individual_appointments", "cancelled_at:?")
    assert cancelled and all(row["cancelled_at"] for row in cancelled)
    made = client.book("2026-11-30T00:00:00Z")
    client.post(f"/individual_appointments/{made['id']}/archive", status=204)
    assert made["id"] not in {row["id"] for row in client.rows("/individual_appointments", "cancelled_at:*")}
    for stamp in ("archived_at", "deleted_at"):
        assert made["id"] in {row["id"] for row in client.rows("/individual_appointments", f"{stamp}:*")}
    client.get(f"/individual_appointments/{cancelled[0]['id']}", "archived_at:*", status=404)
    client.get(f"/bookings/{cancelled[0]['id']}", "cancelled_at:*")


def test_09_other_filters_on_a_read_are_400(client: Client) -> None:
    ana = client.id("patients", "Ana Lima")
    assert client.get(f"/patients/{ana}", "first_name:=Ana", status=400) == {"message": "first_name is not filterable"}
