"""What a text says of a patient: names, and beside or without them a date or year of birth, phone, email or id."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from cliniko_mcp.cliniko.fields import parse_day
from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.errors import JsonValue, NotUnderstood
from cliniko_mcp.frontdesk.duplicates import MIN_DIGITS, born, digits, numbers_in, numbers_of, same_person, slip_between
from cliniko_mcp.frontdesk.matching import words
from cliniko_mcp.frontdesk.roster import Known
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.phrases import local_day, parse_when
from cliniko_mcp.phrases.zones import month_first

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_LABEL: Final = (
    r"(?:\b(?:(?:born|date of birth|birth ?(?:day|date)|d\.?o\.?b|year of birth|b(?=\. ?[0-9'’]))\b\.?"
    r"(?: (?:on|in)(?: the)?\b)?"
    r"|(?:tele)?phone|tel|mob(?:ile)?|cell|e-?mail|(?:patient )?id)\b\.?(?: (?:is|no|number)\b)?[:=# ]*)?"
)
_DAY: Final = r"[0-9]{1,2}(?:st|nd|rd|th)?"
_EMAIL: Final = re.compile(rf"{_LABEL}([^\s,;<>()\[\]]+@[^\s,;<>()\[\]]+)", re.I)
_EASTERN: Final = re.compile(rf"{_LABEL}(?<![0-9-])([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?![0-9-])", re.I)
_SLASHED: Final = re.compile(
    rf"{_LABEL}(?<![0-9+/.-])([0-9]{{1,2}})[/. -]([0-9]{{1,2}})([/. -])"
    r"([0-9]{4}(?![/.-]?[0-9])|[0-9]{2}(?![ /.-]*[0-9]))",
    re.I,
)
_WORDED: Final = re.compile(
    rf"{_LABEL}\b(?:the )?({_DAY}(?: of)?[ -]{_MONTH}|{_MONTH} (?:the )?{_DAY}),?[ -]"
    r"(?:([0-9]{4})\b|['’‘]?([0-9]{2})\b(?![ /.:-]*[0-9]))",
    re.I,
)
_CALLED: Final = r"patient (?:(?:number|no)\b[:=#. ]*|#)?(?=[1-9][0-9]{0,19}\b(?![ /.+-]*[0-9]))"
_LABELLED_ID: Final = re.compile(rf"\b(?:(?:patient )?id\b[:=#. ]*|{_CALLED})([0-9]{{1,20}})\b", re.I)
"""An id that is called so, or follows the word "patient", as a file without a name is called here."""
_NOUN: Final = re.compile(r"^\s*(?:the )?(?:patient|client) (?=\S)")
"""The word before a name, as in our own sentences; with a capital it may be a name itself."""
_YEAR: Final = re.compile(rf"{_LABEL}(?<![0-9+/.-])(?<![0-9] )\b((?:18|19|20)[0-9]{{2}})\b(?![ /.-]*[0-9])", re.I)
_LABELLED_YEAR: Final = re.compile(
    r"\b(?:born|year of birth|d\.?o\.?b)\b\.?(?: in)?[:=# ]*((?:18|19|20)[0-9]{2})\b", re.I
)
_PHONE: Final = re.compile(
    rf"{_LABEL}((?<!\w)\+?[0-9(][0-9 ()./-]{{4,24}}[0-9])(?:\s*(?:x|ext(?:n|ension)?\.?|#)\s*[0-9]+)?(?!\w)", re.I
)
_NUMBER: Final = re.compile(rf"{_LABEL}(?<!\w)([0-9]{{4,20}})(?!\w)", re.I)


@dataclass(frozen=True, slots=True)
class PatientPhrase:
    """What was said of a patient, each part empty where nothing was; a `number` may be an id or a phone number."""

    name: str = ""
    day: date | None = None
    year: int | None = None
    email: str = ""
    phone: str = ""
    number: str = ""
    id: str = ""

    @property
    def is_asked_for(self) -> bool:
        """Whether Cliniko can be asked for one of the parts besides the name in a request or a few."""
        return bool(self.id or self.email or self.day or self.year)

    @property
    def asked_for(self) -> "PatientPhrase":
        """The same with nothing but what Cliniko can be asked for, the name aside."""
        return PatientPhrase(day=self.day, year=self.year, email=self.email, id=self.id)

    @property
    def parts(self) -> dict[str, Callable[[Known[Patient]], bool]]:
        """What was said besides the name, in words, with a test of whether a patient fits it."""
        found: dict[str, Callable[[Known[Patient]], bool]] = {}
        if self.id:
            found[f"the id {self.id}"] = lambda patient: patient.id == self.id
        if self.email:
            found["the email"] = lambda patient: (
                (patient.record.email or "").strip().casefold() == self.email.casefold()
            )
        if (day := self.day) is not None:
            found[f"the date of birth {day.isoformat()}"] = lambda patient: born(patient) == day
        if self.year is not None:
            found[f"the year of birth {self.year}"] = lambda patient: _year(patient) == self.year
        if self.phone:
            found["the phone number"] = lambda patient: has_number(patient, self.phone)
        if self.number:
            found["the number"] = lambda patient: patient.id == self.number or has_number(patient, self.number)
        return found

    def likeness(self, patient: Known[Patient]) -> float:
        """How much of what was said agrees with a file, as of two files of one person; 0 where something contradicts.

        What two files are judged by, so that a birth date that is another one outweighs the same name.
        """
        day = self.day.isoformat() if self.day else None
        file: dict[str, JsonValue] = {
            "id": "0",
            "last_name": self.name,
            "date_of_birth": day,
            "email": self.email,
            "patient_phone_numbers": [{"number": self.phone or self.number}],
        }
        verdict = same_person(Patient.read(file), patient.record)
        return verdict.score if verdict else 0.0

    def slip(self, patient: Known[Patient]) -> str:
        """What slip a date of birth may be that is not that of the file, in words; empty where it is none."""
        return slip_between(self.day, born(patient))


def has_number(patient: Known[Patient], number: str) -> bool:
    """Whether this is one of a patient's phone numbers, with or without the code of its country."""
    return len(number) >= MIN_DIGITS and any(held.endswith(number[-8:]) for held in numbers_of(patient))


