"""JSON as people keep it in configuration files: read with the place of every value, so that one can be changed alone.

Everything that is not changed stays as it was to the byte: comments, order, indentation, line ends, long numbers.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.errors import JsonValue

DEEPEST: Final = 200
_BLANKS: Final = " \t\r\n"
_LITERALS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "null": None}
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')


class WrongJson(ValueError):
    """The text is not JSON; the message names the line, the column and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: `text[start:end]`. `members` is filled for objects alone."""

    start: int
    end: int
    value: JsonValue
    members: "tuple[Member, ...]" = ()

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def member(self, name: str) -> "Member | None":
        """The member of this name; the last one where the name is given twice, as readers of JSON take it."""
        return next((each for each in reversed(self.members) if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A name and its value in an object; `start` is where the name begins."""

    name: str
    start: int
    node: Node


def parse(text: str, *, comments: bool) -> Node:
    """The value that the text holds, with its places; an empty text counts as `{}`.

    With `comments`, `//` and `/* */` and a comma after the last value are read over. Raises WrongJson.
    """
    reader = _Reader(text, comments)
    reader.skip()
    if reader.at == len(text):
        return Node(len(text), len(text), {})
    node = reader.value(0)
    reader.skip()
    if reader.at < len(text):
        raise reader.wrong("there is something after the end")
    return node


class _Reader:
    def __init__(self, text: str, comments: bool) -> None:
        self.text = text
        self.comments = comments
        self.at = 1 if text.startswith("\ufeff") else 0

    def wrong(self, why: str, at: int | None = None) -> WrongJson:
        place = self.at if at is None else at
        before = self.text[:place]
        return WrongJson(f"line {before.count(chr(10)) + 1}, column {place - before.rfind(chr(10))}: {why}")

    def skip(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] in _BLANKS:
                self.at += 1
            elif self.text.startswith("//", self.at) or self.text.startswith("/*", self.at):
                self._skip_comment()
            else:
                return

    def _skip_comment(self) -> None:
        if not self.comments:
            raise self.wrong("comments are not allowed here")
        if self.text.startswith("//", self.at):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
            return
        end = self.text.find("*/", self.at + 2)
        if end < 0:
            raise self.wrong("a comment is not closed")
        self.at = end + 2

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.wrong("too many brackets inside each other")
        start, first = self.at, self.peek()
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._array(depth)
        if first == '"':
            text = self._string()
            return Node(start, self.at, text)
        if number := _NUMBER.match(self.text, start):
            self.at = number.end()
            self._ends_here()
            return Node(start, self.at, self._number(number[0]))
        for word, meant in _LITERALS.items():
            if self.text.startswith(word, start):
                self.at = start + len(word)
                self._ends_here()
                return Node(start, self.at, meant)
        raise self.wrong("a value is missing" if not first or first in ",]}" else "this is not a value")

    def _number(self, digits: str) -> JsonValue:
        try:
            number: JsonValue = json.loads(digits)
        except ValueError:  # Python reads no whole number of more than 4,300 digits
            raise self.wrong("this number is too long") from None
        return number

    def _ends_here(self) -> None:
        following = self.peek()
        if following and following not in f"{_BLANKS},]}}/":
            raise self.wrong("this is not a value")

    def _string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if not found:
            raise self.wrong("this text is not closed, or holds a line break")
        try:
            value: str = json.loads(found[0])
        except ValueError:
            raise self.wrong("this text holds a backslash that means nothing") from None
        self.at = found.end()
        return value

    def _object(self, depth: int) -> Node:
        start = self.at
        members = tuple(self._members(depth))
        return Node(start, self.at, {each.name: each.node.value for each in members}, members)

    def _members(self, depth: int) -> Iterator[Member]:
        for _ in self._items("}"):
            if self.peek() != '"':
                raise self.wrong("a name in double quotes is missing")
            start = self.at
            name = self._string()
            self.skip()
            if self.peek() != ":":
                raise self.wrong("a colon is missing")
            self.at += 1
            self.skip()
            yield Member(name, start, self.value(depth + 1))

    def _array(self, depth: int) -> Node:
        start = self.at
        values = [self.value(depth + 1).value for _ in self._items("]")]
        return Node(start, self.at, values)

    def _items(self, closing: str) -> Iterator[None]:
        """Yield once for each item of the bracket that opens here; past its end when done."""
        opened = self.at
        self.at += 1
        self.skip()
        while self.peek() != closing:
            yield
            self.skip()
            if self.peek() == ",":
                comma = self.at
                self.at += 1
                self.skip()
                if self.peek() == closing and not self.comments:
                    raise self.wrong("there is a comma too many", comma)
            elif not self.peek():
                raise self.wrong("this bracket is not closed", opened)
            elif self.peek() != closing:
                raise self.wrong("a comma is missing")
        self.at += 1
