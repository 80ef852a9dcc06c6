"""What Cliniko's answer means: a JSON object, nothing, or one error of our tree with advice (cliniko-api.md#errors).

The key is struck out of everything before it is read further. What upstream wrote is cleaned, cut short and quoted
before it enters a sentence.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import ceil, isfinite
from typing import Final, cast
from urllib.parse import urlsplit

from pydantic_core import from_json

from cliniko_mcp.cliniko.calls import Call
from cliniko_mcp.cliniko.operations import Operation
from cliniko_mcp.cliniko.registry import reader_of
from cliniko_mcp.errors import (
    ClinikoRefused,
    JsonValue,
    KeyRefused,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Rejected,
    Unavailable,
)
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean, counted, quoted

MAX_WAIT: Final = 60.0
"""Seconds: the window of the rate limit is a minute, so no honest answer asks for more (cliniko-api.md#rate-limit)."""

_PERMISSIONS: Final[Mapping[str, str]] = {
    "settings": "The settings need a role that may see them; get_public_settings works with every key.",
    "treatment_notes": "Notes need a key whose user is a practitioner, and only the author may change a note.",
    "users": "Staff accounts need an administrator's key; get_authenticated_user works with every key.",
}
_ABSENCES: Final[Mapping[str, str]] = {
    "available_times": "Online booking is off for this site, practitioner or type, or one of them does not exist.",
    "referral_sources": "This patient has no referral source yet, or there is no such patient.",
}


def read(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> dict[str, JsonValue] | None:
    """The JSON object of a good answer; None where the operation gives nothing back.

    `headers` are looked up in lower case. `now` serves to turn X-RateLimit-Reset into seconds. Raises the error that
    the status stands for, and for a good status with an unreadable body Unavailable, or OutcomeUnknown after a write.
    """
    if 200 <= status < 300:
        return _content(call, headers, body)
    raise _refusal(call, status, headers, body, now)


def unanswered(call: Call, why: str, *, sent: bool) -> ClinikoRefused:
    """The error for a request that got no whole answer; `sent` says whether Cliniko may have seen it."""
    if sent and _writes(call):
        return _unknown(call, why)
    what = "gave no usable answer" if sent else "could not be reached"
    return Unavailable(f"Cliniko {what}: {why}.", _LATER, operation=call.operation.name)


def unreadable(call: Call, why: str) -> ClinikoRefused:
    """The error for a good status whose body is not what the operation promises."""
    if _writes(call):
        return _unknown(call, f"Cliniko's answer could not be read ({why})")
    return Unavailable(f"Cliniko's answer could not be read: {why}.", _LATER, operation=call.operation.name)


def seconds_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds (0 to 60) that X-RateLimit-Reset, else Retry-After, asks to wait; None where neither says."""
    reset = _number(headers.get("x-ratelimit-reset"))
    wait = reset - now.timestamp() if reset is not None else _number(headers.get("retry-after"))
    return None if wait is None else min(max(wait, 0.0), MAX_WAIT)


def rate_limited(seconds: float) -> RateLimited:
    """The error for a call that would have to wait longer than it may."""
    wait = max(1, ceil(seconds))
    return RateLimited(
        "Cliniko's limit of requests a minute is used up for now.",
        f"Wait {counted(wait, 'second')}, then call again.",
        retry_after=wait,
    )


_LATER: Final = "Nothing was changed. Try again in a minute."
_JSON: Final = re.compile(r"application/([\w.-]+\+)?json\b", re.IGNORECASE)


def _writes(call: Call) -> bool:
    return call.operation.method != "GET"


def _content(call: Call, headers: Mapping[str, str], body: bytes) -> dict[str, JsonValue] | None:
    if not body.strip():
        if call.operation.record is None:
            return None
        raise unreadable(call, "it was empty")
    if not _JSON.match(headers.get("content-type", "application/json").strip()):
        raise unreadable(call, "it was not JSON")
    found = _json(body)
    if found is None:
        raise unreadable(call, "it was not a JSON object")
    return found


def _json(body: bytes) -> dict[str, JsonValue] | None:
    # NaN and Infinity are no JSON and would break every reader after us; of a name given twice the last value counts.
    try:
        found = from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    content = cast("dict[str, JsonValue]", found)
    return SECRETS.object(content) if SECRETS.holds(body.decode(errors="replace")) else content


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and isfinite(number) else None


def _refusal(call: Call, status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> ClinikoRefused:
    operation = call.operation
    if status == 401:
        return KeyRefused(
            "Cliniko did not accept the API key.",
            "The person who runs this server has to check the key: it may be mistyped, revoked, "
            "or its ending may name the wrong region.",
        )
    if status == 403:
        return PermissionMissing(
            f"The user to whom the API key belongs may not use {operation.name}.",
            _PERMISSIONS.get(operation.resource, "An administrator of the clinic can give that user another role."),
            operation=operation.name,
        )
    if status == 404:
        return _not_found(call)
    if status == 429:
        wait = seconds_asked(headers, now)
        return rate_limited(MAX_WAIT if wait is None else wait)
    if 300 <= status < 400:
        return _redirected(call, status, headers)
    if not 400 <= status < 500:
        why = f"Cliniko answered with status {status}"
        return _unknown(call, why) if _writes(call) else Unavailable(f"{why}.", _LATER, status=status)
    return _rejected(operation, status, headers, body)


def _not_found(call: Call) -> NotFound:
    operation, target = call.operation, call.target
    record = f"record with id {target}" if target else "such record"
    message = f"Cliniko shows {operation.name} no {record}."
    fix = _ABSENCES.get(operation.resource)
    if fix is None and operation.hidden_filters and not call.include_archived:
        fix = "It may be archived, deleted or cancelled: give include_archived: true to see it all the same."
    return NotFound(message, fix or "Check the id; the record may also be archived, deleted or cancelled.")


def _redirected(call: Call, status: int, headers: Mapping[str, str]) -> ClinikoRefused:
    try:
        host = urlsplit(headers.get("location", "")).hostname
    except ValueError:
        host = None
    where = f"to {quoted(SECRETS.text(host), 80)}" if host else "elsewhere"
    why = f"the request was sent on {where} (status {status}), which this server does not follow"
    if _writes(call):
        return _unknown(call, why)
    return Unavailable(f"Cliniko gave no answer: {why}.", "The person who runs this server has to check --base-url.")


def _rejected(operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> Rejected:
    found = _json(body) if _JSON.match(headers.get("content-type", "application/json").strip()) else None
    fields = dict(_complaints(operation, (found or {}).get("errors")))
    if fields:
        named = [f"{name} {json.dumps(text, ensure_ascii=False)}" for name, text in fields.items()]
        shown = "; ".join(named[:3] + ([f"and {len(named) - 3} more"] if len(named) > 3 else []))
        return Rejected(
            f"Cliniko refused {operation.name}: {shown}.",
            "Correct what is named here and call again. Nothing was changed.",
            status=status,
            fields=dict(fields),
        )
    message = (found or {}).get("message")
    reason = f": {quoted(message, 200)}" if isinstance(message, str) and message.strip() else f" (status {status})"
    return Rejected(
        f"Cliniko refused {operation.name}{reason}.",
        "Check the arguments against what the operation takes. Nothing was changed.",
        status=status,
    )


def _complaints(operation: Operation, errors: JsonValue) -> Iterator[tuple[str, str]]:
    if isinstance(errors, str | list):
        errors = {"base": errors}
    if not isinstance(errors, dict):
        return
    for name, reasons in list(errors.items())[:6]:
        listed = reasons if isinstance(reasons, list) else [reasons]
        text = "; ".join(
            reason if isinstance(reason, str) else json.dumps(reason, ensure_ascii=False) for reason in listed
        )
        yield _argument(operation, clean(name, 30)), clean(text, 70)


def _argument(operation: Operation, name: str) -> str:
    # Cliniko names the relation where the argument is its id (cliniko-api.md#errors).
    known = operation.argument_names
    return next(
        (argument for argument in (name, f"{name}_id", f"{name.removesuffix('s')}_ids") if argument in known), name
    )


def _unknown(call: Call, why: str) -> OutcomeUnknown:
    name = call.operation.name
    return OutcomeUnknown(
        f"{name} was sent, but whether it took effect is not known: {why}.",
        f"Do not repeat it yet. {_how_to_check(call)} Repeat only if the change is not there.",
        operation=name,
        id=call.target,
    )


def _how_to_check(call: Call) -> str:
    operation = call.operation
    found = reader_of(operation)
    if found is None:
        return "Look in Cliniko first."
    if found.listing:
        return f"Look first with {found.name}."
    hidden = " and include_archived: true" if found.hidden_filters else ""
    return f"Look first with {found.name} (the same id{hidden})."
