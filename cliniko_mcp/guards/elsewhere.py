"""What other processes that work with the same key know: of the set-up that they read, and of what they changed."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Elsewhere(Protocol):
    """A memory that the processes of one account share. Nothing of a patient or of a person is put there."""

    async def get(self, name: str) -> bytes | None:
        """What was put under this name and has not expired; None where nothing was, or nobody knows."""
        ...

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep this for so many seconds, where that can be done."""
        ...

    async def generations(self) -> Mapping[str, int]:
        """How often each kind was changed by any process; empty where nothing was, or nobody knows."""
        ...

    async def changed(self, kinds: Sequence[str]) -> None:
        """Tell all processes that what they remember of these kinds may be out of date, where that can be done."""
        ...


class Nowhere:
    """The memory of a process that works alone: it is told nothing, and tells nobody."""

    async def get(self, name: str) -> bytes | None:
        """None."""
        return None

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Nothing."""

    async def generations(self) -> Mapping[str, int]:
        """Nothing was changed elsewhere."""
        return {}

    async def changed(self, kinds: Sequence[str]) -> None:
        """Nothing."""


class Beside:
    """What the apps of one process tell each other, of those who work in one clinic with keys of their own."""

    def __init__(self) -> None:
        self._generations: dict[str, int] = {}

    async def get(self, name: str) -> bytes | None:
        """None: each reads it with its own key."""
        return None

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Nothing."""

    async def generations(self) -> Mapping[str, int]:
        """How often each kind was changed by any of them."""
        return dict(self._generations)

    async def changed(self, kinds: Sequence[str]) -> None:
        """Tell all of them."""
        for kind in kinds:
            self._generations[kind] = self._generations.get(kind, 0) + 1
