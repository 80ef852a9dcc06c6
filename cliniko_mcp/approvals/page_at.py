"""An approval page at an address of the server's own, where people log in."""

from dataclasses import dataclass

from cliniko_mcp.approvals.questions import Question


@dataclass(frozen=True, slots=True)
class PageAt:
    """The page, as far as a call sees it. Its address holds no secret: the login is what counts there."""

    address: str

    def invite(self) -> str:
        """A sentence that says where to answer."""
        return f"The question waits on their approvals page, which they open themselves: {self.address}"

    def again(self) -> str:
        """A sentence that says where a question is that has been on the page for a while."""
        return f"The question is on their approvals page already: {self.address}"

    def address_of(self, question: Question) -> str:
        """The address of this question. It says which one is meant, and lets nobody in."""
        return f"{self.address}/{question.challenge}"
