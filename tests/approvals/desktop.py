"""A computer for tests of the approval page: its clock, its browser, its questions, and a person's clicks."""

import re
import secrets
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

from cliniko_mcp.approvals.decisions import Decisions
from cliniko_mcp.approvals.page import ApprovalPage
from cliniko_mcp.approvals.pin import Pin
from cliniko_mcp.approvals.question_table import Questions
from cliniko_mcp.approvals.questions import Matter, PendingQuestion
from cliniko_mcp.approvals.shown import Fact, Preview
from tests.guards.gate import Clock

PATIENT = 300.0
"""Seconds that a test waits for the page, which a thread serves while the machine is busy with other things."""


def seen(name: str = "Ana Lima", act: str = "Archive this patient") -> Preview:
    """What a person is shown about a patient of this name."""
    return Preview(act, "Keep it", "Archived", [Fact("Patient", name)], undo="It can be brought back.")


class Wall:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Desktop:
    """A server's page, and the browser that was sent there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.wall = Wall()
        self.questions = Questions(self.clock, lambda: secrets.token_hex(8))
        self.pin = Pin(folder, self.wall)
        self.opened: list[str] = []
        self.page = ApprovalPage(
            Decisions(self.questions, self.pin),
            folder=folder,
            now=lambda: self.clock().timestamp(),
            token=lambda: secrets.token_urlsafe(32),
            open_browser=self.opened.append,
        )

    def ask(self, preview: str = "Ana Lima", program: str = "Host") -> PendingQuestion:
        matter = Matter("local", "archive_patient", preview, f"patients/{preview}", preview)
        asked = self.questions.create(matter, seen(preview), program)
        assert self.questions.show(asked)
        return asked

    def start(self) -> str:
        self.page.invite()
        return self.opened[0]

    def visit(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, str]:
        host = self.opened[0].split("/")[2]
        connection = HTTPConnection(host, timeout=PATIENT)
        connection.putrequest(method, path, skip_host=True)
        sent = {"Host": host, **(headers or {})}
        if body is not None:
            sent.setdefault("Content-Length", str(len(body)))
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        for name, value in sent.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body.encode() if body is not None else None)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response, text

    @property
    def path(self) -> str:
        return "/" + self.opened[0].split("/", 3)[3]

    @property
    def origin(self) -> str:
        return "/".join(self.opened[0].split("/")[:3])

    def send(self, asked: PendingQuestion, decision: str = "approve", **changes: str) -> tuple[int, str]:
        """Send the form as a browser does, with these fields or headers changed."""
        csrf = re.findall(r'name=csrf value="([^"]+)"', self.visit("GET", self.path)[1])[0]
        headers = {"Origin": self.origin}
        headers |= {name.replace("_", "-"): value for name, value in changes.items() if name[0].isupper()}
        fields = {"csrf": csrf, "question": asked.question.challenge, "decision": decision}
        fields |= {name: value for name, value in changes.items() if name[0].islower()}
        response, _ = self.visit("POST", self.path, urlencode(fields), headers)
        return response.status, response.getheader("Location", "").rpartition("=")[2]

    def verdict(self, asked: PendingQuestion) -> str:
        return asked.verdict.value
