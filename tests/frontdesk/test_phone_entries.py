"""The phone numbers in an entry: whatever stands around and between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.resources.patients import Patient
from cliniko_mcp.frontdesk.duplicates import numbers_in, numbers_of
from cliniko_mcp.frontdesk.patient_names import known_patient

DIGITS = st.text("0123456789", min_size=8, max_size=11)
REMARKS = st.sampled_from(["", " x 12", " ext 4", " extn. 123", " #9", " (mum)", " ask for Jo", ", after 5", " home; "])


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    gaps = draw(st.lists(st.sampled_from(["", "", " ", "-", ".", " - "]), min_size=len(number), max_size=len(number)))
    return "".join(sign + gap for sign, gap in zip(number[:-1], gaps, strict=False)) + number[-1]


@pytest.mark.long
@given(
    st.data(),
    st.lists(st.tuples(DIGITS, REMARKS), min_size=1, max_size=3),
    st.sampled_from([" / ", " or ", "; ", ", "]),
)
def test_each_number_of_an_entry_is_found_and_nothing_else(
    data: st.DataObject, numbers: list[tuple[str, str]], between: str
) -> None:
    entry = between.join(data.draw(written(number)) + remark for number, remark in numbers)
    assert numbers_in(entry) == [number for number, _ in numbers]


def test_clinikos_own_form_counts_where_it_says_more_and_not_where_it_runs_on_into_an_extension() -> None:
    def held(number: str, normalized: str) -> list[str]:
        phones = [{"number": number, "normalized_number": normalized}]
        return numbers_of(known_patient(Patient.model_validate({"id": "1", "patient_phone_numbers": phones})))

    assert held("5550 9999", "61255509999") == ["255509999"]
    assert held("02 5550 9999 x 12", "6125550999912") == ["255509999"]
    assert held("", "61255509999") == ["255509999"]
    assert held("x 12", "") == []


@pytest.mark.parametrize(
    ("entry", "numbers"),
    [
        ("0491/570/156", ["0491570156"]),
        ("02/5550/9999", ["0255509999"]),
        ("5550 9999/12", ["5550999912"]),
        ("5550 9999/555012", ["55509999", "555012"]),
        ("555099/55501", ["55509955501"]),
    ],
)
def test_a_stroke_parts_two_numbers_only_between_enough_digits_for_both(entry: str, numbers: list[str]) -> None:
    assert numbers_in(entry) == numbers
