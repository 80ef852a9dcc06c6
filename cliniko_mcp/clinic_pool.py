"""The apps of the clinics of a server for many: one a clinic, in its key, or one a person where each has their own."""

from __future__ import annotations

import logging
import secrets  # noqa: TID251 - questions are not to be guessed
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import anyio

from cliniko_mcp.app import App
from cliniko_mcp.approvals.clinic_questions import ClinicQuestions
from cliniko_mcp.approvals.ledger import Ledger, LocalLedger
from cliniko_mcp.approvals.question_table import MAX_SHOWN_APART, Questions
from cliniko_mcp.directory.clinics import ClinicEntry, Clinics, opened_key
from cliniko_mcp.directory.login_log import LoginLog
from cliniko_mcp.directory.person_keys import PersonKeys, Proofs
from cliniko_mcp.errors import ConfigurationError, KeyRefused, NotLinked
from cliniko_mcp.guards.acts import Page
from cliniko_mcp.guards.clinic_logs import ClinicLogs
from cliniko_mcp.guards.elsewhere import Beside
from cliniko_mcp.guards.parts import Parts
from cliniko_mcp.guards.shared_parts import shared_ledger, shared_parts
from cliniko_mcp.guards.turns import Turns
from cliniko_mcp.identity.person import Person
from cliniko_mcp.open_apps import OpenApps
from cliniko_mcp.settings import Settings
from cliniko_mcp.shared_state.connection import SharedState
from cliniko_mcp.shared_state.directory import KeyRow
from cliniko_mcp.shared_state.keys import KeyRing
from cliniko_mcp.shared_state.logins import LoginEvent

REFUSED_SECONDS: Final = 300.0
"""How long a key that Cliniko refused is not tried again, unless another one is given."""
_LOG = logging.getLogger(__name__)


def wall_clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)  # noqa: TID251 - tokens, codes and questions of many clinics expire in real time


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """What a server for many has for people who work in keys of their own."""

    keys: PersonKeys
    proofs: Proofs
    address: str | None
    """Where people give their key, `https://mcp.example.org/connect`; None where nobody can log in there."""


@dataclass(frozen=True, slots=True)
class _Clinic:
    """What the apps of one clinic, whose people work in keys of their own, have together in this process."""

    ledger: Ledger
    locks: Turns = field(default_factory=Turns)
    beside: Beside = field(default_factory=Beside)


