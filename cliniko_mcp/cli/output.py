"""What is printed can always be shown: a character that a pipe or an old console lacks is replaced, never an error."""

import io
import json
import sys
from typing import TextIO


def any_console() -> None:
    """Let standard output and error take every character, as Windows pipes and old code pages do not by themselves."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def json_for(value: object, stream: TextIO, indent: int | None = None) -> str:
    """The value as JSON for this stream: in escapes where it lacks some letters, because there none may be lost."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text
