"""Attachments in three steps: point 59 of the checklist."""

import json
from base64 import b64decode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import httpx2
import pytest

from cliniko_mcp.sandbox.core import Sandbox
from cliniko_mcp.sandbox.transport import SandboxTransport
from cliniko_mcp.sandbox.wire import SandboxRequest, SandboxResponse
from sandbox.front import Front, errors, last

SCAN = b"%PDF-1.7\r\n\x00\xff\r\n--not the boundary\r\n" + bytes(range(256))
Fields = dict[str, str]


def presign(desk: Front, patient: str) -> tuple[str, Fields]:
    post = desk.get(f"/patients/{patient}/attachment_presigned_post")
    return post["url"], post["fields"]


def upload(
    desk: Front, url: str, fields: Fields, data: bytes | None = SCAN, name: str = "knee scan.pdf"
) -> SandboxResponse:
    """What any HTTP library sends: the fields, then the file; no key."""
    files = {"file": (name, data, "application/pdf")} if data is not None else {"other": ("a", b"b", "text/plain")}
    sent = httpx2.Request("POST", url, data=fields, files=files)
    headers = {key.lower(): value for key, value in sent.headers.items()}
    return desk.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, sent.read()))


def uploaded(desk: Front, patient: str, **more: Any) -> str:
    """The upload_url of a file that is in the storage."""
    url, fields = presign(desk, patient)
    answer = upload(desk, url, fields, **more)
    assert answer.status == 201, answer.body
    return url + xml(answer)["Key"]


def xml(answer: SandboxResponse) -> dict[str, str]:
    return {each.tag: each.text or "" for each in ElementTree.fromstring(answer.body)}


def attach(desk: Front, patient: str, url: str, status: int = 201, **more: object) -> Any:
    return desk.post("/patient_attachments", {"patient_id": patient, "upload_url": url, **more}, status)


def processed(sandbox: Sandbox, desk: Front, attachment: str) -> Any:
    sandbox.clock.advance(timedelta(seconds=5))
    return desk.get(f"/patient_attachments/{attachment}")


def test_59_presigning_gives_the_form_fields_of_s3(desk: Front, ana: str) -> None:
    url, fields = presign(desk, ana)
    assert url == "http://127.0.0.1:8123/_storage/"
    assert fields["acl"] == "private"
    assert fields["success_action_status"] == "201"
    assert fields["key"].endswith("/${filename}")
    assert f"/patients/F{ana}/attachments/temp/" in fields["key"]
    assert {"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-signature"} <= set(fields)
    assert json.loads(b64decode(fields["policy"]))["expiration"] == "2026-11-23T23:00:00Z"
    assert presign(desk, ana)[1]["key"] != fields["key"]
    desk.get("/patients/1104000000000000001/attachment_presigned_post", status=404)


def test_59_the_storage_answers_201_with_xml_and_needs_no_key(desk: Front, ana: str) -> None:
    url, fields = presign(desk, ana)
    answer = upload(desk, url, fields)
    assert (answer.status, answer.headers["Content-Type"]) == (201, "application/xml")
    told = xml(answer)
    assert told["Key"] == fields["key"].replace("${filename}", "knee scan.pdf")
    assert told["Location"] == url + told["Key"].replace(" ", "%20")
    assert set(told) == {"Location", "Bucket", "Key", "ETag"}


def test_59_a_new_attachment_is_processed_a_moment_later(sandbox: Sandbox, desk: Front, tom: Front, ana: str) -> None:
    made = attach(tom, ana, uploaded(desk, ana), description="Knee")
    assert (made["processing_completed"], made["processed_at"]) == (False, None)
    assert made["filename"] is made["size"] is made["content_type"] is made["content"] is None
    assert (made["description"], last(made["user"])) == ("Knee", tom.get("/user")["id"])
    assert "upload_url" not in made
    path = f"/patient_attachments/{made['id']}"
    sandbox.clock.advance(timedelta(seconds=4))
    assert desk.get(path) == made
    desk.ask("GET", f"{path}/content")
    done = processed(sandbox, desk, made["id"])
    assert (done["filename"], done["size"], done["content_type"]) == ("knee scan.pdf", len(SCAN), "application/pdf")
    assert (done["processing_completed"], done["processed_at"]) == (True, "2026-11-23T22:00:05Z")
    assert [row["id"] for row in desk.rows("/patient_attachments", f"size:={len(SCAN)}")] == [made["id"]]


