"""The one envelope of every result.

`{"items"|"item": ..., "page": {...}, "names": {...}, "notes": [...], "now": ..., "time_zone": ...}`, compact, the same
in structured content and text, because hosts read one or the other.
"""

import json
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from cliniko_mcp.errors import ClinikoMcpError, ClinikoRefused, JsonValue
from cliniko_mcp.guards.guarded_clinic import GuardedClinic
from cliniko_mcp.results.budget import MAX_ERROR_BYTES, shortened, size
from cliniko_mcp.results.models import AnswerModel
from cliniko_mcp.results.rows import local_text
from cliniko_mcp.sanitize import clean

_MESSAGE_BYTES: Final = 600
_FIX_BYTES: Final = len(',"fix":""')


@dataclass(slots=True)
class Answer:
    """What a tool says: its own fields, remarks for the reader, and the zone its times are in."""

    body: dict[str, JsonValue] | AnswerModel
    notes: list[str] = field(default_factory=list[str])
    zone: ZoneInfo | None = None

    async def finished(self, clinic: GuardedClinic) -> dict[str, JsonValue]:
        """The whole envelope, with the time now in the zone of the answer, and a note where that zone is a guess."""
        zone, guess = self.zone, None
        try:
            home = await clinic.zone()
            if zone is None or zone == home:
                zone, guess = home, await clinic.zone_note()
        except ClinikoRefused:  # what was found, or even changed, is told all the same
            if zone is None:
                zone, guess = ZoneInfo("UTC"), "The clinic's time zone could not be read, so the time now is in UTC."
        notes: list[JsonValue] = [*dict.fromkeys([*self.notes, *([guess] if guess else [])])]
        remarks: dict[str, JsonValue] = {"notes": notes} if notes else {}
        body = self.body.as_json() if isinstance(self.body, AnswerModel) else self.body
        return {**body, **remarks, "now": local_text(clinic.now, zone), "time_zone": str(zone)}


def compact(value: object) -> str:
    """JSON without spaces, in plain Unicode."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def error_body(error: ClinikoMcpError) -> dict[str, JsonValue]:
    """An error as the model reads it, under 300 tokens: code, message, fix, then as many details as fit."""
    message = shortened(clean(error.message, lines=True), _MESSAGE_BYTES)
    body: dict[str, JsonValue] = {"code": error.code, "message": message}
    if error.fix:
        body["fix"] = shortened(clean(error.fix, lines=True), MAX_ERROR_BYTES - size(body) - _FIX_BYTES)
    for name, detail in error.details.items():
        value = cleaned(detail)
        if value not in ({}, []) and size({**body, name: value}) <= MAX_ERROR_BYTES:
            body[name] = value
    return body


def cleaned(value: JsonValue) -> JsonValue:
    """The value with every text in it, names of fields too, as it is fit to show; see `clean`."""
    if isinstance(value, str):
        return clean(value, lines=True)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): cleaned(item) for name, item in value.items()}
    return value
