"""Who may log in: the clinic, and within it people by email or role. Without a rule nobody may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cliniko_mcp.directory.whose import Whose
from cliniko_mcp.errors import ConfigurationError

KINDS: Final = ("account", "shard", "email", "role")
ROLES: Final = ("administrator", "power receptionist", "receptionist", "practitioner", "bookkeeper", "scheduler")
"""Of Cliniko's users (docs/cliniko-api.md)."""
Rule = tuple[str, str]


def parse_rule(text: str) -> Rule:
    """A rule such as account:4711, email:ana@clinic.example or role:receptionist.

    Raises ConfigurationError for anything else.
    """
    kind, _, value = text.strip().partition(":")
    kind, value = kind.strip().lower(), " ".join(value.split()).lower()
    good = bool(value) and kind in KINDS
    if kind == "account":
        good = good and value.isdigit() and value.isascii()
    if kind == "role" and value not in ROLES:
        raise ConfigurationError(f"{text}: Cliniko's roles are {', '.join(ROLES)}")
    if not good:
        raise ConfigurationError(f"{text}: who may log in is said as account:NUMBER, shard:au1, email:… or role:…")
    return kind, value


def admits(rules: Iterable[Rule], whose: Whose) -> bool:
    """Whether somebody may log in: one rule of each kind that is named has to fit, and the clinic has to be named."""
    by_kind: dict[str, set[str]] = {}
    for kind, value in rules:
        by_kind.setdefault(kind, set()).add(value)
    own = {"account": whose.account, "shard": whose.shard, "email": whose.email.lower(), "role": whose.role.lower()}
    return "account" in by_kind and all(own[kind] in values for kind, values in by_kind.items())


def rules_of(texts: Sequence[str], kept: Sequence[Rule]) -> list[Rule]:
    """The rules of the command line together with those that are kept. Raises ConfigurationError for a wrong one."""
    return [*map(parse_rule, texts), *kept]