def test_59_the_content_comes_from_the_storage_by_a_signed_address(sandbox: Sandbox, desk: Front, ana: str) -> None:
    made = attach(desk, ana, uploaded(desk, ana))
    path = f"/patient_attachments/{made['id']}"
    assert desk.ask("GET", f"{path}/content").status == 404
    done = processed(sandbox, desk, made["id"])
    assert done["content"]["links"]["self"] == f"http://127.0.0.1:8123/v1{path}/content"
    moved = desk.ask("GET", f"{path}/content")
    assert (moved.status, moved.body) == (302, b"")
    place = urlsplit(moved.headers["Location"])
    assert place.path.startswith("/_storage/")
    file = sandbox.respond(SandboxRequest("GET", place.path, tuple(parse_qsl(place.query))))
    assert (file.status, file.body, file.headers["Content-Type"]) == (200, SCAN, "application/pdf")
    assert sandbox.respond(SandboxRequest("GET", place.path)).status == 403
    desk.post(f"{path}/archive", status=204)
    assert desk.ask("GET", f"{path}/content").status == 404


def test_59_an_upload_serves_once_and_one_patient(desk: Front, ana: str, ben: str) -> None:
    url = uploaded(desk, ana)
    wrong = {"temp_attachment_url": "is invalid"}
    assert errors(attach(desk, ben, url, 422)) == wrong
    attach(desk, ana, url)
    assert errors(attach(desk, ana, url, 422)) == wrong
    assert desk.get("/patient_attachments")["total_entries"] == 1


@pytest.mark.parametrize("url", ["https://elsewhere.example/a.pdf", "http://127.0.0.1:8123/_storage/nothing", "x"])
def test_59_what_was_never_uploaded_is_invalid(desk: Front, ana: str, url: str) -> None:
    presign(desk, ana)
    assert errors(attach(desk, ana, url, 422)) == {"temp_attachment_url": "is invalid"}
    unsent, fields = presign(desk, ana)
    attach(desk, ana, unsent + fields["key"], 422)


def test_59_the_storage_holds_uploads_to_what_was_signed(sandbox: Sandbox, desk: Front, ana: str) -> None:
    url, fields = presign(desk, ana)
    refused = {
        "policy": upload(desk, url, fields | {"policy": "bm9uZQ=="}),
        "signature": upload(desk, url, fields | {"x-amz-signature": "0"}),
        "acl": upload(desk, url, fields | {"acl": "public-read"}),
        "key": upload(desk, url, fields | {"key": "elsewhere/${filename}"}),
        "missing": upload(desk, url, {name: value for name, value in fields.items() if name != "acl"}),
    }
    assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert xml(refused["signature"])["Code"] == "SignatureDoesNotMatch"
    assert upload(desk, url, fields, data=None).status == 400
    plain = sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), {"content-type": "application/json"}, b"{}"))
    assert plain.status == 412
    sandbox.clock.advance(timedelta(hours=1, seconds=1))
    assert "expired" in xml(upload(desk, url, fields))["Message"]


def test_59_fields_behind_the_file_are_not_read(desk: Front, ana: str) -> None:
    url, fields = presign(desk, ana)
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhi\r\n'
    for order, status in (([*parts, file], 201), ([file, *parts], 403)):
        body = ("".join(order) + "--b--\r\n").encode()
        headers = {"content-type": "multipart/form-data; boundary=b"}
        assert desk.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body)).status == status


