"""Stories of patients and their notes."""

import pytest

from .stories import Story, played, stories

pytestmark = pytest.mark.anyio


@pytest.mark.long_but_one
@pytest.mark.parametrize("story", stories("patients", "notes"), ids=str)
async def test_a_story_goes_as_it_was_recorded(story: Story) -> None:
    assert (await played(story)).text() == story.text()
