"""Record the stories of these files anew, or of all: `python -m tests.recorded [FILE...]`; look at the difference."""

import os
import sys
import tempfile
from pathlib import Path

import anyio


def main() -> None:
    """Play each story twice, and write what came."""
    sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does, for `conftest`
    from tests.recorded.stories import FOLDER, Story, played, read

    async def recorded(story: Story) -> Story:
        first, again = await played(story), await played(story)
        assert first.text() == again.text(), f"{story.title}: it does not end alike twice"
        return first

    with tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
            os.environ[name] = folder
        for path in [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.txt")):
            stories = [anyio.run(recorded, story) for story in read(path)]
            path.write_text("\n".join(story.text() for story in stories), "utf-8")


main()
