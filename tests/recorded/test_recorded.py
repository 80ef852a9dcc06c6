"""What the tools answer on the demo clinic, and what they write there, is what was recorded."""

import pytest

from .stories import FOLDER, Story, played, read

pytestmark = pytest.mark.anyio
STORIES = [
    pytest.param(story, id=f"{path.stem}: {story.title}")
    for path in sorted(FOLDER.glob("*.txt"))
    for story in read(path)
]


@pytest.mark.long_but_one
@pytest.mark.parametrize("story", STORIES)
async def test_a_story_goes_as_it_was_recorded(story: Story) -> None:
    assert (await played(story)).text() == story.text()


def test_no_two_stories_have_one_title() -> None:
    titles = [story.title for path in FOLDER.glob("*.txt") for story in read(path)]
    assert len(titles) == len(set(titles))
