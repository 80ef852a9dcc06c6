"""Generated pairs of files: what agrees makes them one person's, what contradicts it does not; relatives stay two."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.duplicates import same_person

Row = dict[str, Any]
FORMS = [("Kate", "Katherine"), ("Bill", "William"), ("Liz", "Elizabeth"), ("Tony", "Anthony"), ("Meg", "Margaret")]
FIRSTS = st.sampled_from(["Otis", "Vera", "Theodore", "Mia", "Zofia", "Inés"])
LASTS = st.sampled_from(["Bramble", "Quill", "O'Brien", "Macpherson", "de la Cruz"])
BORN = st.dates(date(1930, 1, 1), date(2020, 12, 31))
SPELT = {"Inés": "Ines", "O'Brien": "O’Brien", "de la Cruz": "De La Cruz", "Bramble": "BRAMBLE"}


def file(first: str, last: str, born: date | None = None, **more: Any) -> Patient:
    row: Row = {"id": "1", "first_name": first, "last_name": last, "date_of_birth": born and born.isoformat(), **more}
    return Patient.read(row)


def phones(number: str) -> list[Row]:
    return [{"phone_type": "Mobile", "number": number}]


def slip(one: date, other: date) -> bool:
    swapped = (one.day, one.month, one.year) == (other.month, other.day, other.year)
    return swapped or sum(a != b for a, b in zip(one.isoformat(), other.isoformat(), strict=True)) < 2


@given(FIRSTS, LASTS, BORN)
def test_the_same_name_however_spelt_and_the_same_birthday_are_likely_one_person(
    first: str, last: str, born: date
) -> None:
    other = file(SPELT.get(first, first).upper(), SPELT.get(last, last), born)
    for one in (file(first, last, born), file(last, first, born)):
        verdict = same_person(one, other)
        assert verdict is not None and verdict.likely and verdict.why == "same name and date of birth"


@pytest.mark.long
@given(FIRSTS, LASTS, BORN, BORN)
def test_two_known_birthdays_that_are_no_slip_contradict_all_that_agrees(
    first: str, last: str, one: date, other: date
) -> None:
    assume(not slip(one, other))
    same: Row = {"email": "desk@mail.example", "patient_phone_numbers": phones("0491 570 156")}
    assert same_person(file(first, last, one, **same), file(first, last, other, **same)) is None


@given(FIRSTS, LASTS, BORN)
def test_day_and_month_swapped_or_one_digit_off_are_slips(first: str, last: str, born: date) -> None:
    near = born + timedelta(days=1)
    if born.day <= 12 and born.day != born.month:
        verdict = same_person(file(first, last, born), file(first, last, born.replace(day=born.month, month=born.day)))
        assert verdict is not None and verdict.likely and "swapped" in verdict.why
    if slip(born, near):
        verdict = same_person(file(first, last, born), file(first, last, near))
        assert verdict is not None and not verdict.likely and "one digit" in verdict.why


@given(st.sampled_from(FORMS), LASTS, BORN)
def test_short_forms_and_preferred_names_are_the_same_name_beside_a_birthday(
    form: tuple[str, str], last: str, born: date
) -> None:
    short, whole = form
    for one in (file(short, last, born), file("Xu", last, born, preferred_first_name=whole)):
        verdict = same_person(one, file(whole, last, born))
        assert verdict is not None and verdict.likely
    assert same_person(file(short, last), file(whole, last)) is None


@pytest.mark.long
@given(FIRSTS, FIRSTS, LASTS, st.none() | BORN, st.none() | BORN)
def test_relatives_who_share_a_phone_and_a_surname_are_two(
    one: str, other: str, last: str, born: date | None, later: date | None
) -> None:
    assume(one != other)
    shared: Row = {"patient_phone_numbers": phones("0491 570 156"), "email": "family@mail.example"}
    assert same_person(file(one, last, born, **shared), file(other, last, later, **shared)) is None


@given(FIRSTS, LASTS, BORN, st.sampled_from(["email", "phone"]))
def test_more_agreement_never_scores_less(first: str, last: str, born: date, kind: str) -> None:
    shared: Row = {"email": "a@mail.example"} if kind == "email" else {"patient_phone_numbers": phones("0491570156")}
    bare, more = (same_person(file(first, last, born, **fields), file(first, last, born, **fields))
                  for fields in ({}, shared))  # fmt: skip
    assert bare is not None and more is not None and more.score > bare.score and kind in more.why
