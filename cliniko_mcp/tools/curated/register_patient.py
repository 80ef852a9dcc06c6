"""register_patient: a new patient's file with phones, email, referrer and first case, after a look for the same person.

Requests: 10 cold, 9 warm (with the set-up in memory) for a usual call. In general those of the last name (3, at most
twice as many where nobody has it), one each for the date of birth, the same with day and month swapped, and the email,
one for the zone, one a hundred contacts where a referrer is named; then one for the file and one for the case. The same
call again adds one for the cases of the file that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final, Literal

from pydantic import Field

from cliniko_mcp.approvals.digest import digest
from cliniko_mcp.cliniko.fields import Email
from cliniko_mcp.cliniko.filters import Hidden
from cliniko_mcp.cliniko.models import Body
from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.cliniko.resources.contacts import Contact, Contacts
from cliniko_mcp.cliniko.resources.patient_cases import PatientCase, PatientCaseBody, PatientCases
from cliniko_mcp.cliniko.resources.patients import Patient, PatientBody, Patients
from cliniko_mcp.cliniko.shapes.phones import PhoneNumber
from cliniko_mcp.errors import (
    Clash,
    ClinikoMcpError,
    ClinikoRefused,
    InvalidArguments,
    JsonValue,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
)
from cliniko_mcp.frontdesk import patient_names, patients
from cliniko_mcp.frontdesk.answer_rows import PersonRow
from cliniko_mcp.frontdesk.birth_dates import read_birth_date
from cliniko_mcp.frontdesk.concurrency import run_concurrently
from cliniko_mcp.frontdesk.day_sheet import phones_of
from cliniko_mcp.frontdesk.duplicates import SamePerson, numbers_in, numbers_of, same_person
from cliniko_mcp.frontdesk.matching import fold
from cliniko_mcp.frontdesk.notices import filing_notices
from cliniko_mcp.frontdesk.roster import Known, candidate, chosen, known_record, name_text, person_row, with_birth_year
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day
from cliniko_mcp.phrases.zones import month_first
from cliniko_mcp.results.envelope import Answer
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.sanitize import clean, counted
from cliniko_mcp.tools.tool import curated

MAX_ALIKE: Final = 10
"""Files that are shown beside a newcomer, the likeliest first."""
_SHOWN: Final = 5
_JUST_NOW: Final = timedelta(days=1)
"""How long ago a file with the same name and nothing else may have been made by this very call."""
_DOCTOR: Final = 1
PhoneType = Literal["Mobile", "Home", "Work"]


class RegisterPatient(Body):
    """Who is new; `allow_clash` repeats the text of a refusal that showed files of what may be the same person."""

    first_name: str
    last_name: str
    born: str | None = Field(default=None, description="Date of birth: 1984-05-03, 3 May 1984.")
    mobile: str | None = None
    home_phone: str | None = None
    work_phone: str | None = None
    email: Email | None = None
    referrer: str | None = Field(default=None, description="Contact who referred them: name or id.")
    case: str | None = Field(default=None, description="First case to open, e.g. Knee.")
    max_sessions: int | None = Field(default=None, ge=1, le=200)
    allow_clash: str | None = None


class CaseOpened(AnswerModel):
    """The first case of a new patient."""

    id: str = Field(description="The case's id.")
    name: str = Field(description="First case to open, e.g. Knee.")
    max_sessions: int | None = Field(default=None, description="How many sessions it covers.")


class RegisteredRow(PersonRow):
    """A patient's file as it is now."""

    email: str | None = Field(default=None, description="Email.")
    phones: list[str] | None = Field(default=None, description="Phone numbers, mobile first.")
    referrer: str | None = Field(default=None, description="The contact who referred them.")


class Registered(AnswerModel):
    """The file that was made, or was there already."""

    done: str = Field(description="What was changed.")
    item: RegisteredRow = Field(description="The patient's file.")
    case: CaseOpened | None = Field(default=None, description="The case that was opened, or was there.")


@dataclass(frozen=True, slots=True)
class _Newcomer:
    """Who is to be registered: the body of the file, and the same as a record to compare with others."""

    body: PatientBody
    record: Patient
    day: date | None

    def is_file(self, known: Known[Patient], now_made: bool) -> bool:
        """Whether a file is what this very call makes: all of it is the same; without a date of birth, email or phone
        only where it was made just now."""
        own, other = Known("", "", self.record), known.record
        return (
            (fold(own.record.first_name or ""), fold(own.record.last_name or ""))
            == (fold(other.first_name or ""), fold(other.last_name or ""))
            and own.record.date_of_birth == other.date_of_birth
            and (own.record.email or "").casefold() == (other.email or "").casefold()
            and sorted(numbers_of(own)) == sorted(numbers_of(known))
            and (bool(self.day or self.body.email or numbers_of(own)) or now_made)
        )


