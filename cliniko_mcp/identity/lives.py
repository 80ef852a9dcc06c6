"""How long what the built-in login gives lasts, within bounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cliniko_mcp.errors import ConfigurationError

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
BOUNDS: Final = {
    "access": ("5m", "24h"),
    "idle": ("1d", "90d"),
    "whole": ("1d", "365d"),
    "code": ("30s", "5m"),
    "request": ("2m", "30m"),
}
"""The least and the most of each."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long each lasts, in seconds."""

    access: float = 8 * 3_600.0
    """An access token."""
    idle: float = 30 * 86_400.0
    """A connection that is not used."""
    whole: float = 90 * 86_400.0
    """A connection, until its person logs in anew."""
    code: float = 60.0
    """What a program fetches its tokens with."""
    request: float = 600.0
    """A login under way."""

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """The lives of texts such as `access:1h`; what is not named is as usual.

        Raises ConfigurationError for anything else, and for what is out of bounds.
        """
        found: dict[str, float] = {}
        for text in texts:
            name, _, life = text.partition(":")
            if name not in BOUNDS or name in found or not re.fullmatch(r"\d{1,9}[smhd]", life):
                raise ConfigurationError(
                    f"--login-lives {text}: name each once, such as access:8h, of {', '.join(BOUNDS)}"
                )
            least, most = BOUNDS[name]
            found[name] = seconds(life)
            if not seconds(least) <= found[name] <= seconds(most):
                raise ConfigurationError(f"--login-lives {text}: {name} is from {least} to {most}")
        lives = cls(**found)
        if lives.idle > lives.whole:
            raise ConfigurationError("--login-lives: idle is at most as long as whole")
        return lives


def seconds(life: str) -> float:
    """The seconds of a text such as 8h."""
    return float(life[:-1]) * _UNITS[life[-1]]
