"""How much of each account's limit this process used in the last minute, by a digest of the account."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

MAX_ACCOUNTS: Final = 50
"""As many are shown, those first that used most: a label a clinic would be too many."""
_SECONDS: Final = 60.0


def account_digest(account: str) -> str:
    """12 hexadecimal digits that are the same for the account in every replica; empty for the only one."""
    return hashlib.sha256(account.encode()).hexdigest()[:12] if account else ""


class LimitUse(Collector):
    """Counts the requests of the last minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds."""
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}

    def sent(self, account: str) -> None:
        """A request of the account with this digest goes out."""
        times = self._sent.setdefault(account, deque())
        times.append(self._clock())
        self._forget(times)

    def used(self) -> dict[str, int]:
        """Requests of the last minute by digest, the most first; accounts without any are left out."""
        for account, times in tuple(self._sent.items()):
            self._forget(times)
            if not times:
                del self._sent[account]
        counts = {account: len(times) for account, times in self._sent.items()}
        return dict(sorted(counts.items(), key=lambda one: -one[1])[:MAX_ACCOUNTS])

    def _forget(self, times: deque[float]) -> None:
        before = self._clock() - _SECONDS
        while times and times[0] <= before:
            times.popleft()

    def collect(self) -> Iterable[Metric]:
        """Yield the figure of each account that is shown."""
        found = GaugeMetricFamily(
            "cliniko_mcp_limit_requests",
            f"Requests to Cliniko in the last minute, of the {MAX_ACCOUNTS} accounts with most.",
            labels=["account"],
        )
        for account, count in self.used().items():
            found.add_metric([account], count)
        yield found
