"""`cliniko-mcp when`: prints how a phrase of time is understood; one phrase, or a file of phrases as JSON lines."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from cliniko_mcp.cli.output import leave
from cliniko_mcp.errors import ExitCode, JsonValue, NotUnderstood
from cliniko_mcp.phrases import When, clinic_zone, parse_when
from cliniko_mcp.phrases.clock import clock_words

DEFAULT_ZONE = "Australia/Sydney"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.command("when")
@click.argument("phrase", nargs=-1)
@click.option(
    "--now",
    "now",
    metavar="ISO",
    help="The moment that the phrase is relative to; without an offset local. Default: now.",
)
@click.option("--zone", default=DEFAULT_ZONE, show_default=True, metavar="IANA", help="The clinic's time zone.")
@click.option("--country", metavar="AU", help="Order of 11/24: month first in US only. Default: by zone.")
@click.option("--batch", metavar="FILE", help="Read phrases from JSON lines, - for standard input; write JSON lines.")
def when(phrase: tuple[str, ...], now: str | None, zone: str, country: str | None, batch: str | None) -> None:
    """Say how PHRASE is understood, for example: cliniko-mcp when "Thursday after 3".

    A line of a batch is {"id", "phrase", "now", "zone", "country"?}; now and zone default to the options. Its answer is
    {"id", "result": {"start", "end", "weekdays"?, "times"?, "said"}} in local time, or {"id", "result": {"error": true,
    "message"}}.
    """
    try:
        if batch is not None:
            if phrase:
                raise NotUnderstood("Give a phrase or --batch, not both.")
            clinic_zone(zone)
            present = _moment(now)
            for line in _lines(batch):
                if line.strip():
                    _write(json.dumps(_answer(line, present, zone, country)))
            return
        if not phrase:
            raise NotUnderstood("Say a phrase of time.", 'For example: cliniko-mcp when "Thursday after 3".')
        _write(parse_when(" ".join(phrase), now=_moment(now), zone=zone, country=country).description)
    except NotUnderstood as problem:
        click.echo(_message(problem), err=True)
        leave(ExitCode.NOT_UNDERSTOOD)


def as_result(interval: When) -> dict[str, JsonValue]:
    """An interval as a batch prints it: local times to the minute, weekdays and hours only where they limit it."""
    result: dict[str, JsonValue] = {
        "start": interval.start.strftime("%Y-%m-%dT%H:%M"),
        "end": interval.end.strftime("%Y-%m-%dT%H:%M"),
    }
    if interval.weekdays:
        result["weekdays"] = [_WEEKDAYS[number - 1] for number in sorted(interval.weekdays)]
    if interval.times:
        result["times"] = [[clock_words(start), clock_words(end)] for start, end in interval.times]
    result["said"] = interval.description
    return result


def _answer(line: str, now: datetime, zone: str, country: str | None) -> dict[str, JsonValue]:
    line_id: JsonValue = None
    try:
        fields = _fields(line)
        line_id = fields.get("id")
        line_now = _text(fields, "now")
        interval = parse_when(
            _text(fields, "phrase") or "",
            now=_moment(line_now) if line_now is not None else now,
            zone=_text(fields, "zone") or zone,
            country=_text(fields, "country") or country,
        )
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


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)  # noqa: TID251 - a command begins now
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        advice = "Write it like 2026-11-24T10:00 or 2026-11-24T10:00+11:00."
        raise NotUnderstood("Now is not an ISO date and time.", advice) from None


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
