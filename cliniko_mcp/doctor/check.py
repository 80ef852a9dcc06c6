"""One line of an examination: what was looked at, how it is, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """A result. `fix` says what a person does; it is empty where there is nothing to do."""

    name: str
    status: Status
    detail: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """The result as `cliniko-mcp doctor --json` prints it."""
        return {"name": self.name, "status": self.status, "detail": self.detail, "fix": self.fix}


def ok(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, "ok", detail)


def warning(name: str, detail: str, fix: str = "") -> Check:
    """It works, but a person should know."""
    return Check(name, "warning", detail.removesuffix("."), fix)


def failed(name: str, detail: str, fix: str) -> Check:
    """It does not work until somebody does something."""
    return Check(name, "failed", detail.removesuffix("."), fix)
