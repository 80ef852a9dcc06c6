"""Text that others wrote is shown without anything a reader cannot see, and never longer than asked for."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cliniko_mcp.sanitize import clean, label, plain

HIDDEN = [
    "\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u3164",
    "\ufe0f", "\U000e0041", "\U000e0100", "\x00", "\x1b", "\x7f", "\x9b", "\ue000", "\u2800", "\U0010ffff", "\u180e",
]  # fmt: skip


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_cannot_be_seen_is_taken_out(hidden: str) -> None:
    assert clean(f"An{hidden}a") == "Ana"


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r", "\u00a0", "\u2003", "\u2028", "\u2029", "\v", "\f", " \n\t "])
def test_every_kind_of_space_is_one_space(space: str) -> None:
    assert clean(f"{space}Ana{space}Lima{space}") == "Ana Lima"


def test_what_people_write_stays() -> None:
    for text in ("Zoë Šmíd", "李小龍", "محمد", "Łukasz O’Neill-Brown (Jr.)", "😀 ok", "a < b & c"):
        assert clean(text) == text


def test_lines_are_kept_on_request_without_gaps() -> None:
    assert clean("one\r\n\r\n\n\n two \n three\u2028four", lines=True) == "one\n\ntwo\nthree\nfour"


def test_piles_of_marks_are_flattened() -> None:
    assert clean("a" + "\u0335" * 50 + "b") == "a" + "\u0335" * 4 + "b"


@pytest.mark.parametrize(
    ("limit", "shown"), [(0, ""), (1, "…"), (4, "Ana…"), (5, "Ana…"), (7, "Ana Li…"), (8, "Ana Lima")]
)
def test_what_is_cut_off_is_marked_and_fits(limit: int, shown: str) -> None:
    assert clean("Ana Lima", limit) == shown


@given(st.text(), st.integers(0, 40), st.booleans())
def test_clean_text_is_short_visible_and_stays_as_it_is(text: str, limit: int, lines: bool) -> None:
    shown = clean(text, limit, lines=lines)
    assert len(shown) <= limit
    assert all(unicodedata.category(character)[0] != "C" or (lines and character == "\n") for character in shown)
    assert clean(shown, limit, lines=lines) == shown


@given(st.text())
def test_a_label_is_plain_words_or_stands_in_quotes_it_cannot_close(text: str) -> None:
    shown = label(text)
    assert len(shown) <= 62
    if shown.startswith("“"):
        assert shown.endswith("”")
        assert "“" not in shown[1:]
        assert "”" not in shown[:-1]
    else:
        assert not set(shown) & set('.,:;!?()"“”<>/0123456789')
        assert len(shown.split()) <= 4


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>Sore <b>knee</b>.</p><p>Better &amp; walking</p>", "Sore knee.\n\nBetter & walking"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<ul><li>ice<li>rest</ul>", "- ice\n- rest"),
        ("<script>alert(1)</script>x<style>p{}</style>y", "xy"),
        ("<!-- hidden -->seen", "seen"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("&lt;b&gt; stays text", "<b> stays text"),
        ("&#8238;evil&#x200b;", "evil"),
        ("<a href='javascript:x'>link</a>", "link"),
        ("", ""),
    ],
)
def test_html_becomes_its_words(html: str, words: str) -> None:
    assert plain(html) == words


@pytest.mark.parametrize("piece", ["<", "<p", "<!--", "<script>", "&", "\u0301", "\n ", "</", "<a b='"])
def test_hostile_text_takes_no_longer_than_other_text(piece: str) -> None:
    begun = time.process_time()
    plain(piece * 1_000_000)
    clean(piece * 1_000_000, lines=True)
    assert time.process_time() - begun < 2
