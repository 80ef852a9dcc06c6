"""A way in for a client that cannot send a bearer token: every request goes on with it, and otherwise as it came."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

SECONDS = 120.0
"""How long the server may say nothing."""
HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "authorization"})


@contextmanager
def with_token(address: str, token: str) -> Generator[str]:
    """The address at which requests for the server at `address` are taken, and sent on with this token."""
    server = urlsplit(address)

    class Way(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

        def do_POST(self) -> None:
            self._go_on()

        def do_GET(self) -> None:
            self._go_on()

        def do_DELETE(self) -> None:
            self._go_on()

        def do_OPTIONS(self) -> None:
            self._go_on()

        def _go_on(self) -> None:
            own = f":{listener.server_port}"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = HTTPConnection(server.hostname or "", server.port, timeout=SECONDS)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    # Where it names this way in, it means the server; any other host is the server's to refuse.
                    same = name.lower() in ("host", "origin") and value.endswith(own)
                    connection.putheader(name, f"{value.removesuffix(own)}:{server.port}" if same else value)
            connection.putheader("Authorization", f"Bearer {token}")
            connection.endheaders(body)
            with suppress(OSError, HTTPException):  # either side may leave before the end
                self._answer(connection)
            connection.close()

        def _answer(self, connection: HTTPConnection) -> None:
            response = connection.getresponse()
            self.send_response_only(response.status, response.reason)
            for name, value in response.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            while part := response.read1(65_536):
                self.wfile.write(part)
                self.wfile.flush()

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Way)
    listener.daemon_threads = True
    Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield server._replace(netloc=f"{server.hostname}:{listener.server_port}").geturl()
    finally:
        listener.shutdown()
        listener.server_close()
