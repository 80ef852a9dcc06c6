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
from typing import Final, Literal, TypedDict

from cliniko_mcp.approvals.decisions import Answer, Decisions, Outcome
from cliniko_mcp.approvals.host_waits import name_for_people
from cliniko_mcp.approvals.questions import PendingQuestion
from cliniko_mcp.approvals.story import story_of
from cliniko_mcp.errors import JsonValue
from cliniko_mcp.private_files import private_folder, read_private, write_private
from cliniko_mcp.sanitize import clean

PATH: Final = "/terminal"
PROOF: Final = "X-Proof"
_TIMEOUT_SECONDS: Final = 10.0
_MAX_REPLY_BYTES: Final = 33_554_432
"""Of 20 questions with a text of 100,000 characters in each, of at most 12 bytes as JSON."""


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
        reply = _reply(decisions, request, now)
    except (ValueError, KeyError, TypeError):
        return None
    text = json.dumps(reply).encode()
    return text, proof(secret, f"server {nonce}", text)


def _reply(decisions: Decisions, request: Mapping[str, object], now: float) -> dict[str, JsonValue]:
    """Raises ValueError for an answer that there is not."""
    if request["do"] == "list":
        return {
            "waiting": [_row(pending, now) for pending in decisions.waiting()],
            "unused": [_row(pending, now) for pending in decisions.unused()],
            "denied": [_row(pending, now) for pending in decisions.denials()],
            "pin": decisions.needs_pin,
        }
    challenge = str(request["question"])
    if request["do"] == "story":
        pending = decisions.find(challenge)
        story = story_of(pending) if pending is not None else None
        return {"words": story.words if story else "", "ended": story is None or story.ended}
    answer = Answer(str(request["answer"]))
    return {"outcome": decisions.decide(challenge, answer, str(request.get("pin", "")), "terminal").name}


def _row(pending: PendingQuestion, now: float) -> dict[str, JsonValue]:
    preview = pending.question.preview
    return {
        "question": pending.question.challenge,
        "title": pending.question.title,
        "preview": pending.question.text,
        "act": preview.act,
        "keep": preview.keep,
        "program": name_for_people(pending.program),
        "seconds": int(pending.question.expires - now),
    }


class _Row(TypedDict):
    question: str
    title: str
    preview: str
    act: str
    keep: str
    program: str
    seconds: int


class _Listing(TypedDict):
    waiting: list[_Row]
    unused: list[_Row]
    denied: list[_Row]
    pin: bool


class _Told(TypedDict):
    words: str
    ended: bool


class _Decided(TypedDict):
    outcome: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question as a terminal shows it, its texts cleaned."""

    challenge: str
    title: str
    preview: str
    act: str
    keep: str
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

    def waiting(self, which: Literal["waiting", "unused", "denied"] = "waiting") -> list[Waiting]:
        """The questions that wait there, oldest first; or those whose yes is not used yet, or whose no still holds.

        Raises OSError where no such server answers any more, TimeoutError where it is there and silent.
        """
        # The proof says that one of our own servers wrote this.
        reply: _Listing = json.loads(self._send({"do": "list"}))
        return [
            Waiting(
                row["question"],
                clean(row["title"], 200),
                _lines(row["preview"]),
                clean(row["act"], 100),
                clean(row["keep"], 100),
                clean(row["program"], 60),
                row["seconds"],
                reply["pin"],
            )
            for row in reply[which]
        ]

    def story(self, challenge: str) -> tuple[str, bool]:
        """How this question stands, in words, and whether it has ended; "" where it is not known any more.

        Raises OSError where the server does not answer any more.
        """
        # The proof says that one of our own servers wrote this.
        reply: _Told = json.loads(self._send({"do": "story", "question": challenge}))
        return clean(reply["words"]), reply["ended"]

    def decide(self, challenge: str, answer: Answer, pin: str = "") -> Outcome:
        """Answer a question; how that ended. Raises OSError where the server does not answer any more."""
        # The proof says that one of our own servers wrote this.
        reply: _Decided = json.loads(
            self._send({"do": "decide", "question": challenge, "answer": answer.value, "pin": pin})
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


def _lines(text: str) -> str:
    """The text cleaned line by line, so that the indent of what was written by others stays what it is."""
    return "\n".join((" " * 4 if line.startswith("    ") else "") + clean(line) for line in text.split("\n"))


def servers(folder: Path, token: Callable[[], str], silent: Callable[[], None] = lambda: None) -> Iterator[Server]:
    """Yield the servers announced in this folder that still answer; the announcements of others are removed.

    One that is there and does not answer in time, because it is suspended, keeps its announcement, and `silent` is
    called. `token` gives a fresh unguessable text each time. Raises OSError where the folder cannot be made private.
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
        except TimeoutError:
            silent()
            continue
        except (OSError, ValueError, KeyError, TypeError):
            with suppress(OSError):
                os.unlink(path)
            continue
        yield server
