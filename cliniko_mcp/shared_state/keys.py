"""The operator's secrets, from which every key of the hosted mode is derived, and what is sealed with those.

A ring holds secrets, the newest first: the first seals, and all of them open. To put a new one in without losing what
the old one sealed: add it as the second everywhere, then put it first everywhere, then drop the old one.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cliniko_mcp.errors import ConfigurationError

_MIN_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class Unsealable(Exception):
    """What was not sealed here, under this ring, for this purpose and account, or was altered."""


class KeyRing:
    """Keys by purpose and account, derived from the ring by HKDF-SHA256 (RFC 5869); seals by AES-256-GCM."""

    def __init__(self, secrets: Sequence[bytes], random: Callable[[int], bytes]) -> None:
        """`secrets` are of 32 bytes or more, the newest first; `random` gives so many random bytes.

        Raises ConfigurationError for a ring without secrets and for a secret that is too short or stands there twice.
        """
        if not secrets:
            raise ConfigurationError("the key ring is empty: it needs a secret of at least 32 bytes")
        if any(len(secret) < _MIN_BYTES for secret in secrets):
            raise ConfigurationError("a secret of the key ring is shorter than 32 bytes: openssl rand -base64 48")
        if len(set(secrets)) < len(secrets):
            raise ConfigurationError("a secret stands twice in the key ring")
        self._secrets = tuple(secrets)
        self.random: Final = random
        """Gives so many random bytes."""
        self._ciphers: dict[tuple[str, str], tuple[AESGCM, ...]] = {}

    def derived(self, purpose: str, account: str = "") -> Sequence[bytes]:
        """The keys for this purpose and account, 32 bytes each: the first seals, and all of them open."""
        info = f"cliniko-mcp\0{purpose}\0{account}".encode()
        return tuple(HKDF(SHA256(), 32, salt=None, info=info).derive(secret) for secret in self._secrets)

    @property
    def newest(self) -> "KeyRing":
        """A ring with the first secret alone."""
        return KeyRing(self._secrets[:1], self.random)

    def seal(self, text: bytes, purpose: str, account: str = "", *, bound: bytes = b"") -> bytes:
        """The text so that only this ring can read it, for the same purpose and account, `bound` to the same bytes."""
        nonce = self.random(_NONCE_BYTES)
        return nonce + self._for(purpose, account)[0].encrypt(nonce, text, bound)

    def unseal(self, sealed: bytes, purpose: str, account: str = "", *, bound: bytes = b"") -> bytes:
        """The text that was sealed. Raises Unsealable for anything else."""
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            raise Unsealable
        for cipher in self._for(purpose, account):
            try:
                return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
            except InvalidTag:
                continue
        raise Unsealable

    def _for(self, purpose: str, account: str) -> tuple[AESGCM, ...]:
        ciphers = self._ciphers.get((purpose, account))
        if ciphers is None:
            if len(self._ciphers) >= _MAX_KEPT:
                self._ciphers.clear()
            ciphers = tuple(AESGCM(key) for key in self.derived(purpose, account))
            self._ciphers[purpose, account] = ciphers
        return ciphers


_MAX_KEPT: Final = 10_000


def secret_bytes(text: str) -> bytes:
    """The bytes of a secret: those that the text stands for, where it is base64 of 32 bytes or more, else its own."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    return found if len(found) >= _MIN_BYTES else text.encode()
