"""The secrets of this process, the API key and the bearer token, struck out of every text that enters or leaves.

What Cliniko or a proxy before it answers may repeat the request, and with it the key: in the text of a field, in its
name, in an error, in a dump of headers. It is struck out as it enters, before anything is cut short, because half a key
would no longer be found; and again where a text leaves.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

STRUCK_OUT: Final = "[struck out]"
MIN_LENGTH: Final = 7
"""Characters. What is shorter is no key of Cliniko's and would be struck out of ordinary words."""

_CONTROLS: Final = "bfnrtuBFNRTU"
"""After a backslash these stand for control characters or begin a code, and are no escape of a letter."""
_NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_MARKS: Final = "%\\&"
"""Every escape begins with one of these."""
_MANY: Final = 64
"""Where one character in so many is such a mark, the whole text is looked through at once."""
_BASE64: Final = r"[\w+/=%-]*"


class Redaction:
    """Knows secrets and strikes them out, however they are written: raw, in the Base64 of Basic authentication,
    URL-quoted, or with the escapes of JSON and HTML; upper and lower case are alike."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._probes: tuple[bytes, ...] = ()
        self._escape = re.compile("(?!)")
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secret: str) -> None:
        """Strike this out from now on. Anything shorter than a key is not taken."""
        secret = secret.strip()
        if len(secret) < MIN_LENGTH or secret in self._secrets:
            return
        self._secrets.add(secret)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        stems = [stem for known in longest_first for stem in _stems(known)]
        forms = [_escaped(known) for known in longest_first] + [f"{_escaped(stem)}{_BASE64}" for stem in stems]
        self._probes = tuple(form.encode(errors="replace").lower() for form in (*longest_first, *stems))
        self._escape = _escape_of_any("".join((*longest_first, *stems)))
        self._pattern = re.compile("|".join(forms), re.IGNORECASE | re.ASCII)

    def text(self, text: str) -> str:
        """The text without the secrets, in time linear in its length."""
        return self._pattern.sub(STRUCK_OUT, text) if self._pattern and self._suspect(text) else text

    def holds(self, text: str) -> bool:
        """Whether something would be struck out of the text, which may be a whole document of JSON."""
        return self._pattern is not None and self._suspect(text) and self._pattern.search(text) is not None

    def json(self, value: JsonValue) -> JsonValue:
        """The value with every text in it struck, names of fields too; the same value where nothing is."""
        return self._struck(value) if self.holds(to_json(value).decode()) else value

    def object(self, fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The JSON object with every text in it struck, names of fields too."""
        if not self.holds(to_json(fields).decode()):
            return {**fields}
        return {self.text(name): self._struck(item) for name, item in fields.items()}

    def _struck(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._struck(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self._struck(item) for name, item in value.items()}
        return value

    def _suspect(self, text: str) -> bool:
        folded = text.encode(errors="replace").lower()  # ten times as fast as the same of text that is not plain
        for probe in self._probes:
            if probe in folded:
                return True
        for mark in _MARKS:
            if text.count(mark) * _MANY > len(text):
                return self._escape.search(text) is not None
            at = text.find(mark)
            while at >= 0:
                if self._escape.match(text, at) is not None:
                    return True
                at = text.find(mark, at + 1)
        return False


def _stems(secret: str) -> Iterator[str]:
    """Yield what the Base64 of the secret, with or without what follows it, has in common; both alphabets."""
    whole = secret.encode()
    stem = b64encode(whole[: len(whole) // 3 * 3]).decode()
    yield stem
    if (other := stem.translate(str.maketrans("+/", "-_"))) != stem:
        yield other


def _escape_of_any(characters: str) -> re.Pattern[str]:
    """A pattern of the beginning of every escape of one of these characters. A text without one, in which no secret is
    written raw, holds none: what answers are full of, such as the escaped quotes of HTML in JSON, is no such escape."""
    known = sorted({*characters.lower(), *characters.upper()})
    codes = {ord(character) for character in known}
    hexadecimal = "|".join(f"{code:02x}" for code in sorted(codes))
    html = [rf"\#0*(?:{'|'.join(map(str, sorted(codes)))});", rf"\#x0*(?:{hexadecimal});"]
    html += [f"{_NAMED[character]};" for character in known if character in _NAMED]
    any_of = "".join(map(re.escape, known))
    letters = "".join(re.escape(character) for character in known if character not in _CONTROLS)
    after_backslash = [f"u(?:{'|'.join(f'{code:04x}' for code in sorted(codes))})", rf"\\[{any_of}]"]
    after_backslash += [f"[{letters}]"] if letters else []
    return re.compile(
        rf"%(?:25)*(?:{hexadecimal})|\\(?:{'|'.join(after_backslash)})|&(?:amp;)*(?:{'|'.join(html)})",
        re.IGNORECASE | re.ASCII,
    )


def _escaped(secret: str) -> str:
    """A pattern of the secret in which every character may stand as an escape of an address, of JSON or of HTML."""
    return "".join(map(_escaped_character, secret))


def _escaped_character(character: str) -> str:
    code = ord(character)
    named = f"|{_NAMED[character]}" if character in _NAMED else ""
    html = rf"&(?:amp;){{0,4}}(?:\#0*{code}|\#x0*{code:x}{named});"
    return rf"\\{{0,8}}(?:{re.escape(character)}|%(?:25){{0,4}}{code:02x}|u{code:04x}|{html})"


SECRETS: Final = Redaction()
"""Those of this process, whichever part of it learnt them."""
