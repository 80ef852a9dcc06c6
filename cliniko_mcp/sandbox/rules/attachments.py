"""Attachments: uploaded to the storage first, claimed once, processed a moment later, then downloaded.

Source: cliniko-api.md#attachments.
"""

from base64 import b64decode
from datetime import timedelta
from typing import Final

from cliniko_mcp.sandbox import storage
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.handlers import live_row
from cliniko_mcp.sandbox.request import OperationRequest
from cliniko_mcp.sandbox.rulebook import Change, Rulebook
from cliniko_mcp.sandbox.serialise import link
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import timestamp
from cliniko_mcp.sandbox.validation import INVALID
from cliniko_mcp.sandbox.wire import Json, SandboxResponse, json_response, not_found

RULES: Final = Rulebook[RequestContext]()
ATTACHMENTS: Final = "patient_attachments"
JOBS: Final = "attachment_jobs"
PROCESSING: Final = timedelta(seconds=5)
"""How long a new attachment is being processed, by the clinic's clock (choices 59)."""


@RULES.answers("get_attachment_presigned_post")
def presigned_post(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """The URL and the form fields for one upload."""
    patient = context.live("patients", request.ids["patient_id"])
    if patient is None:
        raise not_found()
    return json_response(storage.presign(context, str(patient["id"])))


@RULES.on(ATTACHMENTS, "create")
def claim_upload(context: RequestContext, change: Change) -> None:
    """The upload must exist, belong to this patient, and not be used yet."""
    new = change.new
    url = str(new.pop("upload_url", ""))
    if storage.uploaded(context, url, new.get("patient_id")) is None:
        change.errors["temp_attachment_url"] = INVALID
    new.update(user_id=change.user_id, processing_completed=False)


@RULES.on(ATTACHMENTS, "created")
def take_file(context: RequestContext, change: Change) -> None:
    """The file moves to its final key, the temporary one is removed, and processing begins."""
    own, patient_id = str(change.new["id"]), str(change.new["patient_id"])
    upload = storage.uploaded(context, str(change.body.get("upload_url")), patient_id)
    if upload is None:
        return
    filename = change.text("filename") or str(upload["filename"])
    data = b64decode(str(upload["data"]))
    storage.store_file(context, own, patient_id, filename, str(upload["content_type"]), data)
    context.store.remove(storage.UPLOADS, str(upload["id"]))
    facts: Json = {"filename": filename, "content_type": upload["content_type"], "size": upload["size"]}
    context.store.put(JOBS, {"id": own, "due_at": timestamp(context.clock.now() + PROCESSING), "facts": facts})


@RULES.before_each_request
def finish_processing(context: RequestContext) -> None:
    """Finish every attachment whose processing time is over."""
    jobs = context.store.table(JOBS).rows
    if not jobs:
        return
    now = context.clock.stamp()
    for job in [row for row in jobs.values() if str(row["due_at"]) <= now]:
        facts = job["facts"]
        done: Json = {"processing_completed": True, "processed_at": job["due_at"]}
        context.amend(ATTACHMENTS, str(job["id"]), **done, **(facts if isinstance(facts, dict) else {}))
        context.store.remove(JOBS, str(job["id"]))


@RULES.serialises(ATTACHMENTS)
def show_attachment(context: RequestContext, row: Row, shown: Json) -> None:
    """The link to the content, once it is processed."""
    ready = row.get("processing_completed") is True
    shown["content"] = link(context.base_url, f"/patient_attachments/{row['id']}/content") if ready else None


@RULES.answers("get_patient_attachment_content")
def content(context: RequestContext, request: OperationRequest) -> SandboxResponse:
    """302 to the storage, with a URL that needs no key."""
    row = live_row(context, request)
    url = storage.download_address(context, str(row["id"])) if row.get("processing_completed") is True else None
    if url is None:
        raise not_found()
    return SandboxResponse(302, {"Location": url})
