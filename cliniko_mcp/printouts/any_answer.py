"""The answer of any tool as lines of text for a person: names in words, times as people read them, rows in tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from cliniko_mcp.errors import ClinikoMcpError, JsonValue
from cliniko_mcp.printouts.answer import Row, inline_words, of_ids, time_words, value_words, words_of
from cliniko_mcp.printouts.lines import Bold, wrapped
from cliniko_mcp.printouts.rows import row_lines
from cliniko_mcp.sanitize import clean

_AROUND: Final = ("page", "names", "notes", "next", "now", "time_zone")
"""Parts of an answer that are for programs, or are told at its end."""
_FOR_PROGRAMS: Final = re.compile("next_cursor|call again|calls under next")
_NAMES: Final = ("name", "label")
_HEADINGS: Final = {"item": "", "items": "Rows"}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SHORT: Final = 40
"""Characters of a text that stands beside others on a line."""
_IN_AN_ERROR: Final = ("schema", "code", "message", "fix", "fields")
"""Parts of an error that are for programs, or stand in its message and its advice."""


def answer_lines(body: Mapping[str, JsonValue], columns: int | None, bold: Bold) -> Iterator[str]:
    """The answer, a line each; `columns` is the width of the terminal, without it no line is wrapped.

    Ids are left out, and a last line says so: they are for programs.
    """
    page = body.get("page")
    shown = f"{page['returned']:,} of {page['total']:,}" if isinstance(page, dict) and _counts(page) else ""
    told = {name: value for name, value in body.items() if name not in _AROUND}
    yield from _fields(told, shown, columns, bold)
    notes = body.get("notes")
    for note in notes if isinstance(notes, list) else []:
        if not _FOR_PROGRAMS.search(str(note)):
            yield ""
            yield from wrapped(clean(str(note)), columns)
    yield ""
    now = body.get("now")
    at = f"{time_words(now)} ({body.get('time_zone')}). " if isinstance(now, str) else ""
    yield from wrapped(f"{at}{'IDs are left out; --json shows them.' if _holds_ids(told) else ''}".strip(), columns)


def any_words(value: JsonValue) -> str:
    """A value on one line: in an object every part stands behind its name, so that none is taken for another."""
    if isinstance(value, list):
        return "; ".join(any_words(part) for part in value) or "none"
    if isinstance(value, str) and _DATE.fullmatch(value):
        day = date.fromisoformat(value)
        return f"{day.day} {day:%b %Y}"
    if not isinstance(value, dict):
        return value_words(value)
    parts = ((name, any_words(part)) for name, part in value.items() if not of_ids(name) and part is not None)
    return ", ".join(text if name in _NAMES else f"{_named(name)} {text}" for name, text in parts)


def _named(name: str) -> str:
    """A field's name in words; the name of a person or a site stays as it is."""
    return inline_words(name) if name == name.lower() else clean(name)


def error_lines(problem: ClinikoMcpError, columns: int | None, bold: Bold) -> Iterator[str]:
    """What went wrong and what to do, with what the error knows beside: candidates, near names."""
    yield from wrapped(clean(problem.message), columns)
    details = {name: value for name, value in problem.details.items() if name not in _IN_AN_ERROR}
    yield from _fields(details, "", columns, bold)
    if problem.fix:
        yield from wrapped(clean(problem.fix), columns)


def _counts(page: Mapping[str, JsonValue]) -> bool:
    return isinstance(page.get("returned"), int) and isinstance(page.get("total"), int)


def _fields(record: Mapping[str, JsonValue], shown: str, columns: int | None, bold: Bold) -> Iterator[str]:
    """Plain values beside their names first, then what has parts of its own, each under a heading."""
    plain = {name: value for name, value in record.items() if _is_plain(value) and not of_ids(name)}
    width = max((len(words_of(name)) for name in plain), default=0)
    for name, value in plain.items():
        yield from wrapped(f"{bold(f'{words_of(name):<{width}}')}  {any_words(value)}".rstrip(), columns, hanging=True)
    blank = bool(plain)
    for name, value in record.items():
        if of_ids(name) or name in plain or not value:
            continue
        if blank:
            yield ""
        blank = True
        yield from _part(name, value, shown, columns, bold)


def _part(name: str, value: JsonValue, shown: str, columns: int | None, bold: Bold) -> Iterator[str]:
    heading = _HEADINGS.get(name, words_of(name))
    rows = _rows_of(value)
    if rows:
        count = (name == "items" and shown) or f"{len(rows):,}"
        yield from row_lines(rows, heading, count, columns, bold, any_words)
        return
    if heading:
        yield bold(heading)
    if isinstance(value, dict):
        yield from _fields(value, "", columns, bold)
    elif isinstance(value, list):
        for part in value:
            yield from wrapped(f"- {any_words(part)}", columns, hanging=True)


def _is_plain(value: JsonValue) -> bool:
    """Whether a value stands on a line beside its name: no list of rows or of sentences, nothing with such inside."""
    if isinstance(value, list):
        return all(isinstance(part, str | int | float) and len(str(part)) < _SHORT for part in value)
    return value is not None and not isinstance(value, dict)


def _rows_of(value: JsonValue) -> Sequence[Row]:
    """The rows that a value is; none where it is anything else."""
    rows: list[Row] = [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
    return rows if isinstance(value, list) and len(rows) == len(value) else []


def _holds_ids(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return any(of_ids(name) or _holds_ids(part) for name, part in value.items())
    return isinstance(value, list) and any(map(_holds_ids, value))
