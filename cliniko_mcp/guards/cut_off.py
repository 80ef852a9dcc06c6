"""What a stop cut off: what its caller is told, and changes that the audit log has, told once at the next start."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cliniko_mcp.cliniko.operations import Risk
from cliniko_mcp.errors import ClinikoMcpError, JsonValue, OutcomeUnknown, Unavailable
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.private_files import read_private, write_private

_LOOKED_AT: Final = 500
"""Lines at the end of the log among which a change is looked for."""
_MAX_TOLD: Final = 5


def cut_off(chain: HashChain) -> list[str]:
    """What was under way when a server ended and was not told yet, a line each: the operation, when it began (UTC), and
    the id of its record; at most five, the newest last.

    A change that another server is making at this moment may be among them. Empty where the log cannot be read.
    """
    told_file = chain.path.with_name(f"{chain.path.name}.told")
    try:
        last = deque(chain.entries(), maxlen=_LOOKED_AT)
        if not last:
            return []
        told = _number(told_file)
        found = [entry for entry in _without_end(last) if _of(entry) > told]
        if found:
            write_private(told_file, f"{max(map(_of, found))}\n")
    except OSError:
        return []
    return [_words(entry) for entry in found][-_MAX_TOLD:]


def _without_end(entries: deque[Mapping[str, JsonValue]]) -> list[Mapping[str, JsonValue]]:
    """The changes that were begun and whose end is missing, or that were interrupted."""
    ended = {_of(entry) for entry in entries if "of" in entry}
    return [
        entry
        for entry in entries
        if (entry.get("outcome") == "begun" and _of(entry) not in ended)
        or (entry.get("outcome") == "interrupted" and "of" in entry)
    ]


def _of(entry: Mapping[str, JsonValue]) -> int:
    """The number of the line that announced this change."""
    number = entry.get("of", entry.get("n"))
    return number if isinstance(number, int) else 0


def _number(file: Path) -> int:
    try:
        text = read_private(file).strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


def _words(entry: Mapping[str, JsonValue]) -> str:
    ids = entry.get("ids")
    record = " ".join(str(value) for value in ids.values()) if isinstance(ids, dict) else ""
    moment = str(entry.get("time", ""))[:19].replace("T", " ")
    return f"{entry.get('operation')}{f' {record}' if record else ''}, {moment} UTC"


def stopped(risk: Risk, fix: str | None = None) -> ClinikoMcpError:
    """What a call is answered that was ended because the server was told to stop; `fix` as the tool has its own."""
    if risk is Risk.READ:
        return Unavailable("The server was stopped before the answer was there; nothing was changed.", "Call again.")
    return OutcomeUnknown(
        "The server was stopped while this was under way; whether it took effect is not known.",
        fix or "Do not repeat it yet: look in the clinic whether the change is there, and repeat it only if it is not.",
    )
