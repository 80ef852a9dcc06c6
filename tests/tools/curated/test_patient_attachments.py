"""Files go to the storage and back without our key, only from where the operator allows, and only text is shown."""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from conftest import Assistant, in_process

from cliniko_mcp.client.storage import MAX_UPLOAD_BYTES, Storage
from cliniko_mcp.errors import Unavailable
from cliniko_mcp.frontdesk.files import from_base64
from cliniko_mcp.results.budget import size
from cliniko_mcp.sandbox.transport import SandboxTransport

pytestmark = pytest.mark.anyio

LETTER = "Dear Dr Ng,\nAna needs 5 sessions.\u202e\n"


def base64(text: str | bytes) -> str:
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


def processed(assistant: Assistant) -> None:
    assert assistant.app is not None
    assistant.app.sandbox.clock.advance(timedelta(seconds=30))


async def test_a_text_goes_up_and_comes_back_cleaned_under_free_text() -> None:
    async with in_process() as assistant:
        made = await assistant.call(
            "upload_patient_attachment",
            patient="Ana Lima",
            content=base64(LETTER),
            filename="Überweisung Lima.txt",
            description="GP letter",
        )
        item = made["item"]
        assert (
            item["processing"] and item["filename"] == "Überweisung Lima.txt" and item["size"] == len(LETTER.encode())
        )
        early = await assistant.call("read_patient_attachment", id=item["id"])
        assert any("processing" in note for note in early["notes"])
        processed(assistant)
        read = await assistant.call("read_patient_attachment", id=item["id"])
        assert read["item"]["free_text"] == {
            "description": "GP letter",
            "content": "Dear Dr Ng,\nAna needs 5 sessions.",
        }
        assert read["item"]["patient"] == "Ana Lima" and read["item"]["content_type"] == "text/plain"


async def test_the_key_never_reaches_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []
    original: Callable[..., Any] = SandboxTransport.handle_async_request

    async def watched(self: SandboxTransport, request: httpx2.Request) -> httpx2.Response:
        seen.append((request.url.path, "authorization" in request.headers))
        return await original(self, request)

    monkeypatch.setattr(SandboxTransport, "handle_async_request", watched)
    async with in_process() as assistant:
        made = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64("hello"), filename="a.txt"
        )
        processed(assistant)
        await assistant.call("read_patient_attachment", id=made["item"]["id"])
    stored = [keyed for path, keyed in seen if path.startswith("/_storage/")]
    assert stored == [False, False]
    assert all(keyed for path, keyed in seen if path.startswith("/v1/"))


async def test_a_picture_is_described_and_its_bytes_are_not_fetched() -> None:
    async with in_process() as assistant:
        assert assistant.app is not None
        made = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64(b"\x89PNG\r\n" * 9), filename="knee.png"
        )
        processed(assistant)
        seen = len(assistant.app.sandbox.requests)
        read = await assistant.call("read_patient_attachment", id=made["item"]["id"])
        assert read["item"]["size"] == 54 and "free_text" not in read["item"]
        assert any("Open it in Cliniko" in note for note in read["notes"])
        assert not any("_storage" in request.path for request in assistant.app.sandbox.requests[seen:])


async def test_a_long_text_says_how_much_is_left() -> None:
    async with in_process() as assistant:
        made = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64("word " * 30_000), filename="long.txt"
        )
        processed(assistant)
        body = await assistant.call("read_patient_attachment", id=made["item"]["id"])
        assert size(body) <= 8_000
        shown = len(body["item"]["free_text"]["content"])
        assert any(f"{150_000 - 1 - shown:,} of 149,999 characters are not shown" in note for note in body["notes"])


@asynccontextmanager
async def with_folder(folder: Path) -> AsyncGenerator[Assistant]:
    async with in_process(upload_folder=str(folder)) as assistant:
        yield assistant


async def test_a_path_is_read_only_inside_the_folder_that_the_operator_allowed(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "referral.pdf").write_bytes(b"%PDF-1.7 x")
    (folder / ".hidden").write_text("no")
    (folder / "empty.txt").write_text("")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    async with with_folder(folder) as assistant:
        good = await assistant.call("upload_patient_attachment", patient="Ana Lima", path="sub/referral.pdf")
        assert good["item"]["filename"] == "referral.pdf" and good["item"]["content_type"] == "application/pdf"
        changes = assistant.changes()
        for path in ("../secret.txt", str(tmp_path / "secret.txt"), "way-out.txt", ".hidden", "/etc/passwd"):
            refused = await assistant.call("upload_patient_attachment", patient="Ana Lima", path=path)
            assert refused["code"] == "not_allowed", path
            assert "secret" not in refused["message"] and str(tmp_path) not in str(refused), path
        for path in ("missing.txt", "sub", "empty.txt", "a\x00b", "~/x"):
            refused = await assistant.call("upload_patient_attachment", patient="Ana Lima", path=path)
            assert refused["code"] == "invalid_arguments", path
        assert assistant.changes() == changes


