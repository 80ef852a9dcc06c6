"""Puts one entry into a section of a configuration text, or takes it out, and leaves every other byte as it was."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cliniko_mcp.errors import JsonValue
from cliniko_mcp.hosts.jsonc import Member, Node, WrongJson, parse

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Style:
    """How a text is laid out: one step of indentation, and its line ends."""

    step: str
    newline: str


def entry_of(text: str, section: str, name: str, *, comments: bool) -> JsonValue:
    """What the section holds under this name; None where it holds nothing. Raises WrongJson."""
    found = _section(parse(text, comments=comments), section)
    member = found.member(name) if found else None
    return member.node.value if member else None


def with_entry(text: str, section: str, name: str, entry: Mapping[str, JsonValue], *, comments: bool) -> str:
    """The text with this entry in the section; the same text where it is there already.

    Raises WrongJson where the text is not JSON, or not an object with an object under `section`.
    """
    root = parse(text, comments=comments)
    style = _style(text, root)
    if root.start == root.end:
        return json.dumps({section: {name: entry}}, indent=_INDENT, ensure_ascii=False) + style.newline
    found = _section(root, section)
    if found is None:
        return _checked(_added(text, root, section, {name: dict(entry)}, style), section, name, entry, comments)
    member = found.member(name)
    if member is None:
        return _checked(_added(text, found, name, dict(entry), style), section, name, entry, comments)
    if member.node.value == entry:
        return text
    new = _dumped(dict(entry), _indent_at(text, member.start), style)
    return _checked(text[: member.node.start] + new + text[member.node.end :], section, name, entry, comments)


def without_entry(text: str, section: str, name: str, *, comments: bool) -> str:
    """The text without this entry, however often it is there. Raises WrongJson as `with_entry` does."""
    while True:
        found = _section(parse(text, comments=comments), section)
        member = found.member(name) if found else None
        if found is None or member is None:
            return text
        text = _removed(text, found, member)


def _section(root: Node, section: str) -> Node | None:
    if not root.is_object:
        raise WrongJson("the file does not hold an object in braces")
    member = root.member(section)
    if member is None:
        return None
    if not member.node.is_object:
        raise WrongJson(f'"{section}" is not an object in braces')
    return member.node


def _checked(text: str, section: str, name: str, entry: Mapping[str, JsonValue], comments: bool) -> str:
    if entry_of(text, section, name, comments=comments) != entry:
        raise WrongJson("its layout is too unusual to be changed safely")
    return text


def _style(text: str, root: Node) -> Style:
    newline = "\r\n" if "\r\n" in text else "\n"
    step = _indent_at(text, root.members[0].start) if root.members else None
    return Style(step or _INDENT, newline)


def _indent_at(text: str, place: int) -> str | None:
    """The blanks before this place where nothing else stands before it on its line, else None."""
    before = text[text.rfind("\n", 0, place) + 1 : place]
    return before if not before.strip(" \t\ufeff") else None


def _line_indent(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _dumped(value: JsonValue, indent: str | None, style: Style) -> str:
    if indent is None:
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, indent=style.step, ensure_ascii=False).replace("\n", style.newline + indent)


def _added(text: str, node: Node, name: str, value: JsonValue, style: Style) -> str:
    if node.members:
        return _appended(text, node.members[-1], name, value, style)
    outer = _line_indent(text, node.start)
    indent = outer + style.step
    member = f"{style.newline}{indent}{json.dumps(name, ensure_ascii=False)}: {_dumped(value, indent, style)}"
    inside = text[node.start + 1 : node.end - 1]
    rest = inside if inside.strip() else style.newline + outer
    return f"{text[: node.start + 1]}{member}{rest}{text[node.end - 1 :]}"


def _appended(text: str, last: Member, name: str, value: JsonValue, style: Style) -> str:
    indent = _indent_at(text, last.start)
    member = f"{json.dumps(name, ensure_ascii=False)}: {_dumped(value, indent, style)}"
    lead = " " if indent is None else style.newline + indent
    comma, line_end = _rest_of_line(text, last.node.end)
    if indent is None and not comma:
        line_end = last.node.end
    between = text[last.node.end : line_end]
    return f"{text[: last.node.end]}{'' if comma else ','}{between}{lead}{member}{text[line_end:]}"


def _removed(text: str, node: Node, member: Member) -> str:
    place = node.members.index(member)
    comma, end = _rest_of_line(text, member.node.end)
    if not comma:
        end = member.node.end
    start = member.start
    if _indent_at(text, start) is not None:
        start = max(text.rfind("\n", 0, start), node.start + 1)
        start -= text[start - 1 : start + 1] == "\r\n"
    elif comma:
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    left = text[:start] + text[end:]
    if place and place == len(node.members) - 1:
        comma_at = _comma(text, node.members[place - 1].node.end)
        left = left[:comma_at] + left[comma_at + 1 :]
    if len(node.members) == 1:
        close = node.end - 1 - (end - start)
        if not left[node.start + 1 : close].strip():
            left = left[: node.start + 1] + left[close:]
    return left


def _rest_of_line(text: str, at: int) -> tuple[bool, int]:
    """Whether a comma follows the value that ends here, and the end of what belongs to it on its line."""
    comma, end = False, at
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text[at] == "," and not comma:
            comma, at = True, at + 1
            end = at
        elif text.startswith("//", at):
            line_end = text.find("\n", at)
            return comma, len(text[:line_end].rstrip("\r")) if line_end >= 0 else len(text)
        elif text.startswith("/*", at):
            at = text.index("*/", at + 2) + 2
            end = at
        else:
            break
    return comma, end


def _comma(text: str, at: int) -> int:
    """Where the comma after the value that ends here is; between them only blanks and comments can be."""
    while text[at] != ",":
        if text.startswith("//", at):
            at = text.index("\n", at)
        elif text.startswith("/*", at):
            at = text.index("*/", at + 2) + 2
        else:
            at += 1
    return at
