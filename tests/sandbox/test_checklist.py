"""The 80 points of the checklist: each has tests by its number, and each test something to fail
by.

`test_41_...` anywhere below this folder is a test of point 41. Those that belong to no other file stand here.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.design_choices import CHOICES
from cliniko_mcp.sandbox.faults import Fault
from cliniko_mcp.sandbox.routes import ExtraRoutes

from .client import BASE, NOW, Client, body_of, errors, last

POINTS = range(1, 81)
HERE = Path(__file__).parent


@cache
def numbered() -> tuple[tuple[int, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    """Every test of a point, with its number."""
    return tuple(
        (int(node.name[5:7]), node)
        for path in sorted(HERE.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[5:7].isdigit()
    )


def can_fail(function: ast.AST) -> bool:
    """Whether it asserts something itself, expects an exception, or expects a status of its helpers."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "raises" or any(keyword.arg == "status" for keyword in node.keywords):
                return True
    return False


@pytest.mark.parametrize("point", POINTS)
def test_every_point_has_a_test_that_can_fail(point: int) -> None:
    assert any(can_fail(function) for number, function in numbered() if number == point)


def test_no_test_names_a_point_that_is_not_there() -> None:
    assert {number for number, _ in numbered()} == {*POINTS} >= {*CHOICES}


@pytest.mark.long
def test_75_awkward_data_is_there(client: Client) -> None:
    patients = client.rows("/patients", "archived_at:*")
    assert len(client.rows("/patients")) == 600
    lengths = {len(row["id"]) for row in patients}
    assert min(lengths) < 6 and max(lengths) == 19
    assert any(row["first_name"] is None for row in patients)
    assert any(row["last_name"] is None and row["archived_at"] is None for row in patients)
    assert {"小红 王", "ليلى حداد", "Zoë Müller"} <= {row["label"] for row in patients}
    assert sum(row["merged_at"] is not None and "merged_with_patient" in row for row in patients) == 2
    assert any("latest_booking" not in row for row in patients)
    gone = {row["id"] for row in client.rows("/contacts", "archived_at:?")}
    assert any(last(row["referring_doctor"]) in gone for row in patients if "referring_doctor" in row)
    retired = {row["id"] for row in client.rows("/appointment_types", "archived_at:?")}
    assert any(last(row["appointment_type"]) in retired for row in client.rows("/individual_appointments"))
    kinds = {
        question["type"]
        for form in client.rows("/patient_forms")
        for section in form["content"]["sections"]
        for question in section.get("questions", [])
    }
    assert kinds - {"text", "paragraph", "date", "signature", "checkboxes", "radiobuttons"} == {"full_name"}
    assert len({row["time_zone_identifier"] for row in client.rows("/businesses")}) == 2


@pytest.mark.long
def test_77_control_is_outside_the_api(client: Client) -> None:
    for path in ("/_sandbox/requests", "/_sandbox/reset", "/_sandbox/snapshot"):
        assert client.request("GET", path).status == 404  # below /v1 there is nothing of the sort
    kept = client.sandbox.snapshot()
    client.book("2026-11-30T00:00:00Z")
    assert client.sandbox.requests[-1].path == "/v1/individual_appointments"
    changed = client.sandbox.snapshot()
    assert changed != kept
    client.sandbox.restore(kept)
    assert client.sandbox.snapshot() == kept
    client.sandbox.reset()
    assert client.sandbox.snapshot() == kept and client.sandbox.requests == []


@pytest.mark.long_but_one
@pytest.mark.parametrize("wrong", [{"now": "2026-11-24T05:00:00"}, {"now": "noon"}, {"tables": {"patients": [1]}}])
def test_77_a_snapshot_that_cannot_be_taken_over_changes_nothing(client: Client, wrong: dict[str, JsonValue]) -> None:
    taken = client.sandbox.snapshot()
    client.book("2026-11-30T00:00:00Z")
    kept = client.sandbox.snapshot()
    with pytest.raises(ValueError):
        client.sandbox.restore({**taken, **wrong})
    assert client.sandbox.snapshot() == kept


TROUBLE = {
    "429": (429, b""),
    "5xx": (500, b"<!DOCTYPE html>"),
    "503": (503, b"<!DOCTYPE html>"),
    "401": (401, b"HTTP Basic: Access denied."),
    "403": (403, b"Forbidden"),
    "html": (200, b"<!DOCTYPE html>"),
    "non-json": (200, b"It works!"),
    "dropped": (0, b""),
}


