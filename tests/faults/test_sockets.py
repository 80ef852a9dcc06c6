"""Real sockets that misbehave: names that do not resolve, certificates that do not fit, connections cut anywhere."""

import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx2
import pytest
from anyio.streams.tls import TLSListener
from conftest import Assistant, in_process

from cliniko_mcp.client import retry, transport

pytestmark = pytest.mark.anyio
USER = b'{"id":"1","time_zone_identifier":"Australia/Sydney","created_at":"2026-01-05T00:00:00Z"}'
PATIENT = b'{"id":"7","first_name":"Only","last_name":"Once"}'
ACCOUNT: dict[str, Any] = {"sandbox": False, "api_key": "MS0xLWFiYw-au1", "contact_email": "desk@clinic.example"}
NEW = {"first_name": "Only", "last_name": "Once"}


def whole(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Upstream:
    """Answers reads; `on_write` decides what a connection does with a POST. `posts` are those it read whole."""

    def __init__(self) -> None:
        self.posts = 0
        self.connections = 0
        self.on_write: Callable[[anyio.abc.ByteStream], Awaitable[object]] | None = None
        self.close_after_read = False

    async def serve(self, stream: anyio.abc.ByteStream) -> None:
        self.connections += 1
        try:
            async with stream:
                await self._talk(stream)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            return

    async def _talk(self, stream: anyio.abc.ByteStream) -> None:
        while True:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive()
            head, _, body = request.partition(b"\r\n\r\n")
            length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
            while len(body) < length:
                body += await stream.receive()
            if head.startswith(b"GET"):
                await stream.send(whole(USER))
                if self.close_after_read:
                    return
                continue
            self.posts += 1
            if self.on_write is not None:
                await self.on_write(stream)
                return
            await stream.send(whole(PATIENT, "201 Created"))


@asynccontextmanager
async def reached(upstream: Upstream, listener: Any = None) -> AsyncGenerator[Assistant]:
    listener = listener or await anyio.create_tcp_listener(local_host="127.0.0.1")
    raw = listener.listener if isinstance(listener, TLSListener) else listener
    port = raw.extra(anyio.abc.SocketAttribute.local_port)
    scheme = "https" if isinstance(listener, TLSListener) else "http"
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, upstream.serve)
        async with in_process(**ACCOUNT, base_url=f"{scheme}://127.0.0.1:{port}/v1") as assistant:
            yield assistant
        group.cancel_scope.cancel()
    await listener.aclose()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real clocks are used here, so what is tried again is tried again at once."""
    monkeypatch.setattr(retry, "backoff", lambda attempt, rng: 0.001)


@contextmanager
def waiting_for(seconds: float) -> Generator[None]:
    """The client waits so long for a byte of an answer, for as long as the block lasts."""
    through = transport.Network.handle_async_request

    async def sent(self: transport.Network, request: httpx2.Request) -> httpx2.Response:
        request.extensions["timeout"] = {**request.extensions["timeout"], "read": seconds}
        return await through(self, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport.Network, "handle_async_request", sent)
        yield


async def cut(stream: anyio.abc.ByteStream) -> None:
    await stream.aclose()


async def cut_in_the_head(stream: anyio.abc.ByteStream) -> None:
    await stream.send(b"HTTP/1.1 201 Crea")


async def cut_in_the_body(stream: anyio.abc.ByteStream) -> None:
    await stream.send(whole(PATIENT, "201 Created")[:-9])


async def garbage(stream: anyio.abc.ByteStream) -> None:
    await stream.send(b"\x00\x01SSH-2.0-hello\r\n\r\n")


async def never(stream: anyio.abc.ByteStream) -> None:
    await anyio.sleep_forever()


# An answer that never comes is the one that has to be waited for.
@pytest.mark.long_but_one
@pytest.mark.parametrize(
    ("on_write", "seconds"),
    [(cut, 60), (cut_in_the_head, 60), (cut_in_the_body, 60), (garbage, 60), (never, 0.5)],
    ids=["cut", "cut in the head", "cut in the body", "garbage", "never"],
)
async def test_a_write_that_was_received_and_got_no_whole_answer_is_sent_once_and_unknown(
    on_write: Any, seconds: float
) -> None:
    upstream = Upstream()
    async with reached(upstream) as assistant:
        assert (await assistant.call("get_authenticated_user"))["item"]["id"] == "1"
        upstream.on_write = on_write
        with waiting_for(seconds):
            answer = await assistant.call("create_patient", **NEW)
        assert answer["code"] == "outcome_unknown", answer
        assert upstream.posts == 1
        upstream.on_write = None
        assert (await assistant.call("create_patient", **NEW))["item"]["id"] == "7"
        assert upstream.posts == 2


async def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_BODY_SECONDS", 0.2)

    async def body_drips(stream: anyio.abc.ByteStream) -> None:
        head = whole(PATIENT)[: -len(PATIENT)]
        await stream.send(head)
        for byte in PATIENT:
            await stream.send(bytes([byte]))
            await anyio.sleep(0.05)

    upstream = Upstream()
    async with reached(upstream) as assistant:
        await assistant.call("get_authenticated_user")
        upstream.on_write = body_drips
        assert (await assistant.call("create_patient", **NEW))["code"] == "outcome_unknown"
        assert upstream.posts == 1


async def test_a_write_over_a_connection_that_was_closed_meanwhile_is_done_once() -> None:
    upstream = Upstream()
    upstream.close_after_read = True
    async with reached(upstream) as assistant:
        await assistant.call("get_authenticated_user")
        await anyio.wait_all_tasks_blocked()
        assert (await assistant.call("create_patient", **NEW))["item"]["id"] == "7"
        assert upstream.posts == 1


async def test_a_port_where_nobody_listens_changes_nothing_and_works_once_somebody_does() -> None:
    upstream = Upstream()
    # It is bound and does not listen, so that connections are refused and nobody else takes the port meanwhile.
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with in_process(**ACCOUNT, base_url=f"http://127.0.0.1:{port}/v1") as assistant:
            answer = await assistant.call("create_patient", **NEW)
            assert answer["code"] == "unavailable"
            assert "no connection could be made" in answer["message"]
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port, reuse_port=True)
            async with anyio.create_task_group() as group:
                group.start_soon(listener.serve, upstream.serve)
                assert (await assistant.call("create_patient", **NEW))["item"]["id"] == "7"
                group.cancel_scope.cancel()
            await listener.aclose()


async def test_a_name_that_does_not_resolve_is_told_as_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with in_process(**ACCOUNT, base_url="https://api.nowhere.invalid/v1") as assistant:
        for name, arguments in (("get_patient", {"id": "1"}), ("create_patient", NEW)):
            answer = await assistant.call(name, **arguments)
            assert answer["code"] == "unavailable"
            assert "no connection could be made" in answer["message"]
            assert "Nothing was changed" in answer["fix"]


def certificate(folder: Path, name: str, *, days: int = 1) -> ssl.SSLContext:
    """A server's TLS with a certificate that signed itself."""
    x509 = pytest.importorskip("cryptography.x509", reason="the cryptography library makes the certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("days", [1, -1], ids=["signed by itself", "expired"])
async def test_a_certificate_that_is_not_trusted_ends_the_call_before_the_key_is_sent(
    tmp_path: Path, days: int
) -> None:
    upstream = Upstream()
    context = certificate(tmp_path, "clinic", days=days)
    plain = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with reached(upstream, TLSListener(plain, context, standard_compatible=False)) as assistant:
        answer = await assistant.call("create_patient", **NEW)
        assert answer["code"] == "unavailable"
        assert "no connection could be made" in answer["message"]
        assert upstream.posts == 0


async def test_a_port_that_speaks_no_tls_where_tls_is_due_is_no_connection() -> None:
    upstream = Upstream()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)

    async def blunt(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, blunt)
        async with in_process(**ACCOUNT, base_url=f"https://127.0.0.1:{port}/v1") as assistant:
            answer = await assistant.call("create_patient", **NEW)
            assert answer["code"] == "unavailable"
            assert upstream.posts == 0
        group.cancel_scope.cancel()
    await listener.aclose()
