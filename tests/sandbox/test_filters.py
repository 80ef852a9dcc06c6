"""Filters held against what they say, over whole lists: points 6, 7 and 9 of the checklist."""

import json
import operator
from datetime import datetime
from typing import Any

import pytest

from cliniko_mcp.cliniko import registry
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.sandbox.links import VIEWS

from .client import Client, body_of

STARTS = [f"2031-01-01T00:00:{second:02}Z" for second in (0, 1, 1, 2, 4)]


@pytest.mark.long_but_one
@pytest.mark.parametrize("end", ["", ".0", ".5"])
@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
@pytest.mark.parametrize("second", range(5))
def test_06_a_span_of_time_has_exact_ends(client: Client, sign: str, second: int, end: str) -> None:
    ana = client.post("/patients", {"first_name": "Eve", "last_name": "Park"})["id"]
    for start in STARTS:
        client.book(start, patient_id=ana, ends_at="2031-01-01T01:00:00Z")
    bound = f"2031-01-01T00:00:0{second}{end}Z"
    compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}[sign]
    wanted = [start for start in STARTS if compare(_seconds(start), _seconds(bound))]
    span = (f"starts_at:{sign}{bound}", "starts_at:>2031-01-01T00:00:00.000Z", "starts_at:<=2031-01-01T00:00:04Z")
    for conditions in (span[:1], span):
        for more in ((f"patient_ids:~{ana}",), ()):
            rows = client.rows("/bookings", *conditions, *more, "starts_at:>=2031-01-01T00:00:00Z", sort="starts_at")
            expected = wanted if conditions == span[:1] else [start for start in wanted if start > STARTS[0]]
            assert [row["starts_at"] for row in rows] == expected


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


SHOWN = {
    "invoices": {"number": "n", "status": "n", "issue_date": "d", "closed_at": "t"},
    "patients": {"date_of_birth": "d", "accepted_privacy_policy": "b", "old_reference_id": "s", "created_at": "t"},
    "patient_cases": {"expiry_date": "d", "closed_at": "t", "referral_type": "s", "name": "s"},
    "individual_appointments": {"did_not_arrive": "b", "ends_at": "t"},
    "practitioners": {"show_in_online_bookings": "b"},
    "communications": {"type_code": "n", "category_code": "n"},
    "patient_attachments": {"size": "n", "content_type": "s"},
}
SIGNS = {"n": "= != > >= < <= ? !?", "s": "= != ~ ~~ ? !?", "b": "= !=", "d": "= > >= < <= ? !?", "t": "> >= < <= ? !?"}


@pytest.mark.long
@pytest.mark.parametrize("table", SHOWN)
def test_06_every_operator_of_every_family_finds_what_it_says(client: Client, table: str) -> None:
    everything = client.rows(f"/{table}")
    for name, letter in SHOWN[table].items():
        values = sorted({row[name] for row in everything if row[name] not in (None, "")})
        bound = values[len(values) // 2]
        for sign in SIGNS[letter].split():
            bound_text = "" if "?" in sign else json.dumps(bound) if letter == "b" else str(bound)
            page = client.get(f"/{table}", f"{name}:{sign}{bound_text}", per_page=100)
            fitting = [row["id"] for row in everything if _holds(row[name], sign, bound)]
            assert page["total_entries"] == len(fitting), (name, sign, bound_text)
            assert [row["id"] for row in page[table]] == fitting[:100], (name, sign, bound_text)
        for sign in {"=", "!=", ">", ">=", "<", "<=", "~", "~~"} - {*SIGNS[letter].split()}:
            assert "message" in client.get(f"/{table}", f"{name}:{sign}{bound}", status=400), (name, sign)


def _holds(value: Any, sign: str, bound: Any) -> bool:
    if "?" in sign:
        return (value in (None, "")) is (sign == "!?")
    if value is None:
        return False
    if isinstance(value, str):
        value, bound = value.casefold(), bound.casefold()
    match sign:
        case "=":
            return value == bound
        case "!=":
            return value != bound
        case "~":
            return bound in value
        case "~~":
            return value == bound
        case _:
            return {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}[sign](value, bound)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("anna", True),
        ("ann", False),
        ("%", True),
        ("an%", True),
        ("%NA", True),
        ("a%a", True),
        ("an%na", True),
        ("ann%na", False),
        ("%n%n%", True),
        ("%n%n%n%", False),
        ("a.na", False),
        ("%%a%%", True),
        ("%" * 40 + "x", False),
        ("%n" * 40, False),
    ],
)
def test_06_a_pattern_fits_the_whole_text_and_never_takes_long(client: Client, pattern: str, fits: bool) -> None:
    made = client.post("/patients", {"first_name": "Anna", "last_name": "P" + "n" * 200})["id"]
    found = client.get("/patients", f"id:={made}", f"first_name:~~{pattern}")["total_entries"]
    assert found == fits
    assert client.get("/patients", f"last_name:~~{'%n' * 60}%x")["total_entries"] == 0


LISTS = [operation for operation in registry.operations().values() if operation.listing and operation.filters]
NAMES = sorted({name for operation in LISTS for name in operation.filters})


@pytest.mark.long_but_one
@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.name)
def test_07_no_list_knows_the_filters_of_another(client: Client, operation: Operation) -> None:
    path = operation.path
    for name in operation.path_ids:  # what comes first is whether q is right, whichever the parent is
        path = path.replace(f"{{{name}}}", client.id("patients", "Ana Lima"))
    for name in NAMES:
        answer = client.request("GET", path, [("q[]", f"{name}:?")])
        unknown = body_of(answer).get("message") == f"{name} is not filterable"
        extra_routes = (operation.resource, name) == ("invoices", "invoice_id")  # as embedded links use it
        assert unknown is (name not in operation.filters and not extra_routes), (operation.name, name)
        assert answer.status == 400 or not unknown


HIDING = [
    (operation, stamp)
    for operation in LISTS
    for stamp in ("archived_at", "cancelled_at")
    if stamp in operation.filters and not operation.path_ids
]


@pytest.mark.long_but_one
@pytest.mark.parametrize(("operation", "stamp"), HIDING, ids=lambda value: getattr(value, "name", value))
def test_09_every_list_hides_and_shows_by_its_stamps(client: Client, operation: Operation, stamp: str) -> None:
    if operation.path.endswith("active"):
        return  # a list of some rows only
    tables = VIEWS.get(operation.resource, (operation.resource,))
    stored = [row for table in tables for row in client.sandbox.context.store.table(table).rows.values()]
    other = {"archived_at": "cancelled_at", "cancelled_at": "archived_at"}[stamp]
    mine = [row for row in stored if other not in row]
    for text, expected in (
        ((), [row for row in mine if stamp not in row]),
        ((f"{stamp}:*",), mine),
        ((f"{stamp}:?",), [row for row in mine if stamp in row]),
        ((f"{stamp}:!?",), [row for row in mine if stamp not in row]),
        ((f"{stamp}:<=2026-11-23T22:00:00Z",), [row for row in mine if stamp in row]),
    ):
        page = client.get(operation.path, *text, per_page=100)
        assert page["total_entries"] == len(expected), text
        shown = {row["id"] for row in next(value for value in page.values() if isinstance(value, list))}
        assert shown <= {str(row["id"]) for row in expected} and len(shown) == min(len(expected), 100), text
