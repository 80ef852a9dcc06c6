"""Where this program keeps what it has to remember."""

from pathlib import Path


def state_folder() -> Path:
    """The folder for the audit log, the PIN and the meeting point of `approve`, where this system keeps such things."""
    from platformdirs import user_state_path

    return user_state_path("cliniko-mcp", appauthor=False)


def audit_file(*, demo: bool = False) -> Path:
    """The usual audit log; what is done in a demo clinic has one of its own, apart from what was done to records."""
    return state_folder() / ("demo-audit.jsonl" if demo else "audit.jsonl")