async def test_without_a_folder_no_path_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    async with in_process() as assistant:
        refused = await assistant.call("upload_patient_attachment", patient="Ana Lima", path=str(tmp_path / "a.txt"))
        assert refused["code"] == "not_allowed" and "--upload-folder" in refused["fix"]
        long = {"content": "YQ==", "filename": "a.txt", "description": "x" * 256}
        for arguments in (
            long,
            {},
            {"path": "a", "content": "YQ=="},
            {"content": "YQ=="},
            {"content": "?", "filename": "a"},
        ):
            refused = await assistant.call("upload_patient_attachment", patient="Ana Lima", **arguments)
            assert refused["code"] == "invalid_arguments", arguments
        assert assistant.changes() == []


@pytest.mark.long
async def test_more_than_a_megabyte_of_base64_is_taken_for_an_upload_and_too_much_is_refused() -> None:
    async with in_process() as assistant:
        large = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64(b"x" * 3_000_000), filename="scan.pdf"
        )
        assert large["item"]["size"] == 3_000_000
        refused = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64(b"x" * 5_500_000), filename="scan.pdf"
        )
        assert refused["code"] == "invalid_arguments" and "5 MB" in refused["message"]


async def test_read_only_refuses_an_upload_before_any_address_is_given() -> None:
    async with in_process(read_only=True) as assistant:
        refused = await assistant.call(
            "upload_patient_attachment", patient="Ana Lima", content=base64("x"), filename="a.txt"
        )
        assert refused["code"] == "not_allowed"
        assert assistant.app is not None
        assert not any("presigned" in request.path for request in assistant.app.sandbox.requests)


async def test_a_file_of_the_same_name_is_pointed_out_and_the_requests_are_few() -> None:
    async with in_process() as assistant:
        assert assistant.app is not None
        patient = (await assistant.rows("list_patients", first_name="Ana", last_name="Lima"))[0]["id"]
        one = {"patient": patient, "content": base64("x"), "filename": "a.txt"}
        first = await assistant.call("upload_patient_attachment", **one)
        processed(assistant)
        seen = len(assistant.app.sandbox.requests)
        second = await assistant.call("upload_patient_attachment", **one)
        assert any(first["item"]["id"] in note for note in second["notes"])
        assert len(assistant.app.sandbox.requests) - seen <= 5


async def answering(handler: Callable[[httpx2.Request], httpx2.Response], work: Callable[[Storage], Any]) -> Any:
    transport = httpx2.MockTransport(handler)
    async with Storage.open(base_url="https://api.au1.cliniko.com/v1", transport=transport) as storage:
        return await work(storage)


async def test_only_https_is_used_for_a_real_account() -> None:
    def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"{request.url} was asked")

    for url in ("http://bucket.example/", "http://127.0.0.1/x", "ftp://x", "https://u:p@x.example/", "", "https:///x"):
        with pytest.raises(Unavailable):
            await answering(never, lambda storage, url=url: storage.download(url, 10))
        with pytest.raises(Unavailable):
            await answering(never, lambda storage, url=url: storage.upload(url, {}, "a", "text/plain", b"x"))


async def test_redirects_large_answers_and_refusals_of_the_storage_end_calmly() -> None:
    requested: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requested.append(str(request.url))
        assert "authorization" not in request.headers
        match request.url.path:
            case "/moved":
                return httpx2.Response(302, headers={"location": "https://elsewhere.example/"})
            case "/large":
                return httpx2.Response(200, content=b"x" * 1_000)
            case "/down":
                raise httpx2.ConnectError("no", request=request)
            case _:
                return httpx2.Response(403, content=b"<Error/>")

    for path in ("moved", "large", "down", "denied"):
        with pytest.raises(Unavailable):
            await answering(handler, lambda storage, path=path: storage.download(f"https://s.example/{path}", 100))
    assert requested == [f"https://s.example/{path}" for path in ("moved", "large", "down", "denied")]
    with pytest.raises(Unavailable):
        await answering(handler, lambda s: s.upload("https://s.example/", {"key": "k"}, "a", "text/plain", b"x"))
    with pytest.raises(ValueError, match="too large"):
        await answering(handler, lambda s: s.upload("https://s.example/", {}, "a", "b", b"x" * (MAX_UPLOAD_BYTES + 1)))


async def test_the_file_comes_last_in_the_form_and_the_key_of_the_answer_claims_it() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        body = request.content.decode()
        assert body.index('name="acl"') < body.index('name="key"') < body.index('name="file"')
        return httpx2.Response(201, content=b"<PostResponse><Key>temp/1/a&amp;b.txt</Key></PostResponse>")

    fields = {"acl": "private", "key": "temp/1/${filename}"}
    place = await answering(handler, lambda s: s.upload("https://s.example/", fields, "a.txt", "text/plain", b"x"))
    assert place == "https://s.example/temp/1/a&b.txt"


def test_names_are_made_plain_for_the_storage_only() -> None:
    upload = from_base64(base64("x"), "../Über weisung №1.PDF")
    assert upload.name == "..-Über weisung №1.PDF" and upload.kind == "application/pdf"
    assert upload.plain_name == "Uber-weisung-No1.PDF"
    assert from_base64(base64("x"), "报告.pdf").plain_name == "file.pdf"


@pytest.mark.parametrize(("letters", "kept"), [(120, "a" * 116 + ".pdf"), (121, "a" * 117 + ".p…")])
def test_a_name_of_a_hundred_and_twenty_characters_is_kept_whole_and_a_longer_one_is_cut(
    letters: int, kept: str
) -> None:
    assert from_base64(base64("x"), "a" * (letters - 4) + ".pdf").name == kept
