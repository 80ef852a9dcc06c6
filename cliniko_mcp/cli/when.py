"""`cliniko-mcp when`: prints how a phrase of time is understood; one phrase, or a file of phrases as JSON lines."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, overload

import click

from cliniko_mcp.cli.names import Choice
from cliniko_mcp.cli.output import leave
from cliniko_mcp.errors import ExitCode, JsonValue, NotUnderstood
from cliniko_mcp.phrases import Anchor, Facing, OpenWhen, When, clinic_zone, parse_when
from cliniko_mcp.phrases.clock import clock_words

DEFAULT_ZONE = "Australia/Sydney"
"""The zone without --zone, which is that of the demo clinic's home site."""
ALL = "all"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.command("when")
@click.argument("phrase", nargs=-1)
@click.option(
    "--now",
    "now",
    metavar="ISO",
    help="The moment that the phrase is relative to; without an offset local. Default: now.",
)
@click.option("--zone", metavar="IANA", help=f"The clinic's time zone. Default: {DEFAULT_ZONE}.")
@click.option("--country", metavar="AU", help="Order of 11/24: month first in US only. Default: by zone.")
@click.option(
    "--facing",
    type=Choice([*(facing.value for facing in Facing), ALL]),
    default=Facing.AHEAD.value,
    show_default=True,
    help="Read as for booking (ahead), reports (back), utilisation (whole), a list's start times (either), or in each.",
)
@click.option(
    "--from",
    "anchor",
    metavar="START/END",
    help="Read from a visit that is moved: its start and end in local time, 2026-11-26T15:00/2026-11-26T15:45.",
)
@click.option("--batch", metavar="FILE", help="Read phrases from JSON lines, - for standard input; write JSON lines.")
@click.option("--sandbox", is_flag=True, help="As the demo clinic reads it: its zone, country and clock.")
def when(
    phrase: tuple[str, ...],
    now: str | None,
    zone: str | None,
    country: str | None,
    facing: str,
    anchor: str | None,
    batch: str | None,
    sandbox: bool,
) -> None:
    """Say how PHRASE is understood, for example: cliniko-mcp when "Thursday after 3".

    A line of a batch is {"id", "phrase", "now", "zone", "country"?, "facing"?, "anchor"?}, where anchor is {"start",
    "end"}; what it leaves out defaults to the options. Its answer is {"id", "result": {"start", "end", "weekdays"?,
    "times"?, "said"}} in local time, where an open start is null, or {"id", "result": {"error": true, "message"}}.
    """
    if sandbox and (zone or country):
        raise click.UsageError("--sandbox has a zone and a country of its own: leave --zone and --country out")
    zone = zone or DEFAULT_ZONE
    try:
        moment = _demo_moment() if sandbox and now is None else moment_of(now)
        if batch is not None:
            if phrase:
                raise NotUnderstood("Give a phrase or --batch, not both.")
            clinic_zone(zone)
            default = Question("", moment, zone, country, _facing(facing), _visit(anchor))
            for line in _lines(batch):
                if line.strip():
                    _write(json.dumps(_answer(line, default)))
            return
        if not phrase:
            raise NotUnderstood("Say a phrase of time.", 'For example: cliniko-mcp when "Thursday after 3".')
        question = Question(" ".join(phrase), moment, zone, country, Facing.AHEAD, _visit(anchor))
        if facing == ALL:
            _write_all(question)
        else:
            _write(question._replace(facing=_facing(facing)).read().description)
    except NotUnderstood as problem:
        click.echo(_message(problem), err=True)
        leave(ExitCode.NOT_UNDERSTOOD)


class Question(NamedTuple):
    """A phrase with what it is relative to."""

    phrase: str
    now: datetime
    zone: str
    country: str | None
    facing: Facing
    anchor: Anchor | None

    def read(self) -> When | OpenWhen:
        """The interval that the phrase means. Raises NotUnderstood."""
        return parse_when(
            self.phrase, now=self.now, zone=self.zone, country=self.country, facing=self.facing, anchor=self.anchor
        )


def _write_all(question: Question) -> None:
    """Write a line for each direction, and for the visit where there is one; what cannot be read says why."""
    questions = [(facing.value, question._replace(facing=facing, anchor=None)) for facing in Facing]
    if question.anchor:
        questions.append(("from the visit", question))
    clinic_zone(question.zone)
    for name, directed in questions:
        try:
            text = directed.read().description
        except NotUnderstood as problem:
            text = f"not understood: {problem.message}"
        _write(f"{name}: {text}")


