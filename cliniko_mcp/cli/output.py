"""What is printed can always be shown: a character that a pipe or an old console lacks is replaced, never an error."""

import io
import sys


def any_console() -> None:
    """Let standard output and error take every character, as Windows pipes and old code pages do not by themselves."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
