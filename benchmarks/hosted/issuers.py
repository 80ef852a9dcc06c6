"""An issuer that changes its keys and goes away while its people call."""

import json
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import anyio
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from benchmarks.hosted.callers import OK, Answer, Call, outcomes, play
from benchmarks.hosted.stage import PATIENT, PUBLIC, clinic_of, free_port, stage
from benchmarks.hosted.verdict import Verdict

_PAUSE: Final = 10.0
"""Seconds between two fetches of an issuer's keys."""
_CLINICS: Final = 100
_PHASE: Final = 8.0


class Issuer:
    """Keys, their set on a port, and tokens."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys: list[RSAPrivateKey] = []
        self.add_key()

    def add_key(self) -> None:
        """A new key, by which tokens are signed from now on."""
        self.keys.append(generate_private_key(65537, 2048))

    def document(self, path: str) -> Mapping[str, Any]:
        """What is at an address of it."""
        if path != "/keys":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        rows = [json.loads(RSAAlgorithm.to_jwk(key.public_key())) for key in self.keys]
        return {"keys": [{**row, "kid": str(number), "use": "sig"} for number, row in enumerate(rows)]}

    def token(self, number: int, key: int) -> str:
        """A token that was never seen before, signed by one of the keys."""
        now = int(time.time())
        told = {"iss": self.url, "aud": PUBLIC, "sub": "ana", "iat": now, "exp": now + 600, "jti": str(number)}
        told |= {"scope": "cliniko:read", "clinic": clinic_of(number % _CLINICS)}
        return jwt.encode(told, self.keys[key], "RS256", headers={"typ": "at+jwt", "kid": str(key)})

    @contextmanager
    def there(self) -> Generator[None]:
        """It answers meanwhile."""
        issuer = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is logged."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def rotated_and_away(away: float = 60.0) -> Verdict:
    """Keys are changed under load, and the issuer is away for so many seconds: every call has a token of its own."""
    issuer, numbers = Issuer(), iter(range(10**9))

    def calls(key: int) -> Iterator[Call]:
        for number in numbers:
            yield Call("", "get_patient", {"id": PATIENT}, token=issuer.token(number, key))

    def loaded(key: int, seconds: float) -> list[Answer]:
        async def load() -> list[Answer]:
            return await play(found.address, calls(key), 6, until=time.monotonic() + seconds)

        return anyio.run(load)

    section = f'[[issuer]]\nurl = "{issuer.url}"'
    with ExitStack() as stack:
        with issuer.there():
            found = stack.enter_context(stage(_CLINICS, more=section))
            answers = loaded(0, _PHASE)
            time.sleep(_PAUSE)
            issuer.add_key()
            answers += loaded(1, _PHASE)
        gone = loaded(1, away / 2) + loaded(0, away / 2)
    failed = [answer for answer in answers + gone if answer.outcome != OK]
    return Verdict(
        f"an issuer's keys changed, and the issuer away for {away:g} s",
        f"{len(failed)} of {len(answers) + len(gone):,} calls failed, {len(gone):,} of all while it was away",
        "0 failures",
        not failed and bool(gone),
        {"outcomes": outcomes(answers + gone), "failed": [answer.text[:200] for answer in failed][:3]},
    )