def as_result(interval: When | OpenWhen) -> dict[str, JsonValue]:
    """An interval as a batch prints it: local times to the minute, weekdays and hours only where they limit it."""
    result: dict[str, JsonValue] = {
        "start": interval.start.strftime("%Y-%m-%dT%H:%M") if interval.start else None,
        "end": interval.end.strftime("%Y-%m-%dT%H:%M"),
    }
    if interval.weekdays:
        result["weekdays"] = [_WEEKDAYS[number - 1] for number in sorted(interval.weekdays)]
    if interval.times:
        result["times"] = [[clock_words(start), clock_words(end)] for start, end in interval.times]
    result["said"] = interval.description
    return result


def _answer(line: str, default: Question) -> dict[str, JsonValue]:
    line_id: JsonValue = None
    try:
        fields = _fields(line)
        line_id = fields.get("id")
        line_now = _text(fields, "now")
        facing = _text(fields, "facing")
        interval = Question(
            _text(fields, "phrase") or "",
            moment_of(line_now) if line_now is not None else default.now,
            _text(fields, "zone") or default.zone,
            _text(fields, "country") or default.country,
            _facing(facing) if facing is not None else default.facing,
            _anchor(fields) if fields.get("anchor") is not None else default.anchor,
        ).read()
    except NotUnderstood as problem:
        return {"id": line_id, "result": {"error": True, "message": _message(problem)}}
    return {"id": line_id, "result": as_result(interval)}


def _fields(line: str) -> dict[str, JsonValue]:
    try:
        fields: JsonValue = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotUnderstood("The line is not JSON.") from None
    if not isinstance(fields, dict):
        raise NotUnderstood("The line is not a JSON object.")
    return fields


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _text(fields: dict[str, JsonValue], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise NotUnderstood(f'"{name}" has to be a string.')
    return value


def _facing(text: str) -> Facing:
    """The direction of this name; "all" is one for a single phrase only."""
    try:
        return Facing(text)
    except ValueError:
        raise NotUnderstood(f'"facing" is one of {", ".join(Facing)}.') from None


def _anchor(fields: dict[str, JsonValue]) -> Anchor:
    anchor = fields.get("anchor")
    if not isinstance(anchor, dict):
        raise NotUnderstood('"anchor" has to be an object with "start" and "end".')
    start, end = _text(anchor, "start"), _text(anchor, "end")
    if start is None or end is None:
        raise NotUnderstood('"anchor" has to be an object with "start" and "end".')
    return _visit(f"{start}/{end}")


@overload
def _visit(text: str) -> Anchor: ...
@overload
def _visit(text: str | None) -> Anchor | None: ...
def _visit(text: str | None) -> Anchor | None:
    if text is None:
        return None
    start, _, end = text.partition("/")
    try:
        visit = Anchor(datetime.fromisoformat(start.strip()), datetime.fromisoformat(end.strip()))
        if visit.end > visit.start:
            return visit
    except (ValueError, TypeError):  # no date and time, or an offset on one of them only
        pass
    raise NotUnderstood("A visit is its start and its end.", "Write it like 2026-11-26T15:00/2026-11-26T15:45.")


def moment_of(text: str | None) -> datetime:
    """The moment that `--now` names, now where it names none. Raises NotUnderstood."""
    if text is None:
        return datetime.now(UTC)  # noqa: TID251 - a command begins now
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        advice = "Write it like 2026-11-24T10:00 or 2026-11-24T10:00+11:00."
        raise NotUnderstood("Now is not an ISO date and time.", advice) from None


def _demo_moment() -> datetime:
    """Where the demo clinic's clock starts: where the settings put it, else now."""
    from cliniko_mcp.settings import Settings

    return Settings.load({"sandbox": True}).sandbox_now or moment_of(None)


def _lines(source: str) -> Iterator[str]:
    try:
        with nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb") as stream:
            for line in stream:
                yield line.decode("utf-8-sig", "replace")
    except OSError as problem:
        raise NotUnderstood(f"The batch could not be read: {problem.strerror or 'no such file'}.") from None


def _write(line: str) -> None:
    # bytes, because standard output may have been opened in another encoding
    sys.stdout.buffer.write(line.encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def _message(problem: NotUnderstood) -> str:
    return f"{problem.message} {problem.fix}".strip()
