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
from cliniko_mcp.frontdesk.answer_rows import PersonRow
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.duplicates import Pair, digits, numbers_in, numbers_of, pairs
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.reports import figures
from cliniko_mcp.frontdesk.reports.figures import Figure, Findable
from cliniko_mcp.frontdesk.reports.question import Finding, ReportQuestion
from cliniko_mcp.frontdesk.roster import Known, known_record, merged, person_row
from cliniko_mcp.results.models import AnswerModel

NEEDS: Final[tuple[Operation, ...]] = (Patients.list_patients, *visits.NEEDS)

_NEVER = datetime.max.replace(tzinfo=UTC)
_MIN_DIGITS: Final = 6
_ONLY: Final = " Only those of whom someone has a visit in the time, with the practitioner, at the site asked about."


_SAME_DIGITS: Final = 9
Contact = Literal[
    "phone",
    "email",
    "mobile for SMS reminders",
    "emergency contact other than themselves",
]


class SameFileRow(PersonRow):
    """A patient's file that may be of the same person as another."""

    phone: str | None = Field(default=None, description="Their phone number, a mobile first, where phones is true.")


class SamePersonRow(AnswerModel):
    """Files that may be one person's."""

    confidence: Literal["likely", "possible"] = Field(description="How sure it is.")
    why: str = Field(description="What they have in common.")
    patients: list[SameFileRow] = Field(description="The files, the oldest first.")


class MissingContactRow(Findable):
    """A patient who cannot be reached in some way."""

    missing: list[Contact] = Field(description="What is missing.")
    reminders: str | None = Field(default=None, description="Reminders that cannot reach them.")


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that may all be one person's, the oldest first; `likely` where one pair of them is."""

    patients: Sequence[Patient]
    likely: bool
    why: Sequence[str]

    def row(self, *, phones: bool) -> SamePersonRow:
        """The group for a reader, with phone numbers where they are wanted."""
        return SamePersonRow(
            confidence="likely" if self.likely else "possible",
            why="; ".join(self.why),
            patients=[_file(known_record(patient), phones=phones) for patient in self.patients],
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
        [group.row(phones=question.phones) for group in groups],
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


def _file(patient: Known[Patient], *, phones: bool) -> SameFileRow:
    phone = next(iter(phones_of(patient)), None) if phones else None
    return SameFileRow.model_validate({**dict(person_row(patient)), "phone": phone})


async def missing_contacts(question: ReportQuestion) -> Finding:
    """Patients who cannot be reached in some way, those without phone and email first."""
    seen = await _seen(question)
    patients = await _patients(question)
    if seen is not None:
        patients = [patient for patient in patients if patient.id in seen]
    missing = {patient.id: _missing(patient) for patient in patients}
    lacking = [patient for patient in patients if missing[patient.id]]
    lacking.sort(key=lambda patient: (not {"phone", "email"} <= {*missing[patient.id]}, name_of(patient), patient.id))

    def lack(*contacts: Contact) -> Figure:
        return figures.share(sum({*contacts} <= {*missing[patient.id]} for patient in patients), len(patients))

    reachable = [{"phone", "email"} - {*missing[patient.id]} for patient in patients]
    return Finding(
        "Patients who are not archived. A phone number has at least six digits. A mobile is missed only where "
        "reminders go out by SMS; a number counts as one where its entry says so. An emergency contact is the "
        f"patient's own where it holds nothing but their own name or number.{_ONLY if question.narrowed else ''}",
        {
            "patients_without_phone": lack("phone"),
            "patients_without_email": lack("email"),
            "patients_without_either": lack("phone", "email"),
            "patients_with_phone_only": figures.share(sum(ways == {"phone"} for ways in reachable), len(patients)),
            "patients_with_email_only": figures.share(sum(ways == {"email"} for ways in reachable), len(patients)),
            "sms_reminders_without_mobile": lack("mobile for SMS reminders"),
            "emergency_contact_is_their_own": lack("emergency contact other than themselves"),
        },
        [_lacking(patient, missing[patient.id]) for patient in lacking],
    )


def _lacking(patient: Patient, missing: Sequence[Contact]) -> MissingContactRow:
    reminder = (patient.reminder_type or "").lower()
    lost = ("sms" in reminder and "phone" in missing) or ("email" in reminder and "email" in missing)
    return MissingContactRow(
        patient_id=patient.id,
        missing=[*missing],
        reminders=f"set to {patient.reminder_type}, which cannot reach them" if lost else None,
    )


def _missing(patient: Patient) -> list[Contact]:
    numbers = patient.patient_phone_numbers or ()
    phones = [row for row in numbers if len(digits(row.normalized_number or row.number or "")) >= _MIN_DIGITS]
    mobile = any((row.phone_type or "").casefold() == "mobile" for row in phones)
    emergency = (patient.emergency_contact or "").strip()
    by_sms = "sms" in (patient.reminder_type or "").lower()
    found: list[tuple[Contact, bool]] = [
        ("phone", bool(phones)),
        ("email", bool((patient.email or "").strip())),
        ("mobile for SMS reminders", mobile or not by_sms),
        ("emergency contact other than themselves", not emergency or not _is_own(patient, emergency)),
    ]
    return [contact for contact, there in found if not there]


def _is_own(patient: Patient, emergency: str) -> bool:
    """Whether an emergency contact holds only what is the patient's own: their name, or their number."""
    known = known_record(patient)
    own = {word for name in known.names for word in words(name)}
    others = [word for word in words(emergency) if not word.isdigit() and word not in own]
    there, mine = numbers_in(emergency), {*numbers_of(known)}
    return not others and all(number[-_SAME_DIGITS:] in mine for number in there)


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
