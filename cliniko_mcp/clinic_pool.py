"""The apps of the clinics of a server for many: one a clinic, in its key, with a log of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import anyio

from cliniko_mcp.app import App, audit_log
from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.directory.clinics import ClinicEntry, Clinics, opened_key
from cliniko_mcp.errors import ConfigurationError, KeyRefused
from cliniko_mcp.guards.acts import Page
from cliniko_mcp.guards.hash_chain import HashChain
from cliniko_mcp.guards.log import LocalLog
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.shared_parts import shared_parts
from cliniko_mcp.identity.person import Person
from cliniko_mcp.open_apps import OpenApps
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.connection import SharedState
from cliniko_mcp.shared_state.keys import KeyRing

REFUSED_SECONDS: Final = 300.0
"""How long a key that Cliniko refused is not tried again, unless another one is given."""
_LOG = logging.getLogger(__name__)


class ClinicPool:
    """Gives each person the app of the clinic that their request is for, by `Person.clinic`."""

    def __init__(
        self,
        settings: Settings,
        clinics: Clinics,
        ring: KeyRing,
        state: SharedState | None,
        apps: OpenApps,
        page: Page | None = None,
        monotonic: Callable[[], float] = anyio.current_time,
    ) -> None:
        """`settings` are for what a clinic leaves out; `state` is what replicas share, `page` where people
        answer questions."""
        self._settings = settings
        self._clinics = clinics
        self._ring = ring
        self._state = state
        self._page = page
        self._monotonic = monotonic
        self._refused: dict[str, tuple[int, float]] = {}
        self._seen = clinics.known
        self.apps = apps

    async def app_of(self, person: Person | None) -> App:
        """The app of the clinic that was chosen for this person. Raises KeyRefused where it has no key that is good."""
        self._close_changed()
        entry = self._clinics.get(person.clinic) if person is not None else None
        if entry is None or (person is not None and not entry.lets_in(person)):
            raise KeyRefused("This person may not work in this clinic here.", _ASK)
        version, until = self._refused.get(entry.account, (0, 0.0))
        if version == entry.version and self._monotonic() < until:
            raise self._no_good()
        return await self.apps.app(entry.account, entry.version, lambda: self._made(entry))

    def _close_changed(self) -> None:
        """Close the apps of clinics that were taken out of the file, or are asked otherwise, since it was last seen."""
        known, before = self._clinics.known, self._seen
        if known is not before:
            self._seen = known
            for id, entry in before.items():
                if (now := known.get(id)) is None or not now.served_like(entry):
                    self.apps.close(entry.account)

    def _made(self, entry: ClinicEntry) -> tuple[Settings, Parts]:
        try:
            settings = entry.settings(self._settings, opened_key(self._ring, entry))
        except ConfigurationError as problem:
            _LOG.error("%s", problem.message)
            raise self._no_good() from None
        log = LocalLog(HashChain(log_of(self._settings, entry.id)))
        if self._state is None:
            return settings, Parts(self._ring, entry.account, log=log, page=self._page, network=self.apps.network)
        return settings, shared_parts(
            self._state,
            self._ring,
            entry.account,
            per_minute=settings.pace,
            log=log,
            page=self._page,
            network=self.apps.network,
        )

    async def questions(self, person: Person) -> list[ClinicQuestions]:
        """The questions of the clinics in which this person works."""
        found: list[ClinicQuestions] = []
        for entry in self._clinics.known.values():
            if entry.lets_in(person):
                with suppress(KeyRefused):
                    ledger = await (await self.app_of(replace(person, clinic=entry.id))).questions()
                    strict = entry.strict(self._settings)
                    found.append(ClinicQuestions(ledger, strict=strict, second=entry.approve_by == "second"))
        return found

    async def key_refused(self, person: Person | None, problem: KeyRefused) -> KeyRefused:
        """What a person is told whose clinic's key Cliniko refused; it is not tried again for some minutes."""
        entry = self._clinics.get(person.clinic) if person is not None else None
        if entry is None:
            return problem
        _LOG.error("Cliniko refuses the key of the clinic %s: `cliniko-mcp clinics rotate %s`", entry.id, entry.id)
        self._refused[entry.account] = entry.version, self._monotonic() + REFUSED_SECONDS
        self.apps.close(entry.account)
        return self._no_good()

    @staticmethod
    def _no_good() -> KeyRefused:
        return KeyRefused("The key with which this server works in the clinic is not accepted any more.", _ASK)


_ASK: Final = "Tell the person to ask whoever looks after this server."


def log_of(settings: Settings, clinic: str) -> Path:
    """The file of a clinic's audit log, beside the server's own: `audit-north.jsonl`."""
    path = audit_log(settings).path
    return path.with_name(f"{path.stem}-{clinic}{path.suffix}")
