"""Referral sources: one for each patient, with the referrer that its type demands (cliniko-api.md#people)."""

from typing import Final

from cliniko_mcp.cliniko.filters import INSTANT
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox import query
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.filtering import parse
from cliniko_mcp.sandbox.handlers import store_change
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.serialise import link
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.validation import INVALID, NOT_LISTED, validate
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, invalid, json_response, not_found

RULES: Final = Rulebook[RequestContext]()
SOURCES: Final = "referral_sources"
SOURCE_TYPES: Final = "referral_source_types"
OTHER: Final = "Other"

_REFERRERS: Final = {"Patient": "patients", "Contact": "contacts"}


@RULES.answers("get_referral_source")
def answer_source(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The patient's one source; 404 until it is set, and while the patient is hidden."""
    row = _source_of(context, _patient(context, request))
    conditions = parse(request.filter_texts, dict.fromkeys(request.operation.hidden_filters, INSTANT))
    if row is None or not query.is_visible(row, conditions):
        raise not_found()
    return json_response(context.serialise(SOURCES, row))


@RULES.answers("update_referral_source")
def set_source(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """200 with the source, changed or new. A new type clears the referrer, subcategory and notes that are not sent."""
    patient = _patient(context, request)
    body, errors = validate(request.operation, request.json())
    old = _source_of(context, patient)
    same = old is not None and old.get("referral_source_type_id") == body.get("referral_source_type_id")
    unchanged: Row = old if old is not None and same else {}
    new: Json = {"patient_id": patient["id"], **_details(unchanged), **body}
    if not errors:
        _check(context, new, errors)
    if errors:
        raise invalid(errors)
    source_type = context.get(SOURCE_TYPES, new["referral_source_type_id"])
    new["referrer_type"] = source_type.get("referrer_type") if source_type and new.get("referrer_id") else None
    if old is None:
        context.insert(SOURCES, new)
    else:
        store_change(context, Change(SOURCES, old, {**old, **new}))
    row = _source_of(context, patient)
    assert row is not None, "a source that was just stored"
    return json_response(context.serialise(SOURCES, row))


def _check(context: RequestContext, new: Json, errors: dict[str, str]) -> None:
    source_type = context.live(SOURCE_TYPES, new.get("referral_source_type_id"))
    if source_type is None:
        errors["referral_source_type_id"] = INVALID
        return
    referrer_id, subcategory = new.get("referrer_id"), new.get("subcategory")
    if referrer_id is not None:
        table = _REFERRERS.get(str(source_type.get("referrer_type")))
        known = table is not None and context.live(table, referrer_id) is not None
        if not known or referrer_id == new["patient_id"]:
            errors["referrer_id"] = INVALID
    offered = source_type.get("subcategories")
    if subcategory is not None and not (isinstance(offered, list) and subcategory in offered):
        errors["subcategory"] = NOT_LISTED


def _details(row: Row) -> Json:
    return {name: row.get(name) for name in ("referrer_id", "subcategory", "notes")}


def _patient(context: RequestContext, request: OperationRequest) -> Row:
    patient = context.live("patients", request.ids["patient_id"])
    if patient is None:
        raise not_found()
    return patient


def _source_of(context: RequestContext, patient: Row) -> Row | None:
    table = context.store.table(SOURCES)
    return next((table.rows[row_id] for row_id in table.matching("patient_id", str(patient["id"]))), None)


@RULES.on("patients", "created", "updated")
def remember_text(context: RequestContext, change: Change) -> None:
    """Writing the patient's own `referral_source` text makes an "Other" source if there is none.

    Source: cliniko-api.md#discrepancies.
    """
    text: JsonValue = change.body.get("referral_source")
    patient = context.get("patients", change.new.get("id"))
    if not isinstance(text, str) or not text.strip() or patient is None or _source_of(context, patient) is not None:
        return
    source_types = context.store.table(SOURCE_TYPES).live.values()
    other = next((row for row in source_types if row.get("name") == OTHER), None) or context.insert(
        SOURCE_TYPES, {"name": OTHER}
    )
    context.insert(SOURCES, {"patient_id": patient["id"], "referral_source_type_id": other["id"], "notes": text})


@RULES.serialises(SOURCES)
def show_source(context: RequestContext, row: Row, shown: Json) -> None:
    """Its own link is below the patient; the referrer is a patient or a contact."""
    shown["links"] = {"self": f"{context.base_url}/patients/{row['patient_id']}/referral_source"}
    table = _REFERRERS.get(str(row.get("referrer_type")))
    if table is not None and row.get("referrer_id") is not None:
        shown["referrer"] = link(context.base_url, f"/{table}/{row['referrer_id']}")


@RULES.serialises(SOURCE_TYPES)
def show_source_type(context: RequestContext, row: Row, shown: Json) -> None:
    """The link to its possible referrers; none for a type that takes notes."""
    table = _REFERRERS.get(str(row.get("referrer_type")))
    shown["referrers"] = link(context.base_url, f"/{table}") if table else None
    shown["subcategories"] = shown["subcategories"] or []
