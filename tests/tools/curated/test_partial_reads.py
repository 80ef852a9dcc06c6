"""Whatever a curated tool reads may fail: what can be left out is left out with a sentence, the rest is an error.

For each tool, every request of a call that works is refused (403), answered with a failure (500) or cut off, one at a
time. The answer is then an error of the tree before anything is changed, or it is the same, or it says what it lacks.
"""

import re
from typing import Any, get_args

import anyio
import pytest
from conftest import YES

from cliniko_mcp.sandbox.faults import Fault, FaultKind
from cliniko_mcp.tools import curated

from .reception import Reception, reception
from .test_needs import CALLS, filled_in, stocked

pytestmark = pytest.mark.anyio

KINDS: tuple[FaultKind, ...] = ("forbidden", "error", "drop")
LACKS = re.compile(
    r"not shown|could not be read|cannot be read|not known|by id alone|left out|may not read|is in UTC|are in UTC"
)
Asked = tuple[str, str]
"""The method and the path of a request."""


async def played(name: str, fault: Fault | None = None) -> tuple[dict[str, Any], Reception]:
    async with reception(answer=YES, approval_wait=0, upload_folder=None) as clinic:
        ids = stocked(clinic)
        if fault is not None:
            clinic.sandbox.faults.set(fault)
        answer = await clinic.assistant.call(name, **filled_in(CALLS[name], ids))
        clinic.sandbox.faults.set()
    answer.pop("now", None)
    return answer, clinic


def sentences(answer: dict[str, Any]) -> set[str]:
    return {str(sentence) for field in ("notes", "why") for sentence in answer.get(field, [])}


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", curated.NAMES)
async def test_what_fails_is_left_out_with_a_sentence_or_is_an_error(name: str, kind: FaultKind) -> None:
    assert kind in get_args(FaultKind)
    whole, clinic = await played(name)
    assert "code" not in whole, whole
    asked = dict.fromkeys((seen.method, seen.path.removeprefix("/v1")) for seen in clinic.sandbox.requests)
    wrong: list[str] = []

    async def fail(method: str, path: str) -> None:
        answer, after = await played(name, Fault(kind, path=path, method=method))
        problem = judged(whole, answer, method, after.assistant.changes())
        if problem:
            wrong.append(f"{method} {path}: {problem}")

    async with anyio.create_task_group() as group:
        for method, path in asked:
            group.start_soon(fail, method, path)
    assert wrong == []


def judged(whole: dict[str, Any], answer: dict[str, Any], method: str, changes: list[str]) -> str | None:
    """What is wrong with the answer of a call in which a request of this method failed; None where nothing is."""
    code = answer.get("code")
    if code == "internal":
        return "a crash"
    if code is not None:
        return f"an error ({answer['message']}) after {changes}" if method == "GET" and changes else None
    new = sentences(answer) - sentences(whole)
    if answer != whole and not any(LACKS.search(sentence) for sentence in new):
        lost = {name for name in whole if answer.get(name) != whole[name]}
        return f"{lost} differ in silence; new sentences: {new}"
    return None


LEFT_OUT: list[tuple[str, str, set[str]]] = [
    ("show_diary", "/attendees", {"items", "totals"}),
    ("show_diary", "/patients", {"items"}),
    ("patient_brief", "/medical_alerts", {"item"}),
    ("patient_brief", "/patient_cases", {"item"}),
    ("patient_brief", "/patient_forms", {"item"}),
    ("patient_brief", "/invoices", {"item"}),
    ("patient_brief", "/treatment_notes", {"item"}),
    ("report", "/patients", {"items"}),
    ("read_patient_attachment", "/patients", {"item"}),
]
"""A tool, what may fail, and the fields of the answer that may then differ."""


@pytest.mark.long_but_one
@pytest.mark.parametrize("kind", ["forbidden", "error"])
@pytest.mark.parametrize(("name", "path", "touched"), LEFT_OUT)
async def test_a_part_that_can_be_left_out_never_costs_the_rest(
    name: str, path: str, touched: set[str], kind: FaultKind
) -> None:
    whole, _ = await played(name)
    answer, _ = await played(name, Fault(kind, path=path, method="GET"))
    (note,) = sentences(answer) - sentences(whole)
    reason = {"forbidden": "the user to whom the API key belongs may not read them", "error": "just now"}[kind]
    assert "are not shown: " in note and reason in note
    assert {field for field in whole if answer.get(field) != whole[field]} - {"notes"} <= touched


async def test_the_appointment_s_own_name_serves_where_the_file_cannot_be_read() -> None:
    async with reception() as clinic:
        stocked(clinic)
        row = next(row for row in clinic.rows("individual_appointments") if row["starts_at"] > "2026-11-25")
        clinic.store.put("individual_appointments", {**row, "patient_name": "Otto of the Row"})
        clinic.sandbox.faults.set(Fault("error", path="/patients"))
        answer = await clinic.assistant.call("show_diary", when="this week", limit=400, phones=True)
    shown = [entry for sheet in answer["items"] for entry in sheet["entries"]]
    assert "Otto of the Row" in [entry.get("patient") for entry in shown]
    assert not any("phone" in entry for entry in shown)


async def test_a_block_is_shown_without_its_kind_where_the_kinds_cannot_be_read() -> None:
    async with reception() as clinic:
        clinic.empty_diary()
        clinic.put(
            "unavailable_blocks",
            practitioner_id=clinic.id("practitioners", "Dr Mei Ng"),
            business_id=clinic.id("businesses", "Northside"),
            unavailable_block_type_id=clinic.id("unavailable_block_types", "Leave"),
            starts_at="2027-03-01T04:00:00Z",
            ends_at="2027-03-01T05:00:00Z",
        )
        clinic.sandbox.faults.set(Fault("error", path="/unavailable_block_types"))
        answer = await clinic.assistant.call("show_diary", when="1 March 2027", practitioner=["Ng"])
    assert [entry["block"] for sheet in answer["items"] for entry in sheet["entries"]] == ["Blocked out"]
    assert "Kinds of blocked-out time are not shown: they could not be read just now." in answer["notes"]


@pytest.mark.long
async def test_what_stops_every_read_is_an_error_and_no_partial_answer() -> None:
    answer, _ = await played("patient_brief", Fault("revoked", path="/medical_alerts"))
    assert answer["code"] == "key_refused"
