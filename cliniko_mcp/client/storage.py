"""The file storage beside the API: a presigned upload and a signed download, never with our credentials
(cliniko-api.md#attachments).

The storage is another host that Cliniko names in its answers. What goes there carries no key and follows no redirect;
only https will do, or http on this computer where the clinic itself is a demo on this computer.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from html import unescape
from typing import TYPE_CHECKING, Final

import anyio

from cliniko_mcp.client.credentials import is_loopback
from cliniko_mcp.client.request_count import RequestCount
from cliniko_mcp.errors import Unavailable

if TYPE_CHECKING:
    import httpx2

MAX_UPLOAD_BYTES: Final = 50_000_000

_MAX_ANSWER_BYTES: Final = 100_000
_SECONDS: Final = 120.0
_KEY: Final = re.compile(r"<Key>([^<]{1,2000})</Key>")
_FILENAME: Final = "${filename}"
_AGAIN: Final = "Nothing was attached to the patient. Try again in a minute."


class Storage:
    """The storage of one clinic. `open` makes it; nothing is sent before the first file."""

    def __init__(self, http: "httpx2.AsyncClient", *, demo: bool = False) -> None:
        self._http = http
        self._demo = demo

    @classmethod
    @asynccontextmanager
    async def open(cls, *, base_url: str, transport: "httpx2.AsyncBaseTransport") -> "AsyncGenerator[Storage]":
        """Give the storage for as long as the block lasts. `base_url` is the API's own: a demo's may be http here."""
        import httpx2

        from cliniko_mcp.client.transport import TIMEOUTS

        client = httpx2.AsyncClient(
            headers={"User-Agent": "cliniko-mcp"},
            timeout=TIMEOUTS,
            follow_redirects=False,
            transport=transport,
            trust_env=False,
        )
        home = httpx2.URL(base_url)
        async with client as http:
            yield cls(http, demo=home.scheme == "http" and is_loopback(home.host))

    async def upload(
        self,
        url: str,
        fields: Mapping[str, str],
        filename: str,
        content_type: str,
        data: bytes,
        *,
        count: RequestCount | None = None,
    ) -> str:
        """Send one file by a presigned POST, the file after all fields: the `upload_url` that claims it.

        `filename` becomes part of the key, so it is plain ASCII. Raises Unavailable where the storage does not take
        it; nothing is attached to a patient then.
        """
        if len(data) > MAX_UPLOAD_BYTES:
            raise ValueError("the file is too large to send")
        file = {"file": (filename, data, content_type)}
        status, body = await self._send(
            "POST", self._checked(url), _MAX_ANSWER_BYTES, count, data=dict(fields), files=file
        )
        if not 200 <= status < 300:
            raise Unavailable(f"The file storage did not take the file (status {status}).", _AGAIN, status=status)
        found = _KEY.search(body.decode(errors="replace"))
        key = unescape(found.group(1)) if found else fields.get("key", "").replace(_FILENAME, filename)
        return url + key

    async def download(self, url: str, max_bytes: int, *, count: RequestCount | None = None) -> bytes:
        """The file behind a signed address. Raises Unavailable where it is larger than `max_bytes`, or missing."""
        status, body = await self._send("GET", self._checked(url), max_bytes, count)
        if status != 200:
            raise Unavailable(
                f"The file storage did not give the file (status {status}).", "Try again in a minute.", status=status
            )
        return body

    def _checked(self, url: str) -> str:
        import httpx2

        try:
            address = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise Unavailable("Cliniko named a file storage that is no address.", _AGAIN) from None
        local = address.scheme == "http" and self._demo and is_loopback(address.host)
        if not (address.scheme == "https" or local) or not address.host or address.userinfo:
            raise Unavailable("Cliniko named a file storage that is not reached by https, so it was not used.", _AGAIN)
        return url

    async def _send(
        self, method: str, url: str, max_bytes: int, count: RequestCount | None, **content: object
    ) -> tuple[int, bytes]:
        import httpx2

        try:
            with anyio.fail_after(_SECONDS):
                request = self._http.build_request(method, url, **content)  # pyright: ignore[reportArgumentType]
                if count is not None:
                    count.sent += 1
                response = await self._http.send(request, stream=True, auth=None)
                try:
                    return response.status_code, await _limited(response, max_bytes)
                finally:
                    await response.aclose()
        except httpx2.RequestError:
            raise Unavailable("The file storage could not be reached.", _AGAIN) from None
        except TimeoutError:
            raise Unavailable("The file storage was too slow.", _AGAIN) from None


async def _limited(response: "httpx2.Response", max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async with aclosing(response.aiter_bytes()) as stream:
        async for chunk in stream:
            size += len(chunk)
            if size > max_bytes:
                raise Unavailable(
                    f"The file storage sent more than {max_bytes:,} bytes.", "Open the file in Cliniko itself."
                )
            chunks.append(chunk)
    return b"".join(chunks)
