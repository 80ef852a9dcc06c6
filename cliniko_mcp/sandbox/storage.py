"""The fake file storage of attachments: uploads like a presigned POST of S3, and downloads
(cliniko-api.md#attachments).

It answers below `/_storage/` on the clinic's host and knows no API keys: who holds the signed fields may upload,
who holds the signed address may download.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5
from mimetypes import MimeTypes
from typing import Final
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.sandbox.context import RequestContext
from cliniko_mcp.sandbox.store import Row
from cliniko_mcp.sandbox.timestamps import timestamp
from cliniko_mcp.sandbox.wire import Json, Refusal, SandboxRequest, SandboxResponse, dumps, not_found

PATH: Final = "/_storage/"
UPLOADS: Final = "uploads"
FILES: Final = "files"
XML_TYPE: Final = "application/xml"

_BUCKET: Final = "demo-clinic-files"
_VALID: Final = timedelta(hours=1)
_FILENAME: Final = "${filename}"
_TYPES: Final = MimeTypes()  # the table built into Python: the same on every computer
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """The file in a multipart form; `filename` is None where it was sent as a plain field."""

    filename: str | None
    content_type: str | None
    data: bytes


def address(context: RequestContext) -> str:
    """The absolute URL of the storage, which ends with a slash."""
    base = urlsplit(context.base_url)
    return f"{base.scheme}://{base.netloc}{PATH}"


def presign(context: RequestContext, patient_id: str) -> Json:
    """The URL and the form fields that let anyone upload one file for this patient, for an hour (choices 59)."""
    upload_id = context.ids.next()
    key = f"4711/patients/F{patient_id}/attachments/temp/{context.ids.token(f'upload {upload_id}')}/{_FILENAME}"
    until = timestamp(context.clock.now() + _VALID)
    conditions: list[JsonValue] = [
        {"bucket": _BUCKET},
        ["starts-with", "$key", key.removesuffix(_FILENAME)],
        {"acl": "private"},
        {"success_action_status": "201"},
    ]
    fields: Json = {
        "acl": "private",
        "key": key,
        "policy": b64encode(dumps({"expiration": until, "conditions": conditions})).decode(),
        "success_action_status": "201",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"DEMO/{until[:10].replace('-', '')}/ap-southeast-2/s3/aws4_request",
        "x-amz-date": context.clock.now().strftime("%Y%m%dT%H%M%SZ"),
        "x-amz-signature": context.ids.token(f"signature {upload_id}") + context.ids.token(f"seal {upload_id}"),
    }
    row: Json = {"id": upload_id, "patient_id": patient_id, "fields": fields, "until": until}
    context.store.put(UPLOADS, {**row, "policy": fields["policy"]})
    return {"url": address(context), "fields": fields}


def uploaded(context: RequestContext, upload_url: str, patient_id: JsonValue) -> Row | None:
    """The upload that this URL names, if it exists, belongs to this patient and is not used yet."""
    if not upload_url.startswith(address(context)):
        return None
    key = unquote(upload_url.removeprefix(address(context)).lstrip("/"))
    found = next(context.where(UPLOADS, "stored_key", key), None)
    return found if found is not None and found.get("patient_id") == patient_id else None


def store_file(
    context: RequestContext, attachment_id: str, patient_id: str, filename: str, content_type: str, data: bytes
) -> None:
    """Store the content of an attachment, to be downloaded from its signed URL."""
    file: Json = {"filename": filename, "content_type": content_type, "data": b64encode(data).decode()}
    key = f"4711/patients/F{patient_id}/attachments/{attachment_id}/{filename}"
    context.store.put(FILES, {"id": attachment_id, "key": key, **file})


def download_address(context: RequestContext, attachment_id: str) -> str | None:
    """The signed URL of an attachment's content, or None where nothing is stored."""
    row = context.get(FILES, attachment_id)
    if row is None:
        return None
    return f"{address(context)}{quote(str(row['key']))}?X-Amz-Signature={_download_token(context, attachment_id)}"


def answer_storage(context: RequestContext, request: SandboxRequest) -> SandboxResponse:
    """201 for an upload, 200 for a download, and the errors of S3. Raises the 404 for anything else."""
    if request.method == "POST" and request.path == PATH:
        return _take(context, request)
    if request.method == "GET":
        return _give(context, request)
    raise not_found()


