"""Ids and secret tokens of the demo clinic: the same seed has the same ones in the same order.

All resources draw from one sequence, so bookings and their concrete types share one space.
"""

from hashlib import blake2b
from typing import Final

_FIRST: Final = 1_104_000_000_000_000_000  # 19 digits, and far beyond what a double holds exactly
_STEP: Final = 1 << 21


class IdSequence:
    """Rising 19-digit ids. `count` is the whole state: it is saved and restored with the clinic."""

    def __init__(self, seed: int, count: int = 0) -> None:
        self.seed = seed
        self.count = count

    def next(self) -> str:
        """A new id, greater than all before it."""
        self.count += 1
        return str(_FIRST + self.count * _STEP + self._noise(f"id {self.count}") % _STEP)

    def token(self, purpose: str) -> str:
        """A token of 24 hex digits for this purpose; the same purpose has the same token."""
        return self._digest(purpose).hex()

    def _noise(self, text: str) -> int:
        return int.from_bytes(self._digest(text)[:8], "big")

    def _digest(self, text: str) -> bytes:
        return blake2b(f"{self.seed} {text}".encode(), digest_size=12).digest()
