"""The files in which this program keeps its state."""

from pathlib import Path


def state_folder() -> Path:
    """The folder of the audit log, the PIN and the announcements for `approve`, where this system keeps such files.

    It need not exist yet.
    """
    from platformdirs import user_state_path

    return user_state_path("cliniko-mcp", appauthor=False)


def audit_file(*, demo: bool = False) -> Path:
    """The path of the usual audit log, which need not exist yet; what is done in a demo clinic has a log of its own."""
    return state_folder() / ("demo-audit.jsonl" if demo else "audit.jsonl")
