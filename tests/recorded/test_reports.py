"""Stories of reports."""

import pytest

from .stories import Story, played, stories

pytestmark = pytest.mark.anyio
KINDS = ("reports", "reports_files", "reports_hours", "reports_money", "reports_people", "reports_visits")


@pytest.mark.long_but_one
@pytest.mark.parametrize("story", stories(*KINDS), ids=str)
async def test_a_story_goes_as_it_was_recorded(story: Story) -> None:
    assert (await played(story)).text() == story.text()
