"""How often something may be done from one address of the network, or in all; counted in this process."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from cliniko_mcp.errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.requests import Request

_MAX_NAMES: Final = 10_000


class Often:
    """At most so many times within so many seconds, by name."""

    def __init__(self, most: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._monotonic = monotonic
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, name: str) -> int:
        """How often it was done lately."""
        times, now = self._times.get(name, deque[float]()), self._monotonic()
        while times and now - times[0] >= self._seconds:
            times.popleft()
        return len(times)

    def reached(self, name: str) -> bool:
        """Whether it may not be done now."""
        return self.count(name) >= self._most

    def note(self, name: str) -> None:
        """It was done."""
        self._times.setdefault(name, deque()).append(self._monotonic())
        self._times.move_to_end(name)
        while len(self._times) > _MAX_NAMES:
            self._times.popitem(last=False)

    def take_back(self, name: str) -> None:
        """It was not done after all."""
        if times := self._times.get(name):
            times.pop()

    def allows(self, name: str) -> bool:
        """Whether it may be done, which is noted."""
        if self.reached(name):
            return False
        self.note(name)
        return True


class Addresses:
    """From where requests come: the peer, or what a trusted proxy says of it; of IPv6 the network of 64 bits."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """Raises ConfigurationError for what is neither an address nor a network."""
        try:
            self._trusted: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in trusted]
        except ValueError as problem:
            raise ConfigurationError(f"--trusted-proxies: {problem}") from None

    def of(self, request: Request) -> str:
        """The address of who asks."""
        found = request.client.host if request.client else ""
        # Some proxies add a line of their own behind the one that they were sent.
        lines = ",".join(request.headers.getlist("x-forwarded-for"))
        forwarded = [part.strip() for part in lines.split(",") if part.strip()]
        while forwarded and self._is_trusted(found):
            found = forwarded.pop()
        return _network(found)

    def _is_trusted(self, text: str) -> bool:
        try:
            address = _plain(text)
        except ValueError:
            return False
        return any(address in network for network in self._trusted if network.version == address.version)


def _plain(text: str) -> IPv4Address | IPv6Address:
    """The address; of an IPv4 address in the words of IPv6 that one. Raises ValueError."""
    address = ip_address(text)
    within = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return within or address


def _network(text: str) -> str:
    try:
        address = _plain(text)
    except ValueError:
        return "unknown"
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)
