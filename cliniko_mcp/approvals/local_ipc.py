"""Where running servers and `cliniko-mcp approve` meet: a small private file, and proofs that both can read it.

The file (mode 0600, in a folder of mode 0700) says on which local port a server listens and holds a secret that never
crosses the connection: each side proves with it what it says, so neither a stale port that somebody else has taken
over nor a program of another user can pass for the other side. What is asked stays in memory.
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
from typing import Final, cast

from cliniko_mcp.approvals.decisions import Decisions, Outcome
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.private_files import private_folder, read_private, write_private
from cliniko_mcp.sanitize import clean

PATH: Final = "/terminal"
PROOF: Final = "X-Proof"
_MOST_WAITED: Final = 10.0
_LARGEST: Final = 262_144


def proof(secret: str, side: str, body: bytes) -> str:
    """What proves that this side, which knows the secret, said this."""
    return hmac.new(secret.encode(), f"{side}\n".encode() + body, hashlib.sha256).hexdigest()


def announce(folder: Path, name: str, port: int, secret: str) -> Path:
    """Leave word that a server listens on this port. Raises OSError where that cannot be done privately."""
    path = private_folder(private_folder(folder) / "approvals") / f"{name}.json"
    write_private(path, json.dumps({"port": port, "secret": secret}))
    return path


def answer(decisions: Decisions, secret: str, body: bytes, given: str, now: float) -> tuple[bytes, str] | None:
    """The reply to a terminal, with its proof; None for whoever cannot prove to have read the file."""
    if not hmac.compare_digest(proof(secret, "terminal", body).encode(), given.encode("utf-8", "replace")):
        return None
    try:
        asked = json.loads(body)
        nonce = str(asked["nonce"])
        reply: dict[str, JsonValue] = _list(decisions, now) if asked["do"] == "list" else _decide(decisions, asked)
    except (ValueError, KeyError, TypeError):
        return None
    text = json.dumps(reply).encode()
    return text, proof(secret, f"server {nonce}", text)


def _list(decisions: Decisions, now: float) -> dict[str, JsonValue]:
    waiting: list[JsonValue] = [
        {
            "question": asked.question.challenge,
            "title": asked.question.title,
            "preview": asked.question.preview,
            "program": asked.program,
            "seconds": int(asked.question.expires - now),
        }
        for asked in decisions.waiting()
    ]
    return {"waiting": waiting, "pin": decisions.needs_pin}


def _decide(decisions: Decisions, asked: Mapping[str, object]) -> dict[str, JsonValue]:
    outcome = decisions.decide(str(asked["question"]), asked["approve"] is True, str(asked.get("pin", "")), "terminal")
    return {"outcome": outcome.name}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question as a terminal shows it."""

    challenge: str
    title: str
    preview: str
    program: str
    seconds: int
    needs_pin: bool


class Server:
    """A running server, as a terminal reaches it."""

    def __init__(self, port: int, secret: str, token: Callable[[], str]) -> None:
        self._port = port
        self._secret = secret
        self._token = token

    def waiting(self) -> list[Waiting]:
        """The questions that wait there. Raises OSError where no such server answers any more."""
        reply = self._ask({"do": "list"})
        rows = cast("list[dict[str, JsonValue]]", reply["waiting"])
        return [
            Waiting(
                str(row["question"]),
                clean(str(row["title"]), 200),
                clean(str(row["preview"]), 4_000),
                clean(str(row["program"]), 60),
                int(cast("int", row["seconds"])),
                reply["pin"] is True,
            )
            for row in rows
        ]

    def decide(self, challenge: str, approved: bool, pin: str = "") -> Outcome:
        """Answer a question. Raises OSError where the server does not answer any more."""
        reply = self._ask({"do": "decide", "question": challenge, "approve": approved, "pin": pin})
        return Outcome[str(reply["outcome"])]

    def _ask(self, what: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        nonce = self._token()
        body = json.dumps({"nonce": nonce, **what}).encode()
        headers = {"Content-Type": "application/json", PROOF: proof(self._secret, "terminal", body)}
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_MOST_WAITED)
        try:
            connection.request("POST", PATH, body, headers)
            response = connection.getresponse()
            text = response.read(_LARGEST)
            shown = response.getheader(PROOF, "")
        except HTTPException as problem:
            raise ConnectionError("this is not a server of ours") from problem
        finally:
            connection.close()
        if not hmac.compare_digest(proof(self._secret, f"server {nonce}", text).encode(), shown.encode()):
            raise ConnectionError("this is not the server that left word")
        return cast("Mapping[str, JsonValue]", json.loads(text))


def servers(folder: Path, token: Callable[[], str]) -> Iterator[Server]:
    """Yield the servers that left word in this folder and still answer; word of those that do not is removed."""
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
