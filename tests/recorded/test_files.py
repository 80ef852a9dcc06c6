"""The files of stories: each is played by a test, and no two stories have one title."""

import re

from .stories import FOLDER, read


def test_every_file_of_stories_is_played() -> None:
    played = {name for test in FOLDER.glob("test_*.py") for name in re.findall(r'"(\w+)"', test.read_text("utf-8"))}
    assert {file.stem for file in FOLDER.glob("*.txt")} <= played


def test_no_two_stories_have_one_title() -> None:
    titles = [story.title for file in FOLDER.glob("*.txt") for story in read(file)]
    assert len(titles) == len(set(titles))
