"""Whole lists to files: row by row, a few pages in memory, and on again after a break.

While it runs, the rows stand in `OUT.part` and what was written so far in `OUT.part.json`, both readable by their owner
alone; only a whole export takes the name OUT. Rows come in the order of their ids, so that after a break the list goes
on behind the last id: nothing is missed or written twice, whatever came or went meanwhile. `OUT.part` is locked while
it is written, so that two runs never write it at once.

Columns stand in a fixed order (`columns_of`). Times are those of the site that a row belongs to, else of the home site,
with their distance from UTC (`2026-11-24T09:30:00+11:00`); with `utc` they are as Cliniko sends them.
"""

import csv
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.filters import NUMBER, After, conditions_of
from cliniko_mcp.cliniko.models import Record, row_id, value_of
from cliniko_mcp.cliniko.operations import List
from cliniko_mcp.errors import ConfigurationError, InvalidArguments, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.private_files import locked, open_private, write_private
from cliniko_mcp.results.moments import is_sited

Format = Literal["csv", "jsonl"]
Progress = Callable[[int, int | None], None]
"""Told after every five hundred rows: rows written so far, rows in the whole list where Cliniko tells."""

CHECKPOINT: Final = 500
"""Rows between two notes of how far the file is good: five pages."""
_RENAMES_OPEN_FILES: Final = os.name != "nt"
_MORE: Final = "more"
FIRST: Final = (
    "id", "label", "title", "first_name", "last_name", "preferred_first_name", "name", "date_of_birth",
    "patient_phone_numbers", "phone_number", "email", "starts_at", "ends_at", "patient_id", "practitioner_id",
    "business_id",
)  # fmt: skip
"""The columns that people look for first, where a list has them: who, born when, how to reach, when and with whom."""
_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_HARMLESS: Final = re.compile(r"[+\-]?[0-9 ().,/:-]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written: a list with its arguments, in a format, with these columns.

    `more` asks for fields that this package does not know as well; `by_id` says that rows come in the order of ids.
    `account` names the clinic whose list it is (`Clinic.account`); `export` puts it in.
    """

    call: Call[Record]
    arguments: Mapping[str, str]
    """The arguments that `call` was made of."""
    format: Format
    columns: Sequence[str]
    more: bool
    by_id: bool
    account: str = ""
    utc: bool = False
    """Whether times are in UTC rather than in the clinic's own time."""

    def facts(self) -> dict[str, JsonValue]:
        """The plan as it is kept beside an unfinished file."""
        return {
            "operation": self.call.operation.name,
            "arguments": {**self.arguments},
            "format": self.format,
            "columns": [*self.columns],
            "more": self.more,
            "by_id": self.by_id,
            "account": self.account,
            "utc": self.utc,
        }

    def behind(self, last: str | None) -> Call[Record]:
        """The call for the rows behind this id; for all of them without one."""
        if last is None:
            return self.call
        return replace(self.call, conditions=(*self.call.conditions, *conditions_of("id", NUMBER, After(last))))


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export: where it is, its rows, and how many of them an earlier run had written."""

    path: Path
    rows: int
    kept: int
    notes: Sequence[str] = ()
    """What the reader has to know of its times, such as that a zone is a guess."""


def planned(
    listing: List[Record],
    arguments: Mapping[str, str],
    file_format: Format,
    fields: Sequence[str] = (),
    *,
    utc: bool = False,
) -> Plan:
    """The plan of an export, its arguments checked; secrets of patients are written only where `fields` names them.

    Raises InvalidArguments for a wrong filter or an unknown field.
    """
    record = listing.row
    known = columns_of(record)
    if unknown := sorted(set(fields) - set(known)):
        raise InvalidArguments(f"There is no field called {unknown[0]} here.", f"Fields: {', '.join(known)}.")
    columns = list(fields) or [name for name in known if name not in record.secret]
    free = "id" not in arguments and arguments.get("sort") in (None, "id")
    by_id = free and listing.sortable and listing.filters.get("id") is NUMBER
    chosen = {**arguments, **({"sort": "id"} if by_id else {})}
    return Plan(listing.parse(chosen), chosen, file_format, columns, more=not fields, by_id=by_id, utc=utc)


def columns_of(record: type[Record]) -> list[str]:
    """Every field of a record in the order of an export: what people look for first, then the rest by name."""
    first = [name for name in FIRST if name in record.model_fields]
    return [*first, *sorted(record.model_fields.keys() - {*first})]


async def export(
    clinic: GuardedClinic,
    plan: Plan,
    out: Path,
    *,
    again: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_kept: Callable[[int], None] | None = None,
) -> Exported:
    """Write the whole list to `out`, going on where a broken run stopped; with `again` from the beginning.

    `on_kept` is told at once how many rows a broken run left, where it left any.

    Raises ConfigurationError where `out` exists (unless `overwrite`) or cannot be written, and where what is there
    belongs to another export or is being written; whatever reading raises leaves the rows so far for the next run.
    """
    plan = replace(plan, account=clinic.account)
    zones = _Zones(clinic)
    try:
        with Unfinished(plan, out, again=again, overwrite=overwrite) as unfinished:
            kept, total = unfinished.rows, None
            if kept and on_kept:
                on_kept(kept)

            def expect(rows: int) -> None:
                nonlocal total
                total = kept + rows

            async with aclosing(clinic.all_of(plan.behind(unfinished.last), expect)) as records:
                async for record in records:
                    unfinished.write(record, None if plan.utc else await zones.of(record))
                    if unfinished.rows % CHECKPOINT == 0:
                        unfinished.note()
                        if progress:
                            progress(unfinished.rows, total)
            unfinished.finish()
            if progress:
                progress(unfinished.rows, total)
            return Exported(out, unfinished.rows, kept, [*zones.notes])
    except OSError as problem:
        raise ConfigurationError(
            f"{out} cannot be written: {problem.strerror or problem}", "Make room; the same command then goes on."
        ) from None


class _Zones:
    """The zone of each row: that of its site, read once a site; the home site's where a row has none."""

    def __init__(self, clinic: GuardedClinic) -> None:
        self._clinic = clinic
        self._known: dict[str | None, ZoneInfo] = {}
        self.notes: dict[str, None] = {}

    async def of(self, record: Record) -> ZoneInfo:
        """The zone that the times of this row are told in."""
        site = record.business_id if is_sited(record) else None
        if site not in self._known:
            self._known[site] = await self._clinic.zone(site)
            if note := await self._clinic.zone_note(site):
                self.notes[note] = None
        return self._known[site]


class Unfinished:
    """The file of an export under way, and beside it the note of how far it is good; open while used in `with`.

    Raises what `export` says about files. `rows` are those written, `last` is the id of the last one.
    """

    def __init__(self, plan: Plan, out: Path, *, again: bool, overwrite: bool) -> None:
        if out.exists() and not overwrite:
            raise ConfigurationError(f"{out} exists: choose another name, or add --overwrite")
        self._plan, self._out = plan, out
        self._part, self._note = out.with_name(f"{out.name}.part"), out.with_name(f"{out.name}.part.json")
        self.rows = 0
        self.last: str | None = None
        try:
            self._file = os.fdopen(open_private(self._part, os.O_RDWR | os.O_CREAT), "r+b")
        except OSError as problem:
            raise ConfigurationError(f"{self._part} cannot be written: {problem.strerror or problem}") from None
        self._text = TextIOWrapper(self._file, "utf-8", errors="replace", newline="")
        self._csv = csv.writer(self._text)
        with ExitStack() as opened:
            opened.callback(self._text.close)
            self._lock(opened)
            opened.callback(self._text.flush)
            length = 0 if again else self._remembered()
            self._file.truncate(length)
            self._file.seek(length)
            if not length and plan.format == "csv":
                self._csv.writerow([*plan.columns, *([_MORE] if plan.more else [])])
            self._opened = opened.pop_all()

    def _lock(self, opened: ExitStack) -> None:
        try:
            opened.enter_context(locked(self._file.fileno()))
            # The process that held it may have finished meanwhile, and this file is the whole export then.
            ours = os.path.samestat(os.fstat(self._file.fileno()), self._part.stat())
        except (TimeoutError, FileNotFoundError):
            ours = False
        if not ours:
            raise ConfigurationError(f"another export is writing {self._part}: let it end, or choose another name")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def write(self, record: Record, zone: ZoneInfo | None = None) -> None:
        """Add a row; its times are in this zone, without one in UTC as Cliniko sends them."""
        plan = self._plan
        # Values that were not expected are written as they came.
        whole: dict[str, JsonValue] = record.as_json()
        if zone is not None:
            whole |= _local_times(record, whole, zone)
        extra = {name: whole[name] for name in record.model_extra or {} if name in whole} if plan.more else {}
        if plan.format == "jsonl":
            self._text.write(_JSON.encode({name: whole.get(name) for name in plan.columns} | extra) + "\n")
        else:
            cells = [cell(whole[name]) if name in whole else None for name in plan.columns]
            self._csv.writerow([*cells, cell(extra or None)] if plan.more else cells)
        self.rows += 1
        self.last = (row_id(record) or None) if self._plan.by_id else None

    def note(self) -> None:
        """Remember, in one step, that the file is good up to here; without ids to enter the list behind, nothing."""
        self._text.flush()
        if self.last is None:
            return
        note = {"plan": self._plan.facts(), "rows": self.rows, "length": self._file.tell(), "last": self.last}
        write_private(self._note, json.dumps(note))

    def finish(self) -> None:
        """Give the whole file its name, and forget the note."""
        self._text.flush()
        os.fsync(self._file.fileno())
        if not _RENAMES_OPEN_FILES:
            self._opened.close()
        os.replace(self._part, self._out)
        self._note.unlink(missing_ok=True)

    def _remembered(self) -> int:
        """The bytes that an earlier run of the same plan left behind; 0 where it left nothing usable."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            plan, rows, length, last = note["plan"], int(note["rows"]), int(note["length"]), str(note["last"])
            usable = 0 < length <= self._part.stat().st_size
        except (OSError, ValueError, TypeError, KeyError):
            return 0
        if plan != self._plan.facts():
            raise ConfigurationError(
                f"{self._part} belongs to another export: repeat that, start over with --again, or choose another name"
            )
        if not usable:
            return 0
        self.rows, self.last = rows, last
        return length


def _local_times(record: Record, whole: Mapping[str, JsonValue], zone: ZoneInfo) -> dict[str, JsonValue]:
    """The moments of a record as they are in this zone, with their distance from UTC."""
    moments = ((name, value_of(record, name)) for name in whole)
    return {
        name: moment.astimezone(zone).isoformat()
        for name, moment in moments
        if isinstance(moment, datetime) and moment.tzinfo is not None
    }


def cell(value: JsonValue) -> str | int | float | None:
    """A value as a spreadsheet reads it. Text that it would run as a formula is kept from that by an apostrophe."""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) and not _HARMLESS.fullmatch(value) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value
