"""An issuer on a port: its metadata and its keys, and tokens that it signed."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt

from tests.identity.issuer import private_key, public_row


@dataclass(frozen=True)
class IssuerApart:
    url: str

    def token(self, subject: str, audience: str, scope: str, **claims: Any) -> str:
        """An access token of this person."""
        now = int(time.time())
        told = {"iss": self.url, "sub": subject, "aud": audience, "scope": scope, "iat": now, "exp": now + 600}
        return jwt.encode(
            told | claims, private_key("RSA", 0), algorithm="RS256", headers={"kid": "RSA0", "typ": "at+jwt"}
        )


@contextmanager
def issuer_apart() -> Generator[IssuerApart]:
    keys: dict[str, Any] = {"keys": [public_row("RSA")]}  # made before two replicas ask at once

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = keys
            if "well-known" in self.path:
                body = {"issuer": url, "jwks_uri": f"{url}/keys", "authorization_endpoint": f"{url}/authorize"}
                body["token_endpoint"] = f"{url}/token"
            text = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    private_key("RSA", 0)  # made before several ask for it at once
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield IssuerApart(url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
