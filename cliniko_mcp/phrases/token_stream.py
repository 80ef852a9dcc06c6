"""The tokens of a phrase with a current position: look ahead, consume what fits, or go back."""

from cliniko_mcp.phrases.tokens import END, Token


class TokenStream:
    """Tokens and the position of the next one; the grammar restores `position` when an attempt to read fails."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self, ahead: int = 0) -> Token:
        """The token `ahead` places after the next one; `END` past the last."""
        index = self.position + ahead
        return self.tokens[index] if index < len(self.tokens) else END

    def previous_text(self) -> str:
        """The text of the token before this position; empty at the start."""
        return self.tokens[self.position - 1].text if self.position else ""

    def after_every(self) -> bool:
        """Whether "every" or "each" comes just before: a date after it ("every 15th") is no single interval."""
        return self.previous_text() in {"every", "each"}

    def take(self) -> Token:
        """The next token, consumed."""
        token = self.peek()
        self.position += 1
        return token

    def take_kind(self, *kinds: str) -> Token | None:
        """The next token, consumed, if it is of one of these kinds; else None."""
        return self.take() if self.peek().kind in kinds else None

    def take_words(self, *texts: str) -> bool:
        """Whether exactly these words come next; if so, they are consumed."""
        for ahead, text in enumerate(texts):
            token = self.peek(ahead)
            if token.text != text or token.kind == "join":
                return False
        self.position += len(texts)
        return True

    def take_any(self, *texts: str) -> str:
        """The next word, consumed, if it is one of these; else an empty string."""
        token = self.peek()
        if token.text in texts and token.kind not in {"join", "end"}:
            self.position += 1
            return token.text
        return ""
