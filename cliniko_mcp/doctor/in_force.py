"""Which settings are in force, and where each comes from: a flag, a variable, what is kept here, or the default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.redaction import SECRETS
from cliniko_mcp.sanitize import clean
from cliniko_mcp.settings import SECRET_SETTINGS, Settings, flag, variable

Origin = Literal["flag", "environment", "file", "keychain", "default"]

_MAX_CHARACTERS: Final = 200
_PASSWORD: Final = re.compile(r"//[^/@\s]*@")
_IN_WORDS: Final[Mapping[Origin, str]] = {
    "file": "kept by login in a file",
    "keychain": "kept by login in this computer's keychain",
    "default": "default",
}


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting, its value in words, never a secret, and where it comes from."""

    name: str
    value: str
    origin: Origin
    where: str
    """The flag, the variable, or words for the place."""

    def as_json(self) -> dict[str, str]:
        """The object that `cliniko-mcp doctor --json` prints: setting, value, origin and where, all texts."""
        return {"setting": self.name, "value": self.value, "origin": self.origin, "where": self.where}


def in_force(settings: Settings, from_flags: frozenset[str]) -> list[SettingInForce]:
    """Every setting in the order of `--help`; `from_flags` are those that a flag gave."""
    return [_set_or_kept(name, value, settings, from_flags) for name, value in settings]


def _set_or_kept(name: str, found: object, settings: Settings, from_flags: frozenset[str]) -> SettingInForce:
    value = _in_words(name, found)
    if name in from_flags:
        return SettingInForce(name, value, "flag", flag(name))
    if name in settings.model_fields_set:
        return SettingInForce(name, value, "environment", variable(name))
    if name in ("api_key", "contact_email") and not settings.sandbox:
        return _kept(name, settings)
    return SettingInForce(name, value, "default", _IN_WORDS["default"])


def _kept(name: str, settings: Settings) -> SettingInForce:
    from cliniko_mcp.stored_keys import kept

    try:
        found = kept()
    except ConfigurationError as problem:
        return SettingInForce(name, f"cannot be read: {problem.message}", "file", _IN_WORDS["file"])
    if name == "contact_email" and found.contact_email:
        return SettingInForce(name, clean(found.contact_email, _MAX_CHARACTERS), "file", _IN_WORDS["file"])
    if name == "api_key" and found.key and found.place:
        unused = ", but not used with --base-url" if settings.base_url else ""
        return SettingInForce(name, f"set{unused}", found.place, _IN_WORDS[found.place])
    return SettingInForce(name, "not set", "default", _IN_WORDS["default"])


def _in_words(name: str, value: object) -> str:
    if value is None or value == () or value == "":
        return "not set"
    if name in SECRET_SETTINGS:
        return "set"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return clean(SECRETS.text(_PASSWORD.sub("//", text)), _MAX_CHARACTERS)
