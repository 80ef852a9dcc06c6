"""Ids and secret tokens of the demo clinic: the same seed has the same ones in the same order.

All resources draw from one sequence, so bookings and their concrete types share one space.
"""

from hashlib import blake2b
from typing import Final

_FIRST: Final = 1_104_000_000_000_000_000  # 19 digits, and far beyond what a double holds exactly
_STEP: Final = 1 << 21
_IN_BLOCK: Final = 16
"""Ids whose last digits come from one digest: the seed draws tens of thousands."""


class IdSequence:
    """Rising 19-digit ids. `count` is the whole state: it is saved and restored with the clinic."""

    def __init__(self, seed: int, count: int = 0) -> None:
        self.seed = seed
        self.count = count
        self._block = -1
        self._noise = b""

    def next(self) -> str:
        """A new id, greater than all before it."""
        self.count = count = self.count + 1
        block, number = divmod(count, _IN_BLOCK)
        if block != self._block:
            self._block = block
            self._noise = blake2b(f"{self.seed} ids {block}".encode(), digest_size=4 * _IN_BLOCK).digest()
        noise = int.from_bytes(self._noise[4 * number : 4 * number + 4], "big")
        return str(_FIRST + count * _STEP + noise % _STEP)

    def token(self, purpose: str) -> str:
        """A token of 24 hex digits for this purpose; the same purpose has the same token."""
        return self._digest(purpose).hex()

    def _digest(self, text: str) -> bytes:
        return blake2b(f"{self.seed} {text}".encode(), digest_size=12).digest()
