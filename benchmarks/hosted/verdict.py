"""What a run has to show and what it showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A row of the table."""

    run: str
    measured: str
    budget: str
    met: bool
    figures: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """More of what was measured, for the file alone."""

    @property
    def row(self) -> dict[str, Any]:
        """As the file and the README have it."""
        met = "yes" if self.met else "NO"
        return {
            "figure": self.run,
            "measured": self.measured,
            "budget": self.budget,
            "met": met,
            "figures": {**self.figures},
        }
