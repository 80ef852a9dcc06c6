"""Redacts the log on standard error: it says what happened and where, and quotes no record, request or key."""

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Final, cast

from cliniko_mcp.redaction import SECRETS, STRUCK_OUT
from cliniko_mcp.sanitize import clean

_MAX_CHARACTERS: Final = 500
_ABOUT_CODE: Final = (NameError, ImportError, ModuleNotFoundError)
"""Exceptions whose message quotes names of the code alone."""
# Emails; numbers as long as a phone's or a Medicare card's, however spaced; credentials of a header; keys and tokens.
_PERSONAL: Final = re.compile(
    r"""
      [\w.+-]+@[\w-]+(?:\.[\w-]+)*
    | (?<![\w.:])\+?\(?\d(?:[ ().-]?\d){7,}(?![\w:])
    | \b(?:basic|bearer)\ +[^\s,;"']+
    | (?<![\w+=-])(?=[\w+=-]*\d)(?=[\w+=-]*[a-z])[\w+=-]{24,}
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def redacted(text: str) -> str:
    """The text on one line, without our secrets, emails, long numbers, credentials and invisible characters."""
    return _PERSONAL.sub(STRUCK_OUT, clean(SECRETS.text(text), _MAX_CHARACTERS))


class Redacting(logging.Formatter):
    """Formats a log record as one redacted line; an exception is shown by its types and code locations only.

    Its message may quote what was read or sent: a name, a note, an address. Only that of a missing name is shown.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The redacted line, and below it the types and code locations of an exception."""
        line = f"cliniko-mcp: {record.levelname} {redacted(record.getMessage())}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f"\n{self.formatException(record.exc_info)}"
        return line

    def formatException(
        self,
        ei: "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]",
    ) -> str:
        """A line for the exception, each cause and each part: its type and the last six code locations."""
        return "\n".join(_locations(ei[1], set())) if ei[1] is not None else ""


def _locations(problem: BaseException, seen: set[int]) -> list[str]:
    if id(problem) in seen:
        return []
    seen.add(id(problem))
    locations = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(problem.__traceback__)[-6:]]
    kind = type(problem).__name__
    if type(problem) in _ABOUT_CODE:
        kind += f": {redacted(str(problem))}"
    lines = [" > ".join([f"  {kind}", *locations])]
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    related: list[BaseException] = [cause] if cause else []
    if isinstance(problem, BaseExceptionGroup):
        # isinstance cannot know what the group holds; a group of BaseException holds nothing else
        related = [*cast("BaseExceptionGroup[BaseException]", problem).exceptions, *related]
    for exception in related:
        lines += _locations(exception, seen)
    return lines


def log_to_stderr() -> None:
    """Send warnings and errors of every library in this process to standard error, redacted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
