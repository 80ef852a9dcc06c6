"""The rate limit: so many requests in a fixed minute of the clinic's clock, for each key.

Source: cliniko-api.md#rate-limit; choices 20.
"""

from datetime import datetime


class RateLimit:
    """Counts requests by key. A limit of 0 counts nothing."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._minute = 0
        self._counts: dict[str, int] = {}

    def reset_at(self, key: str, now: datetime) -> int | None:
        """Count one request; the Unix second at which the key may go on when this one is over the limit, else None."""
        if self.per_minute <= 0:
            return None
        minute = int(now.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        used = self._counts.get(key, 0)
        if used >= self.per_minute:
            return (minute + 1) * 60
        self._counts[key] = used + 1
        return None

    def reset(self) -> None:
        """Start counting again."""
        self._counts.clear()
