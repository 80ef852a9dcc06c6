"""The recording of the demo is a picture that any browser plays by itself, and every picture of a document is there."""

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.docs.recording import FILE, recording

ROOT = Path(__file__).resolve().parents[2]


def test_the_recording_shows_the_demo_to_its_end_without_any_script() -> None:
    text = FILE.read_text("utf-8")
    shown = "".join(ElementTree.fromstring(text).itertext())
    for words in ("$ cliniko-mcp demo", "Book Ana Lima into the first of these.", "Nothing was archived."):
        assert words in shown
    assert not re.search(r"<script|href|\bon\w+=|url\(|@import", text)
    assert "prefers-reduced-motion" in text and len(text) < 60_000


def test_in_a_recording_each_line_comes_after_the_one_before_and_markup_stays_text() -> None:
    text = recording(["$ demo", "\x1b[36m\x1b[1m› A <b>question</b> & more\x1b[0m", "an answer"])
    lines = [node for node in ElementTree.fromstring(text).iter() if node.tag.endswith("text")]
    assert ["".join(line.itertext()) for line in lines] == ["$ demo", "› A <b>question</b> & more", "an answer"]
    moments = [float(moment) for moment in re.findall(r"([\d.]+)%\{transform", text)]
    assert moments == sorted(set(moments)) and moments[0] == 0 and moments[-1] == 100


def test_every_picture_of_a_document_is_there() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", document.read_text("utf-8")):
            assert name.startswith("https:") or (document.parent / name).is_file(), (document.name, name)
