"""What an entry that `install` replaces was set to: what of it is kept, and what the new entry loses against it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cliniko_mcp.errors import ConfigurationError, JsonValue
from cliniko_mcp.settings import ENVIRONMENT_NAMES, PREFIX, SECRET_SETTINGS, Settings, flag

PASSED_SETTINGS: Final = (
    "view",
    "resources",
    "tools",
    "exclude_tools",
    "read_only",
    "confirm",
    "approval_wait",
    "output",
    "sandbox",
    "upload_folder",
    "audit_file",
    "audit_copy",
)
"""The settings that `install` takes and passes to the server through the host's configuration."""
KEPT_SETTINGS: Final = ("view", "resources", "tools", "exclude_tools", "read_only", "confirm", "audit_file")
"""The settings that limit what an assistant may do or that record it: a new entry keeps them unless told otherwise."""
_WRITTEN_BY_INSTALL: Final = frozenset({"type", "command", "args", "env", "tools"})


@dataclass(frozen=True, slots=True)
class PreviousEntry:
    """An entry as it was before `install`."""

    settings: Settings
    """The settings of its flags and of its environment; `model_fields_set` names those that it sets."""
    other_program: str = ""
    """What it started where that was not this server; else empty."""
    other_flags: tuple[str, ...] = ()
    """The names of its flags that belong to no setting."""
    other_environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Its variables that are not this program's, such as SSL_CERT_FILE."""
    held_key: bool = False
    """Whether it gave the server the API key."""
    other_members: tuple[str, ...] = ()
    """The names of what else the host or a person has put into it, such as `disabled`."""

    def arguments(self) -> list[str]:
        """The arguments of `install` that make an entry with the same settings, as far as it takes them."""
        found = self.settings.model_dump(include={*PASSED_SETTINGS}, exclude_unset=True)
        return [argument for name, value in found.items() for argument in arguments_of(name, value)]

    def kept(self) -> dict[str, object]:
        """The values to keep, by setting."""
        found = self.settings.model_dump(include={*KEPT_SETTINGS}, exclude_unset=True)
        return {name: value for name, value in found.items() if value != Settings.model_fields[name].default}


def previous_entry(entry: JsonValue) -> PreviousEntry | None:
    """What this entry was set to; None where there is none.

    Raises ConfigurationError where its flags or variables cannot be read as settings.
    """
    if not isinstance(entry, dict):
        return None
    found = entry.get("args")
    arguments = [str(argument) for argument in found] if isinstance(found, list) else []
    serves = "serve" in arguments
    flags, unknown = _flags(arguments[arguments.index("serve") + 1 :] if serves else [])
    variables = entry.get("env")
    environment = {name: str(value) for name, value in variables.items()} if isinstance(variables, dict) else {}
    ours = {name: value for name, value in environment.items() if _is_ours(name)}
    try:
        settings = Settings.load(flags, ours)
    except ConfigurationError as problem:
        raise ConfigurationError(
            f"what the present entry was set to cannot be read: {problem.message}.",
            "Correct it in that file, or take it out with --uninstall; then run install again.",
        ) from None
    return PreviousEntry(
        settings=settings,
        other_program="" if serves else str(entry.get("command", "")),
        other_flags=tuple(argument.partition("=")[0] for argument in unknown if argument.startswith("-")),
        other_environment={name: value for name, value in environment.items() if not _is_ours(name)},
        held_key=bool(ours.get(ENVIRONMENT_NAMES["api_key"])),
        other_members=tuple(name for name in entry if name not in _WRITTEN_BY_INSTALL),
    )


def differences(before: PreviousEntry, after: Settings) -> Iterator[str]:
    """Yield a sentence for everything that the entry loses against what it was, most serious first."""
    old, new = before.settings, after.model_dump()
    if before.other_program:
        yield f"It started another program before: {before.other_program}."
    if old.sandbox and not after.sandbox:
        yield "It worked in the demo clinic (--sandbox); now it works in your own clinic."
    elif after.sandbox and not old.sandbox:
        yield "It worked in your own clinic; now it works in the demo clinic (--sandbox)."
    gone: list[str] = []
    for name, value in old.model_dump(exclude_unset=True).items():
        usual: object = Settings.model_fields[name].default
        if name in ("sandbox", "contact_email", *SECRET_SETTINGS) or value in (usual, new[name]):
            continue
        if new[name] == usual and name not in after.model_fields_set:
            gone.append(as_flag(name, value))
        else:
            yield f"{as_flag(name, value)} is now {as_flag(name, new[name]) or 'off'}."
    gone += before.other_flags
    if gone:
        yield f"No longer set: {', '.join(gone)}."
    if before.other_members:
        yield f"No longer in the entry: {', '.join(before.other_members)}."


def as_flag(name: str, value: object) -> str:
    """A setting as it stands on a command line; empty for a switch that is off."""
    return " ".join(arguments_of(name, value))


def arguments_of(name: str, value: object) -> list[str]:
    """The arguments that set this setting; none for a switch that is off and for an empty list of names."""
    match value:
        case bool():
            return [flag(name)] if value else []
        case tuple():
            names = ",".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
            return [flag(name), names] if names else []
        case float():
            return [flag(name), f"{value:g}"]
        case _:
            return [flag(name), str(value)]


def _flags(arguments: Sequence[str]) -> tuple[dict[str, object], list[str]]:
    """The settings that these arguments set, and the arguments that set none."""
    known = {flag(name): name for name in Settings.model_fields if name not in SECRET_SETTINGS}
    flags: dict[str, object] = {}
    unknown: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        head, joined, value = argument.partition("=")
        name = known.get(head)
        if name is None:
            unknown.append(argument)
        elif Settings.model_fields[name].annotation is bool:
            flags[name] = True
        else:
            flags[name] = value if joined else next(rest, "")
    return flags, unknown


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIX) or variable in ENVIRONMENT_NAMES.values()
