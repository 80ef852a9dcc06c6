"""The checks of approvals and the audit log: the PIN, the browser for the approval page, and the log's hash chain."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cliniko_mcp.doctor.check import Check, failed, ok, warning
from cliniko_mcp.sanitize import counted
from cliniko_mcp.settings import Settings

if TYPE_CHECKING:
    from cliniko_mcp.doctor import DoctorContext


def examine_safety(context: "DoctorContext") -> Iterator[Check]:
    """Yield the checks of what is guarded, how people are asked and whether the audit log can be trusted."""
    yield guards(context.settings)
    yield pin(context.state)
    yield browser(context.browser())
    yield audit(context)


_QUESTIONS: Final = {
    "auto": "archive, delete and cancel ask a person",
    "strict": "archive, delete and cancel ask a person, not by a form in the assistant's window",
    "block": "archive, delete and cancel are never allowed",
}


def guards(settings: Settings) -> Check:
    """What is refused, what is asked about, and what may act unasked."""
    words = ["every change is refused (--read-only)"] if settings.read_only else [_QUESTIONS[settings.confirm]]
    if settings.exclude_tools:
        words.append(f"switched off: {', '.join(settings.exclude_tools)}")
    for names, what in ((settings.resources, "resources"), (settings.tools, "tools")):
        if names:
            words.append(f"only these {what}: {', '.join(names)}")
    if settings.upload_folder:
        words.append(f"files may be attached from {settings.upload_folder}")
    unasked = settings.allow_destroy if not settings.read_only and settings.confirm != "block" else ()
    if unasked:
        return warning(
            "guards",
            "; ".join([*words, f"these act without asking: {', '.join(unasked)}"]),
            "Take back --allow-destroy where a person is at hand.",
        )
    return ok("guards", "; ".join(words))


def pin(folder: Path) -> Check:
    """Whether approvals on this computer need a PIN."""
    from cliniko_mcp.approvals.pin import Pin

    if Pin(folder, time.time).is_set:  # noqa: TID251 - tries of a pin count in real time
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
    name = Path(found.name).name
    return None if name in ("www-browser", "links", "elinks", "lynx", "w3m") else name or "the usual browser"


def audit(context: "DoctorContext") -> Check:
    """Whether the log can be written, and whether its hash chain shows every line unchanged."""
    from cliniko_mcp.guards.hash_chain import HashChain

    settings = context.settings
    default = context.state / ("demo-audit.jsonl" if settings.demo else "audit.jsonl")
    path = Path(settings.audit_file) if settings.audit_file else default
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
    return ok("audit", f"{path}: {counted(checked.lines, 'line')}, all as they were written")


def _writable(path: Path) -> bool:
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    return parent.is_dir() and os.access(parent, os.W_OK)
