"""A place in the tokens of a phrase: looking ahead, taking what fits, going back when it did not."""

from cliniko_mcp.phrases.tokens import END, Token


class Reader:
    """Tokens and a position in them; the grammar takes tokens and restores `at` when a reading fails."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> Token:
        """The token so many places on; the end token past the last."""
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else END

    def before(self) -> str:
        """The text of the token just passed; empty at the beginning."""
        return self.tokens[self.at - 1].text if self.at else ""

    def repeated(self) -> bool:
        """Whether "every" was just said: what it makes of a date ("every 15th") or a span is no single interval."""
        return self.before() in {"every", "each"}

    def take(self) -> Token:
        """The token here, stepping past it."""
        token = self.peek()
        self.at += 1
        return token

    def kind(self, *kinds: str) -> Token | None:
        """The token here if it is of one of these kinds, stepping past it."""
        return self.take() if self.peek().kind in kinds else None

    def words(self, *texts: str) -> bool:
        """Whether exactly these words come next, stepping past them if so."""
        for ahead, text in enumerate(texts):
            token = self.peek(ahead)
            if token.text != text or token.kind == "join":
                return False
        self.at += len(texts)
        return True

    def any_of(self, *texts: str) -> str:
        """The word here if it is one of these, stepping past it; else empty."""
        token = self.peek()
        if token.text in texts and token.kind not in {"join", "end"}:
            self.at += 1
            return token.text
        return ""