def _take(context: RequestContext, request: SandboxRequest) -> SandboxResponse:
    fields, file = _form(request)
    if file is None:
        raise _refused(400, "InvalidArgument", "POST requires exactly one file upload per request.")
    upload = next(context.where(UPLOADS, "policy", fields.get("policy", "")), None)
    if upload is None:
        raise _refused(403, "AccessDenied", "Access Denied")
    if str(upload["until"]) < context.clock.stamp():
        raise _refused(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    presigned = upload["fields"]
    signed = {name: str(value) for name, value in presigned.items()} if isinstance(presigned, dict) else {}
    key = fields.get("key", "").replace(_FILENAME, file.filename or "")
    start = signed.pop("key").removesuffix(_FILENAME)
    wrong = next((name for name, value in signed.items() if fields.get(name) != value), None)
    if wrong == "x-amz-signature":
        raise _refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
    if wrong is not None or not key.startswith(start) or key == start:
        condition = f'["starts-with", "$key", "{start}"]' if wrong is None else f'["eq", "${wrong}", "{signed[wrong]}"]'
        raise _refused(403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {condition}")
    filename = key.removeprefix(start)
    guessed = _TYPES.guess_type(filename)[0]
    content_type = guessed or file.content_type or _UNKNOWN_TYPE
    stored: Json = {"stored_key": key, "filename": filename, "content_type": content_type, "size": len(file.data)}
    context.store.put(UPLOADS, {**upload, **stored, "data": b64encode(file.data).decode()})
    return _taken(f"{address(context)}{quote(key)}", key, file.data)


def _taken(location: str, key: str, data: bytes) -> SandboxResponse:
    etag = f'"{md5(data, usedforsecurity=False).hexdigest()}"'
    values = {"Location": location, "Bucket": _BUCKET, "Key": key, "ETag": etag}
    headers = {"Content-Type": XML_TYPE, "Location": location, "ETag": etag}
    return SandboxResponse(201, headers, _xml("PostResponse", values))


def _give(context: RequestContext, request: SandboxRequest) -> SandboxResponse:
    row = next(context.where(FILES, "key", unquote(request.path.removeprefix(PATH))), None)
    token = dict(request.query).get("X-Amz-Signature")
    if row is None or token != _download_token(context, str(row["id"])):
        raise _refused(403, "AccessDenied", "Access Denied")
    return SandboxResponse(200, {"Content-Type": str(row["content_type"])}, b64decode(str(row["data"])))


def _download_token(context: RequestContext, attachment_id: str) -> str:
    return context.ids.token(f"download {attachment_id}")


def _refused(status: int, code: str, message: str) -> Refusal:
    body = _xml("Error", {"Code": code, "Message": message})
    return Refusal(SandboxResponse(status, {"Content-Type": XML_TYPE}, body))


def _xml(root: str, values: Mapping[str, str]) -> bytes:
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{inside}</{root}>'.encode()


def _form(request: SandboxRequest) -> tuple[Mapping[str, str], Part | None]:
    """The fields that stand before the file, and the file; S3 does not look at what comes after it."""
    # Only an upload to the demo clinic needs a parser of forms.
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import Field, File, FormParser, parse_options_header

    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise _refused(412, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
    fields: dict[str, str] = {}
    files: list[Part] = []

    def on_field(field: Field) -> None:
        name, value = _text(field.field_name), field.value or b""
        if name == "file":
            files.append(Part(None, field.content_type, value))
        elif not files:
            fields[name] = _text(value)

    def on_file(file: File) -> None:
        if file.field_name == b"file":
            file.file_object.seek(0)
            files.append(Part(_text(file.file_name), file.content_type, file.file_object.read()))

    in_memory = {"MAX_MEMORY_FILE_SIZE": len(request.body) + 1}
    try:
        parser = FormParser("multipart/form-data", on_field, on_file, boundary=boundary, config=in_memory)
        parser.write(request.body)
        parser.finalize()
    except FormParserError:
        raise _refused(
            400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."
        ) from None
    return fields, files[0] if files else None


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")
