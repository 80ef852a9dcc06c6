"""What may still be sent with one key in this minute, counted in this process or wherever several share the key.

A token comes back sixty seconds after the answer to its request arrived: Cliniko counted the request no later than
that, so no window of a minute, wherever it begins, sees more than the limit (cliniko-api.md#rate-limit).
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Protocol

from cliniko_mcp.limit_share import MAX_CALLS, NOBODYS, Share, Taken, half_of, third_of

PERIOD: Final = 60.0


class Tokens(Protocol):
    """The tokens of one key."""

    async def take(self, *, sweep: bool, ahead: Callable[[], int], share: Share = NOBODYS) -> Taken:
        """Take one token, unless as many are needed by those who go first in this process: `ahead` counts them.

        A sweep leaves a tenth of them to others. A person who has had a third of the minute, or has eight calls under
        way, leaves half of them to others at work in that minute who have had less than a third.

        Raises Unavailable where nobody knows how many are left.
        """
        ...

    async def answered(self, token: str, *, pause: float = 0.0) -> None:
        """The request was answered, or its outcome will never be known: the token comes back after a minute.

        After a `pause` in seconds, which a 429 asks for, the next one goes out.
        """
        ...

    async def give_back(self, token: str) -> None:
        """The request was never sent: the token is free at once."""
        ...

    async def closed(self) -> float:
        """Seconds for which nothing goes out after a 429; 0.0 where all may."""
        ...


class LocalTokens:
    """The tokens of a key that this process alone uses. Nothing here waits, so that no other call comes between."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds. Raises ValueError for less than one request a minute."""
        if per_minute < 1:
            raise ValueError("at least one request a minute is needed")
        self._per_minute = per_minute
        self._reserve = per_minute // 10
        self._clock = clock
        self._under_way = 0
        self._returns: deque[tuple[float, str]] = deque()
        self._closed_until = 0.0
        self._had: Counter[str] = Counter()
        self._calls: Counter[Share] = Counter()

    async def take(self, *, sweep: bool, ahead: Callable[[], int], share: Share = NOBODYS) -> Taken:
        """See `Tokens.take`."""
        now = self._clock()
        while self._returns and self._returns[0][0] <= now:
            self._free(self._returns.popleft()[1])
        over = self._over(share)
        kept = half_of(self._per_minute) if over and self._others_had_less(share.person) else 0
        allowed = self._per_minute - max(kept, self._reserve if sweep else 0)
        short = ahead() + 1 + self._under_way + len(self._returns) - allowed
        if short <= 0:
            ready = now
        elif short <= len(self._returns):
            ready = self._returns[short - 1][0]
        else:
            ready = now + PERIOD  # only tokens still under way can help, and none of those is back sooner
        wait = max(ready, self._closed_until) - now
        if wait > 0:
            return Taken(wait, over=over)
        self._under_way += 1
        if share.person:
            self._had[share.person] += 1
        if share.call:
            self._calls[share] += 1
        return Taken(0.0, f"{share.call} {share.person}", over)

    def _over(self, share: Share) -> bool:
        if not share.person:
            return False
        if self._had[share.person] >= third_of(self._per_minute):
            return True
        if len(self._calls) < MAX_CALLS or share in self._calls:
            return False
        return sum(other.person == share.person for other in self._calls) >= MAX_CALLS

    def _others_had_less(self, person: str) -> bool:
        third = third_of(self._per_minute)
        return any(had < third for other, had in self._had.items() if other != person)

    def _free(self, person: str) -> None:
        if person:
            self._had[person] -= 1
            if not self._had[person]:  # people come and go
                del self._had[person]

    def _ended(self, token: str) -> str:
        """The request is not under way any more; whose it was."""
        self._under_way -= 1
        call, _, person = token.partition(" ")
        share = Share(person, int(call))
        if share.call:
            self._calls[share] -= 1
            if not self._calls[share]:
                del self._calls[share]
        return person

    async def answered(self, token: str, *, pause: float = 0.0) -> None:
        """See `Tokens.answered`."""
        self._returns.append((self._clock() + PERIOD, self._ended(token)))
        if pause:
            self._closed_until = max(self._closed_until, self._clock() + pause)

    async def give_back(self, token: str) -> None:
        """See `Tokens.give_back`."""
        self._free(self._ended(token))

    async def closed(self) -> float:
        """See `Tokens.closed`."""
        return max(self._closed_until - self._clock(), 0.0)
