"""The secrets of this process, the API key and the bearer token, struck out of every text that enters or leaves.

What Cliniko or a proxy before it answers may repeat the request, and with it the key: in the text of a field, in its
name, in an error, in a dump of headers. It is struck out as it enters, before anything is cut short, because half a key
would no longer be found; and again where a text leaves.
"""

import re
import sys
from array import array
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

STRUCK_OUT: Final = "[struck out]"
MIN_LENGTH: Final = 7
"""Characters. What is shorter is no key of Cliniko's and would be struck out of ordinary words."""

_CONTROLS: Final = "bfnrtuBFNRTU"
"""After a backslash these stand for control characters or begin a code, and are no escape of a letter."""
_NAMED: Final = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_BY_NAME: Final = {name: character for character, name in _NAMED.items()}
_MARKS: Final = "%\\&"
"""Every escape begins with one of these."""
_MANY: Final = 64
"""Where one character in so many is such a mark, the whole text is looked through at once."""
_BASE64: Final = r"[\w+/=%-]*"


_FEW: Final = 16
"""So many secrets are each looked for by themselves; the keys of many clinics by an index of them."""
_BLOCK: Final = 8
_LONG: Final = 2 * _BLOCK - 1
"""Characters. Wherever a piece of this length stands in a text, a whole aligned block lies within it."""
_READINGS: Final = 6


class _Index:
    """Which of many secrets a text holds, found in a time that does not grow with their number.

    The text is cut into blocks of eight bytes, and those that a secret's end may give are looked up.
    """

    def __init__(self) -> None:
        self._blocks: dict[int, list[tuple[bytes, str]]] = {}
        self._short: list[tuple[bytes, str]] = []

    def add(self, secret: str) -> None:
        """Look for this one too."""
        written = (secret, *_stems(secret))
        for form in dict.fromkeys((*written, *map(_read, written))):
            probe = _folded(form)
            if len(probe) < _LONG:
                self._short.append((probe, secret))
                continue
            for start in range(len(probe) - _LONG, len(probe) - _BLOCK + 1):
                block = int.from_bytes(probe[start : start + _BLOCK], sys.byteorder)
                self._blocks.setdefault(block, []).append((probe, secret))

    def found(self, folded: bytes) -> set[str]:
        """The secrets that are written in this text raw or in Base64."""
        blocks = array("Q")
        blocks.frombytes(folded[: len(folded) // _BLOCK * _BLOCK])
        secrets = {secret for probe, secret in self._short if probe in folded}
        if not self._blocks.keys().isdisjoint(blocks):
            near = (pair for block in blocks for pair in self._blocks.get(block, ()))
            secrets |= {secret for probe, secret in near if probe in folded}
        return secrets


class Redaction:
    """Knows secrets and strikes them out, however they are written: raw, in the Base64 of Basic authentication,
    URL-quoted, or with the escapes of JSON and HTML; upper and lower case are alike."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._characters: set[str] = set()
        self._probes: tuple[bytes, ...] = ()
        self._escape = re.compile("(?!)")
        self._longest_first: tuple[str, ...] = ()
        self._index: _Index | None = None

    def learn(self, secret: str) -> None:
        """Strike this out from now on. Anything shorter than a key is not taken."""
        secret = secret.strip()
        if len(secret) < MIN_LENGTH or secret in self._secrets:
            return
        self._secrets.add(secret)
        stems = list(_stems(secret))
        new = {*"".join((secret, *stems)).lower()} - self._characters
        if new:
            self._characters |= new
            self._escape = _escape_of_any(self._characters)
        if self._index is not None:
            self._index.add(secret)
        elif len(self._secrets) > _FEW:
            self._index = _Index()
            for known in self._secrets:
                self._index.add(known)
        else:
            self._probes = (*self._probes, *map(_folded, (secret, *stems)))
            self._longest_first = tuple(sorted(self._secrets, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text without the secrets, in time linear in its length."""
        for pattern in self._patterns(text):
            text = pattern.sub(STRUCK_OUT, text)
        return text

    def holds(self, text: str) -> bool:
        """Whether something would be struck out of the text, which may be a whole document of JSON."""
        return any(pattern.search(text) is not None for pattern in self._patterns(text))

    def _patterns(self, text: str) -> Sequence[re.Pattern[str]]:
        """What finds the secrets that may be in this text: nothing for most texts."""
        folded = _folded(text)
        if self._index is None:
            suspect = any(probe in folded for probe in self._probes) or self._escapes(text)
            return (_pattern_of(*self._longest_first),) if suspect and self._longest_first else ()
        secrets = self._index.found(folded)
        if self._escapes(text):
            secrets |= self._index.found(_folded(_read(text)))
        return [_pattern_of(secret) for secret in sorted(secrets, key=len, reverse=True)]

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

    def _escapes(self, text: str) -> bool:
        """Whether a character of a secret is written in the text as an escape."""
        for mark in _MARKS:
            if text.count(mark) * _MANY > len(text):
                return self._escape.search(text) is not None
            at = text.find(mark)
            while at >= 0:
                if self._escape.match(text, at) is not None:
                    return True
                at = text.find(mark, at + 1)
        return False


def _folded(text: str) -> bytes:
    return text.encode(errors="replace").lower()  # ten times as fast as the same of text that is not plain


@lru_cache(256)
def _pattern_of(*secrets: str) -> re.Pattern[str]:
    """What finds these secrets, the longest first, in every form."""
    stems = [stem for secret in secrets for stem in _stems(secret)]
    forms = [_escaped(secret) for secret in secrets] + [f"{_escaped(stem)}{_BASE64}" for stem in stems]
    return re.compile("|".join(forms), re.IGNORECASE | re.ASCII)


def _read(text: str) -> str:
    """The text with every escape read, also those within escapes, and no backslash left."""
    for _ in range(_READINGS):
        before, text = text, _ESCAPE.sub(_character, text)
        if text == before:
            break
    return text


_ESCAPE: Final = re.compile(
    r"%(?:25)*([0-9a-f]{2})|\\+u([0-9a-f]{4})|\\+"
    r"|&(?:amp;)*(?:\#0*(\d{1,7});|\#x0*([0-9a-f]{1,6});|(amp|lt|gt|quot|apos);)",
    re.IGNORECASE | re.ASCII,
)


def _character(escape: re.Match[str]) -> str:
    quoted, unicode, decimal, hexadecimal, name = escape.groups()
    if name:
        return _BY_NAME[name.lower()]
    code = int(decimal) if decimal else int(quoted or unicode or hexadecimal or "0", 16)
    return chr(code) if 0 < code < 0x110000 else ""


def _stems(secret: str) -> Iterator[str]:
    """Yield what the Base64 of the secret, with or without what follows it, has in common; both alphabets."""
    whole = secret.encode()
    stem = b64encode(whole[: len(whole) // 3 * 3]).decode()
    yield stem
    if (other := stem.translate(str.maketrans("+/", "-_"))) != stem:
        yield other


def _escape_of_any(characters: Set[str]) -> re.Pattern[str]:
    """A pattern of the beginning of every escape of one of these characters. A text without one, in which no secret is
    written raw, holds none: what answers are full of, such as the escaped quotes of HTML in JSON, is no such escape."""
    known = sorted({cased for character in characters for cased in (*character.lower(), *character.upper())})
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
