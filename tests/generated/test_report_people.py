"""Reports on files, notes and what lies ahead in generated clinics: duplicates, contacts, words, first consults."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import combinations

import pytest
from clinics import expected
from clinics.papers import EDGES, clinics_with_papers
from clinics.rows import HIDDEN_AT, Clinic, Row
from clinics.strategies import clinics
from clinics.tools import Tools, play
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reports.expected_papers import find_in_notes, missing_contacts

from .test_report_figures import recounted

FIRSTS = ("Katherine", "KATHERINE", "Kate", "Daniel", "Daniela", "Otto", "Óttó")
LASTS = ("Stone", "stone", "Stones", "Marlow")
ALIKE = {frozenset(("daniel", "daniela")), frozenset(("stone", "stones"))}
SHORT = {frozenset(("katherine", "kate"))}
BORN = (None, "1980-01-02", "1980-02-01", "1980-01-03", "1955-07-31")
SWAPPED, SLIPPED = {frozenset(BORN[1:3])}, {frozenset((BORN[1], BORN[3]))}
EMAILS = (None, "a@x.example", "A@X.example", "b@x.example")
NUMBERS = (None, "0400 111 222", "+61 400 111 222", "0491 570 156")
LIKELY, POSSIBLE = 4.5, 3.0


def folded(text: str | None) -> str:
    letters = unicodedata.normalize("NFKD", (text or "").casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def names_agree(one: Row, other: Row) -> float:
    """The points of the names, by the table of docs/reports.md."""
    (first, last), (theirs, surname) = ((folded(row["first_name"]), folded(row["last_name"])) for row in (one, other))
    if {first, last} == {theirs, surname}:
        return 3.0
    pair, surnames = frozenset((first, theirs)), frozenset((last, surname))
    if last == surname and pair in SHORT:
        return 2.5
    if first == theirs or pair in ALIKE:
        return 1.4 if last == surname or surnames in ALIKE else 1.0
    return 0.0


def birthdays_agree(one: Row, other: Row) -> float:
    days = frozenset((one.get("date_of_birth"), other.get("date_of_birth")))
    if None in days:
        return 0.0
    return 3.0 if len(days) == 1 else 1.5 if days in SWAPPED else 1.0 if days in SLIPPED else -4.0


def numbers(row: Row) -> set[str]:
    return {phone["number"].replace(" ", "")[-9:] for phone in row.get("patient_phone_numbers", [])}


def points(one: Row, other: Row) -> float:
    """How much two files agree; 0 where their names do not."""
    names = names_agree(one, other)
    mails = folded(one.get("email")), folded(other.get("email"))
    contact = (mails[0] == mails[1] != "") or bool(numbers(one) & numbers(other))
    if not names or (names == 1.0 and not contact):
        return 0.0
    return names + birthdays_agree(one, other) + 3.1 * contact


def grouped(rows: list[Row]) -> dict[frozenset[str], bool]:
    """The files that may be one person's, joined where they share one, and whether any pair of them likely is."""
    pairs = [(one["id"], other["id"], points(one, other)) for one, other in combinations(rows, 2)]
    groups: list[set[str]] = []
    for one, other, score in pairs:
        if score >= POSSIBLE:
            joined = {one, other}.union(*(group for group in groups if group & {one, other}))
            groups = [group for group in groups if not group & joined] + [joined]
    return {frozenset(group): any(score >= LIKELY and one in group for one, _, score in pairs) for group in groups}


@st.composite
def files(draw: st.DrawFn) -> Clinic:
    """A clinic whose files share names, birthdays, emails and phones in all ways."""
    clinic = draw(clinics(nows=EDGES[:1]))
    clinic.tables["patients"] = [patient for patient in clinic.patients if patient.get("archived_at")]
    for _ in range(draw(st.integers(2, 7))):
        number = draw(st.sampled_from(NUMBERS))
        clinic.add(
            "patients",
            first_name=draw(st.sampled_from(FIRSTS)),
            last_name=draw(st.sampled_from(LASTS)),
            date_of_birth=draw(st.sampled_from(BORN)),
            email=draw(st.sampled_from(EMAILS)),
            patient_phone_numbers=[{"number": number, "phone_type": "Mobile"}] if number else None,
            archived_at=HIDDEN_AT if draw(st.integers(0, 7)) == 7 else None,
        )
    return clinic