class ClinicPool:
    """Gives each person the app of the clinic that their request is for, by `Person.clinic`."""

    def __init__(
        self,
        settings: Settings,
        clinics: Clinics,
        ring: KeyRing,
        state: SharedState | None,
        apps: OpenApps,
        own: OwnKeys,
        logs: ClinicLogs,
        page: Page | None = None,
        monotonic: Callable[[], float] = anyio.current_time,
    ) -> None:
        """`settings` are for what a clinic leaves out; `state` is what replicas share, `logs` where each clinic's audit
        log is, `page` where people answer questions."""
        self._settings = settings
        self.clinics = clinics
        self._ring = ring
        self._state = state
        self._logs = logs
        self._page = page
        self.own = own
        self._monotonic = monotonic
        self._refused: dict[str, tuple[int, float]] = {}
        self._seen = clinics.known
        self._shared: dict[str, _Clinic] = {}
        self._accounts: dict[tuple[str, str], str] = {}
        """The account of each person who has worked in their own key here, by clinic and principal."""
        self.apps = apps

    async def app_of(self, person: Person | None) -> App:
        """The app of the clinic that was chosen for this person.

        Raises KeyRefused where it has no key that is good, and NotLinked where they have to give their own.
        """
        self._close_changed()
        entry = self.clinics.get(person.clinic) if person is not None else None
        if person is None or entry is None or not entry.lets_in(person):
            raise KeyRefused("This person may not work in this clinic here.", _ASK)
        if entry.keys == "person":
            row = await self._row(entry, person)
            return await self.apps.app(row.account, row.version, lambda: self._made_for(entry, row))
        version, until = self._refused.get(entry.account, (0, 0.0))
        if version == entry.version and self._monotonic() < until:
            raise self._no_good()
        return await self.apps.app(entry.account, entry.version, lambda: self._made(entry))

    def _close_changed(self) -> None:
        """Close the apps of clinics that were taken out or are served otherwise since they were looked at last."""
        known, before = self.clinics.known, self._seen
        if known is before:
            return
        self._seen = known
        for id, entry in before.items():
            now = known.get(id)
            if now is not None and now.served_like(entry):
                continue
            self.apps.close(entry.account)
            for (clinic, person), account in tuple(self._accounts.items()):
                if clinic == id:
                    self.apps.close(account)
                    del self._accounts[clinic, person]
            if now is None or now.account != entry.account:
                self._shared.pop(entry.account, None)

    # The clinic's key

    def _made(self, entry: ClinicEntry) -> tuple[Settings, Parts]:
        try:
            settings = entry.settings(self._settings, opened_key(self._ring, entry))
        except ConfigurationError as problem:
            _LOG.error("%s", problem.message)
            raise self._no_good() from None

        async def still(principal: str) -> None:
            self._check_same(entry, principal)

        return settings, replace(self._parts(entry, settings, entry.account), still=still)

    def _check_same(self, entry: ClinicEntry, principal: str) -> None:
        """Raise KeyRefused where the clinic was taken out, is served otherwise, or names this person no more."""
        now = self.clinics.get(entry.id)
        if now is None or not now.served_like(entry) or (entry.names(principal) and not now.names(principal)):
            words = "The clinic, or who works in it, was changed since this was asked, so it was not done."
            raise KeyRefused(words, _ASK)

    # A person's own

    async def _row(self, entry: ClinicEntry, person: Person) -> KeyRow:
        """Their key, sealed. Raises NotLinked and KeyRefused where there is none, and closes what was open in it."""
        row = await self.own.keys.row(entry, person.principal)
        if row is None or not row.sealed:
            if (account := self._accounts.pop((entry.id, person.principal), None)) is not None:
                self.apps.close(account)
            raise self._not_linked(entry) if row is None else self._own_refused(entry)
        before = self._accounts.get((entry.id, person.principal), row.account)
        if before != row.account:
            self.apps.close(before)
        self._accounts[entry.id, person.principal] = row.account
        return row

    def _made_for(self, entry: ClinicEntry, row: KeyRow) -> tuple[Settings, Parts]:
        key = self.own.keys.open(entry, row)
        if key is None:
            _LOG.error("the ring does not open the key of a person in the clinic %s", entry.id)
            raise self._not_linked(entry)
        settings, clinic = entry.settings(self._settings, key), self._of(entry)

        def ledger(_: Callable[[], datetime]) -> Ledger:
            return clinic.ledger

        async def still(principal: str) -> None:
            self._check_same(entry, principal)
            now = await self.own.keys.row(entry, row.person)
            if now is None or not now.sealed or (now.account, now.version) != (row.account, row.version):
                words = "The key in which this was asked is not used here any more, so it was not done."
                raise KeyRefused(words, self._where(entry, "a key from Cliniko, if they have not yet,"))

        parts = replace(self._parts(entry, settings, row.account), ledger=ledger, still=still)
        if self._state is None:
            parts = replace(parts, locks=clinic.locks, elsewhere=clinic.beside)
        return settings, parts

    def _parts(self, entry: ClinicEntry, settings: Settings, account: str) -> Parts:
        """The parts of an app of this account, without what several accounts of one process have together."""
        log, page, network = self._logs.of(entry.id), self._page, self.apps.network
        if self._state is None:
            return Parts(self._ring, account, log=log, page=page, network=network)
        return shared_parts(
            self._state,
            self._ring,
            account,
            per_minute=settings.pace,
            log=log,
            page=page,
            network=network,
            clinic=entry.account,
        )

    def _of(self, entry: ClinicEntry) -> _Clinic:
        found = self._shared.get(entry.account)
        if found is None:
            if self._state is None:
                table = Questions(wall_clock, partial(secrets.token_hex, 16), most_shown=MAX_SHOWN_APART)
                ledger: Ledger = LocalLedger(table)
            else:
                ledger = shared_ledger(self._state, self._ring, entry.account, wall_clock)
            found = self._shared[entry.account] = _Clinic(ledger)
        return found

    async def tell(self, entry: ClinicEntry, person: Person, event: LoginEvent) -> None:
        """Write into the clinic's log what became of a person's own key."""
        issuer, _, subject = person.logged.partition(":")
        log = LoginLog(self._logs.of(entry.id), lambda: wall_clock().timestamp(), issuer)
        await log(replace(event, person=subject))

    # What the pages show

    async def questions(self, person: Person) -> list[ClinicQuestions]:
        """The questions of the clinics in which this person works."""
        found: list[ClinicQuestions] = []
        for entry in self.clinics.theirs(person):
            with suppress(KeyRefused):
                if entry.keys == "person":
                    ledger = self._of(entry).ledger
                else:
                    ledger = await (await self.app_of(replace(person, clinic=entry.id))).questions()
                strict = entry.strict(self._settings)
                found.append(ClinicQuestions(ledger, strict=strict, second=entry.approve_by == "second"))
        return found

    # Keys that Cliniko refuses

    async def key_refused(self, person: Person | None, problem: KeyRefused) -> KeyRefused:
        """What a person is told whose clinic's key Cliniko refused; it is not tried again for some minutes.

        A key of their own is erased, once it is proven that Cliniko refuses it.
        """
        entry = self.clinics.get(person.clinic) if person is not None else None
        if entry is None or person is None:
            return problem
        if entry.keys == "person":
            row = await self.own.keys.row(entry, person.principal)
            if row is None or not await self.own.keys.refused(entry, row, self.own.proofs(entry)):
                return problem
            self.apps.close(row.account)
            await self.tell(entry, person, LoginEvent("ended", why="Cliniko refused their own key"))
            return self._own_refused(entry)
        _LOG.error("Cliniko refuses the key of the clinic %s: `cliniko-mcp clinics rotate %s`", entry.id, entry.id)
        self._refused[entry.account] = entry.version, self._monotonic() + REFUSED_SECONDS
        self.apps.close(entry.account)
        return self._no_good()

    @staticmethod
    def _no_good() -> KeyRefused:
        return KeyRefused("The key with which this server works in the clinic is not accepted any more.", _ASK)

    def _own_refused(self, entry: ClinicEntry) -> KeyRefused:
        words = "Cliniko no longer takes this person's API key, so this server does not use it any more."
        return KeyRefused(words, self._where(entry, "a new key from Cliniko"))

    def _not_linked(self, entry: ClinicEntry) -> NotLinked:
        words = "Everybody works in this clinic with an API key of their own, and this person has not given theirs yet."
        return NotLinked(words, self._where(entry, "their key from Cliniko"))

    def _where(self, entry: ClinicEntry, what: str) -> str:
        if self.own.address is None:
            return "Tell the person to ask whoever looks after this server: it has no page for people's keys."
        return f"Tell the person to open {self.own.address}/{entry.id} in their browser and paste {what} there."


_ASK: Final = "Tell the person to ask whoever looks after this server."