def _year(patient: Known[Patient]) -> int | None:
    day = born(patient)
    return day.year if day else None


async def read_phrase(clinic: GuardedClinic, text: str) -> PatientPhrase:
    """What a cleaned text says of a patient; days are in the order of the zone of the key's user, asked for a date.

    Raises NotUnderstood for a date of birth that is no day.
    """
    rest, email = _cut(_EMAIL, text)
    rest, record_id = _cut(_LABELLED_ID, rest)
    day: date | None = None
    if not rest.isdecimal() and (found := await _day_in(clinic, rest)) is not None:
        day, rest = found
    year, phone, number = "", "", ""
    if day is None and rest.strip() and not rest.strip().isdecimal():
        rest, year = _cut(_LABELLED_YEAR if _LABELLED_YEAR.search(rest) else _YEAR, rest)
    if (match := _PHONE.search(rest)) and (numbers := numbers_in(match[1])):
        rest, written = _without(rest, match), match[1]
        number, phone = (numbers[0], "") if _may_be_id(written) else ("", numbers[0])
    elif match := _NUMBER.search(rest):
        rest, number = _without(rest, match), match[1]
    name = _NOUN.sub("", re.sub(r"[()\[\]<>;|]", " ", rest))
    name = " ".join(name.split()).strip(" ,:-") if words(name) else ""
    return PatientPhrase(name, day, int(year) if year else None, email.strip(".:"), phone, number, record_id)


def _may_be_id(written: str) -> bool:
    return digits(written) == written and not written.startswith("0")


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    match = pattern.search(text)
    return (_without(text, match), match[1]) if match else (text, "")


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"


async def _day_in(clinic: GuardedClinic, text: str) -> tuple[date, str] | None:
    """The date of birth in a text, and the rest of it; None where there is none.

    A year of two digits is the latest that is not in the future.
    """
    for pattern, read in ((_EASTERN, _eastern), (_SLASHED, _slashed), (_WORDED, _worded)):
        for match in pattern.finditer(text):
            try:
                day = await read(clinic, match)
            except (ValueError, NotUnderstood):
                if _whole_year(match):
                    raise NotUnderstood(
                        f"There is no day {match.string[match.start(1) : match.end()]}.",
                        "Ask for the date of birth, then give it as 1984-05-03 (year, month, day).",
                    ) from None
                continue
            if day is not None:
                return day, _without(text, match)
    return None


def _whole_year(match: re.Match[str]) -> bool:
    """Whether this can be nothing but a date, for its year of four digits; between spaces it may be a phone number."""
    if match.re is _SLASHED:
        return len(match[4]) == 4 and match[4][:2] in ("18", "19", "20") and match[3] != " "
    return match.re is _EASTERN or bool(match[2])


async def _eastern(_: GuardedClinic, match: re.Match[str]) -> date:
    return parse_day(match[1])


async def _slashed(clinic: GuardedClinic, match: re.Match[str]) -> date | None:
    if match[3] == " " and (
        len(match[4]) == 2 or re.match(" *[0-9]", match.string[match.end() :])
    ):  # "12 34 56" is more likely part of a phone number
        return None
    now, zone = clinic.now, await clinic.zone()
    one, two, year = int(match[1]), int(match[2]), int(match[4])
    month, day = (one, two) if month_first(None, zone) else (two, one)
    if len(match[4]) == 4:
        return date(year, month, day)
    return _latest(year, month, day, local_day(now, zone))


def _latest(year: int, month: int, day: int, today: date) -> date:
    """The latest day with these two digits of a year that is not in the future."""
    near = date(2000 + year, month, day)
    return near if near <= today else date(1900 + year, month, day)


async def _worded(clinic: GuardedClinic, match: re.Match[str]) -> date | None:
    # Read in a leap year near now, because phrases of time reach back no further than a clinic's own years.
    spoken = match[1].replace("-", " ").replace(".", "")
    now, zone = clinic.now, await clinic.zone()
    when = parse_when(f"{spoken} 2028", now=now, zone=zone)
    if (when.end - when.start).days > 1:
        return None
    month, day = when.start.month, when.start.day
    return date(int(match[2]), month, day) if match[2] else _latest(int(match[3]), month, day, local_day(now, zone))