@pytest.mark.long
@given(files())
@settings(max_examples=40)
def test_duplicates_are_the_files_whose_points_suffice(clinic: Clinic) -> None:
    rows = [row for row in clinic.patients if not row.get("archived_at")]
    wanted = grouped(rows)

    async def act(tools: Tools) -> None:
        answer = await tools.call("report", kind="duplicates", limit=200)
        found = {
            frozenset(patient["id"] for patient in row["patients"]): row["confidence"] == "likely"
            for row in answer["items"]
        }
        assert found == wanted
        assert answer["summary"] == {
            "groups_of_files": {"count": len(wanted)},
            "likely_one_person": {"count": sum(wanted.values())},
            "possibly_one_person": {"count": len(wanted) - sum(wanted.values())},
            "files_compared": {"count": len(rows)},
        }

    play(clinic, act)


@pytest.mark.long
@given(clinics_with_papers(), st.data())
@settings(max_examples=20)
def test_contacts_and_words_in_notes(clinic: Clinic, data: st.DataObject) -> None:
    own = 0
    for patient in clinic.patients:
        contact = data.draw(st.sampled_from((None, "own name", "own number", "Zebediah Quux 0499 999 999", "Zebediah")))
        phones = patient["patient_phone_numbers"]
        texts: Mapping[str | None, str | None] = {
            "own name": patient.get("label"),
            "own number": phones[0]["number"] if phones else None,
        }
        text = texts.get(contact, contact)
        patient |= {"emergency_contact": text} if text else {}
        hidden = any(patient.get(name) for name in ("archived_at", "merged_at"))
        own += bool(text) and contact in texts and not hidden
    recount = recounted(clinic)
    first, last = recount.today - timedelta(days=data.draw(st.integers(0, 4))), recount.today

    async def act(tools: Tools) -> None:
        told = (await tools.call("report", kind="missing_contacts"))["summary"]
        assert told.pop("emergency_contact_is_their_own")["count"] == own
        assert told == missing_contacts(recount)
        for words in ("sleeping badly", "SCHLAFT", "walk", "dog", "nothing of the kind"):
            answer = await tools.call("report", kind="find_in_notes", words=words, when=f"{first} to {last}")
            assert answer["summary"] == find_in_notes(recount, first, last, words), words

    play(clinic, act)


@given(clinics(nows=EDGES))
@settings(max_examples=20)
def test_the_next_first_consult_is_the_earliest_start_that_is_free(clinic: Clinic) -> None:
    today = recounted(clinic).today
    days = [today + timedelta(days=number) for number in range(4)]
    first = [kind for kind in clinic.types if "Initial" in kind.get("name", "") and not expected.is_class(kind)]

    def earliest(kind: Row, day: date) -> dict[str, int]:
        found: dict[str, int] = {}
        for start, who, _ in expected.free_starts(clinic, kind, day):
            found[who] = min(start, found.get(who, start))
        return found

    wanted: dict[str, int] = {}
    for kind in first:
        for day in days:
            for who, start in earliest(kind, day).items():
                wanted[who] = min(start, wanted.get(who, start))

    async def act(tools: Tools) -> None:
        answer = await tools.call("report", kind="ahead", when=f"{days[0]} to {days[-1]}", limit=200)
        if answer.get("code") == "not_understood":  # it is later already wherever the clinic is
            return
        shown = sorted(
            expected.minute(datetime.fromisoformat(row["next_first_consult"].split(" ")[0]))
            for row in answer["items"]
            if "next_first_consult" in row
        )
        assert shown == sorted(wanted.values())
        assert answer["summary"]["with_a_first_consult_free"]["count"] == len(wanted)

    play(clinic, act)
