"""What the log on standard error may say: what happened and where, never what was in a record, a request or a key."""

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Final, cast

from cliniko_mcp.sanitize import clean

_LONGEST: Final = 500
_STRUCK: Final = "[struck out]"
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
    """The text on one line, without emails, long numbers, credentials and direction-changing characters."""
    return _PERSONAL.sub(_STRUCK, clean(text, _LONGEST))


class Redacting(logging.Formatter):
    """A line for each record; an exception is told by its type and the lines it came through, not by its words.

    The words of an exception may quote what was read or sent: a name, a note, an address.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, and under it where an exception came from."""
        line = f"cliniko-mcp: {record.levelname} {redacted(record.getMessage())}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f"\n{self.formatException(record.exc_info)}"
        return line

    def formatException(
        self,
        ei: "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]",
    ) -> str:
        """The types of an exception, its causes and its parts, each with the last places that it came through."""
        return "\n".join(_told(ei[1], set())) if ei[1] is not None else ""


def _told(problem: BaseException, seen: set[int]) -> list[str]:
    if id(problem) in seen:
        return []
    seen.add(id(problem))
    places = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(problem.__traceback__)[-6:]]
    told = [" > ".join([f"  {type(problem).__name__}", *places])]
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    grouped = isinstance(problem, BaseExceptionGroup)
    parts = cast("BaseExceptionGroup[BaseException]", problem).exceptions if grouped else ()
    for each in (*parts, *((cause,) if cause else ())):
        told += _told(each, seen)
    return told


def log_to_stderr() -> None:
    """Send warnings and errors of every library in this process to standard error, redacted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Redacting())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