def test_59_a_file_sent_as_a_plain_field_counts_and_one_under_another_name_does_not(desk: Front, ana: str) -> None:
    url, fields = presign(desk, ana)
    sent = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    headers = {"content-type": 'Multipart/Form-Data; boundary="b"'}
    for name, status in (("file", 403), ('file"; filename="a.txt', 201), ('scan"; filename="a.txt', 400)):
        body = f'{sent}--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nhi\r\n--b--\r\n'.encode()
        answer = desk.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body))
        assert answer.status == status, name


@pytest.mark.parametrize(
    "body",
    [b"", b"hi", b"--b", b"--b\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--b--\r\n", b"--c\r\n\r\nhi\r\n--c--"],
)
def test_59_a_form_that_is_cut_or_broken_is_refused(desk: Front, ana: str, body: bytes) -> None:
    url, _ = presign(desk, ana)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = desk.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body))
    assert answer.status == 400
    assert xml(answer)["Code"] in ("MalformedPOSTRequest", "InvalidArgument")


def test_59_a_large_file_arrives_byte_for_byte(sandbox: Sandbox, desk: Front, ana: str) -> None:
    data = bytes(range(256)) * 10_000 + b"\r\n--b--\r\n"
    made = attach(desk, ana, uploaded(desk, ana, data=data))
    assert processed(sandbox, desk, made["id"])["size"] == len(data)
    place = urlsplit(desk.ask("GET", f"/patient_attachments/{made['id']}/content").headers["Location"])
    assert sandbox.respond(SandboxRequest("GET", place.path, tuple(parse_qsl(place.query)))).body == data


def test_59_a_name_that_was_sent_stays_and_only_the_description_changes(
    sandbox: Sandbox, desk: Front, ana: str
) -> None:
    made = attach(desk, ana, uploaded(desk, ana, name="Überweisung «1».pdf"), filename="referral.pdf")
    assert processed(sandbox, desk, made["id"])["filename"] == "referral.pdf"
    other = attach(desk, ana, uploaded(desk, ana, name="Überweisung «1».pdf"))
    assert processed(sandbox, desk, other["id"])["filename"] == "Überweisung «1».pdf"
    changed = desk.patch(f"/patient_attachments/{made['id']}", {"description": "GP", "filename": "x", "size": 1})
    assert (changed["description"], changed["filename"], changed["size"]) == ("GP", "referral.pdf", len(SCAN))


def test_59_an_unfinished_upload_survives_a_snapshot(sandbox: Sandbox, desk: Front, ana: str) -> None:
    url = uploaded(desk, ana)
    state = sandbox.snapshot()
    attach(desk, ana, url)
    sandbox.restore(state)
    made = attach(desk, ana, url)
    assert processed(sandbox, desk, made["id"])["size"] == len(SCAN)


@pytest.mark.anyio
async def test_59_the_whole_flow_through_an_http_client(sandbox: Sandbox, desk: Front, ana: str) -> None:
    async with httpx2.AsyncClient(transport=SandboxTransport(sandbox)) as client:
        url, fields = presign(desk, ana)
        answer = await client.post(url, data=fields, files={"file": ("a.txt", b"hello", "text/plain")})
        assert answer.status_code == 201
        made = attach(desk, ana, url + ElementTree.fromstring(answer.content).findtext("Key", ""))
        sandbox.clock.advance(timedelta(seconds=5))
        again = await client.get(desk.ask("GET", f"/patient_attachments/{made['id']}/content").headers["Location"])
        assert again.text == "hello"


def test_59_the_papers_of_a_case_are_listed_under_it(desk: Front, ana: str) -> None:
    one, two = (attach(desk, ana, uploaded(desk, ana))["id"] for _ in range(2))
    case = desk.post("/patient_cases", {"name": "Knee", "patient_id": ana, "patient_attachment_ids": [two]})
    assert [row["id"] for row in desk.rows(f"/patient_cases/{case['id']}/patient_attachments")] == [two]
    assert [row["id"] for row in desk.rows(f"/patients/{ana}/patient_attachments")] == [one, two]
