"""Text that patients, staff or other programs wrote, made fit to show: nothing invisible, and not too long.

Such text is data wherever it appears. Pure functions, linear in the length of their input.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Final

MAX_CHARACTERS: Final = 100_000
"""Characters looked at, at most; what follows is cut before any other work."""

_MARKS: Final = 4
_BLOCKS: Final = frozenset({"p", "div", "br", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "hr"})
_SILENT: Final = frozenset({"script", "style", "template", "title"})
_TAG = re.compile(r"(<[^<>]*>)")
_TAG_NAME = re.compile(r"<\s*(/?)\s*([a-zA-Z][a-zA-Z0-9]*)")
_SPACES = re.compile(r"[ \t]+")
_GAPS = re.compile(r" ?\n[ \n]*")

# Characters that show nothing though their category does not say so: joiners, fillers, variation selectors, blanks.
_BLANK: Final = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)])
) | frozenset(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))


def clean(text: str, limit: int = MAX_CHARACTERS, *, lines: bool = False) -> str:
    """The text without control, invisible, bidirectional, private and unassigned characters, at most `limit` long.

    White space becomes single spaces; with `lines`, line breaks are kept (never two blank ones). What is cut off is
    marked by an ellipsis, which counts.
    """
    kept = text[:MAX_CHARACTERS]
    if not (kept.isascii() and kept.isprintable()):  # most text is plain, and then there is nothing to look for
        kept = unicodedata.normalize("NFC", "".join(_visible(kept)))
    if lines:
        kept = _GAPS.sub(lambda gap: "\n\n" if gap.group().count("\n") > 1 else "\n", _SPACES.sub(" ", kept)).strip()
    else:
        kept = " ".join(kept.split())
    if len(kept) > limit:
        kept = kept[: max(limit - 1, 0)].rstrip() + "…" if limit else ""
    return kept


def _visible(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        if character.isascii():
            marks = 0
            if character.isprintable() or character == "\n":
                yield character
            elif character in "\t\r\v\f":
                yield " "
            continue
        category = unicodedata.category(character)
        if category in ("Zl", "Zp"):
            yield "\n"
        elif category == "Zs":
            yield " "
        elif category[0] == "C" or character in _BLANK:
            continue
        elif category[0] == "M":
            marks += 1
            if marks <= _MARKS:
                yield character
        else:
            marks = 0
            yield character


def plain(html: str, limit: int = MAX_CHARACTERS) -> str:
    """The words of a piece of HTML, such as a note's paragraph (cliniko-api.md#values), with its line breaks; then
    cleaned."""
    words: list[str] = []
    silent = ""
    for piece in _TAG.split(html[:MAX_CHARACTERS]):
        tag = _TAG_NAME.match(piece)
        if tag is None:
            if not silent and not (piece.startswith("<!") and piece.endswith(">")):
                words.append(piece)
            continue
        closing, name = bool(tag.group(1)), tag.group(2).lower()
        if name in _SILENT:
            silent = "" if closing and name == silent else silent or ("" if closing else name)
        elif name == "li" and not closing:
            words.append("\n- ")
        elif name in _BLOCKS:
            words.append("\n")
    return clean(unescape("".join(words)), limit, lines=True)


_SIMPLE = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?: [^\W\d_]+(?:['’-][^\W\d_]+)*){0,3}")


def label(text: str, limit: int = 60) -> str:
    """A name as it may stand inside one of our sentences: bare when it is up to four plain words, else in quotes.

    Quotes keep a name that reads like a sentence from passing for one of ours.
    """
    shown = clean(text, limit)
    if _SIMPLE.fullmatch(shown):
        return shown
    return "“" + re.sub('[“”"„‟]', "'", shown) + "”"


def quoted(text: str, limit: int) -> str:
    """The text cleaned, on one line of at most `limit` characters, in quotes: it cannot pass for our own words."""
    return json.dumps(clean(text, limit), ensure_ascii=False)


def first_few(texts: Sequence[str], most: int, total: int | None = None) -> str:
    """The first `most` texts and how many more there are: `Ana, Bo and 3 more`.

    `total` is how many there are in all, where `texts` holds only some of them.
    """
    more = (len(texts) if total is None else total) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, one: str, several: str = "") -> str:
    """The number with its noun, such as `1 booking` or `1,204 bookings`.

    `several` is what more than one are called, where that is not `one` with an s.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def are(number: int) -> str:
    """`is` for one, `are` for any other number."""
    return "is" if number == 1 else "are"