@dataclass(frozen=True, slots=True)
class _Alike:
    """A file that may be the same person's."""

    known: Known[Patient]
    verdict: SamePerson

    @property
    def words(self) -> str:
        """Who it is, and why."""
        sure = "likely" if self.verdict.likely else "possible"
        hidden = f", {self.known.gone}" if self.known.gone else ""
        return f"{with_birth_year(self.known)}{hidden}, id {self.known.id}: {sure}, {self.verdict.why}"


async def register_patient(clinic: GuardedClinic, arguments: RegisterPatient) -> Answer:
    """The file that was made with its first case, or the one that was there already from the same call. Raises Clash
    where files may be the same person's, until their text comes back."""
    referrer, newcomer = await run_concurrently(
        partial(_referrer, clinic, arguments), partial(_newcomer, clinic, arguments)
    )
    if referrer is not None and referrer.record.type_code == _DOCTOR:
        newcomer.body.referring_doctor_id = referrer.id
    elif referrer is not None and not arguments.case:
        raise InvalidArguments(
            f"{referrer.name} is no doctor, and only a case keeps another referrer.",
            "Give a case as well, or leave referrer out.",
            field="referrer",
        )
    known, whole = await _looked_through(clinic, newcomer)
    made = next((file for file in known if not file.gone and newcomer.is_file(file, _just_made(clinic, file))), None)
    if made is not None:
        return await _already_there(clinic, arguments, made, referrer)
    alike = [_Alike(file, verdict) for file in known if (verdict := same_person(newcomer.record, file.record))]
    alike.sort(key=lambda one: (-one.verdict.score, bool(one.known.gone), one.known.id))
    del alike[MAX_ALIKE:]
    clash = _clash_text(newcomer, alike)
    notes = [] if whole else ["Too many patients of that name to compare all: somebody may have a file already."]
    if alike and arguments.allow_clash != clash:
        raise _refusal(alike, clash)
    record = await clinic.perform(Patients.create_patient, newcomer.body)
    opened, problem = await _case(clinic, arguments, record.id, referrer)
    done = "Registered." if problem is None else f"Registered. {_not_opened(problem)}"
    notes.append(filing_notices(record))
    if alike:
        notes.append(f"Made beside files that may be the same person's: {', '.join(one.known.id for one in alike)}.")
    if problem is not None:
        notes.append("The case is left out here. Call again with the same arguments for it: nothing is made twice.")
    return Answer(_registered(done, patients.known_patient(record), opened, referrer), notes)


async def _newcomer(clinic: GuardedClinic, arguments: RegisterPatient) -> _Newcomer:
    zone = await clinic.zone()
    first, last = clean(arguments.first_name, 255), clean(arguments.last_name, 255)
    for field, text in (("first_name", first), ("last_name", last)):
        if not text:
            raise InvalidArguments(f"{field} is empty.", "Ask for the name.", field=field)
    body = PatientBody(first_name=first, last_name=last)
    day = None
    if arguments.born:
        day = read_birth_date(arguments.born, local_day(clinic.now, zone), month_first=month_first(None, zone))
        body.date_of_birth = day
    if arguments.email:
        body.email = arguments.email.strip()
    if phones := _phones(arguments):
        body.patient_phone_numbers = phones
    record = Patient.read({"id": "0", **body.model_dump(mode="json", exclude_unset=True)})
    return _Newcomer(body, record, day)


def _phones(arguments: RegisterPatient) -> list[PhoneNumber]:
    """The phone numbers by type. Raises InvalidArguments for a text that is not one number."""
    numbers: tuple[tuple[str, PhoneType, str | None], ...] = (
        ("mobile", "Mobile", arguments.mobile),
        ("home_phone", "Home", arguments.home_phone),
        ("work_phone", "Work", arguments.work_phone),
    )
    found: list[PhoneNumber] = []
    for field, phone_type, text in numbers:
        if not text:
            continue
        if len(numbers_in(text)) != 1:
            raise InvalidArguments(
                f"{field} is not one phone number.", "Give one number, such as 0491 570 156.", field=field
            )
        found.append(PhoneNumber(phone_type=phone_type, number=clean(text, 60)))
    return found


async def _referrer(clinic: GuardedClinic, arguments: RegisterPatient) -> Known[Contact] | None:
    """The contact of this name or id. Raises Ambiguous and NotFound, both with candidates."""
    if not arguments.referrer:
        return None
    rows = await clinic.collect(Contacts.list_contacts, archived_at=Hidden.INCLUDED)
    known = {row.id: known_record(row) for row in rows}
    found = chosen("contact", arguments.referrer, known, "create_contact adds one; list_contacts has them.")
    if found.gone:
        raise NotFound(found.note, "Choose another contact, or leave referrer out.")
    return found


