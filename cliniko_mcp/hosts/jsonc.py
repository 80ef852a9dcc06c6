"""Parses JSON, with or without comments, and keeps the position of every value, so that one can be changed alone.

Everything else stays as it was to the byte: comments, order, indentation, line endings, long numbers.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.invalid import InvalidText

MAX_DEPTH: Final = 200
_BLANKS: Final = " \t\r\n"
_LITERALS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "null": None}
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')


class InvalidJson(InvalidText):
    """The text is not JSON; the message names the line, the column and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its position: `text[start:end]`. Only an object has `members`."""

    start: int
    end: int
    value: JsonValue
    members: "tuple[Member, ...]" = ()

    @property
    def is_object(self) -> bool:
        """Whether the value is an object, so that `members` hold its names and positions."""
        return isinstance(self.value, dict)

    def member(self, name: str) -> "Member | None":
        """The member of this name, or None; the last one where a name occurs twice, as JSON parsers read it."""
        return next((member for member in reversed(self.members) if member.name == name), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A name and its value in an object; `start` is the position of the name."""

    name: str
    start: int
    node: Node


def parse(text: str, *, comments: bool) -> Node:
    """The value of the text, with positions; an empty text counts as `{}`.

    With `comments`, `//`, `/* */` and a comma after the last value are allowed. Raises InvalidJson.
    """
    parser = _Parser(text, comments)
    parser.skip()
    if parser.position == len(text):
        return Node(len(text), len(text), {})
    node = parser.value(0)
    parser.skip()
    if parser.position < len(text):
        raise parser.error("there is something after the end")
    return node


class _Parser:
    """A recursive parser of one text with the position of the next character."""

    def __init__(self, text: str, comments: bool) -> None:
        self.text = text
        self.comments = comments
        self.position = 1 if text.startswith("\ufeff") else 0

    def error(self, why: str, at: int | None = None) -> InvalidJson:
        """The error for what is wrong at this position, by default the current one."""
        position = self.position if at is None else at
        before = self.text[:position]
        return InvalidJson(f"line {before.count(chr(10)) + 1}, column {position - before.rfind(chr(10))}: {why}")

    def skip(self) -> None:
        """Move past white space and comments."""
        while self.position < len(self.text):
            if self.text[self.position] in _BLANKS:
                self.position += 1
            elif self.text.startswith("//", self.position) or self.text.startswith("/*", self.position):
                self._skip_comment()
            else:
                return

    def _skip_comment(self) -> None:
        if not self.comments:
            raise self.error("comments are not allowed here")
        if self.text.startswith("//", self.position):
            end = self.text.find("\n", self.position)
            self.position = len(self.text) if end < 0 else end
            return
        end = self.text.find("*/", self.position + 2)
        if end < 0:
            raise self.error("a comment is not closed")
        self.position = end + 2

    def peek(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.position : self.position + 1]

    def value(self, depth: int) -> Node:
        """The value at this position, consumed; `depth` is the number of brackets around it."""
        if depth > MAX_DEPTH:
            raise self.error("too many brackets inside each other")
        start, first = self.position, self.peek()
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._array(depth)
        if first == '"':
            text = self._string()
            return Node(start, self.position, text)
        if number := _NUMBER.match(self.text, start):
            self.position = number.end()
            self._expect_end_of_value()
            return Node(start, self.position, self._number(number[0]))
        for literal, value in _LITERALS.items():
            if self.text.startswith(literal, start):
                self.position = start + len(literal)
                self._expect_end_of_value()
                return Node(start, self.position, value)
        raise self.error("a value is missing" if not first or first in ",]}" else "this is not a value")

    def _number(self, digits: str) -> JsonValue:
        try:
            number: JsonValue = json.loads(digits)
        except ValueError:  # Python reads no whole number of more than 4,300 digits
            raise self.error("this number is too long") from None
        return number

    def _expect_end_of_value(self) -> None:
        following = self.peek()
        if following and following not in f"{_BLANKS},]}}/":
            raise self.error("this is not a value")

    def _string(self) -> str:
        found = _STRING.match(self.text, self.position)
        if not found:
            raise self.error("this text is not closed, or holds a line break")
        try:
            value: str = json.loads(found[0])
        except ValueError:
            raise self.error("this text holds a backslash that means nothing") from None
        self.position = found.end()
        return value

    def _object(self, depth: int) -> Node:
        start = self.position
        members = tuple(self._members(depth))
        return Node(start, self.position, {member.name: member.node.value for member in members}, members)

    def _members(self, depth: int) -> Iterator[Member]:
        for _ in self._items("}"):
            if self.peek() != '"':
                raise self.error("a name in double quotes is missing")
            start = self.position
            name = self._string()
            self.skip()
            if self.peek() != ":":
                raise self.error("a colon is missing")
            self.position += 1
            self.skip()
            yield Member(name, start, self.value(depth + 1))

    def _array(self, depth: int) -> Node:
        start = self.position
        values = [self.value(depth + 1).value for _ in self._items("]")]
        return Node(start, self.position, values)

    def _items(self, closing: str) -> Iterator[None]:
        """Yield once for each item of the bracket that opens here, and end after the closing bracket."""
        opened = self.position
        self.position += 1
        self.skip()
        while self.peek() != closing:
            yield
            self.skip()
            if self.peek() == ",":
                comma = self.position
                self.position += 1
                self.skip()
                if self.peek() == closing and not self.comments:
                    raise self.error("there is a comma too many", comma)
            elif not self.peek():
                raise self.error("this bracket is not closed", opened)
            elif self.peek() != closing:
                raise self.error("a comma is missing")
        self.position += 1
