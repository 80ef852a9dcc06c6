"""The result of one check: its name, its status, what was found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean

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
    return Check(name, "ok", _shown(detail))


def warning(name: str, detail: str, fix: str = "") -> Check:
    """A check that passed with something that a person should know."""
    return Check(name, "warning", _shown(detail).removesuffix("."), _shown(fix))


def failed(name: str, detail: str, fix: str) -> Check:
    """A check that failed, with what to do."""
    return Check(name, "failed", _shown(detail).removesuffix("."), _shown(fix))


def _shown(text: str) -> str:
    # What Cliniko sent stands on a screen that people show to others who help them.
    return clean(SECRETS.text(text))
