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

    def alone(story: Story) -> Story:
        """The story as nobody has kept anything yet."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
                os.environ[name] = folder
            return anyio.run(played, story)

    def recorded(story: Story) -> Story:
        first, again = alone(story), alone(story)
        assert first.text() == again.text(), f"{story.title}: it does not end alike twice"
        return first

    for path in [Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.txt")):
        path.write_text("\n".join(recorded(story).text() for story in read(path)), "utf-8")


main()
