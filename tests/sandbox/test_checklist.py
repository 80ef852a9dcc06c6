"""The 80 points of the checklist (api.md section 6): each has tests by its number, and each test something to fail by.

`test_41_...` anywhere below this folder is a test of point 41. Those that belong to no other file stand here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cliniko_mcp.sandbox.choices import CHOICES
from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.faults import Fault

from .front import NOW, Front, last

POINTS = range(1, 81)
HERE = Path(__file__).parent


def numbered() -> Iterator[tuple[int, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in sorted(HERE.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[5:7].isdigit():
                yield int(node.name[5:7]), node


def can_fail(function: ast.AST) -> bool:
    """Whether it asserts something itself, expects an exception, or expects a status of its helpers."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "raises" or any(each.arg == "status" for each in node.keywords):
                return True
    return False


@pytest.mark.parametrize("point", POINTS)
def test_every_point_has_a_test_that_can_fail(point: int) -> None:
    assert any(can_fail(function) for number, function in numbered() if number == point)


def test_no_test_names_a_point_that_is_not_there() -> None:
    assert {number for number, _ in numbered()} == {*POINTS} >= {*CHOICES}


def test_75_awkward_data_is_there(desk: Front) -> None:
    patients = desk.rows("/patients", "archived_at:*")
    assert len(desk.rows("/patients")) == 600
    lengths = {len(row["id"]) for row in patients}
    assert min(lengths) < 6 and max(lengths) == 19
    assert any(row["first_name"] is None for row in patients)
    assert any(row["last_name"] is None and row["archived_at"] is None for row in patients)
    assert {"小红 王", "ليلى حداد", "Zoë Müller"} <= {row["label"] for row in patients}
    assert sum(row["merged_at"] is not None and "merged_with_patient" in row for row in patients) == 2
    assert any("latest_booking" not in row for row in patients)
    gone = {row["id"] for row in desk.rows("/contacts", "archived_at:?")}
    assert any(last(row["referring_doctor"]) in gone for row in patients if "referring_doctor" in row)
    retired = {row["id"] for row in desk.rows("/appointment_types", "archived_at:?")}
    assert any(last(row["appointment_type"]) in retired for row in desk.rows("/individual_appointments"))
    kinds = {
        question["type"]
        for form in desk.rows("/patient_forms")
        for section in form["content"]["sections"]
        for question in section.get("questions", [])
    }
    assert kinds - {"text", "paragraph", "date", "signature", "checkboxes", "radiobuttons"} == {"full_name"}
    assert len({row["time_zone_identifier"] for row in desk.rows("/businesses")}) == 2


def test_77_control_is_outside_the_api(desk: Front) -> None:
    for path in ("/_sandbox/requests", "/_sandbox/reset", "/_sandbox/snapshot"):
        assert desk.ask("GET", path).status == 404  # below /v1 there is nothing of the sort
    kept = desk.sandbox.snapshot()
    desk.book("2026-11-30T00:00:00Z")
    assert desk.sandbox.requests[-1].path == "/v1/individual_appointments"
    changed = desk.sandbox.snapshot()
    assert changed != kept
    desk.sandbox.restore(kept)
    assert desk.sandbox.snapshot() == kept
    desk.sandbox.reset()
    assert desk.sandbox.snapshot() == kept and desk.sandbox.requests == []


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
    desk = Front(Sandbox(now=NOW, frozen=True, faults=[Fault.said(f"{word}:/user:GET:times=2")]))
    status, begins = TROUBLE[word]
    for answer in (desk.ask("GET", "/user"), desk.ask("GET", "/user")):
        assert answer.status == status and answer.body.startswith(begins)
        assert answer.dropped == (word == "dropped")
        assert ("X-RateLimit-Reset" in answer.headers) == (word == "429")
        assert desk.ask("GET", "/settings/public").status == 200
    assert desk.ask("GET", "/user").status == 200
    desk.sandbox.reset()
    assert desk.ask("GET", "/user").status == status


def test_78_slow_answers_and_rates() -> None:
    slow = Front(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.said("slow:seconds=2.5")]))
    assert slow.ask("GET", "/user").delay == 2.5
    desk = Front(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.said("5xx:0.25")]))
    failed = sum(desk.ask("GET", "/user").status == 500 for _ in range(400))
    assert 60 < failed < 140
    again = Front(Sandbox(now=NOW, frozen=True, rate_limit=0, faults=[Fault.said("5xx:0.25")]))
    assert failed == sum(again.ask("GET", "/user").status == 500 for _ in range(400))


@pytest.mark.parametrize("word", ["rain", "slow:0.1:seconds=much", "429:rate=high", "5xx:weather=bad", "599x", ""])
def test_78_trouble_that_nobody_knows_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"kind|number|fault has no"):
        Fault.said(word)


def test_79_routes_that_no_description_lists_are_off(desk: Front) -> None:
    ana = desk.id("patients", "Ana Lima")
    for path in ("/recalls", "/recall_types", "/patient_recalls", f"/patients/{ana}/recalls", "/payments", "/letters"):
        assert desk.ask("GET", path).status == 404
    for table in ("patients", "individual_appointments", "invoices", "appointments"):
        for old in ("deleted", "archived", "cancelled"):
            assert desk.ask("GET", f"/{table}/{old}").status == 404
    assert desk.get("/appointments")["total_entries"] > 0
