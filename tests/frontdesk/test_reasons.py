"""Reasons for cancelling: only what is a reason of Cliniko's list is one, everything else is a note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.cliniko.codes import CANCELLATION_REASONS
from cliniko_mcp.frontdesk.reasons import read_reason


@pytest.mark.parametrize("code", CANCELLATION_REASONS)
def test_every_reason_of_the_list_and_its_code_are_read_without_a_note(code: int) -> None:
    reason = CANCELLATION_REASONS[code]
    for phrase in (reason, reason.upper(), f" {reason}. ", str(code)):
        assert read_reason(phrase) == (code, "")


@pytest.mark.parametrize("phrase", [
    "hasn't recovered, still can't walk", "hasn’t improved", "doesn't feel better", "wasn't sick, just late",
    "don't want to work with this practitioner", "not sick", "no better", "isn't away", "neither better nor worse",
    "got better offers elsewhere", "sick of waiting", "works with someone else now", "hates the holiday surcharge",
    "better not", "better", "flu", "on holiday", "has to work", "31",
    "40 minutes late", "sick and at work", "away?! no, moved", "",
])  # fmt: skip
def test_any_other_text_is_a_note_to_other_and_never_a_reason(phrase: str) -> None:
    assert read_reason(phrase) == (50, phrase)


WORDS = st.text(alphabet="bcdgjklmnpqrvz", min_size=3, max_size=8)


@given(WORDS, st.sampled_from([*CANCELLATION_REASONS.values()]), st.booleans())
def test_a_reason_with_any_other_word_beside_it_is_a_note_to_other(word: str, reason: str, before: bool) -> None:
    phrase = f"{word} {reason}" if before else f"{reason} {word}"
    assert read_reason(phrase) == (50, phrase)
