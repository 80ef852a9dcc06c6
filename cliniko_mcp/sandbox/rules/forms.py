"""Patient forms: started from a template, answered, signed, completed, perhaps edited afterwards.

Source: cliniko-api.md#clinical-records, #structured-content.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from copy import deepcopy
from typing import Final
from urllib.parse import unquote_to_bytes

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.content_errors import about
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.rules.bookings import HOST
from cliniko_mcp.sandbox.rules.content import questions, start_from, unanswered
from cliniko_mcp.sandbox.serialise import link
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import BLANK, INVALID
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, json_response, not_found

RULES: Final = Rulebook[RequestContext]()
FORMS: Final = "patient_forms"
SIGNATURES: Final = "signatures"
MAX_SIDE: Final = 500
"""Pixels a side of a signature's picture (cliniko-api.md#structured-content)."""

REQUIRED: Final = "must be answered before the form is completed"

_DATA_URI: Final = re.compile(r"data:image/svg\+xml(;[^,]*)?,(.*)", re.DOTALL)
_SVG_TAG: Final = re.compile(r"<svg\b[^<>]*>", re.IGNORECASE)
_SIDE: Final = re.compile(r"""\b(width|height)\s*=\s*["']\s*([0-9]+(?:\.[0-9]+)?)""")
_VIEW_BOX: Final = re.compile(r"""\bviewBox\s*=\s*["']\s*[-0-9.]+[\s,]+[-0-9.]+[\s,]+([0-9.]+)[\s,]+([0-9.]+)""")


@RULES.on(FORMS, "create")
def begin_form(context: RequestContext, change: Change) -> None:
    """What is not sent comes from the template."""
    flags = ("email_to_patient_on_completion", "restricted_to_practitioner")
    start_from(context, change, "patient_form_templates", "patient_form_template_id", *flags)
    template = context.get("patient_form_templates", change.new.get("patient_form_template_id"))
    if template is not None and not (change.text("name") or "").strip():
        change.new["name"] = template.get("name")


@RULES.on(FORMS, "create", "update")
def complete_form(context: RequestContext, change: Change) -> None:
    """The visit is the patient's own, signatures are pictures or known, a completed form has every required answer."""
    new, old = change.new, change.old or {}
    if not (change.text("name") or "").strip():
        change.errors["name"] = BLANK
    if change.sets("attendee_id"):
        _find_visit(context, change)
    if change.sets("content"):
        _check_signatures(context, change)
        if old.get("completed_at") is not None and new.get("content") != old.get("content"):
            new["edited_at"] = context.clock.stamp()
    completed = new.pop("completed", None)
    if completed is True:
        location = next(unanswered(new.get("content")), None)
        if location is not None:
            change.errors.setdefault("content", about(location, REQUIRED))
        new["completed_at"] = old.get("completed_at") or context.clock.stamp()
    elif completed is False:
        new["completed_at"] = None


def _find_visit(context: RequestContext, change: Change) -> None:
    attendee = context.get("attendees", change.new.get("attendee_id"))
    booking = context.get("bookings", attendee.get("booking_id")) if attendee else None
    change.new["booking_id"] = booking["id"] if booking else None
    if attendee is not None and attendee.get("patient_id") != change.new.get("patient_id"):
        change.errors["attendee_id"] = INVALID
    if booking is not None and change.new.get("business_id") is None:
        change.new["business_id"] = booking.get("business_id")


def _check_signatures(context: RequestContext, change: Change) -> None:
    own = str(change.new.get("id"))
    for location, question in questions(change.new.get("content")):
        picture, known = question.get("signature"), question.get("signature_id")
        if isinstance(picture, str) and not fits(picture):
            change.errors["content"] = about(
                (*location, "signature"), f"must be an SVG picture of at most {MAX_SIDE}x{MAX_SIDE}"
            )
        row = context.get(SIGNATURES, known)
        if known is not None and (row is None or row.get("patient_form_id") != own):
            change.errors["content"] = about((*location, "signature_id"), INVALID)


def fits(data_uri: str) -> bool:
    """Whether this is an SVG picture whose declared size is within that of a signature."""
    found = _DATA_URI.fullmatch(data_uri)
    if found is None:
        return False
    try:
        raw = b64decode(found[2], validate=True) if "base64" in (found[1] or "") else unquote_to_bytes(found[2])
    except NotBase64:
        return False
    tag = _SVG_TAG.search(raw.decode(errors="replace"))
    if tag is None:
        return False
    sides = [float(length) for _, length in _SIDE.findall(tag[0])]
    box = _VIEW_BOX.search(tag[0])
    if not sides and box is not None:
        sides = [float(side) for side in box.groups() if side.count(".") < 2]
    return all(side <= MAX_SIDE for side in sides)


@RULES.on(FORMS, "created", "updated")
def keep_signatures(context: RequestContext, change: Change) -> None:
    """A picture that was sent becomes a signature record; the answer stores its id."""
    row = context.get(FORMS, change.new["id"])
    if row is None or not change.sets("content"):
        return
    content, latest = deepcopy(row.get("content")), row.get("signatures_id")
    for _, question in questions(content):
        picture = question.pop("signature", None)
        if picture is not None:
            drawn: Json = {"image": picture, "patient_form_id": row["id"], "user_id": change.user_id}
            latest = context.insert(SIGNATURES, drawn)["id"]
            question["signature_id"] = latest
    context.set_derived(FORMS, str(row["id"]), content=content, signatures_id=latest)


@RULES.serialises(FORMS)
def show_form(context: RequestContext, row: Row, shown: Json) -> None:
    """The patient's private URL, and the link to the latest signature."""
    own, latest = row["id"], row.get("signatures_id")
    shown["url"] = f"{HOST}/forms/{context.ids.token(f'form {own}')}"
    shown["signatures"] = link(context.base_url, f"/patient_forms/{own}/signatures/{latest}") if latest else None


@RULES.answers("get_signature")
def answer_signature(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """A signature, below the form that it is on."""
    form = context.live(FORMS, request.ids["patient_form_id"])
    row: Row | None = context.get(SIGNATURES, request.ids["id"])
    if form is None or row is None or row.get("patient_form_id") != form["id"]:
        raise not_found()
    shown: JsonValue = context.serialise(SIGNATURES, row)
    return json_response(shown)
