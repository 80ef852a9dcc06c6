"""What is said of the case that a visit counts towards."""

from datetime import date

import pytest

from cliniko_mcp.cliniko.resources.patient_cases import PatientCase
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.roster import Known, known_record
from cliniko_mcp.frontdesk.visit_case import case_note

FAYE = Known("7", "Faye Lindqvist", Patient.read({"id": "7"}))


@pytest.mark.parametrize(
    ("sessions", "limit"),
    [(None, ""), (1, ", for 1 session at most"), (2, ", for 2 sessions at most")],
)
def test_the_limit_of_a_case_is_told_in_its_number(sessions: int | None, limit: str) -> None:
    case = known_record(PatientCase.read({"id": "3", "name": "Knee", "max_sessions": sessions}))
    assert case_note([case], case, date(2026, 11, 25), FAYE, "") == [f"It counts towards the case Knee{limit}."]
