"""Words that stand for what a clinic has set up: short forms in full, and "me", "everyone", "anywhere", "ever"."""

import pytest

from cliniko_mcp.frontdesk.set_up_words import in_full, is_own, means_all_time, means_everyone, means_everywhere


@pytest.mark.parametrize(
    ("noun", "spoken", "full"),
    [
        ("appointment type", "std consult", "standard consult"),
        ("appointment type", "stnd consultation", "standard consult"),
        ("appointment type", "stand cons", "standard consult"),
        ("appointment type", "init consultations", "initial consult"),
        ("appointment type", "int consults", "initial consult"),
        ("appointment type", "inital conslt", "initial consult"),
        ("appointment type", "ext", "extended"),
        ("appointment type", "extd", "extended"),
        ("appointment type", "rv", "review"),
        ("appointment type", "rvw", "review"),
        ("appointment type", "revw", "review"),
        ("appointment type", "reviews", "review"),
        ("appointment type", "ax", "assess"),
        ("appointment type", "assmt", "assess"),
        ("appointment type", "exercise assessment", "exercise assess"),
        ("appointment type", "tx", "treat"),
        ("appointment type", "rx", "treat"),
        ("appointment type", "t x", "treat"),
        ("appointment type", "treatment", "treat"),
        ("appointment type", "rehabilitation", "rehab"),
        ("appointment type", "tele", "telehealth"),
        ("appointment type", "telehlth", "telehealth"),
        ("appointment type", "video visit", "telehealth"),
        ("appointment type", "pil", "pilates"),
        ("appointment type", "mass", "massage"),
        ("appointment type", "massg", "massage"),
        ("appointment type", "needles", "needling"),
        ("appointment type", "post surgery rehab", "post surgical rehab"),
        ("appointment type", "fu", "follow"),
        ("appointment type", "f u", "follow"),
        ("appointment type", "fup", "follow"),
        ("appointment type", "followup", "follow"),
        ("appointment type", "long f u appt", "long follow"),
        ("appointment type", "standard appointment", "standard"),
        ("appointment type", "pilates session", "pilates"),
        ("appointment type", "massage appt", "massage"),
        ("appointment type", "massage appts", "massage"),
        ("appointment type", "massage apt", "massage"),
        ("appointment type", "massage slot", "massage"),
        ("appointment type", "massage booking", "massage"),
        ("appointment type", "massage type", "massage"),
        ("kind of block", "mtg", "meeting"),
        ("kind of block", "administration", "admin"),
        ("kind of block", "annual leave", "leave"),
        ("kind of block", "al", "leave"),
        ("kind of block", "a l", "leave"),
        ("kind of block", "paid time off leave", "leave"),
        ("kind of block", "recreation leave", "leave"),
        ("kind of block", "rec leave", "leave"),
        ("kind of block", "lunch break", "lunch"),
        ("kind of block", "lunch block", "lunch"),
        ("kind of block", "lunch slot", "lunch"),
        ("site", "northside clinic", "northside"),
        ("site", "northside practice", "northside"),
        ("site", "northside site", "northside"),
        ("site", "northside branch", "northside"),
        ("site", "northside location", "northside"),
        ("site", "northside office", "northside"),
        ("site", "northside rooms", "northside"),
        ("site", "northside place", "northside"),
    ],
)
def test_short_forms_are_said_in_full_without_empty_words(noun: str, spoken: str, full: str) -> None:
    assert in_full(noun, spoken.split()) == full.split()


@pytest.mark.parametrize(
    ("noun", "spoken"),
    [
        ("appointment type", "standard consult"),
        ("appointment type", "massage clinic"),
        ("appointment type", "annual review"),
        ("appointment type", ""),
        ("kind of block", "lunch"),
        ("site", "northside appointment"),
        ("site", "northside"),
    ],
)
def test_nothing_comes_of_words_that_are_in_full_already(noun: str, spoken: str) -> None:
    assert in_full(noun, spoken.split()) == []


def test_nothing_is_left_of_words_that_are_all_empty() -> None:
    assert in_full("site", ["clinic"]) == []
    assert in_full("kind of block", ["time", "off"]) == []


@pytest.mark.parametrize(
    "words",
    ["me", "my", "mine", "myself", "i", "I", " Me ", "my own", "my diary", "My Calendar", "my schedule", "my day"],
)
def test_me_and_my_diary_stand_for_the_owner_of_the_key(words: str) -> None:
    assert is_own(words)


@pytest.mark.parametrize("words", ["", "mei", "me too", "my patients", "to me", "ours", "i am"])
def test_other_words_do_not_stand_for_the_owner_of_the_key(words: str) -> None:
    assert not is_own(words)


@pytest.mark.parametrize(
    "words",
    [
        "everyone", "Everybody", "all", "all practitioners", "all the staff", "all of the team", "every practitioner",
        "the whole clinic", "the entire practice", "whole team", "entire staff", "all clinicians",
    ],
)  # fmt: skip
def test_everyone_is_meant_for_a_question_and_for_a_change(words: str) -> None:
    assert means_everyone([words])
    assert means_everyone([words], or_anyone=True)
    assert means_everyone(["Mei", words])


@pytest.mark.parametrize(
    "words", ["anyone", "anybody", "any", "any practitioner", "whoever", "no preference", "the team"]
)
def test_anyone_is_everyone_only_where_a_question_is_asked(words: str) -> None:
    assert not means_everyone([words])
    assert means_everyone([words], or_anyone=True)


@pytest.mark.parametrize("words", ["", "Mei", "all of", "staff", "every", "no one", "team"])
def test_a_name_is_not_everyone(words: str) -> None:
    assert not means_everyone([words], or_anyone=True)
    assert not means_everyone([])


@pytest.mark.parametrize(
    "words",
    ["both", "all", "everywhere", "Both sites", "both the clinics", "all locations", "all the branches",
     "all of the places", "every site", "every clinic", "every location"],
)  # fmt: skip
def test_everywhere_is_every_site(words: str) -> None:
    assert means_everywhere(words)


@pytest.mark.parametrize("words", ["", "Northside", "anywhere", "sites", "the sites", "both of"])
def test_a_site_is_not_everywhere(words: str) -> None:
    assert not means_everywhere(words)


@pytest.mark.parametrize(
    "words",
    ["all time", "of all time", "For all time", "any time", "ever", "always", "all", "the whole history",
     "whole history"],
)  # fmt: skip
def test_ever_is_all_time(words: str) -> None:
    assert means_all_time(words)


@pytest.mark.parametrize("words", ["", "all day", "time", "history", "never"])
def test_a_day_is_not_all_time(words: str) -> None:
    assert not means_all_time(words)
