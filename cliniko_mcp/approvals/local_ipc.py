"""Local IPC between running servers and `cliniko-mcp approve`: an announcement file, and proofs made with its secret.

The announcement (mode 0600, in a folder of mode 0700) says on which local port a server listens and holds a secret that
never crosses the connection: each side signs its messages with it, so neither a stale port that somebody else has taken
over nor a program of another user can pass for the other side. The questions themselves stay in memory.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, TypedDict

from cliniko_mcp.approvals.decisions import Decisions, Outcome
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.private_files import private_folder, read_private, write_private
from cliniko_mcp.sanitize import clean

PATH: Final = "/terminal"
PROOF: Final = "X-Proof"
_TIMEOUT_SECONDS: Final = 10.0
_MAX_REPLY_BYTES: Final = 262_144


def proof(secret: str, side: str, body: bytes) -> str:
    """The HMAC that proves that this side, which knows the secret, sent this body: 64 hexadecimal digits."""
    return hmac.new(secret.encode(), f"{side}\n".encode() + body, hashlib.sha256).hexdigest()


def announce(folder: Path, name: str, port: int, secret: str) -> Path:
    """Announce that a server listens on this port of this computer; the path of the announcement.

    Raises OSError where that cannot be done privately.
    """
    path = private_folder(private_folder(folder) / "approvals") / f"{name}.json"
    write_private(path, json.dumps({"port": port, "secret": secret}))
    return path


def answer(decisions: Decisions, secret: str, body: bytes, signature: str, now: float) -> tuple[bytes, str] | None:
    """The reply to a terminal as JSON, and its proof; None for whoever cannot prove to have read the announcement.

    `now` is in Unix seconds on the clock that questions expire by.
    """
    if not hmac.compare_digest(proof(secret, "terminal", body).encode(), signature.encode("utf-8", "replace")):
        return None
    try:
        request = json.loads(body)
        nonce = str(request["nonce"])
        reply: dict[str, JsonValue] = _list(decisions, now) if request["do"] == "list" else _decide(decisions, request)
    except (ValueError, KeyError, TypeError):
        return None
    text = json.dumps(reply).encode()
    return text, proof(secret, f"server {nonce}", text)


def _list(decisions: Decisions, now: float) -> dict[str, JsonValue]:
    waiting: list[JsonValue] = [
        {
            "question": pending.question.challenge,
            "title": pending.question.title,
            "preview": pending.question.text,
            "program": pending.program,
            "seconds": int(pending.question.expires - now),
        }
        for pending in decisions.waiting()
    ]
    return {"waiting": waiting, "pin": decisions.needs_pin}


def _decide(decisions: Decisions, request: Mapping[str, object]) -> dict[str, JsonValue]:
    outcome = decisions.decide(
        str(request["question"]), request["approve"] is True, str(request.get("pin", "")), "terminal"
    )
    return {"outcome": outcome.name}


class _Row(TypedDict):
    question: str
    title: str
    preview: str
    program: str
    seconds: int


class _Listing(TypedDict):
    waiting: list[_Row]
    pin: bool


class _Decided(TypedDict):
    outcome: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question as a terminal shows it, its texts cleaned."""

    challenge: str
    title: str
    preview: str
    program: str
    """The name that the asking client gives itself; empty where it gives none."""
    seconds: int
    """How many it stays open."""
    needs_pin: bool


class Server:
    """A running server, as a terminal reaches it."""

    def __init__(self, port: int, secret: str, token: Callable[[], str]) -> None:
        self._port = port
        self._secret = secret
        self._token = token

    def waiting(self) -> list[Waiting]:
        """The questions that wait there, oldest first. Raises OSError where no such server answers any more."""
        # The proof says that one of our own servers wrote this.
        reply: _Listing = json.loads(self._send({"do": "list"}))
        return [
            Waiting(
                row["question"],
                clean(row["title"], 200),
                clean(row["preview"], 4_000),
                clean(row["program"], 60),
                row["seconds"],
                reply["pin"],
            )
            for row in reply["waiting"]
        ]

    def decide(self, challenge: str, approved: bool, pin: str = "") -> Outcome:
        """Answer a question; how that ended. Raises OSError where the server does not answer any more."""
        # The proof says that one of our own servers wrote this.
        reply: _Decided = json.loads(
            self._send({"do": "decide", "question": challenge, "approve": approved, "pin": pin})
        )
        return Outcome[reply["outcome"]]

    def _send(self, request: Mapping[str, JsonValue]) -> bytes:
        """The JSON text with which the server replies, its proof checked. Raises OSError where there is none."""
        nonce = self._token()
        body = json.dumps({"nonce": nonce, **request}).encode()
        headers = {"Content-Type": "application/json", PROOF: proof(self._secret, "terminal", body)}
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", PATH, body, headers)
            response = connection.getresponse()
            text = response.read(_MAX_REPLY_BYTES)
            signature = response.getheader(PROOF, "")
        except HTTPException as problem:
            raise ConnectionError("this is not a server of ours") from problem
        finally:
            connection.close()
        if not hmac.compare_digest(proof(self._secret, f"server {nonce}", text).encode(), signature.encode()):
            raise ConnectionError("this is not the server that was announced")
        return text


def servers(folder: Path, token: Callable[[], str]) -> Iterator[Server]:
    """Yield the servers announced in this folder that still answer; the announcements of others are removed.

    `token` gives a fresh unguessable text each time. Raises OSError where the folder cannot be made private.
    """
    approvals = folder / "approvals"
    if not approvals.is_dir():
        return
    private_folder(approvals)
    for path in sorted(approvals.glob("*.json")):
        try:
            kept = json.loads(read_private(path))
            server = Server(int(kept["port"]), str(kept["secret"]), token)
            server.waiting()
        except (OSError, ValueError, KeyError, TypeError):
            with suppress(OSError):
                os.unlink(path)
            continue
        yield server
