"""Every sentence of docs/when.md is played: by the phrases that claims.txt names below it, or by a test."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from cliniko_mcp.errors import NotUnderstood
from cliniko_mcp.phrases import Anchor, Facing, OpenWhen, When, parse_when

from .formatting import SYDNEY, TUESDAY, clock, formatted

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "when.md").read_text(encoding="utf-8")
CLAIMS = Path(__file__).with_name("claims.txt").read_text(encoding="utf-8")
VISIT = Anchor(datetime(2026, 12, 9, 14, 15), datetime(2026, 12, 9, 15, 0))
DIRECTIONS = {"back": Facing.BACK, "whole": Facing.WHOLE, "either": Facing.EITHER}
EXAMPLE = re.compile(r"(?:(?P<way>back|whole|either|visit): )?(?:\[(?P<where>[^\]]+)\] )?(?P<phrase>.+) = (?P<due>.+)")
A_DAY = r"\d{4}-\d\d-\d\d"


class Played(NamedTuple):
    """A sentence of the page with a phrase that plays it, and what that means."""

    sentence: str
    way: str
    where: str
    phrase: str
    due: str


def sentences(page: str) -> Iterator[str]:
    """The sentences of the page's prose: not its headings, tables, code, and lines that only lead to one of these."""
    blocks = re.split(r"\n\s*\n|\n(?=- |\|)", re.sub(r"```.*?```", "\n\n| code\n\n", page, flags=re.DOTALL))
    for block, following in zip(blocks, [*blocks[1:], ""], strict=True):
        if block.startswith(("#", "|")):
            continue
        text = " ".join(block.removeprefix("- ").split())
        text = re.sub(r"^\*\*[^*]+\.\*\* ", "", text)  # a title, such as "Days."
        found = re.split(r"(?<=[.?!]) (?=[\"`A-Z*-])", text)
        leads = found[-1].endswith(":") and following.lstrip("\n").startswith("|") and "`" not in found[-1]
        yield from (sentence for sentence in (found[:-1] if leads else found) if sentence)


def claims() -> dict[str, list[str]]:
    """The lines that play each sentence."""
    found: dict[str, list[str]] = {}
    for line in CLAIMS.splitlines():
        if line.startswith("> "):
            found[line[2:]] = []
        elif line and not line.startswith("#"):
            found[next(reversed(found))].append(line)
    return found


def examples() -> Iterator[Played]:
    for sentence, lines in claims().items():
        for line in lines:
            if not line.startswith("played by "):
                match = EXAMPLE.fullmatch(line)
                assert match, line
                yield Played(sentence, match["way"] or "", match["where"] or "", match["phrase"], match["due"])


def read(played: Played, phrase: str) -> When | OpenWhen:
    country = played.where if re.fullmatch("[A-Z]{2}", played.where) else None
    now = datetime.fromisoformat(played.where) if played.where and not country else TUESDAY
    facing, anchor = DIRECTIONS.get(played.way, Facing.AHEAD), VISIT if played.way == "visit" else None
    return parse_when(phrase, now=now, zone=SYDNEY, country=country, facing=facing, anchor=anchor)


def in_full(due: str) -> str:
    """What the short forms of claims.txt stand for, as `formatted` writes it."""
    if match := re.match(rf"({A_DAY})\.\.({A_DAY})", due):
        end = datetime.fromisoformat(match[2]) + timedelta(days=1)
        return f"{match[1]}T00:00 {end:%Y-%m-%dT%H:%M}{due[match.end() :]}"
    if re.fullmatch(A_DAY, due):
        return in_full(f"{due}..{due}")
    if match := re.fullmatch(rf"({A_DAY}) (\d\d:\d\d)(?:-(\d\d:\d\d))?", due):
        start = datetime.fromisoformat(f"{match[1]}T{match[2]}")
        ends = match[3] or clock(start.hour * 60 + start.minute + 1)
        end = datetime.fromisoformat(match[1]) + timedelta(hours=int(ends[:2]), minutes=int(ends[3:]))
        return f"{start:%Y-%m-%dT%H:%M} {end:%Y-%m-%dT%H:%M}"
    return due


def shown(interval: When | OpenWhen) -> str:
    return formatted(interval) if isinstance(interval, When) else f"open {interval.end:%Y-%m-%dT%H:%M}"


def test_every_sentence_of_the_page_is_played_and_nothing_else_is() -> None:
    there, played = list(sentences(PAGE)), claims()
    assert len(there) > 80 and sorted(there) == sorted(set(there))
    assert [sentence for sentence in there if not played.get(sentence)] == [], "sentences that nothing plays"
    assert [sentence for sentence in played if sentence not in there] == [], "claims that the page does not make"


def test_the_tests_that_play_a_sentence_are_there() -> None:
    for lines in claims().values():
        for line in lines:
            if line.startswith("played by "):
                path, _, name = line.removeprefix("played by ").partition("::")
                text = (ROOT / path).read_text(encoding="utf-8")
                assert re.search(rf"def {name}\(" if name != "*" else r"def test_", text), line


@pytest.mark.parametrize("sentence", list(claims()), ids=lambda sentence: sentence[:60])
def test_what_a_sentence_says_is_so(sentence: str) -> None:
    for played in examples():
        if played.sentence != sentence:
            continue
        if played.due == "refused":
            with pytest.raises(NotUnderstood):
                read(played, played.phrase)
        elif played.due.startswith("as "):
            assert shown(read(played, played.phrase)) == shown(read(played, played.due.removeprefix("as "))), played
        else:
            assert shown(read(played, played.phrase)) == in_full(played.due), played
