"""An approval page at an address of the server's own, where people log in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageAt:
    """The page, as far as a call sees it. Its address holds no secret: the login is what counts there."""

    address: str

    def invite(self) -> str:
        """A sentence that says where to answer."""
        return f"The question waits on their approvals page, which they open themselves: {self.address}"
