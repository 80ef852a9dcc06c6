"""Stories of visits that are moved, cancelled and marked."""

import pytest

from .stories import Story, played, stories

pytestmark = pytest.mark.anyio


@pytest.mark.long_but_one
@pytest.mark.parametrize("story", stories("visits"), ids=str)
async def test_a_story_goes_as_it_was_recorded(story: Story) -> None:
    assert (await played(story)).text() == story.text()
