"""The files in which this program keeps its state."""

from pathlib import Path


def state_folder() -> Path:
    """The folder of the audit log, the PIN and the announcements for `approve`, where this system keeps such files."""
    from platformdirs import user_state_path

    return user_state_path("cliniko-mcp", appauthor=False)


def audit_file(*, demo: bool = False) -> Path:
    """The usual audit log; what is done in a demo clinic has one of its own, apart from what was done to records."""
    return state_folder() / ("demo-audit.jsonl" if demo else "audit.jsonl")
