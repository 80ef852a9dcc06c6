"""Reports on patients' records: likely duplicates, and missing contact details.

Requests: one a hundred patients of the clinic; with a time, practitioner or site those of their visits too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.cliniko.labels import name_of
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.resources.patients import Patient, Patients
from cliniko_mcp.errors import InvalidArguments
from cliniko_mcp.frontdesk import visits
from cliniko_mcp.frontdesk.answer_rows import Duplicates, PersonRow
from cliniko_mcp.frontdesk.duplicates import Pair, digits, pairs
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.figures import Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import merged

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients, *visits.NEEDS)

_NEVER = datetime.max.replace(tzinfo=UTC)
_MIN_DIGITS: Final = 6
_ONLY: Final = " Only those of whom someone has a visit in the time, with the practitioner, at the site asked about."


Contact = Literal["phone", "email"]


class MissingContactRow(Findable):
    """A patient who lacks a phone number or an email."""

    missing: list[Contact] = Field(description="What is missing.")
    reminders: str | None = Field(default=None, description="Reminders that cannot reach them.")


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that may all be one person's, the oldest first; `likely` where one pair of them is."""

    patients: Sequence[Patient]
    likely: bool
    why: Sequence[str]

    def row(self) -> Duplicates:
        """The group for a reader."""
        return Duplicates(
            confidence="likely" if self.likely else "possible",
            why="; ".join(self.why),
            patients=[_person_row(patient) for patient in self.patients],
        )


async def duplicates(question: ReportQuestion) -> Finding:
    """Records that seem to be of one person, the surest first."""
    seen = await _seen(question)
    patients = await _patients(question)
    groups = _groups(pairs(patients))
    if seen is not None:
        groups = [group for group in groups if any(patient.id in seen for patient in group.patients)]
    groups.sort(key=lambda group: (not group.likely, name_of(group.patients[0])))
    likely = sum(group.likely for group in groups)
    return Finding(
        "Likely: the same name and date of birth, or the same email or phone and a like name. Possible: the same date "
        "of birth and a like name (twins too), the same email or phone and first name (a new surname), or the same "
        "name, one without date of birth. "
        f"Archived and merged records are left out.{_ONLY if question.narrowed else ''}",
        {
            "groups_of_files": figures.count(len(groups)),
            "likely_one_person": figures.count(likely),
            "possibly_one_person": figures.count(len(groups) - likely),
            "files_compared": figures.count(len(patients)),
        },
        [group.row() for group in groups],
        notes=["Cliniko's API cannot merge records; a person does that in Cliniko itself."],
    )


def _groups(found: Sequence[Pair]) -> list[_Group]:
    """The pairs joined where they share a file."""
    patients = {patient.id: patient for pair in found for patient in (pair.one, pair.other)}
    parent = {patient_id: patient_id for patient_id in patients}

    def root(patient_id: str) -> str:
        while parent[patient_id] != patient_id:
            parent[patient_id] = parent[parent[patient_id]]
            patient_id = parent[patient_id]
        return patient_id

    for pair in found:
        parent[root(pair.one.id)] = root(pair.other.id)
    members: dict[str, list[Patient]] = {}
    for patient_id, patient in patients.items():
        members.setdefault(root(patient_id), []).append(patient)
    verdicts: dict[str, list[Pair]] = {}
    for pair in found:
        verdicts.setdefault(root(pair.one.id), []).append(pair)
    return [
        _Group(
            sorted(files, key=lambda patient: patient.created_at or _NEVER),
            any(pair.verdict.likely for pair in verdicts[key]),
            sorted({pair.verdict.why for pair in verdicts[key]}),
        )
        for key, files in members.items()
    ]


def _person_row(patient: Patient) -> PersonRow:
    born = patient.date_of_birth
    return PersonRow(id=patient.id, name=name_of(patient), born=born.isoformat() if born else None)


async def missing_contacts(question: ReportQuestion) -> Finding:
    """Patients without a phone number or an email, those without either first."""
    seen = await _seen(question)
    patients = await _patients(question)
    if seen is not None:
        patients = [patient for patient in patients if patient.id in seen]
    rows: list[tuple[int, str, MissingContactRow]] = []
    phones = emails = neither = 0
    for patient in patients:
        missing = _missing(patient)
        phones += "phone" in missing
        emails += "email" in missing
        neither += len(missing) == 2
        if missing:
            reminder = (patient.reminder_type or "").lower()
            lost = ("sms" in reminder and "phone" in missing) or ("email" in reminder and "email" in missing)
            row = MissingContactRow(
                patient_id=patient.id,
                missing=missing,
                reminders=f"set to {patient.reminder_type}, which cannot reach them" if lost else None,
            )
            rows.append((-len(missing), name_of(patient), row))
    rows.sort(key=lambda row: row[:2])
    return Finding(
        "Patients who are not archived and have no phone number at all, or no email."
        f"{_ONLY if question.narrowed else ''}",
        {
            "patients_without_phone": figures.share(phones, len(patients)),
            "patients_without_email": figures.share(emails, len(patients)),
            "patients_without_either": figures.share(neither, len(patients)),
        },
        [row for _, _, row in rows],
    )


def _missing(patient: Patient) -> list[Contact]:
    numbers = patient.patient_phone_numbers or ()
    has_phone = any(len(digits(row.normalized_number or row.number or "")) >= _MIN_DIGITS for row in numbers)
    has_email = bool((patient.email or "").strip())
    found: list[tuple[Contact, bool]] = [("phone", has_phone), ("email", has_email)]
    return [contact for contact, there in found if not there]


async def _patients(question: ReportQuestion) -> list[Patient]:
    return [patient for patient in await question.clinic.collect(Patients.list_patients) if not merged(patient)]


async def _seen(question: ReportQuestion) -> set[str] | None:
    """The patients with a live visit in the time, with the practitioner, at the site; None where nothing is named."""
    if not question.narrowed:
        return None
    if question.span is None:
        raise InvalidArguments(
            "Patients have no practitioner or site of their own, only those of their visits, and no time is said.",
            "Give when too, such as past 12 months: patients with a visit then are looked at.",
            field="when",
        )
    return {visit.patient_id for visit in await question.visits()}
