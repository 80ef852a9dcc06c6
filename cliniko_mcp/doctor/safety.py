"""What is looked at for the person's sake: the PIN, the browser for the approval page, and the audit log."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cliniko_mcp.doctor.check import Check, failed, ok, warning

if TYPE_CHECKING:
    from cliniko_mcp.doctor import Surroundings


def examine_safety(surroundings: "Surroundings") -> Iterator[Check]:
    """Yield how people are asked, and whether what is done is written down."""
    yield pin(surroundings.state)
    yield browser(surroundings.browser())
    yield audit(surroundings)


def pin(folder: Path) -> Check:
    """Whether approvals on this computer need a PIN."""
    from cliniko_mcp.approvals.pin import Pin

    if Pin(folder, time.time).is_set:
        return ok("pin", "approvals on this computer need the PIN")
    return warning(
        "pin", "no PIN is set, so anyone at this computer can approve", "Run `cliniko-mcp approve --set-pin`."
    )


def browser(found: str | None) -> Check:
    """Whether the approval page can be shown."""
    if found:
        return ok("browser", f"the approval page opens in {found}")
    return warning(
        "browser",
        "there is no browser for the approval page",
        "Approve on a terminal with `cliniko-mcp approve`, or use an assistant that asks by a form.",
    )


def browser_name() -> str | None:
    """The browser that the system would open; None where there is none, or only one for terminals."""
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return None
    name = str(getattr(found, "basename", "") or getattr(found, "name", ""))
    return None if name in ("www-browser", "links", "elinks", "lynx", "w3m") else name or "the usual browser"


def audit(surroundings: "Surroundings") -> Check:
    """Whether the log can be written, and whether every line in it is as it was written."""
    from cliniko_mcp.guards.hash_chain import HashChain

    settings = surroundings.settings
    usual = surroundings.state / ("demo-audit.jsonl" if settings.demo else "audit.jsonl")
    path = Path(settings.audit_file) if settings.audit_file else usual
    if not _writable(path):
        return failed(
            "audit",
            f"{path} cannot be written, so every change will be refused",
            "Make its folder yours and writable, or name another file with --audit-file.",
        )
    try:
        checked = HashChain(path).verify()
    except OSError as problem:
        return failed("audit", f"{path} cannot be read: {problem.strerror or problem}", "Make it yours and readable.")
    if checked.problem:
        return failed(
            "audit",
            f"{path}: {checked.problem}",
            "Keep a copy as it is, ask who changed it, and move it away to begin a new log.",
        )
    return ok("audit", f"{path}: {checked.lines:,} lines, all as they were written")


def _writable(path: Path) -> bool:
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    return parent.is_dir() and os.access(parent, os.W_OK)