@pytest.mark.parametrize("word", TROUBLE)
def test_78_trouble_comes_on_demand(word: str) -> None:
    client = Client(Sandbox(now=NOW, frozen=True, faults=[Fault.parse(f"{word}:/user:GET:times=2")]))
    status, begins = TROUBLE[word]
    for answer in (client.request("GET", "/user"), client.request("GET", "/user")):
        assert answer.status == status and answer.body.startswith(begins)
        assert answer.dropped == (word == "dropped")
        assert ("X-RateLimit-Reset" in answer.headers) == (word == "429")
        assert client.request("GET", "/settings/public").status == 200
    assert client.request("GET", "/user").status == 200
    client.sandbox.reset()
    assert client.request("GET", "/user").status == status


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"rate": -0.1}, "rate is a number from 0 to 1"),
        ({"rate": True}, "rate is a number from 0 to 1"),
        ({"times": 0.5}, "times is a whole number"),
        ({"status": 200}, "status is a whole number from 400 to 599"),
        ({"path": "bookings"}, "path begins with a slash"),
        ({"method": 1}, "path and method are texts"),
    ],
)
def test_78_trouble_that_could_never_come_is_refused(wrong: dict[str, JsonValue], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Fault.from_json({"kind": "error", **wrong})
    assert Fault.from_json({"kind": "error", "method": "get"}).method == "GET"


def test_78_slow_answers_and_rates() -> None:
    slow = Client(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.parse("slow:seconds=2.5")]))
    assert slow.request("GET", "/user").delay == 2.5
    client = Client(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.parse("5xx:0.25")]))
    failed = sum(client.request("GET", "/user").status == 500 for _ in range(400))
    assert 60 < failed < 140
    again = Client(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.parse("5xx:0.25")]))
    assert failed == sum(again.request("GET", "/user").status == 500 for _ in range(400))


@pytest.mark.parametrize("path", ["/bookings", "/v1/bookings", "/v1", "/"])
def test_78_a_path_is_named_as_it_is_asked_for(path: str) -> None:
    client = Client(Sandbox(now=NOW, frozen=True, faults=[Fault.parse(f"503:{path}")]))
    assert client.request("GET", "/bookings").status == 503
    assert client.request("GET", "/user").status == (200 if "bookings" in path else 503)


@pytest.mark.parametrize(
    "word",
    ["rain", "slow:0.1:seconds=much", "429:rate=high", "5xx:weather=bad", "599x", "", "429:1.5", "slow:seconds=-1"],
)
def test_78_trouble_that_nobody_knows_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"kind|number|fault has no"):
        Fault.parse(word)


@pytest.mark.parametrize("extra_routes", [frozenset[ExtraRoutes](), frozenset[ExtraRoutes]({"newer"})])
def test_79_legacy_lists_are_off_unless_asked_for(sandbox: Sandbox, extra_routes: frozenset[ExtraRoutes]) -> None:
    sandbox.extra_routes = extra_routes
    client = Client(sandbox)
    for table in ("patients", "individual_appointments", "attendees", "invoices", "appointments"):
        for old in ("deleted", "archived", "cancelled"):
            assert client.request("GET", f"/{table}/{old}").status == 404
    assert client.get("/appointments")["total_entries"] > 0  # this family is always there: links lead to it


@pytest.mark.parametrize("extra_routes", [frozenset[ExtraRoutes](), frozenset[ExtraRoutes]({"legacy"})])
def test_79_newer_routes_are_off_unless_asked_for(sandbox: Sandbox, extra_routes: frozenset[ExtraRoutes]) -> None:
    sandbox.extra_routes = extra_routes
    client = Client(sandbox)
    ana = client.id("patients", "Ana Lima")
    for path in ("/recalls", "/recall_types", "/patient_recalls", f"/patients/{ana}/recalls", "/payments", "/letters"):
        assert client.request("GET", path).status == 404
    for path in ("/recalls", "/recall_types", "/concession_prices"):
        assert client.request("POST", path, body={}).status == 404