async def _looked_through(clinic: GuardedClinic, newcomer: _Newcomer) -> tuple[list[Known[Patient]], bool]:
    """The files that share the last name, date of birth or email, merged ones left out; and whether that is all."""
    day, email = newcomer.day, newcomer.body.email
    questions: list[patient_names.Filters] = []
    if day is not None:
        questions.append({"date_of_birth": day})
        if day.day <= 12 and day.day != day.month:
            questions.append({"date_of_birth": day.replace(month=day.day, day=day.month)})
    if email:
        questions.append({"email": email})
    named = partial(patient_names.by_name, clinic, newcomer.body.last_name)
    found = await run_concurrently(named, *(partial(patient_names.listed, clinic, question) for question in questions))
    files = {file.id: file for part in found for file in part.patients if file.record.merged_at is None}
    return list(files.values()), all(part.whole for part in found)


def _just_made(clinic: GuardedClinic, known: Known[Patient]) -> bool:
    made = known.record.created_at
    return made is not None and clinic.now - made <= _JUST_NOW


async def _already_there(
    clinic: GuardedClinic, arguments: RegisterPatient, known: Known[Patient], referrer: Known[Contact] | None
) -> Answer:
    """The file that the same call made before, and its case, which is opened only where it is missing."""
    done = f"Already there, id {known.id}: no second file was made."
    case: PatientCase | None = None
    if arguments.case:
        cases = await clinic.collect(PatientCases.list_patient_cases, patient_id=known.id)
        case = next((row for row in cases if fold(row.name or "") == fold(arguments.case)), None)
        if case is not None:
            done = f"Already there, id {known.id}, with the case {case.id}: nothing was changed."
        else:
            case, problem = await _case(clinic, arguments, known.id, referrer)
            opened = "The case was opened." if problem is None else _not_opened(problem)
            done = f"Already there, id {known.id}: no second file was made. {opened}"
    return Answer(_registered(done, known, case, referrer))


async def _case(
    clinic: GuardedClinic, arguments: RegisterPatient, patient_id: str, referrer: Known[Contact] | None
) -> tuple[PatientCase | None, ClinikoMcpError | None]:
    """The case that was opened, if one was asked for; or why it was not, or may not have been."""
    if not arguments.case:
        return None, None
    body = PatientCaseBody(name=clean(arguments.case, 255), patient_id=patient_id)
    if arguments.max_sessions is not None:
        body.max_sessions = arguments.max_sessions
    if referrer is not None:
        body.contact_id = referrer.id
    try:
        return await clinic.perform(PatientCases.create_patient_case, body), None
    except (ClinikoRefused, NotAllowed) as problem:
        return None, problem


def _not_opened(problem: ClinikoMcpError) -> str:
    known = not isinstance(problem, OutcomeUnknown)
    return f"{'The case was not opened' if known else 'Whether the case was opened is not known'}: {problem.message}"


def _registered(
    done: str, known: Known[Patient], case: PatientCase | None, referrer: Known[Contact] | None
) -> Registered:
    """The file and the case in it; the referrer only where one of them keeps it."""
    row = person_row(known)
    kept = referrer if referrer and referrer.id in _referrers(known, case) else None
    item = RegisteredRow(
        id=row.id,
        name=row.name,
        born=row.born,
        email=name_text(known.record.email) or None,
        phones=phones_of(known) or None,
        referrer=kept.name if kept else None,
    )
    opened = CaseOpened(id=case.id, name=name_text(case.name), max_sessions=case.max_sessions) if case else None
    return Registered(done=done, item=item, case=opened)


def _referrers(known: Known[Patient], case: PatientCase | None) -> set[str | None]:
    return {known.record.referring_doctor_id, case.contact_id if case else None}


def _clash_text(newcomer: _Newcomer, alike: Sequence[_Alike]) -> str:
    """The text that stands for this newcomer beside just these files."""
    own = newcomer.record
    ids = sorted(one.known.id for one in alike)
    parts = own.first_name, own.last_name, own.date_of_birth, own.email
    return f"clash-{digest(*map(str, parts), '|', *ids)[:10]}"


def _refusal(alike: Sequence[_Alike], clash: str) -> Clash:
    """The error that files may be the same person's; their text is given only where all are shown."""
    candidates: list[JsonValue] = [candidate(one.known) for one in alike[:_SHOWN]]
    clashes: list[JsonValue] = [one.words for one in alike]
    return Clash(
        f"Not registered: {counted(len(alike), 'file')} may be the same person's.",
        "Ask whether one of them is meant, and use it. Only for somebody else call again with allow_clash set to the "
        "text under clash.",
        clash=clash,
        clashes=clashes,
        candidates=candidates,
    )


tool = curated(
    "register_patient",
    "Register a new patient (client): name, birth date, phones, email, referrer and a first case in one call, after "
    "looking for a file that the same person has. All other details: update_patient.",
    RegisterPatient,
    register_patient,
    answer=Registered,
    risk=Risk.WRITE,
    repeatable=True,
    needs=[Patients.create_patient, *patients.NEEDS],
)
