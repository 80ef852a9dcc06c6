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
from sandbox.client import Client, errors, last

SCAN = b"%PDF-1.7\r\n\x00\xff\r\n--not the boundary\r\n" + bytes(range(256))
Fields = dict[str, str]


def presign(client: Client, patient: str) -> tuple[str, Fields]:
    post = client.get(f"/patients/{patient}/attachment_presigned_post")
    return post["url"], post["fields"]


def upload(
    client: Client, url: str, fields: Fields, data: bytes | None = SCAN, name: str = "knee scan.pdf"
) -> SandboxResponse:
    """What any HTTP library sends: the fields, then the file; no key."""
    files = {"file": (name, data, "application/pdf")} if data is not None else {"other": ("a", b"b", "text/plain")}
    sent = httpx2.Request("POST", url, data=fields, files=files)
    headers = {key.lower(): value for key, value in sent.headers.items()}
    return client.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, sent.read()))


def uploaded(client: Client, patient: str, **more: Any) -> str:
    """The upload_url of a file that is in the storage."""
    url, fields = presign(client, patient)
    answer = upload(client, url, fields, **more)
    assert answer.status == 201, answer.body
    return url + xml(answer)["Key"]


def xml(answer: SandboxResponse) -> dict[str, str]:
    return {element.tag: element.text or "" for element in ElementTree.fromstring(answer.body)}


def attach(client: Client, patient: str, url: str, status: int = 201, **more: object) -> Any:
    return client.post("/patient_attachments", {"patient_id": patient, "upload_url": url, **more}, status)


def processed(sandbox: Sandbox, client: Client, attachment: str) -> Any:
    sandbox.clock.advance(timedelta(seconds=5))
    return client.get(f"/patient_attachments/{attachment}")


def test_59_presigning_gives_the_form_fields_of_s3(client: Client, ana: str) -> None:
    url, fields = presign(client, ana)
    assert url == "http://127.0.0.1:8123/_storage/"
    assert fields["acl"] == "private"
    assert fields["success_action_status"] == "201"
    assert fields["key"].endswith("/${filename}")
    assert f"/patients/F{ana}/attachments/temp/" in fields["key"]
    assert {"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-signature"} <= set(fields)
    assert json.loads(b64decode(fields["policy"]))["expiration"] == "2026-11-23T23:00:00Z"
    assert presign(client, ana)[1]["key"] != fields["key"]
    client.get("/patients/1104000000000000001/attachment_presigned_post", status=404)


def test_59_the_storage_answers_201_with_xml_and_needs_no_key(client: Client, ana: str) -> None:
    url, fields = presign(client, ana)
    answer = upload(client, url, fields)
    assert (answer.status, answer.headers["Content-Type"]) == (201, "application/xml")
    told = xml(answer)
    assert told["Key"] == fields["key"].replace("${filename}", "knee scan.pdf")
    assert told["Location"] == url + told["Key"].replace(" ", "%20")
    assert set(told) == {"Location", "Bucket", "Key", "ETag"}


def test_59_a_new_attachment_is_processed_a_moment_later(
    sandbox: Sandbox, client: Client, tom: Client, ana: str
) -> None:
    made = attach(tom, ana, uploaded(client, ana), description="Knee")
    assert (made["processing_completed"], made["processed_at"]) == (False, None)
    assert made["filename"] is made["size"] is made["content_type"] is made["content"] is None
    assert (made["description"], last(made["user"])) == ("Knee", tom.get("/user")["id"])
    assert "upload_url" not in made
    path = f"/patient_attachments/{made['id']}"
    sandbox.clock.advance(timedelta(seconds=4))
    assert client.get(path) == made
    client.request("GET", f"{path}/content")
    done = processed(sandbox, client, made["id"])
    assert (done["filename"], done["size"], done["content_type"]) == ("knee scan.pdf", len(SCAN), "application/pdf")
    assert (done["processing_completed"], done["processed_at"]) == (True, "2026-11-23T22:00:05Z")
    assert [row["id"] for row in client.rows("/patient_attachments", f"size:={len(SCAN)}")] == [made["id"]]


def test_59_the_content_comes_from_the_storage_by_a_signed_address(sandbox: Sandbox, client: Client, ana: str) -> None:
    made = attach(client, ana, uploaded(client, ana))
    path = f"/patient_attachments/{made['id']}"
    assert client.request("GET", f"{path}/content").status == 404
    done = processed(sandbox, client, made["id"])
    assert done["content"]["links"]["self"] == f"http://127.0.0.1:8123/v1{path}/content"
    moved = client.request("GET", f"{path}/content")
    assert (moved.status, moved.body) == (302, b"")
    place = urlsplit(moved.headers["Location"])
    assert place.path.startswith("/_storage/")
    file = sandbox.respond(SandboxRequest("GET", place.path, tuple(parse_qsl(place.query))))
    assert (file.status, file.body, file.headers["Content-Type"]) == (200, SCAN, "application/pdf")
    assert sandbox.respond(SandboxRequest("GET", place.path)).status == 403
    client.post(f"{path}/archive", status=204)
    assert client.request("GET", f"{path}/content").status == 404


def test_59_an_upload_serves_once_and_one_patient(client: Client, ana: str, ben: str) -> None:
    url = uploaded(client, ana)
    wrong = {"temp_attachment_url": "is invalid"}
    assert errors(attach(client, ben, url, 422)) == wrong
    attach(client, ana, url)
    assert errors(attach(client, ana, url, 422)) == wrong
    assert client.get("/patient_attachments")["total_entries"] == 1


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/a.pdf", "http://127.0.0.1:8123/_storage/nothing", "https://x"]
)
def test_59_what_was_never_uploaded_is_invalid(client: Client, ana: str, url: str) -> None:
    presign(client, ana)
    assert errors(attach(client, ana, url, 422)) == {"temp_attachment_url": "is invalid"}
    unsent, fields = presign(client, ana)
    attach(client, ana, unsent + fields["key"], 422)


