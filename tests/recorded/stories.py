"""A file of stories: how it is read, played on the demo clinic, and written.

    = What the story is about
    @ {"read_only": true}                   settings of the server, where they are not the usual ones
    . put taxes {"name": "GST", ..}         a row that is in the clinic already; its id comes below
    . set patients ID {"archived_at": ..}   fields of a row that is there
    . patient {..} or . book {..}           as in `Reception`
    . empty invoices attendees              the rows of these tables are taken away
    > show_diary {"when": "today"}          a call; below it come the answer's fields, a line for each item of a list,
                                            what a person was asked, and the rows that were written

The clinic's clock stands at 9 on Tuesday 24 November 2026 at Northside. Whoever is asked says yes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conftest import YES, Assistant, in_process

from tests.tools.curated.reception import Reception

FOLDER: Final = Path(__file__).parent
_SECRET: Final = re.compile(r'("(?:next_)?cursor":\s*)"[^"]+"')
_CALL: Final = re.compile(r"([>.]) (\S+) ?(.*)")
Rows = Mapping[str, Mapping[str, Any]]


@dataclass
class Story:
    """A title, settings, and steps: each the line as it stands, with what came of it."""

    title: str
    file: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    steps: list[tuple[str, list[str]]] = field(default_factory=list[tuple[str, list[str]]])

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"

    def text(self) -> str:
        """The story as it stands in its file."""
        lines = [f"= {self.title}", *([f"@ {json.dumps(self.settings)}"] if self.settings else [])]
        for step, came in self.steps:
            lines += [step, *(f"    {line}" for line in came)]
        return "\n".join(lines) + "\n"


def read(path: Path) -> list[Story]:
    """The stories of a file."""
    found: list[Story] = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("= "):
            found.append(Story(line[2:], path.stem))
        elif line.startswith("@ "):
            found[-1].settings = json.loads(line[2:])
        elif line.startswith(("> ", ". ")):
            found[-1].steps.append((line, []))
        elif line.startswith("    "):
            found[-1].steps[-1][1].append(line[4:])
        else:
            assert not line, f"{path.name}: {line}"
    return found


async def played(story: Story) -> Story:
    """The same story with what comes of it now."""
    found = Story(story.title, story.file, story.settings)
    async with in_process(answer=YES, **story.settings) as assistant:
        clinic = Reception(assistant)
        for line, _ in story.steps:
            match = _CALL.fullmatch(line)
            assert match is not None, line
            kind, name, rest = match.groups()
            came = [*await _called(clinic, name, json.loads(rest or "{}"))] if kind == ">" else _put(clinic, name, rest)
            found.steps.append((line, came))
    return found


def _put(clinic: Reception, what: str, rest: str) -> list[str]:
    """Change what is in the clinic, past its tools; the id of what was put there."""
    if what == "set":
        table, id, fields = rest.split(" ", 2)
        (row,) = [row for row in clinic.rows(table) if row["id"] == id]
        clinic.store.put(table, {**row, **json.loads(fields)})
        return []
    if what == "put":
        table, _, fields = rest.partition(" ")
        return [clinic.put(table, **json.loads(fields))]
    if what == "empty":
        clinic.empty(*rest.split())
        return []
    assert what in ("book", "patient"), what
    values = json.loads(rest)
    return [clinic.book(**values) if what == "book" else clinic.patient(**values)]


async def _called(clinic: Reception, tool: str, arguments: dict[str, Any]) -> Iterator[str]:
    before, asked = _rows(clinic), len(clinic.assistant.asked)
    answer = await clinic.assistant.call(tool, **arguments)
    return _told(clinic.assistant, answer, asked, before, _rows(clinic))


def _told(
    assistant: Assistant, answer: dict[str, Any], asked: int, before: Mapping[str, Rows], after: Mapping[str, Rows]
) -> Iterator[str]:
    for name, value in answer.items():
        if isinstance(value, list) and value:
            yield f"{name}:"
            yield from (f"  {_line(one)}" for one in value)
        else:
            yield f"{name}: {_line(value)}"
    for question in assistant.asked[asked:]:
        yield from (f"asked: {line}" for line in question.splitlines())
    for table, rows in after.items():
        for id, row in rows.items():
            old = before.get(table, {}).get(id)
            if old is not row and old != row:
                changed = {key: value for key, value in row.items() if value != (old or {}).get(key)}
                yield f"wrote {table}: {_line(changed)}"


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _SECRET.sub(r'\1"..."', text.replace("\n", "\\n"))


def _rows(clinic: Reception) -> dict[str, Rows]:
    # A row that is written takes the place of the one before, so that none has to be copied.
    return {name: dict(table.rows) for name, table in clinic.store.tables().items()}


def stories(*names: str) -> list[Story]:
    """The stories of the files of these names."""
    return [story for name in names for story in read(FOLDER / f"{name}.txt")]
