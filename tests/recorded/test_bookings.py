"""Stories of bookings."""

import pytest

from .stories import Story, played, stories

pytestmark = pytest.mark.anyio


@pytest.mark.long_but_one
@pytest.mark.parametrize("story", stories("bookings"), ids=str)
async def test_a_story_goes_as_it_was_recorded(story: Story) -> None:
    assert (await played(story)).text() == story.text()