def test_59_the_storage_holds_uploads_to_what_was_signed(sandbox: Sandbox, client: Client, ana: str) -> None:
    url, fields = presign(client, ana)
    refused = {
        "policy": upload(client, url, fields | {"policy": "bm9uZQ=="}),
        "signature": upload(client, url, fields | {"x-amz-signature": "0"}),
        "acl": upload(client, url, fields | {"acl": "public-read"}),
        "key": upload(client, url, fields | {"key": "elsewhere/${filename}"}),
        "missing": upload(client, url, {name: value for name, value in fields.items() if name != "acl"}),
    }
    assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert xml(refused["signature"])["Code"] == "SignatureDoesNotMatch"
    assert upload(client, url, fields, data=None).status == 400
    plain = sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), {"content-type": "application/json"}, b"{}"))
    assert plain.status == 412
    sandbox.clock.advance(timedelta(hours=1, seconds=1))
    assert "expired" in xml(upload(client, url, fields))["Message"]


def test_59_fields_behind_the_file_are_not_read(client: Client, ana: str) -> None:
    url, fields = presign(client, ana)
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhi\r\n'
    for order, status in (([*parts, file], 201), ([file, *parts], 403)):
        body = ("".join(order) + "--b--\r\n").encode()
        headers = {"content-type": "multipart/form-data; boundary=b"}
        assert client.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body)).status == status


def test_59_a_file_sent_as_a_plain_field_counts_and_one_under_another_name_does_not(client: Client, ana: str) -> None:
    url, fields = presign(client, ana)
    sent = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    headers = {"content-type": 'Multipart/Form-Data; boundary="b"'}
    for name, status in (("file", 403), ('file"; filename="a.txt', 201), ('scan"; filename="a.txt', 400)):
        body = f'{sent}--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nhi\r\n--b--\r\n'.encode()
        answer = client.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body))
        assert answer.status == status, name


@pytest.mark.parametrize(
    "body",
    [b"", b"hi", b"--b", b"--b\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--b--\r\n", b"--c\r\n\r\nhi\r\n--c--"],
)
def test_59_a_form_that_is_cut_or_broken_is_refused(client: Client, ana: str, body: bytes) -> None:
    url, _ = presign(client, ana)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = client.sandbox.respond(SandboxRequest("POST", urlsplit(url).path, (), headers, body))
    assert answer.status == 400
    assert xml(answer)["Code"] in ("MalformedPOSTRequest", "InvalidArgument")


def test_59_a_large_file_arrives_byte_for_byte(sandbox: Sandbox, client: Client, ana: str) -> None:
    data = bytes(range(256)) * 10_000 + b"\r\n--b--\r\n"
    made = attach(client, ana, uploaded(client, ana, data=data))
    assert processed(sandbox, client, made["id"])["size"] == len(data)
    place = urlsplit(client.request("GET", f"/patient_attachments/{made['id']}/content").headers["Location"])
    assert sandbox.respond(SandboxRequest("GET", place.path, tuple(parse_qsl(place.query)))).body == data


def test_59_a_name_that_was_sent_stays_and_only_the_description_changes(
    sandbox: Sandbox, client: Client, ana: str
) -> None:
    made = attach(client, ana, uploaded(client, ana, name="Überweisung «1».pdf"), filename="referral.pdf")
    assert processed(sandbox, client, made["id"])["filename"] == "referral.pdf"
    other = attach(client, ana, uploaded(client, ana, name="Überweisung «1».pdf"))
    assert processed(sandbox, client, other["id"])["filename"] == "Überweisung «1».pdf"
    changed = client.patch(f"/patient_attachments/{made['id']}", {"description": "GP", "filename": "x", "size": 1})
    assert (changed["description"], changed["filename"], changed["size"]) == ("GP", "referral.pdf", len(SCAN))


def test_59_an_unfinished_upload_survives_a_snapshot(sandbox: Sandbox, client: Client, ana: str) -> None:
    url = uploaded(client, ana)
    state = sandbox.snapshot()
    attach(client, ana, url)
    sandbox.restore(state)
    made = attach(client, ana, url)
    assert processed(sandbox, client, made["id"])["size"] == len(SCAN)


@pytest.mark.anyio
async def test_59_the_whole_flow_through_an_http_client(sandbox: Sandbox, client: Client, ana: str) -> None:
    async with httpx2.AsyncClient(transport=SandboxTransport(sandbox)) as http:
        url, fields = presign(client, ana)
        answer = await http.post(url, data=fields, files={"file": ("a.txt", b"hello", "text/plain")})
        assert answer.status_code == 201
        made = attach(client, ana, url + ElementTree.fromstring(answer.content).findtext("Key", ""))
        sandbox.clock.advance(timedelta(seconds=5))
        again = await http.get(client.request("GET", f"/patient_attachments/{made['id']}/content").headers["Location"])
        assert again.text == "hello"


def test_59_the_papers_of_a_case_are_listed_under_it(client: Client, ana: str) -> None:
    one, two = (attach(client, ana, uploaded(client, ana))["id"] for _ in range(2))
    case = client.post("/patient_cases", {"name": "Knee", "patient_id": ana, "patient_attachment_ids": [two]})
    assert [row["id"] for row in client.rows(f"/patient_cases/{case['id']}/patient_attachments")] == [two]
    assert [row["id"] for row in client.rows(f"/patients/{ana}/patient_attachments")] == [one, two]