@pytest.mark.long
def test_79_legacy_lists_hold_what_is_hidden(client: Client) -> None:
    client.sandbox.extra_routes = frozenset({"legacy"})
    for table, old, stamp in (
        ("patients", "archived", "archived_at"),
        ("contacts", "deleted", "deleted_at"),
        ("products", "archived", "archived_at"),
        ("individual_appointments", "cancelled", "cancelled_at"),
        ("attendees", "cancelled", "cancelled_at"),
    ):
        hidden = client.rows(f"/{table}", f"{stamp if stamp != 'deleted_at' else 'archived_at'}:?")
        assert client.rows(f"/{table}/{old}") == hidden != []
    gone = client.get("/patients/deleted", per_page=2, sort="id")
    assert list(gone) == ["patients", "total_entries", "links"]
    assert [set(row) for row in gone["patients"]] == [{"deleted_at", "links"}] * 2
    assert gone["links"]["next"] == f"{BASE}/patients/deleted?per_page=2&sort=id&page=2"
    former = client.id("patients", "Edith Former")
    links = [row["links"]["self"] for row in client.rows("/patients/deleted")]
    assert f"{BASE}/patients/{former}" in links and len(links) == len(client.rows("/patients", "archived_at:?"))
    assert [row["id"] for row in client.rows("/patients/archived", "last_name:=Former")] == [former]
    client.get("/patients/archived", "deleted_at:?", status=400)
    made = client.book("2027-03-01T00:00:00Z")
    client.patch(f"/individual_appointments/{made['id']}/cancel", {"cancellation_reason": 30}, status=204)
    assert made["id"] in {row["id"] for row in client.rows("/appointments/cancelled")}
    for path in ("/patients/cancelled", "/product_suppliers/archived", "/practitioners/archived", "/taxes/deleted"):
        assert client.request("GET", path).status == 404  # their records have no such stamp
    for method in ("POST", "PATCH", "DELETE"):
        assert client.request(method, "/patients/deleted").status == 404
    assert Client(client.sandbox, "scheduler").request("GET", "/invoices/deleted").status == 403


def test_79_recalls_are_written_read_and_archived(client: Client) -> None:
    client.sandbox.extra_routes = frozenset({"newer"})
    ana = client.id("patients", "Ana Lima")
    kind = client.post("/recall_types", {"name": "Six months on"})
    body = {"patient_id": ana, "recall_type_id": kind["id"], "recall_at": "2027-05-24T00:00:00Z", "shoe_size": 44}
    answer = client.request("POST", "/recalls", body=body)
    made = body_of(answer)
    assert (answer.status, answer.headers["Location"]) == (201, f"{BASE}/recalls/{made['id']}")
    assert (last(made["patient"]), last(made["recall_type"]), made["notes"]) == (ana, kind["id"], None)
    assert "patient_id" not in made and "shoe_size" not in made
    path = f"/recalls/{made['id']}"
    assert client.patch(path, {"notes": "Knee"})["notes"] == "Knee"
    assert client.request("PUT", path, body={"recall_at": "2027-05-25T00:00:00Z"}).status == 200
    due = client.rows("/recalls", f"patient_id:={ana}", "recall_at:>=2027-05-25T00:00:00Z")
    assert due == [client.get(path)] and due[0]["recall_at"] == "2027-05-25T00:00:00Z"
    needed = ("patient_id", "recall_type_id", "recall_at")
    assert errors(client.post("/recalls", {}, status=422)) == dict.fromkeys(needed, "can’t be blank")
    wrong = client.post("/recalls", {**body, "patient_id": "1", "recall_type_id": "1"}, status=422)
    assert errors(wrong) == {"patient_id": "is invalid", "recall_type_id": "is invalid"}
    client.post(f"{path}/archive", status=204)
    client.get(path, status=404)
    assert client.rows("/recalls") == [] and client.get(path, "archived_at:*")["archived_at"]
    client.delete(f"/recall_types/{kind['id']}")
    assert client.rows("/recall_types") == [] != client.rows("/recall_types", "archived_at:?")
    assert client.request("GET", "/patient_recalls").status == 404
    kept = client.sandbox.snapshot()
    client.sandbox.restore(kept)
    assert client.get(path, "archived_at:*")["notes"] == "Knee"


def test_79_prices_of_discount_groups_can_be_written(client: Client) -> None:
    client.sandbox.extra_routes = frozenset({"newer"})
    named = {"concession_type_id": client.get("/concession_types")["concession_types"][0]["id"]}
    named["billable_item_id"] = client.get("/billable_items")["billable_items"][0]["id"]
    made = client.post("/concession_prices", {**named, "price": "60.50"})
    assert (made["price"], last(made["billable_item"])) == ("60.5", named["billable_item_id"])
    assert client.patch(f"/concession_prices/{made['id']}", {"price": 55})["price"] == "55.0"
    assert "price" in errors(client.post("/concession_prices", {**named, "price": "much"}, status=422))
