"""A message of the protocol, as far as whoever watches is told of it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Message:
    """A message of the protocol that is being answered."""

    method: str
    """One of MCP's, or `other`."""
    tool: str = ""
    """One of ours, or `other`; empty where none is called."""
    version: str = ""
    """The revision of the protocol."""
    clinic: str = ""
    person: str = ""
    """A digest."""
    outcome: str = "cancelled"
    """`ok`, `asked` or the code of an error."""

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self.outcome not in ("ok", "asked")
