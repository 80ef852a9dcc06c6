"""The case that a visit counts towards: the one that was named, or the open ones of the patient that fit."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

from cliniko_mcp.cliniko.resources.patient_cases import PatientCase, PatientCases
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk.partial_reads import PartialReads
from cliniko_mcp.frontdesk.roster import Known, chosen, known_record, named
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.sanitize import counted, first_few

Case = Known[PatientCase]
_MAX_NAMED: Final = 3


async def open_cases(clinic: GuardedClinic, patient_id: str, parts: PartialReads) -> list[Case] | None:
    """The cases of a patient that are neither closed nor expired: one request; None, with a note, where it fails."""
    listing = partial(clinic.collect, PatientCases.list_active_patient_cases, patient_id=patient_id)
    rows = await parts.read("Cases", listing)
    return None if rows is None else [known_record(row) for row in rows if row.patient_id in (None, patient_id)]


def case_of(cases: Sequence[Case] | None, query: str | None) -> Case | None:
    """The open case of this name or id; None where none is named.

    Raises Ambiguous and NotFound, with candidates, and InvalidArguments where the cases could not be read.
    """
    if query is None:
        return None
    if cases is None:
        raise InvalidArguments(
            "The patient's cases could not be read, so nothing was booked.",
            "Leave patient_case out, or ask the clinic's administrator.",
            field="patient_case",
        )
    advice = "Only open cases of this patient count; create_patient_case opens one."
    return chosen("open case", query, {case.id: case for case in cases}, advice)


def case_note(cases: Sequence[Case] | None, taken: Case | None, last: date, patient: Known, how: str) -> list[str]:
    """A sentence on the case that was taken, or on the open ones that a visit on this local day could count towards.

    `how` is the advice for the second. Nothing where there is nothing to say.
    """
    if taken is not None:
        until = taken.record.expiry_date
        late = f" It expires on {until}, before the last visit." if until is not None and until < last else ""
        return [f"It counts towards the case {named(taken)}{_limit(taken)}.{late}"]
    fitting = [case for case in cases or () if case.record.expiry_date is None or case.record.expiry_date >= last]
    if not fitting:
        return []
    shown = first_few([f"{named(case)} (id {case.id}){_limit(case)}" for case in fitting], _MAX_NAMED)
    many = "an open case that fits" if len(fitting) == 1 else f"{len(fitting)} open cases that fit"
    return [f"{named(patient)} has {many}: {shown}. {how}"]


def _limit(case: Case) -> str:
    sessions = case.record.max_sessions
    if not sessions:
        return ""
    return f", for {counted(sessions, 'session')} at most"
