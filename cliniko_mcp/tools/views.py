"""Which tools a run lists and which it refuses: fixed at start, the same for every client and transport."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cliniko_mcp.errors import ConfigurationError
from cliniko_mcp.settings import Settings
from cliniko_mcp.tools.index import Entry, entries

META: Final = ("count_records", "cliniko_describe", "cliniko_read", "cliniko_write", "cliniko_destroy")
CORE: Final = frozenset(
    {
        "clinic_overview",
        "find_patients",
        "find_times",
        "book_appointment",
        "move_appointment",
        "cancel_appointment",
        "show_diary",
        "block_time",
        "set_attendance",
        "fill_gap",
        "patient_brief",
        "report",
        "write_treatment_note",
        "register_patient",
        "get_patient",
        "list_patients",
        "list_individual_appointments",
        "get_individual_appointment",
        *META,
    }
)
"""What the core view lists: the curated and catalogue tools of a day at the desk, and the operations used most."""


@dataclass(frozen=True, slots=True)
class View:
    """The tools of one run: `listed` in order, `excluded`, which no route may reach, and what read-only refuses."""

    listed: tuple[str, ...]
    excluded: frozenset[str]
    changing: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    """What `--exclude-tools` takes away: nobody may do it, not even a tool that was offered by name."""
    named: frozenset[str] = frozenset()
    """Tools offered by name whose work takes more than the names say: curated tools and the deprecated."""

    def excluded_from(self, tool: str) -> frozenset[str]:
        """What this tool may not do: an allow-list that names a curated tool lets it do its whole work."""
        return self.forbidden if tool in self.named else self.excluded


def view_of(settings: Settings) -> View:
    """The view that these settings ask for.

    Raises ConfigurationError for a tool or resource name that does not exist.
    """
    known = entries()
    resources = {entry.resource for entry in known.values() if entry.resource}
    _check("--resources", settings.resources, resources)
    for flag, names in (("--tools", settings.tools), ("--exclude-tools", settings.exclude_tools)):
        _check(flag, names, known.keys())
    can_be_allowed = {
        name
        for name, entry in known.items()
        if entry.kind == "operation" and (entry.risk == "destructive" or name.startswith("update_"))
    }
    _check("--allow-destroy", settings.allow_destroy, can_be_allowed, "archive, delete, cancel or update operation ")
    allowed = _allowed(settings, known)
    excluded = frozenset(known.keys() - allowed)
    narrowed = bool(settings.resources or settings.tools)
    shown = allowed if narrowed or settings.view == "all" else allowed & CORE
    listed = (
        name for name, entry in known.items() if name in shown and (name in settings.tools or not entry.deprecated)
    )
    changing = frozenset[str]()
    if settings.read_only:
        changing = frozenset(name for name, entry in known.items() if entry.changes)
    named = frozenset(name for name in settings.tools if known[name].kind == "curated" or known[name].deprecated)
    return View(
        tuple(name for name in listed if name not in changing), excluded, changing, _forbidden(settings, known), named
    )


def _allowed(settings: Settings, known: Mapping[str, Entry]) -> frozenset[str]:
    allowed = set(known)
    if settings.resources or settings.tools:
        allowed = {name for name, entry in known.items() if entry.resource in settings.resources}
        allowed |= {*settings.tools, *META}
    forbidden = _forbidden(settings, known)
    return frozenset(name for name in allowed - forbidden if forbidden.isdisjoint(known[name].needs))


def _forbidden(settings: Settings, known: Mapping[str, Entry]) -> frozenset[str]:
    names = set(settings.exclude_tools)
    return frozenset(name for name, entry in known.items() if not names.isdisjoint((name, entry.replaced_by)))


def _check(flag: str, names: Iterable[str], known: Iterable[str], what: str = "") -> None:
    if unknown := sorted(set(names) - set(known)):
        raise ConfigurationError(
            f"{flag}: there is no {what}{', '.join(unknown)}; `cliniko-mcp tools --view all` lists what there is"
        )
