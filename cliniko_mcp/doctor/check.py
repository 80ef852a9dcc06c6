"""The result of one check: its name, its status, what was found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `fix` says what the person should do; it is empty where there is nothing to do."""

    name: str
    status: Status
    detail: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """The object that `cliniko-mcp doctor --json` prints: name, status, detail and fix, all texts."""
        return {"name": self.name, "status": self.status, "detail": self.detail, "fix": self.fix}


def ok(name: str, detail: str) -> Check:
    """A check that passed."""
    return Check(name, "ok", detail)


def warning(name: str, detail: str, fix: str = "") -> Check:
    """A check that passed with something that a person should know."""
    return Check(name, "warning", detail.removesuffix("."), fix)


def failed(name: str, detail: str, fix: str) -> Check:
    """A check that failed, with what to do."""
    return Check(name, "failed", detail.removesuffix("."), fix)
